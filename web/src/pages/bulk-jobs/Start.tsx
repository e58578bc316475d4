import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { useNavigate } from "react-router";
import { api, call, type Schemas } from "@/api/client";
import { useAction } from "@/api/hooks";
import { dialects } from "@/api/names";
import type { ApiError } from "@/api/problem";
import { exactNumber, plural } from "@/lib/numbers";
import { sentence } from "@/lib/text";
import { parseTime, resolved, rfc3339, timeFault } from "@/lib/time";
import { Button } from "@/parts/Button";
import { Dialog } from "@/parts/Dialog";
import { Choice, Field, FormError } from "@/parts/Form";
import { useLive } from "@/parts/Live";
import { bulkJob } from "@/parts/Scope";
import { Skeleton } from "@/parts/States";
import { words } from "@/parts/Toast";

export type Kind = "retry" | "replay";

/** kindOf returns the kind that an address asks for. */
export const kindOf = (text: string | null): Kind | undefined => (text === "retry" || text === "replay" ? text : undefined);

const retries = [
  ["failed", "Failed"],
  ["exhausted", "Exhausted"],
  ["canceled", "Canceled"],
  ["retrying", "Waiting"],
] as const;

const replays = [
  ["missed", "All that was missed"],
  ["failed", "Failed"],
  ["missing", "Never sent"],
  ["all", "Everything"],
] as const;

const about: Record<string, string> = {
  "retry failed": "Deliveries that are exhausted or canceled.",
  "retry exhausted": "Deliveries that are exhausted: no retries are left.",
  "retry canceled": "Deliveries that were canceled.",
  "retry retrying": "Deliveries that wait for their next attempt: they are attempted now.",
  "replay missed": "What failed, and what was never sent.",
  "replay failed": "Events whose delivery was exhausted or canceled.",
  "replay missing": "Events that an endpoint matches as it is now, and has no delivery of.",
  "replay all": "What was missed, and what was delivered: that is sent again.",
};

type Input = Schemas["BulkJobInput"];
type Count = Schemas["BulkCount"];

