import { useQuery } from "@tanstack/react-query";
import { ListRestart } from "lucide-react";
import { useEffect, useMemo, useState } from "react";
import { Link } from "react-router";
import { api, type ApiError, call, type Schemas } from "@/api/client";
import { asError } from "@/api/problem";
import { useAction } from "@/api/hooks";
import { exactNumber, plural } from "@/lib/numbers";
import { parseTime, resolved, rfc3339, timeFault } from "@/lib/time";
import { Button } from "@/parts/Button";
import { Dialog } from "@/parts/Dialog";
import { Choice, Field, FormError } from "@/parts/Form";
import { endpointName } from "@/parts/Health";
import { useLive } from "@/parts/Live";
import { useScope } from "@/parts/Scope";
import { Skeleton } from "@/parts/States";
import { brokenSince } from "./broken";
import { useMissed } from "./missed";
import type { Endpoint } from "./index";

const kinds = [
  ["missed", "All that it missed"],
  ["failed", "Failed"],
  ["missing", "Never sent"],
  ["all", "Everything"],
] as const;

const about: Record<(typeof kinds)[number][0], string> = {
  failed: "Events whose delivery was exhausted or canceled.",
  missing: "Events that match the endpoint as it is now and that it has no delivery of, also from before it was made.",
  missed: "What failed, and what was never sent.",
  all: "What it missed, and what it has already got: it gets those again.",
};

type Counted = { key: string; count?: Schemas["JobCount"]; error?: ApiError };

/** Replay sends earlier events to the endpoint again. It shows exactly how many before it runs. */
export function Replay({ endpoint, open, onClose }: { endpoint: Endpoint; open: boolean; onClose: () => void }) {
  return (
    <Dialog open={open} onClose={onClose} title={`Replay events to ${endpointName(endpoint)}`} sentence="Events are sent in their own deliveries. Nobody else gets them." width="max-w-xl">
      {open && <Begun endpoint={endpoint} onClose={onClose} />}
    </Dialog>
  );
}

/** What the replay begins with: the text of a time, and why that one, if something is known. */
type Beginning = { since: string; why?: string };

/** How long before the first failure the events were accepted, at least: a request may have waited for its answer. */
const margin = 60_000;

/** How far back the first failure is looked for. */
const reach = 30 * 24 * 3_600_000;

/** Begun shows the form, once it is known since when the endpoint has missed events. */
function Begun({ endpoint, onClose }: { endpoint: Endpoint; onClose: () => void }) {
  const { health, tenant, id } = endpoint;
  const stopped = endpoint.status !== "enabled" || health.state === "failing"; // the API knows since when it has missed events
  const missed = useMissed(endpoint, stopped);
  const hours = useQuery({
    queryKey: ["broken", id],
    queryFn: ({ signal }) =>
      call(api.GET("/api/v1/tenants/{tenant}/statistics", { params: { path: { tenant }, query: { by: "endpoint", interval: "hour", since: rfc3339(Date.now() - reach) } }, signal })),
    enabled: !stopped && health.last_failure_at !== null,
    gcTime: 0,
    refetchOnWindowFocus: false,
  });
  if (hours.isLoading || missed.isLoading) {
    return (
      <div className="space-y-4" aria-busy>
        <Skeleton className="h-8" />
        <Skeleton className="h-14" />
        <Skeleton className="h-14" />
      </div>
    );
  }
  // Statistics are some seconds late: what they do not have yet has just begun.
  const known = brokenSince(hours.data?.data.filter((row) => row.endpoint === id) ?? []) ?? (health.last_failure_at ? Date.parse(health.last_failure_at) - 3_600_000 : undefined);
  const beginning: Beginning = missed.data
    ? { since: rfc3339(Date.parse(missed.data.since)), why: health.state === "failing" ? "A little before the first failed attempt" : `When it was ${endpoint.status}` }
    : known === undefined
      ? { since: "24h" }
      : { since: rfc3339(known - margin), why: "A little before the first failed attempt" };
  return <Form endpoint={endpoint} beginning={beginning} onClose={onClose} />;
}

