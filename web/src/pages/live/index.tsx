import { CircleAlert, Pause, Play, Radio, Trash2 } from "lucide-react";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useSearchParams } from "react-router";
import { refused } from "@/api/problem";
import { type Endpoint, useEndpoints, useOffers } from "@/api/names";
import { exactNumber, human } from "@/lib/numbers";
import { cx, middle, sentence, visible } from "@/lib/text";
import { useBeside } from "@/parts/Address";
import { Button } from "@/parts/Button";
import { type Column, DataTable } from "@/parts/DataTable";
import { endpointName } from "@/parts/Health";
import { useKeys } from "@/parts/Keys";
import { useLive, useMedia } from "@/parts/Live";
import { PageHeader } from "@/parts/Page";
import { useScope } from "@/parts/Scope";
import { Sparkline } from "@/parts/Sparkline";
import { EmptyState } from "@/parts/States";
import { Notice, StatusBadge } from "@/parts/Status";
import { Time, Took } from "@/parts/Time";
import { words } from "@/parts/Toast";
import { TokenSearch } from "@/parts/TokenSearch";
import { Detail } from "../delivery/Detail";
import { type Counters, type LiveAttempt, type Tail, useTail } from "./stream";

const outcomes = ["failed", "ok", "status", "blocked", "dns", "connect", "tls", "timeout", "reset", "protocol"] as const;
const statuses = ["200", "400", "401", "404", "410", "429", "500", "502", "503", "504"] as const;

/** What the stream takes; the tenant only in the console. */
const asked = ["outcome", "status", "endpoint", "type", "dialect"] as const;

const id = (row: LiveAttempt) => row.id;

/** Live shows attempts as they end. It stands still while it is held or one has scrolled down, and counts what comes. */
export default function Live() {
  const { tenant: own } = useScope();
  const { paused, setPaused } = useLive();
  const [params, setParams] = useSearchParams();
  const tenant = own ?? params.get("tenant") ?? undefined;
  const wide = useMedia("(min-width: 1100px)");
  const offers = useOffers(tenant);
  const { endpoints } = useEndpoints(tenant);
  const [holding, setHolding] = useState(false);
  const [away, setAway] = useState(false);
  const scroller = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = scroller.current;
    const scrolled = () => setAway((element?.scrollTop ?? 0) > 80);
    element?.addEventListener("scroll", scrolled, { passive: true });
    return () => element?.removeEventListener("scroll", scrolled);
  }, []);

  const query = new URLSearchParams();
  for (const key of [...asked, ...(own ? [] : ["tenant"])]) {
    const value = params.get(key);
    if (value) query.set(key, value);
  }
  const path = `api/v1/${own ? `tenants/${encodeURIComponent(own)}/` : ""}live${query.size > 0 ? `?${query}` : ""}`;
  const [tail, change] = useTail(path, !paused, holding || away);
  const release = useCallback(() => {
    change("release");
    setHolding(false);
    scroller.current?.scrollTo({ top: 0 });
  }, [change]);
  useKeys({
    " ": (event) => {
      if (event.target instanceof HTMLElement && event.target.closest("button, a")) return;
      event.preventDefault();
      if (holding) release();
      else setHolding(true);
    },
  });

  const { open, show: showBeside, hide } = useBeside(wide);
  const show = useCallback((row: LiveAttempt) => showBeside(row.tenant, row.delivery), [showBeside]);

  const tokens = useMemo(
    () => [
      { key: "outcome", hint: "of the attempt; failed: all but ok", values: outcomes },
      { key: "status", hint: "of the response", values: statuses, more: "others" as const },
      offers.endpoint,
      offers.type,
      ...(own ? [] : [offers.tenant]),
      offers.dialect,
    ],
    [offers, own],
  );
  const columns = useMemo<Column<LiveAttempt>[]>(
    () => [
      { key: "at", title: "Time", width: "124px", narrow: "line", cell: (row) => <Time at={row.started_at} as="clock" className="text-muted" /> },
      { key: "outcome", title: "Outcome", width: "148px", narrow: "side", cell: (row) => <Outcome row={row} /> },
      { key: "type", title: "Event type", width: "minmax(120px, 1.2fr)", narrow: "title", cell: (row) => <span className="font-medium">{visible(row.event_type)}</span> },
      { key: "endpoint", title: "Endpoint", width: "minmax(110px, 1.2fr)", cell: (row) => <Name id={row.endpoint} endpoint={endpoints.get(row.endpoint)} /> },
      ...(own || tenant ? [] : [{ key: "tenant", title: "Tenant", width: "minmax(72px, 0.8fr)", cell: (row: LiveAttempt) => <span className="text-muted">{row.tenant}</span> }]),
      { key: "number", title: "Attempt", width: "56px", align: "right", wide: true, narrow: "hidden", cell: (row) => <span className="num text-muted">{row.number}</span> },
      { key: "took", title: "Took", width: "68px", align: "right", cell: (row) => <Took ms={row.duration_ms} className="text-muted" /> },
    ],
    [endpoints, own, tenant],
  );
  const opened = [...tail.rows, ...tail.held].find((row) => row.delivery === open);
  const last = tail.seconds.at(-1);

  return (
    <div className="flex h-full min-h-0">
      <div ref={scroller} data-scroll className="relative min-w-0 flex-1 overflow-x-hidden overflow-y-auto">
        <PageHeader
          title="Live"
          sentence={own ? "Attempts to your endpoints, as they end." : "Attempts as they end, at all nodes."}
          action={
            <>
              <Button icon={Trash2} disabled={tail.rows.length === 0} onClick={() => change("clear")}>
                Clear
              </Button>
              <Button icon={holding ? Play : Pause} aria-pressed={holding} disabled={paused} title="Space" onClick={() => (holding ? release() : setHolding(true))} className="min-w-34">
                {holding ? (tail.waiting > 0 ? `Go on (${human(tail.waiting)} new)` : "Go on") : "Hold"}
              </Button>
            </>
          }
        />
        <div className="space-y-2.5 px-4 pb-3 sm:px-6">
          <TokenSearch keys={tokens} placeholder="Filter: outcome:failed type:invoice.* endpoint:ep_…" />
          <Numbers last={last} seconds={tail.seconds} state={paused ? "paused" : tail.state} />
          <Said tail={tail} paused={paused} goOn={() => setPaused(false)} />
        </div>
        <DataTable
          label="Attempts"
          columns={columns}
          list={{ rows: tail.rows as LiveAttempt[], fresh: tail.waiting, refresh: release }}
          id={id}
          onOpen={show}
          openId={tail.rows.find((row) => row.delivery === open)?.id}
          empty={
            tail.error && tail.state === "lost" ? null : (
              <EmptyState icon={Radio} title={query.size > 0 ? "No attempt matched yet" : "No attempt yet"} {...(query.size > 0 ? { action: <Button onClick={() => setParams({})}>Remove the filter</Button> } : {})}>
                Attempts are listed as soon as they end. A test, which the page of an endpoint sends, makes one.
              </EmptyState>
            )
          }
        />
      </div>
      {open && (
        <aside aria-label="Delivery" data-scroll className="relative w-[46%] max-w-180 shrink-0 overflow-x-hidden overflow-y-auto border-l border-line bg-panel">
          <Detail key={open} tenant={own ?? opened?.tenant ?? params.get("of") ?? ""} id={open} close={hide} />
        </aside>
      )}
    </div>
  );
}

