import { Webhook, Zap } from "lucide-react";
import { useCallback, useMemo, useState } from "react";
import { useSearchParams } from "react-router";
import { api, asked, call, type Schemas } from "@/api/client";
import { useList, useLiveQuery } from "@/api/hooks";
import { useOffers } from "@/api/names";
import { human, plural } from "@/lib/numbers";
import { activityBy } from "@/lib/series";
import { sentence, visible } from "@/lib/text";
import { exact } from "@/lib/time";
import { Button } from "@/parts/Button";
import { type Column, DataTable } from "@/parts/DataTable";
import { cause, endpointName, shortUrl } from "@/parts/Health";
import { useLive, useNow } from "@/parts/Live";
import { PageHeader } from "@/parts/Page";
import { useScope } from "@/parts/Scope";
import { LastDay } from "@/parts/Sparkline";
import { useSelection } from "@/parts/Selection";
import { EmptyState } from "@/parts/States";
import { EndpointStatus } from "@/parts/Status";
import { Num, Time, Timed, useTimed } from "@/parts/Time";
import { type TokenKey, TokenSearch } from "@/parts/TokenSearch";
import { useMissed } from "../endpoint/missed";
import { Add } from "./Add";
import { Selected } from "./Selected";

type Row = Schemas["EndpointWithHealth"];

const healths = ["failing", "recovering", "healthy", "idle"] as const;
const statuses = ["enabled", "paused", "disabled"] as const;
const tokens: readonly TokenKey[] = [
  { key: "health", hint: "how deliveries go", values: healths },
  { key: "status", hint: "whether it is enabled", values: statuses },
  { key: "waiting", hint: "whether deliveries wait for it", values: ["true"] },
  { key: "sort", hint: "those first for which most wait", values: ["waiting"] },
];

const id = (row: Row) => row.id;

/** Endpoints lists them with their health: all, of one tenant, or those of the portal's session. */
export default function Endpoints() {
  const { link, tenant: own, can } = useScope();
  const [params, setParams] = useSearchParams();
  const tenant = own ?? params.get("tenant") ?? undefined;
  const health = asked<(typeof healths)[number]>(params, "health");
  const status = asked<(typeof statuses)[number]>(params, "status");
  const dialect = params.get("dialect") ?? undefined;
  const type = params.get("type") ?? undefined;
  const waiting = asked<boolean>(params, "waiting"); // true, as the API writes it
  const sort = asked<"waiting">(params, "sort");
  const sortByWaiting = useCallback(
    () =>
      setParams((now) => {
        if (now.has("sort")) now.delete("sort");
        else now.set("sort", "waiting");
        return now;
      }),
    [setParams],
  );
  const offers = useOffers(tenant);
  const fetch = useCallback(
    (cursor: string | undefined, signal: AbortSignal) => {
      const query = { limit: 100, ...(health ? { health } : {}), ...(status ? { status } : {}), ...(dialect ? { dialect } : {}), ...(type ? { event_type: type } : {}), ...(waiting ? { waiting } : {}), ...(sort ? { sort } : {}), ...(cursor ? { cursor } : {}) };
      if (tenant) return call(api.GET("/api/v1/tenants/{tenant}/endpoints", { params: { path: { tenant }, query }, signal }));
      return call(api.GET("/api/v1/endpoints", { params: { query }, signal }));
    },
    [health, status, dialect, type, waiting, sort, tenant],
  );
  const list = useList(["endpoints", tenant, health, status, dialect, type, waiting, sort], fetch, id);
  const selection = useSelection(list.rows, id, JSON.stringify([tenant, health, status, dialect, type, waiting, sort]));
  const activity = useActivity(tenant);
  const filtered = Boolean(health || status || dialect || type || waiting || sort || (!own && tenant));

  const columns = useMemo<Column<Row>[]>(
    () => [
      { key: "state", title: "Health", width: "116px", narrow: "side", cell: (row) => <EndpointStatus endpoint={row} /> },
      {
        key: "name",
        title: "Endpoint",
        width: "minmax(200px, 3fr)",
        narrow: "title",
        cell: (row) => (
          <span className="flex min-w-0 flex-col">
            <span className="truncate font-medium">{endpointName(row)}</span>
            <span className="truncate text-xs text-muted" title={visible(row.url)}>
              {visible(shortUrl(row.url))}
            </span>
          </span>
        ),
      },
      ...(own ? [] : [{ key: "tenant", title: "Tenant", width: "minmax(88px, 1fr)", cell: (row: Row) => row.tenant }]),
      { key: "why", title: "Why", width: "minmax(160px, 3fr)", wide: true, cell: (row) => why(row) && <Why row={row} /> },
      { key: "spark", title: "Last 24 hours", width: "128px", narrow: "hidden", cell: (row) => <LastDay label={endpointName(row)} activity={activity?.(row.id)} /> },
      {
        key: "waiting",
        title: "Waiting",
        width: "84px",
        align: "right",
        sort: { by: sort !== undefined, toggle: sortByWaiting },
        cell: (row) => (row.status === "disabled" ? <Missed endpoint={row} /> : <Num value={row.health.waiting} more={row.health.waiting_capped} className={row.health.waiting > 0 ? "font-medium" : "text-faint"} />),
      },
      { key: "success", title: "Last success", width: "96px", align: "right", cell: (row) => <Time at={row.health.last_success_at} none="never" className="text-muted" /> },
    ],
    [own, activity, sort, sortByWaiting],
  );

  return (
    <>
      <PageHeader
        title="Endpoints"
        sentence={own ? "Where your events are sent." : "Where events are sent, of all tenants."}
        action={
          can("manage") && (filtered || list.loading || list.rows.length > 0) ? <Add {...(tenant ? { tenant } : {})} /> : undefined
        }
      />
      <div className="px-4 pb-3 sm:px-6">
        <TokenSearch
          keys={[...tokens, offers.type, offers.dialect, ...(own ? [] : [offers.tenant])]}
          placeholder={own ? "Filter: health:failing" : "Filter: health:failing tenant:acme"}
        />
      </div>
      <DataTable
        label="Endpoints"
        columns={columns}
        list={list}
        id={id}
        rowHeight={52}
        select={can("manage") ? selection : undefined}
        href={(row) => link.endpoint(row.tenant, row.id)}
        empty={
          filtered ? (
            <EmptyState icon={Webhook} title={sort ? "Nothing waits for any endpoint that matches" : "No endpoint matches"} action={<Button onClick={() => setParams({})}>Remove the filter</Button>} />
          ) : (
            <EmptyState
              icon={Webhook}
              title="There is no endpoint yet"
              action={can("manage") ? <Add {...(tenant ? { tenant } : {})} /> : undefined}
              {...(own ? {} : { command: "bellwire endpoints create --tenant acme --url https://example.com/hooks --events '*'" })}
            >
              An endpoint is an address of yours to which events are sent.
            </EmptyState>
          )
        }
      />
      {can("manage") && <Selected selection={selection} />}
    </>
  );
}

