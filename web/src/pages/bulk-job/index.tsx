import { useCallback, useMemo, useState } from "react";
import { useParams } from "react-router";
import { api, call } from "@/api/client";
import { useAction, useList, useLiveQuery } from "@/api/hooks";
import { plural } from "@/lib/numbers";
import { sentence, visible } from "@/lib/text";
import { Id } from "@/parts/Copy";
import { type Column, DataTable } from "@/parts/DataTable";
import { Facts, PageHeader, Panel } from "@/parts/Page";
import { useScope } from "@/parts/Scope";
import { PageSkeleton } from "@/parts/Shell";
import { EmptyState, ErrorState } from "@/parts/States";
import { Notice, StatusBadge } from "@/parts/Status";
import { Num, Time } from "@/parts/Time";
import { CancelDialog, Figure, JobActions, JobFigures, JobSentence, RateDialog, useLeft } from "../job/parts";
import { doneColumn, type Job, over, progressColumn, selection, skippedColumn, what } from "../jobs/parts";

const idOf = (job: Job) => job.id;

/** BulkJobPage shows how far a job over all tenants is, changes all its parts, and lists them. */
export default function BulkJobPage() {
  const { link } = useScope();
  const { id = "" } = useParams();
  const path = { id };
  const job = useLiveQuery(["bulk-job", id], (signal) => call(api.GET("/api/v1/bulk-jobs/{id}", { params: { path }, signal })), { every: 2000 });
  const left = useLeft(job.data, job.dataUpdatedAt);
  const [asking, setAsking] = useState<"rate" | "cancel">();
  const close = () => setAsking(undefined);
  const options = { changes: [["bulk-job", id], ["bulk-jobs"], ["jobs"], ["parts", id]] };
  const pause = useAction(() => call(api.POST("/api/v1/bulk-jobs/{id}/pause", { params: { path } })), { ...options, failed: "The job was not paused" });
  const resume = useAction(() => call(api.POST("/api/v1/bulk-jobs/{id}/resume", { params: { path } })), { ...options, failed: "The job was not resumed" });
  const cancel = useAction(() => call(api.POST("/api/v1/bulk-jobs/{id}/cancel", { params: { path } })), {
    ...options,
    done: "The job was canceled",
    failed: "The job was not canceled",
    onDone: close,
  });
  const fetch = useCallback((cursor: string | undefined, signal: AbortSignal) => call(api.GET("/api/v1/jobs", { params: { query: { bulk_job: id, ...(cursor ? { cursor } : {}) } }, signal })), [id]);
  const parts = useList(["parts", id], fetch, idOf, { every: 2000 });
  const columns = useMemo<Column<Job>[]>(
    () => [
      { key: "state", title: "State", width: "104px", narrow: "side", cell: (part) => <StatusBadge of="job" state={part.state} /> },
      { key: "tenant", title: "Tenant", width: "minmax(120px, 2fr)", narrow: "title", cell: (part) => <span className="font-medium">{part.tenant}</span> },
      {
        key: "why",
        title: "Note",
        width: "minmax(120px, 2fr)",
        wide: true,
        cell: (part) => {
          const text = sentence(visible(part.error || (part.state === "running" ? part.waiting : "")));
          return text && <span className="text-sm text-muted" title={text}>{text}</span>;
        },
      },
      progressColumn,
      doneColumn,
      { ...skippedColumn, wide: false },
    ],
    [],
  );

  if (job.isPending) return <PageSkeleton />;
  if (!job.data) return <ErrorState error={job.error} what="The job could not be loaded" retry={job.refetch} />;
  const it = job.data;
  return (
    <>
      <PageHeader
        title={`${what(it)} of all tenants`}
        back={[
          { to: "/jobs", label: "Jobs" },
          { to: "/bulk-jobs", label: "Over all tenants" },
        ]}
        sentence={<JobSentence job={it} left={left} {...(it.open > 0 && it.waiting === it.open ? { waiting: "Waiting: none of its parts can go on now. Each says why" } : {})} />}
        action={!over(it) && <JobActions job={it} pause={pause} resume={resume} ask={setAsking} />}
      />
      <div className="grid gap-4 px-4 pb-4 sm:px-6">
        {it.failed > 0 && <Notice tone="bad">{plural(it.failed, "part has", "parts have")} failed. The list below says why.</Notice>}
        <Panel>
          <JobFigures
            job={it}
            each=" of each tenant"
            more={
              <Figure name="Tenants ended">
                <Num value={it.tenants - it.open} /> <span className="text-base font-normal text-faint">of</span> <Num value={it.tenants} />
              </Figure>
            }
          />
        </Panel>
        <Panel title="What was selected">
          <Facts
            facts={[
              ...selection(it),
              ["Job", <Id key="i" value={it.id} full />],
              ["Started", <Time key="c" at={it.created_at} />],
              it.finished_at !== null && ["Ended", <Time key="f" at={it.finished_at} />],
            ]}
          />
        </Panel>
      </div>
      <h2 className="px-4 pt-2 pb-1 text-sm font-semibold sm:px-6">Its parts, one of each tenant</h2>
      <DataTable label="Parts" columns={columns} list={parts} id={idOf} href={(part) => link.job(part.tenant, part.id)} empty={<EmptyState title="Its parts were deleted" />} />
      {asking === "rate" && (
        <RateDialog
          rate={it.rate}
          change={(rate) => call(api.PATCH("/api/v1/bulk-jobs/{id}", { params: { path }, body: { rate } }))}
          changes={options.changes}
          close={close}
        />
      )}
      <CancelDialog open={asking === "cancel"} job={it} cancel={cancel} close={close} />
    </>
  );
}