function Outcome({ row }: { row: LiveAttempt }) {
  return (
    <span className="flex items-center gap-2">
      <StatusBadge of="attempt" state={row.outcome} className={row.outcome === "status" ? "[&>svg]:mr-0" : ""} />
      {row.outcome === "status" && <span className="num text-muted">{row.status}</span>}
    </span>
  );
}

function Name({ id: endpoint, endpoint: known }: { id: string; endpoint: Endpoint | undefined }) {
  if (!known) return <span className="font-mono text-[12.5px]" title={endpoint}>{middle(endpoint)}</span>;
  return <span title={`${visible(known.url)}\n${endpoint}`}>{endpointName(known)}</span>;
}

const stateWords = { paused: "Paused", connecting: "Connecting…", open: "Connected", lost: "Not connected" } as const;

/** Numbers has the last second, and the minute before it. */
function Numbers({ last, seconds, state }: { last: Counters | undefined; seconds: readonly Counters[]; state: keyof typeof stateWords }) {
  const bars = useMemo(() => [...Array.from({ length: Math.max(0, 60 - seconds.length) }, () => ({ succeeded: 0, failed: 0 })), ...seconds], [seconds]);
  const numbers: [string, number | null | undefined, string?][] = [
    ...(last?.published !== null ? ([["published", last?.published]] as [string, number | null | undefined][]) : []),
    ["acknowledged", last?.succeeded],
    ["failed", last?.failed, last && last.failed > 0 ? "text-bad" : undefined],
  ] as [string, number | null | undefined, string?][];
  return (
    <div className="flex flex-wrap items-center gap-x-5 gap-y-1.5 text-sm">
      <span className="inline-flex min-w-26 items-center gap-1.5 text-muted max-sm:basis-full" role="status">
        <span aria-hidden className={cx("size-2 rounded-full", state === "open" ? "bg-good-solid" : state === "lost" ? "bg-bad-solid" : "bg-warn-solid")} />
        {stateWords[state]}
      </span>
      {numbers.map(([name, value, colour]) => (
        <span key={name} className="num inline-flex items-baseline gap-1.5" title={value === null || value === undefined ? undefined : `${exactNumber(value)} in the last second`}>
          <span className={cx("inline-block font-semibold sm:min-w-7 sm:text-right", colour)}>{value === null || value === undefined ? "–" : human(value)}</span>
          <span className="text-muted">{name}/s</span>
        </span>
      ))}
      <span className="ml-auto max-sm:hidden">
        <Sparkline bars={bars} label="The last minute" width={180} height={22} />
      </span>
    </div>
  );
}

/** Said tells what the list does not show, and why. */
function Said({ tail, paused, goOn }: { tail: Tail; paused: boolean; goOn: () => void }) {
  if (paused) {
    return (
      <Notice
        tone="warn"
        icon={Pause}
        action={
          <Button size="sm" onClick={goOn}>
            Go on
          </Button>
        }
      >
        Live data is paused, so nothing is asked of the server. What ends now is in the list of deliveries.
      </Notice>
    );
  }
  return (
    <>
      {tail.state === "lost" && tail.error && (
        <Notice tone="bad" icon={CircleAlert}>
          {sentence(words(tail.error))} {refused(tail.error) ? "" : "It connects again by itself."}
        </Notice>
      )}
      {(tail.sampled > 0 || tail.dropped > 0) && (
        <p role="status" className="text-sm text-warn">
          A sample:{" "}
          {[
            tail.sampled > 0 && `${exactNumber(tail.sampled)} attempts were left out, because there are more than 200 a second`,
            tail.dropped > 0 && `${exactNumber(tail.dropped)} were left out, because this page could not keep up`,
          ]
            .filter(Boolean)
            .join("; ")}
          . The numbers above count all.
        </p>
      )}
      {tail.gap && <p role="status" className="text-sm text-muted">The connection was away for long, so some attempts may be missing here.</p>}
    </>
  );
}