/** why returns the reason for what the endpoint's state is; empty if there is nothing to say. */
function why({ status, status_reason, health }: Row): string {
  if (status !== "enabled") return sentence(visible(status_reason));
  return sentence(cause(health) || visible(health.reason)) || (health.breaker === "open" ? "Attempts fail." : "");
}

/** Missed stands where others have what waits: nothing waits for a disabled endpoint, and what it has missed is counted when one asks. */
function Missed({ endpoint }: { endpoint: Row }) {
  const { can } = useScope();
  const [asked, setAsked] = useState(false);
  const { data, error, isLoading } = useMissed(endpoint, asked);
  const { zone } = useLive();
  if (data) {
    const about = `${data.total_is_bound ? "At most " : ""}${plural(data.total, "event")} missed since ${exact(Date.parse(data.since), zone)}`;
    return (
      <span title={about} className="num">
        {human(data.total)} missed
      </span>
    );
  }
  if (!can("replay") || error) return <span className="text-faint" title="Nothing waits for a disabled endpoint.">–</span>;
  return (
    <button type="button" disabled={isLoading} aria-label={`Count what ${endpointName(endpoint)} has missed`} title="Nothing waits for a disabled endpoint. This counts the events that it has missed." onClick={() => setAsked(true)} className="text-sm text-accent underline">
      {isLoading ? "Counting…" : "Count missed"}
    </button>
  );
}

function Why({ row }: { row: Row }) {
  const { health, status } = row;
  const timed = useTimed();
  if (status !== "enabled") {
    return (
      <span className="line-clamp-2 text-sm whitespace-normal text-muted" title={timed(why(row))}>
        <Timed text={why(row)} />
      </span>
    );
  }
  return (
    <span className="flex min-w-0 flex-col text-sm text-muted">
      <span className={health.breaker === "open" ? "truncate" : "line-clamp-2 whitespace-normal"} title={timed(visible(health.reason))}>
        <Timed text={why(row)} />
      </span>
      {health.breaker === "open" && (
        <span className="inline-flex items-center gap-1 text-xs text-warn" title="The circuit breaker holds deliveries back until then.">
          <Zap size={11} className="shrink-0" aria-hidden />
          Held back, next attempt <Time at={health.next_attempt_at} />
        </span>
      )}
    </span>
  );
}

/** useActivity returns what is known of the last 24 hours of each endpoint: one question for all of them. */
function useActivity(tenant: string | undefined) {
  const statistics = useLiveQuery(
    ["sparks", tenant],
    (signal) => {
      const query = { interval: "hour" as const, by: "endpoint" };
      return tenant
        ? call(api.GET("/api/v1/tenants/{tenant}/statistics", { params: { path: { tenant }, query }, signal }))
        : call(api.GET("/api/v1/statistics", { params: { query }, signal }));
    },
    { every: 30_000 },
  );
  const hour = Math.floor(useNow() / 3_600_000) * 3_600_000;
  return useMemo(() => statistics.data && activityBy("endpoint", statistics.data.data, hour), [statistics.data, hour]);
}
