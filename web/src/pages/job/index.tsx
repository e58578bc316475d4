import { useState } from "react";
import { Link, useParams } from "react-router";
import { api, call, type Schemas } from "@/api/client";
import { useAction, useLiveQuery } from "@/api/hooks";
import { useEndpoints } from "@/api/names";
import { middle, sentence, visible } from "@/lib/text";
import { ButtonLink } from "@/parts/Button";
import { Id } from "@/parts/Copy";
import { endpointName } from "@/parts/Health";
import { Facts, PageHeader, Panel } from "@/parts/Page";
import { bulkJob, useScope, useTenant } from "@/parts/Scope";
import { PageSkeleton } from "@/parts/Shell";
import { ErrorState } from "@/parts/States";
import { Notice } from "@/parts/Status";
import { Num, Time } from "@/parts/Time";
import { over, selection, what } from "../jobs/parts";
import { CancelDialog, Figure, JobActions, JobFigures, JobSentence, RateDialog, useLeft } from "./parts";

/** JobPage shows how far a job is, and changes its pace. */
export default function JobPage() {
  const { link, can, shell } = useScope();
  const tenant = useTenant();
  const { id = "" } = useParams();
  const path = { tenant, id };
  const job = useLiveQuery(["job", tenant, id], (signal) => call(api.GET("/api/v1/tenants/{tenant}/jobs/{id}", { params: { path }, signal })), { every: 2000 });
  const { endpoints } = useEndpoints(tenant);
  const left = useLeft(job.data, job.dataUpdatedAt);
  const [asking, setAsking] = useState<"rate" | "cancel">();
  const close = () => setAsking(undefined);
  const options = { changes: [["job", tenant, id], ["jobs"]] };
  const pause = useAction(() => call(api.POST("/api/v1/tenants/{tenant}/jobs/{id}/pause", { params: { path } })), { ...options, failed: "The job was not paused" });
  const resume = useAction(() => call(api.POST("/api/v1/tenants/{tenant}/jobs/{id}/resume", { params: { path } })), { ...options, failed: "The job was not resumed" });
  const cancel = useAction(() => call(api.POST("/api/v1/tenants/{tenant}/jobs/{id}/cancel", { params: { path } })), {
    ...options,
    done: "The job was canceled",
    failed: "The job was not canceled",
    onDone: close,
  });

  if (job.isPending) return <PageSkeleton />;
  if (!job.data) return <ErrorState error={job.error} what="The job could not be loaded" retry={job.refetch} />;
  const it = job.data;
  const known = it.params.endpoint ? endpoints.get(it.params.endpoint) : undefined;
  return (
    <>
      <PageHeader
        title={what(it, known && endpointName(known))}
        back={[
          shell === "console" ? { to: "/jobs", label: "Jobs" } : { to: link.endpoints(), label: "Endpoints" },
          ...(it.params.endpoint ? [{ to: link.endpoint(tenant, it.params.endpoint), label: known ? endpointName(known) : middle(it.params.endpoint) }] : []),
        ]}
        sentence={<JobSentence job={it} left={left} {...(it.waiting ? { waiting: `Waiting: ${it.waiting}` } : {})} />}
        action={!over(it) && can("replay") && <JobActions job={it} pause={pause} resume={resume} ask={setAsking} />}
      />
      <div className="grid gap-4 px-4 pb-8 sm:px-6">
        {it.error && <Notice tone="bad">{sentence(visible(it.error))}</Notice>}
        <Panel>
          <JobFigures job={it} />
          {it.kind !== "cancel" && it.done > 0 && <Arrived job={it} />}
          {it.skipped > 0 && (
            <p className="mt-3 text-sm text-muted">
              Skipped: what a filter left out, or was delivered, retried, canceled or deleted before the job came to it.
            </p>
          )}
        </Panel>
        <Panel title="What was selected" aside={<ButtonLink size="sm" look="quiet" to={link.deliveries({ tenant, job: it.id })}>Show deliveries</ButtonLink>}>
          <Facts
            facts={[
              [
                "Endpoint",
                it.params.endpoint ? (
                  <span key="e" className="flex flex-wrap gap-x-3">
                    {known && (
                      <Link to={link.endpoint(tenant, it.params.endpoint)} className="font-medium hover:text-accent hover:underline">
                        {endpointName(known)}
                      </Link>
                    )}
                    <Id value={it.params.endpoint} {...(known ? {} : { full: true })} to={link.endpoint(tenant, it.params.endpoint)} />
                  </span>
                ) : (
                  "all of the tenant"
                ),
              ],
              shell === "console" && ["Tenant", <Id key="t" value={tenant} to={link.tenant(tenant)} />],
              ...selection(it, it.params.event !== null && ["Event", <Id key="v" value={it.params.event} full to={link.event(tenant, it.params.event)} />]),
              ["Job", <Id key="i" value={it.id} full />],
              it.bulk_job !== null && shell === "console" && ["Part of", <Id key="b" value={it.bulk_job} full to={bulkJob(it.bulk_job)} />],
              ["Started", <Time key="c" at={it.created_at} />],
              it.finished_at !== null && ["Ended", <Time key="f" at={it.finished_at} />],
            ]}
          />
        </Panel>
      </div>
      {asking === "rate" && (
        <RateDialog
          rate={it.rate}
          change={(rate) => call(api.PATCH("/api/v1/tenants/{tenant}/jobs/{id}", { params: { path }, body: { rate } }))}
          changes={options.changes}
          close={close}
        />
      )}
      <CancelDialog open={asking === "cancel"} job={it} cancel={cancel} close={close} />
    </>
  );
}

/** Arrived says what has become of what a job has sent on its way. */
function Arrived({ job }: { job: Schemas["JobWithDeliveries"] }) {
  const { link } = useScope();
  const { waiting, succeeded, exhausted, canceled, capped } = job.deliveries;
  const most = capped ? Math.max(waiting, succeeded, exhausted, canceled) : Number.POSITIVE_INFINITY;
  const figure = (name: string, status: string | undefined, count: number) => (
    <Figure name={name}>
      {count === 0 ? (
        <span className="text-faint">0</span>
      ) : (
        <Link to={link.deliveries({ tenant: job.tenant, job: job.id, ...(status ? { status } : {}) })} className="hover:underline">
          {count === most && "more than "}
          <Num value={count} />
        </Link>
      )}
    </Figure>
  );
  return (
    <>
      <h3 className="mt-4 border-t border-line pt-4 text-sm font-semibold">What became of it</h3>
      <dl className="mt-2 grid grid-cols-2 gap-4 sm:grid-cols-4">
        {figure("Arrived", "succeeded", succeeded)}
        {figure("Wait", undefined, waiting)}
        {figure("Exhausted", "exhausted", exhausted)}
        {figure("Canceled", "canceled", canceled)}
      </dl>
      {waiting + succeeded + exhausted + canceled < job.done && !capped && <p className="mt-3 text-sm text-muted">What another job has retried or canceled since, and what is no longer stored, is not among them.</p>}
    </>
  );
}
