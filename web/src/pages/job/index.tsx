import { Ban, CirclePause, CirclePlay, Gauge } from "lucide-react";
import { useEffect, useState } from "react";
import { useParams } from "react-router";
import { api, call } from "@/api/client";
import { useAction, useLiveQuery } from "@/api/hooks";
import { useEndpoints } from "@/api/names";
import { exactNumber, human, percent, plural } from "@/lib/numbers";
import { sentence } from "@/lib/text";
import { duration } from "@/lib/time";
import { Button, ButtonLink } from "@/parts/Button";
import { Id } from "@/parts/Copy";
import { ConfirmDialog, Dialog } from "@/parts/Dialog";
import { Field, FormError } from "@/parts/Form";
import { endpointName } from "@/parts/Health";
import { Facts, PageHeader, Panel } from "@/parts/Page";
import { useScope, useTenant } from "@/parts/Scope";
import { PageSkeleton } from "@/parts/Shell";
import { ErrorState } from "@/parts/States";
import { Notice, StatusBadge, statusLook } from "@/parts/Status";
import { Num, Time } from "@/parts/Time";
import { type Job, over, Progress, share, what } from "../jobs/parts";
import { pace, remaining, remember, type Sample } from "./eta";

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
        back={shell === "console" ? [{ to: "/jobs", label: "Jobs" }] : [{ to: link.endpoints(), label: "Endpoints" }]}
        sentence={<JobSentence job={it} left={left} />}
        action={
          !over(it) &&
          can("replay") && (
            <>
              <Button icon={Gauge} onClick={() => setAsking("rate")}>
                Change the rate
              </Button>
              {it.state === "paused" ? (
                <Button look="primary" icon={CirclePlay} busy={resume.isPending} onClick={() => resume.mutate(undefined)}>
                  Resume
                </Button>
              ) : (
                <Button icon={CirclePause} busy={pause.isPending} onClick={() => pause.mutate(undefined)}>
                  Pause
                </Button>
              )}
              <Button icon={Ban} onClick={() => setAsking("cancel")}>
                Cancel
              </Button>
            </>
          )
        }
      />
      <div className="grid gap-4 px-4 pb-8 sm:px-6">
        {it.error && <Notice tone="bad">{sentence(it.error)}</Notice>}
        <Panel>
          <div className="flex flex-wrap items-center justify-between gap-3">
            <StatusBadge of="job" state={it.state} soft />
            <span className="num text-muted">
              {percent(it.done + it.skipped, it.total)} of {exactNumber(it.total)}
            </span>
          </div>
          <Progress job={it} className="mt-3 !h-2" />
          <dl className="mt-4 grid grid-cols-2 gap-4 sm:grid-cols-4">
            <Figure name="Done">
              <Num value={it.done} />
            </Figure>
            <Figure name="Skipped">
              <Num value={it.skipped} />
            </Figure>
            <Figure name="Still to do">{over(it) ? "–" : <Num value={Math.max(0, it.total - it.done - it.skipped)} />}</Figure>
            <Figure name="Rate">{it.rate === null ? "as fast as there is room" : `at most ${human(it.rate)} a second`}</Figure>
          </dl>
          {it.kind !== "cancel" && it.done > 0 && <p className="mt-3 text-sm text-muted">Done counts what was sent on its way. The deliveries show whether it arrived.</p>}
          {it.skipped > 0 && (
            <p className="mt-3 text-sm text-muted">
              Skipped: what a filter left out, or was delivered, retried, canceled or deleted before the job came to it.
            </p>
          )}
        </Panel>
        <Panel title="What was selected" aside={<ButtonLink size="sm" look="quiet" to={link.deliveries(deliveriesOf(it))}>Show deliveries</ButtonLink>}>
          <Facts
            facts={[
              ["Endpoint", it.params.endpoint ? <Id key="e" value={it.params.endpoint} full to={link.endpoint(tenant, it.params.endpoint)} /> : "all of the tenant"],
              shell === "console" && ["Tenant", <Id key="t" value={tenant} to={link.tenant(tenant)} />],
              ["Status", it.params.status ?? "any that fits"],
              ["Types", it.params.types.length > 0 ? it.params.types.join(", ") : "all"],
              it.params.event !== null && ["Event", <Id key="v" value={it.params.event} full to={link.event(tenant, it.params.event)} />],
              it.params.outcome !== null && ["Newest attempt", statusLook("attempt", it.params.outcome).word],
              it.params.dialect !== null && ["Dialect", it.params.dialect],
              ["From", it.params.since ? <Time key="s" at={it.params.since} as="clock" /> : "the first event kept"],
              ["Until", <Time key="u" at={it.params.until} as="clock" />],
              it.params.filter !== null && ["Filter", <code key="f">{it.params.filter}</code>],
              ["Job", <Id key="i" value={it.id} full />],
              ["Started", <Time key="c" at={it.created_at} />],
              it.finished_at !== null && ["Ended", <Time key="f" at={it.finished_at} />],
            ]}
          />
        </Panel>
      </div>
      {asking === "rate" && <RateDialog job={it} close={close} />}
      <ConfirmDialog open={asking === "cancel"} onClose={close} title="Cancel this job?" action="Cancel the job" busy={cancel.isPending} onConfirm={() => cancel.mutate(undefined)}>
        <p>
          What it has done stays done: {plural(it.done, "delivery", "deliveries")}. The other {exactNumber(Math.max(0, it.total - it.done - it.skipped))} are left as they are. A canceled job cannot be resumed.
        </p>
      </ConfirmDialog>
    </>
  );
}

