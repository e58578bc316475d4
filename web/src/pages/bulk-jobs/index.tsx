import { Boxes, ListRestart, RotateCw } from "lucide-react";
import { useCallback, useMemo, useState } from "react";
import { api, call } from "@/api/client";
import { useList } from "@/api/hooks";
import { useAddress } from "@/parts/Address";
import { Button } from "@/parts/Button";
import { type Column, DataTable } from "@/parts/DataTable";
import { PageHeader } from "@/parts/Page";
import { bulkJob } from "@/parts/Scope";
import { EmptyState } from "@/parts/States";
import { StatusBadge } from "@/parts/Status";
import { Num, Time } from "@/parts/Time";
import { JobTabs } from "../jobs";
import { type BulkJob, doneColumn, progressColumn, skippedColumn, what } from "../jobs/parts";
import { type Kind, kindOf, Start } from "./Start";

const id = (job: BulkJob) => job.id;

const fetch = (cursor: string | undefined, signal: AbortSignal) => call(api.GET("/api/v1/bulk-jobs", { params: { query: cursor ? { cursor } : {} }, signal }));

/** BulkJobs lists jobs over all tenants, each as one, and starts them. */
export default function BulkJobs() {
  const [params, change] = useAddress();
  const [asked] = useState(params);
  const kind = kindOf(params.get("start"));
  const start = useCallback((next: Kind | undefined) => change((now) => (next ? now.set("start", next) : [...now.keys()].forEach((key) => now.delete(key))), { replace: true }), [change]);
  const list = useList(["bulk-jobs"], fetch, id);
  const columns = useMemo<Column<BulkJob>[]>(
    () => [
      { key: "state", title: "State", width: "104px", narrow: "side", cell: (job) => <StatusBadge of="job" state={job.state} /> },
      { key: "what", title: "Job", width: "minmax(220px, 3fr)", narrow: "title", cell: (job) => <span className="font-medium">{what(job)}</span> },
      progressColumn,
      {
        key: "tenants",
        title: "Tenants ended",
        width: "112px",
        align: "right",
        cell: (job) => (
          <>
            <Num value={job.tenants - job.open} /> <span className="text-faint">of</span> <Num value={job.tenants} />
          </>
        ),
      },
      doneColumn,
      skippedColumn,
      { key: "created", title: "Started", width: "96px", align: "right", cell: (job) => <Time at={job.created_at} className="text-muted" /> },
    ],
    [],
  );
  return (
    <>
      <PageHeader
        title="Jobs over all tenants"
        sentence="Retries and replays for everybody at once, such as after an outage of your own network."
        action={
          <>
            <Button icon={ListRestart} onClick={() => start("replay")}>
              Replay for all tenants
            </Button>
            <Button look="primary" icon={RotateCw} onClick={() => start("retry")}>
              Retry for all tenants
            </Button>
          </>
        }
      />
      <JobTabs />
      <DataTable
        label="Jobs over all tenants"
        columns={columns}
        list={list}
        id={id}
        href={(job) => bulkJob(job.id)}
        empty={
          <EmptyState icon={Boxes} title="There was no job over all tenants yet" command="bellwire retry --all-tenants --since 2h --dry-run">
            When many customers missed events at the same time, one job sends them again to all. It counts them first.
          </EmptyState>
        }
      />
      {kind && <Start key={kind} kind={kind} asked={asked} close={() => start(undefined)} />}
    </>
  );
}