/** Start retries or replays over all tenants, after it has shown exactly what that would be about. asked has what the address selects. */
export function Start({ kind, asked, close }: { kind: Kind; asked: URLSearchParams; close: () => void }) {
  const navigate = useNavigate();
  const [status, setStatus] = useState<string>(kind === "retry" ? "failed" : "missed");
  const [since, setSince] = useState(asked.get("since") ?? "24h");
  const [until, setUntil] = useState(asked.get("until") ?? "");
  const [types, setTypes] = useState(asked.get("type") ?? "");
  const [dialect, setDialect] = useState(asked.get("dialect") ?? "");
  const [rate, setRate] = useState("");
  const [opened] = useState(() => Date.now());
  const { zone } = useLive();
  const known = useQuery(dialects());

  const faults = { since: since ? timeFault(since) : "is required", until: timeFault(until), rate: rate && !(Number(rate) > 0) ? "must be a number above 0" : undefined };
  const valid = !faults.since && !faults.until && !faults.rate;
  const selection = useMemo<Input | undefined>(() => {
    const from = parseTime(since, opened, zone);
    const to = until ? parseTime(until, opened, zone) : opened;
    if (!valid || !from || !to) return undefined;
    return {
      status,
      since: rfc3339(from),
      until: new Date(to).toISOString(),
      ...(types.trim() ? { types: types.split(/[\s,]+/).filter(Boolean) } : {}),
      ...(dialect ? { dialect } : {}),
    };
  }, [valid, since, until, types, dialect, status, opened, zone]);
  const send = (body: Input, signal?: AbortSignal) => {
    const options = { body, ...(signal ? { signal } : {}) };
    return call<Schemas["BulkJob"] | Count>(kind === "retry" ? api.POST("/api/v1/deliveries/retry", options) : api.POST("/api/v1/replays", options));
  };
  const count = useQuery<Count, ApiError>({
    queryKey: ["bulk-job-count", kind, selection],
    queryFn: async ({ signal }) => {
      await settle(signal); // people type
      return (await send({ ...selection, dry_run: true }, signal)) as Count;
    },
    enabled: selection !== undefined,
    staleTime: 0,
    gcTime: 0,
    retry: false,
    refetchOnWindowFocus: false,
  });
  const start = useAction((body: Input) => send(body), {
    quiet: true,
    done: (job) => ("id" in job ? "The job runs" : "There was nothing left to do"),
    changes: [["bulk-jobs"], ["jobs"], ["deliveries"]],
    onDone: (job) => {
      close();
      if ("id" in job) void navigate(bulkJob(job.id));
    },
  });
  const found = selection ? count.data : undefined;
  const verb = kind === "retry" ? "Retry" : "Replay";
  const one = kind === "retry" ? "delivery" : "event";
  const many = kind === "retry" ? "deliveries" : "events";
  const error = start.error ?? count.error ?? null;
  return (
    <Dialog
      open
      onClose={close}
      width="max-w-xl"
      title={`${verb} for all tenants`}
      sentence={
        kind === "retry"
          ? "Each delivery begins its retry schedule again, with an attempt at once, or at the deliver_at of its event. Tenants take turns. Paused tenants and disabled endpoints are left out."
          : "Each endpoint gets its events once more, with the ids that they had. Tenants take turns. Paused tenants and disabled endpoints are left out."
      }
    >
      <form
        className="space-y-4"
        onSubmit={(event) => {
          event.preventDefault();
          if (selection && found && found.total > 0) start.mutate({ ...selection, ...(rate ? { rate: Number(rate) } : {}) });
        }}
      >
        <div>
          <Choice label={kind === "retry" ? "Which deliveries" : "Which events"} value={status} values={kind === "retry" ? retries : replays} onChange={setStatus} />
          <p className="mt-1.5 text-xs text-muted">{about[`${kind} ${status}`]}</p>
        </div>
        <div className="grid gap-4 sm:grid-cols-2">
          <Field label="Accepted since" name="since" error={error} problem={faults.since} hint={resolved(since, opened, zone)}>
            {(field) => <input {...field} className="field num" value={since} onChange={(event) => setSince(event.target.value)} />}
          </Field>
          <Field label="Until" name="until" error={error} problem={faults.until} hint={resolved(until, opened, zone)} optional>
            {(field) => <input {...field} className="field num" value={until} placeholder="now" onChange={(event) => setUntil(event.target.value)} />}
          </Field>
          <Field label="Event types" name="types" error={error} optional hint="Names, or beginnings such as card.*">
            {(field) => <input {...field} className="field font-mono" value={types} placeholder="all" onChange={(event) => setTypes(event.target.value)} />}
          </Field>
          <Field label="Dialect" name="dialect" error={error} optional>
            {(field) => (
              <select {...field} className="field" value={dialect} onChange={(event) => setDialect(event.target.value)}>
                <option value="">all</option>
                {known.data?.map((name) => (
                  <option key={name} value={name}>
                    {name}
                  </option>
                ))}
              </select>
            )}
          </Field>
          <Field label="Deliveries a second" name="rate" error={error} problem={faults.rate} optional hint="Of each tenant">
            {(field) => <input {...field} className="field num" inputMode="decimal" value={rate} placeholder="as fast as there is room" onChange={(event) => setRate(event.target.value.trim())} />}
          </Field>
        </div>
        <FormError error={start.error} fields={["since", "until", "types", "dialect", "rate"]} />
        <div className="flex flex-wrap items-center justify-between gap-3 border-t border-line pt-4">
          <p aria-live="polite" className="min-w-0">
            {found ? (
              <>
                {found.total_is_bound && "At most "}
                <strong className="num font-semibold">{exactNumber(found.total)}</strong> {found.total === 1 ? one : many} of {plural(found.tenants, "tenant")}.
              </>
            ) : count.error ? (
              <span className="text-bad">{sentence(words(count.error))}</span>
            ) : selection ? (
              <Skeleton className="w-44" />
            ) : (
              <span className="text-muted">Not counted.</span>
            )}
          </p>
          <div className="flex gap-2">
            <Button onClick={close}>Leave them</Button>
            <Button type="submit" look="primary" disabled={!found || found.total === 0} busy={start.isPending}>
              {found ? `${verb} ${exactNumber(found.total)}` : verb}
            </Button>
          </div>
        </div>
      </form>
    </Dialog>
  );
}

/** settle waits for a moment, unless the query is given up meanwhile. */
function settle(signal: AbortSignal): Promise<void> {
  return new Promise((done, given) => {
    const timer = setTimeout(done, 250);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      given(signal.reason);
    });
  });
}