/** deliveriesOf returns the filter that comes closest to what a job is about: its endpoint, type, dialect and times. */
function deliveriesOf({ tenant, params }: Job): Record<string, string> {
  const [type, ...others] = params.types;
  return {
    tenant,
    ...(params.endpoint ? { endpoint: params.endpoint } : {}),
    ...(type && others.length === 0 && !type.endsWith("*") ? { type } : {}),
    ...(params.dialect ? { dialect: params.dialect } : {}),
    ...(params.since ? { since: params.since } : {}),
    until: params.until,
  };
}

function Figure({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <div className="min-w-0">
      <dt className="label">{name}</dt>
      <dd className="num mt-0.5 text-lg font-semibold">{children}</dd>
    </div>
  );
}

function JobSentence({ job, left }: { job: Job; left: number | undefined }) {
  switch (job.state) {
    case "running":
      if (job.waiting) return <>Waiting: {sentence(job.waiting)}</>;
      return left === undefined ? <>Under way.</> : <>Under way. It will end in about {duration(left)}.</>;
    case "paused":
      return <>Paused. Nothing happens until you resume it.</>;
    case "done":
      return (
        <>
          Ended <Time at={job.finished_at} />.
        </>
      );
    case "canceled":
      return (
        <>
          Canceled <Time at={job.finished_at} />, at {percent(share(job), 1)}.
        </>
      );
    case "failed":
      return (
        <>
          Failed <Time at={job.finished_at} />.
        </>
      );
  }
}

/** useLeft returns the milliseconds that a running job will still take, from how it moved while the page watched it. */
function useLeft(job: Job | undefined, at: number): number | undefined {
  const [samples, setSamples] = useState<Sample[]>([]);
  const handled = job && job.done + job.skipped;
  const running = job?.state === "running";
  useEffect(() => {
    setSamples((old) => (running && handled !== undefined ? remember(old, { at, handled }) : []));
  }, [running, handled, at]);
  return job && running ? remaining(job.total - job.done - job.skipped, pace(samples)) : undefined;
}

function RateDialog({ job, close }: { job: Job; close: () => void }) {
  const [rate, setRate] = useState(job.rate === null ? "" : String(job.rate));
  const change = useAction(
    (next: number | null) => call(api.PATCH("/api/v1/tenants/{tenant}/jobs/{id}", { params: { path: { tenant: job.tenant, id: job.id } }, body: { rate: next } })),
    { done: "The rate was changed", changes: [["job", job.tenant, job.id], ["jobs"]], onDone: close, quiet: true },
  );
  const typed = rate.trim();
  const wrong = typed !== "" && !(Number(typed) > 0) ? "must be a number, such as 50" : undefined;
  return (
    <Dialog
      open
      onClose={close}
      title="Change the rate"
      sentence="Live traffic goes first, whatever the rate is."
      footer={
        <>
          <Button onClick={close}>Leave it</Button>
          <Button look="primary" type="submit" form="rate" busy={change.isPending}>
            Change the rate
          </Button>
        </>
      }
    >
      <form
        id="rate"
        className="space-y-3"
        onSubmit={(event) => {
          event.preventDefault();
          if (!wrong) change.mutate(typed === "" ? null : Number(typed));
        }}
      >
        <Field label="Deliveries a second" name="rate" error={change.error} problem={wrong} optional hint="Empty: as fast as there is room.">
          {(field) => <input {...field} className="field num" inputMode="decimal" autoFocus value={rate} onChange={(event) => setRate(event.target.value)} />}
        </Field>
        <FormError error={change.error} fields={["rate"]} />
      </form>
    </Dialog>
  );
}