function Form({ endpoint, beginning, onClose }: { endpoint: Endpoint; beginning: Beginning; onClose: () => void }) {
  const { link } = useScope();
  const path = { tenant: endpoint.tenant };
  const [kind, setKind] = useState<(typeof kinds)[number][0]>("missed");
  const [since, setSince] = useState(beginning.since);
  const [until, setUntil] = useState("");
  const [types, setTypes] = useState("");
  const [rate, setRate] = useState("");
  const [opened] = useState(() => Date.now());
  const { zone } = useLive();

  const faults = { since: since ? timeFault(since) : "is required", until: timeFault(until), rate: rate && !(Number(rate) > 0) ? "must be a number above 0" : undefined };
  const valid = !faults.since && !faults.until && !faults.rate;
  const body = useMemo<Schemas["ReplayInput"] | undefined>(() => {
    if (!valid) return undefined;
    const from = parseTime(since, opened, zone);
    const to = until ? parseTime(until, opened, zone) : opened;
    return {
      endpoint: endpoint.id,
      status: kind,
      ...(from ? { since: rfc3339(from) } : {}),
      ...(to ? { until: new Date(to).toISOString() } : {}),
      ...(types.trim() ? { types: types.split(/[\s,]+/).filter(Boolean) } : {}),
      ...(rate ? { rate: Number(rate) } : {}),
    };
  }, [valid, since, until, types, rate, kind, endpoint.id, opened, zone]);
  const counted = useCount(path.tenant, body);
  const replay = useAction((input: Schemas["ReplayInput"]) => call(api.POST("/api/v1/tenants/{tenant}/replays", { params: { path }, body: input })), {
    quiet: true,
    changes: [["endpoint-deliveries", endpoint.id], ["endpoint", endpoint.tenant, endpoint.id], ["jobs"]],
  });
  const job = replay.data;
  if (job && "id" in job) {
    return (
      <div className="space-y-4">
        <p>
          {plural(job.total, "event")} will be sent, beginning now. The job shows how far it is, and can be paused or canceled.
        </p>
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Close</Button>
          <Link to={link.job(endpoint.tenant, job.id)} className="inline-flex h-8 items-center rounded-md bg-accent-solid px-3 font-medium text-on-accent hover:bg-accent-hover">
            Show the job
          </Link>
        </div>
      </div>
    );
  }
  const count = counted?.count;
  const error = replay.error ?? counted?.error ?? null;
  return (
    <form
      className="space-y-4"
      onSubmit={(event) => {
        event.preventDefault();
        if (body) replay.mutate(body);
      }}
    >
      <div>
        <Choice label="Which events" value={kind} values={kinds} onChange={setKind} />
        <p className="mt-1.5 text-xs text-muted">{about[kind]}</p>
      </div>
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label="Accepted since" name="since" error={error} problem={faults.since} hint={[since === beginning.since && beginning.why && `${beginning.why}:`, resolved(since, opened, zone)].filter(Boolean).join(" ")}>
          {(field) => <input {...field} className="field num" value={since} onChange={(event) => setSince(event.target.value)} />}
        </Field>
        <Field label="Until" name="until" error={error} problem={faults.until} hint={resolved(until, opened, zone)} optional>
          {(field) => <input {...field} className="field num" value={until} placeholder="now" onChange={(event) => setUntil(event.target.value)} />}
        </Field>
        <Field label="Event types" name="types" error={error} optional hint="Names, or beginnings such as card.*">
          {(field) => <input {...field} className="field font-mono" value={types} placeholder="all its types" onChange={(event) => setTypes(event.target.value)} />}
        </Field>
        <Field label="Deliveries a second" name="rate" error={error} problem={faults.rate} optional>
          {(field) => <input {...field} className="field num" inputMode="decimal" value={rate} placeholder="as fast as there is room" onChange={(event) => setRate(event.target.value)} />}
        </Field>
      </div>
      <FormError error={error} fields={["since", "until", "types", "rate"]} />
      {endpoint.health.waiting > 0 && (
        <p className="rounded-lg bg-sunk px-3 py-2.5 text-sm">
          {endpoint.health.waiting_capped && "More than "}
          {plural(endpoint.health.waiting, "delivery waits", "deliveries wait")} for the next attempt, and {endpoint.health.waiting === 1 ? "needs" : "need"} no replay.{" "}
          <Link to={link.deliveries({ tenant: endpoint.tenant, endpoint: endpoint.id, status: "retrying" })} className="text-accent underline">
            Retry them now
          </Link>
        </p>
      )}
      <div className="flex flex-wrap items-center justify-between gap-3 border-t border-line pt-4">
        <p aria-live="polite" className="min-w-0">
          {count ? (
            <>
              {count.total_is_bound && "At most "}
              <strong className="num font-semibold">{exactNumber(count.total)}</strong> {count.total === 1 ? "event" : "events"} will be sent.
            </>
          ) : valid && !counted?.error ? (
            <Skeleton className="w-44" />
          ) : (
            <span className="text-muted">Not counted.</span>
          )}
        </p>
        <div className="flex gap-2">
          <Button onClick={onClose}>Send nothing</Button>
          <Button type="submit" look="primary" icon={ListRestart} disabled={!count || count.total === 0} busy={replay.isPending}>
            {count ? `Replay ${exactNumber(count.total)}` : "Replay"}
          </Button>
        </div>
      </div>
    </form>
  );
}

/** useCount returns how many events a replay is about, as the API counts them without running it. */
function useCount(tenant: string, body: Schemas["ReplayInput"] | undefined): Counted | undefined {
  const [counted, setCounted] = useState<Counted>();
  const { rate: _, ...selection } = body ?? {};
  const key = body ? JSON.stringify(selection) : "";
  useEffect(() => {
    if (!key) return;
    const abort = new AbortController();
    const timer = setTimeout(() => {
      const input = { ...(JSON.parse(key) as Schemas["ReplayInput"]), dry_run: true };
      call(api.POST("/api/v1/tenants/{tenant}/replays", { params: { path: { tenant } }, body: input, signal: abort.signal })).then(
        (answer) => setCounted({ key, count: answer as Schemas["JobCount"] }),
        (thrown: unknown) => {
          if (!abort.signal.aborted) setCounted({ key, error: asError(thrown) });
        },
      );
    }, 250);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [key, tenant]);
  return counted?.key === key ? counted : undefined;
}
