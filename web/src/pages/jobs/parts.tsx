import type { ComponentProps } from "react";
import type { Schemas } from "@/api/client";
import { cx, middle } from "@/lib/text";
import type { Column } from "@/parts/DataTable";
import type { Facts } from "@/parts/Page";
import { statusLook } from "@/parts/Status";
import { Num, Time } from "@/parts/Time";

export type Job = Schemas["Job"];
export type BulkJob = Schemas["BulkJob"];

/** How far a job is, of a tenant or over all. */
export type Pace = Pick<Job, "state" | "total" | "done" | "skipped" | "rate" | "finished_at">;

const verbs: Record<Job["kind"], string> = { replay: "Replay", retry: "Retry", cancel: "Cancel" };

const selected: Record<string, string> = {
  failed: "what failed",
  missing: "what was never sent",
  missed: "all that was missed",
  all: "everything",
  retrying: "what waits",
};

/** what says in a few words what a job is about: "Replay all that was missed to Order service". */
export function what({ kind, params }: Pick<Job, "kind" | "params">, endpoint?: string): string {
  const which = params.status ? (selected[params.status] ?? `${params.status} deliveries`) : "deliveries";
  const types = params.types.length > 0 ? ` of ${params.types.length === 1 ? params.types[0] : `${params.types.length} types`}` : "";
  return `${verbs[kind]} ${which}${types}${params.endpoint ? ` to ${endpoint ?? middle(params.endpoint)}` : ""}`;
}

/** over reports whether a job has ended. */
export function over({ state }: Pick<Job, "state">): boolean {
  return state !== "running" && state !== "paused";
}

/** share returns how much of a job is done, between 0 and 1. */
export function share({ done, skipped, total, state }: Pace): number {
  if (state === "done") return 1;
  return total > 0 ? Math.min(1, (done + skipped) / total) : 0;
}

const fills: Record<Job["state"], string> = {
  running: "bg-accent-solid",
  paused: "bg-warn-solid",
  done: "bg-good-solid",
  canceled: "bg-line-hover",
  failed: "bg-bad-solid",
};

/** Progress shows how far a job is. */
export function Progress({ job, className }: { job: Pace; className?: string }) {
  const part = share(job) * 100;
  return (
    <div
      role="progressbar"
      aria-label="Progress"
      aria-valuenow={Math.floor(part)}
      aria-valuemin={0}
      aria-valuemax={100}
      className={cx("h-1.5 overflow-hidden rounded-full bg-sunk-strong", className)}
    >
      <div className={cx("h-full rounded-full transition-[width]", fills[job.state])} style={{ width: `${part}%` }} />
    </div>
  );
}

/** Columns of lists of jobs, of whichever kind. */
export const progressColumn: Column<Pace> = { key: "progress", title: "Progress", width: "minmax(96px, 1fr)", narrow: "hidden", cell: (job) => <Progress job={job} /> };

export const doneColumn: Column<Pace> = {
  key: "done",
  title: "Done",
  width: "136px",
  align: "right",
  cell: (job) => (
    <>
      <Num value={job.done} /> <span className="text-faint">of</span> <Num value={job.total} />
    </>
  ),
};

export const skippedColumn: Column<Pace> = {
  key: "skipped",
  title: "Skipped",
  width: "76px",
  align: "right",
  wide: true,
  narrow: "hidden",
  cell: (job) => <Num value={job.skipped} className={job.skipped > 0 ? "" : "text-faint"} />,
};

/** selection lists what a job selects by. event stands between the types and the outcome, for jobs that can be about one. */
export function selection({ params, created_at: created }: Pick<Job, "params" | "created_at">, event?: ComponentProps<typeof Facts>["facts"][number]): ComponentProps<typeof Facts>["facts"] {
  return [
    ["Status", params.status ?? "any that fits"],
    ["Types", params.types.length > 0 ? params.types.join(", ") : "all"],
    event,
    params.outcome !== null && ["Newest attempt", statusLook("attempt", params.outcome).word],
    params.dialect !== null && ["Dialect", params.dialect],
    ["From", params.since ? <Time key="s" at={params.since} as="clock" /> : "the first event kept"],
    ["Until", Date.parse(params.until) > Date.parse(created) ? "the job was started" : <Time key="u" at={params.until} as="clock" />],
    params.filter !== null && ["Filter", <code key="f">{params.filter}</code>],
  ];
}
