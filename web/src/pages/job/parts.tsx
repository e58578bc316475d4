import { Ban, CirclePause, CirclePlay, Gauge } from "lucide-react";
import { useEffect, useState } from "react";
import type { QueryKey } from "@tanstack/react-query";
import { useAction } from "@/api/hooks";
import { exactNumber, human, percent, plural } from "@/lib/numbers";
import { cx, sentence } from "@/lib/text";
import { duration } from "@/lib/time";
import { Button } from "@/parts/Button";
import { ConfirmDialog, Dialog } from "@/parts/Dialog";
import { Field, FormError } from "@/parts/Form";
import { StatusBadge } from "@/parts/Status";
import { Num, Time } from "@/parts/Time";
import { over, type Pace, Progress, share } from "../jobs/parts";
import { pace, remaining, remember, type Sample } from "./eta";

type Action = { isPending: boolean; mutate: (input: undefined) => void };

/** JobActions changes a job that has not ended. */
export function JobActions({ job, pause, resume, ask }: { job: Pace; pause: Action; resume: Action; ask: (what: "rate" | "cancel") => void }) {
  return (
    <>
      <Button icon={Gauge} onClick={() => ask("rate")}>
        Change the rate
      </Button>
      {job.state === "paused" ? (
        <Button look="primary" icon={CirclePlay} busy={resume.isPending} onClick={() => resume.mutate(undefined)}>
          Resume
        </Button>
      ) : (
        <Button icon={CirclePause} busy={pause.isPending} onClick={() => pause.mutate(undefined)}>
          Pause
        </Button>
      )}
      <Button icon={Ban} onClick={() => ask("cancel")}>
        Cancel
      </Button>
    </>
  );
}

/** JobFigures shows how far a job is, as a bar and in numbers. */
export function JobFigures({ job, each = "", more }: { job: Pace; each?: string; more?: React.ReactNode }) {
  return (
    <>
      <div className="flex flex-wrap items-center justify-between gap-3">
        <StatusBadge of="job" state={job.state} soft />
        <span className="num text-muted">
          {job.total === 0 ? "nothing was selected" : `${percent(job.done + job.skipped, job.total)} of ${exactNumber(job.total)}`}
        </span>
      </div>
      <Progress job={job} className="mt-3 !h-2" />
      <dl className={cx("mt-4 grid grid-cols-2 gap-4", more ? "sm:grid-cols-5" : "sm:grid-cols-4")}>
        {more}
        <Figure name="Done">
          <Num value={job.done} />
        </Figure>
        <Figure name="Skipped">
          <Num value={job.skipped} />
        </Figure>
        <Figure name="Still to do">{over(job) ? "–" : <Num value={Math.max(0, job.total - job.done - job.skipped)} />}</Figure>
        <Figure name={`Rate${each}`}>{job.rate === null ? "as fast as there is room" : `at most ${human(job.rate)} a second`}</Figure>
      </dl>
    </>
  );
}

/** CancelDialog says what stays done before a job is canceled. */
export function CancelDialog({ open, job, cancel, close }: { open: boolean; job: Pace; cancel: Action; close: () => void }) {
  return (
    <ConfirmDialog open={open} onClose={close} title="Cancel this job?" action="Cancel the job" busy={cancel.isPending} onConfirm={() => cancel.mutate(undefined)}>
      <p>
        What it has done stays done: {plural(job.done, "delivery", "deliveries")}. The other {exactNumber(Math.max(0, job.total - job.done - job.skipped))} are left as they are. A canceled job cannot be resumed.
      </p>
    </ConfirmDialog>
  );
}

export function Figure({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <div className="min-w-0">
      <dt className="label">{name}</dt>
      <dd className="num mt-0.5 text-lg font-semibold">{children}</dd>
    </div>
  );
}

/** JobSentence says what a job does now. waiting is why it does not go on. */
export function JobSentence({ job, left, waiting }: { job: Pace; left: number | undefined; waiting?: string }) {
  switch (job.state) {
    case "running":
      if (waiting) return <>{sentence(waiting)}</>;
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
export function useLeft(job: Pace | undefined, at: number): number | undefined {
  const [samples, setSamples] = useState<Sample[]>([]);
  const handled = job && job.done + job.skipped;
  const running = job?.state === "running";
  useEffect(() => {
    setSamples((old) => (running && handled !== undefined ? remember(old, { at, handled }) : []));
  }, [running, handled, at]);
  return job && running ? remaining(job.total - job.done - job.skipped, pace(samples)) : undefined;
}

/** RateDialog changes how fast a job goes. */
export function RateDialog({ rate: now, change: send, changes, close }: { rate: number | null; change: (rate: number | null) => Promise<unknown>; changes: QueryKey[]; close: () => void }) {
  const [rate, setRate] = useState(now === null ? "" : String(now));
  const change = useAction(send, { done: "The rate was changed", changes, onDone: close, quiet: true });
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
