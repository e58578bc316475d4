import { Activity, Search } from "lucide-react";
import { useCallback, useMemo, useRef } from "react";
import { useSearchParams } from "react-router";
import { api, call, type Schemas } from "@/api/client";
import { type Page, useList } from "@/api/hooks";
import { useOffers } from "@/api/names";
import { items, member, takeOut } from "@/lib/json";
import { cx, generated, spellings, visible } from "@/lib/text";
import { outcomes } from "@/lib/words";
import { Button } from "@/parts/Button";
import { type Column, DataTable } from "@/parts/DataTable";
import { PageHeader } from "@/parts/Page";
import { useScope } from "@/parts/Scope";
import { EmptyState } from "@/parts/States";
import { StatusBadge, statusLook, TestMark } from "@/parts/Status";
import { Time } from "@/parts/Time";
import { useRange } from "@/parts/TimeRange";
import { accepted, TokenSearch } from "@/parts/TokenSearch";

/** An event of the list, with the beginning of its data as it was published. */
type Row = Omit<Schemas["TenantEvent"], "data"> & { start: string };

const id = (row: Row) => row.id;

/** What a row shows of the data. */
const shown = 240;

/** Events lists what publishers sent: for all tenants, for one, or for that of the portal's session. */
export default function Events() {
  const { tenant: own, link } = useScope();
  const [params, setParams] = useSearchParams();
  const tenant = own ?? params.get("tenant") ?? undefined;
  const { query: time } = useRange();
  const offers = useOffers(tenant);
  const type = params.get("type") ?? undefined;
  const published = params.get("key") ?? undefined;
  const contained = published ? undefined : (params.get("data") ?? undefined);
  const { since, until } = time;
  const ask = useCallback(
    async (key: string | undefined, cursor: string | undefined, signal: AbortSignal): Promise<Page<Row>> => {
      const query = {
        limit: 50,
        outcomes: true,
        ...(type ? { type } : {}),
        ...(key ? { key } : {}),
        ...(contained ? { contains: contained } : {}),
        ...(since ? { since } : {}),
        ...(until ? { until } : {}),
        ...(cursor ? { cursor } : {}),
      };
      if (own) return read((await call(api.GET("/api/v1/tenants/{tenant}/events", { params: { path: { tenant: own }, query }, parseAs: "text", signal }))) as string, own);
      return read((await call(api.GET("/api/v1/events", { params: { query: { ...query, data: true, ...(tenant ? { tenant } : {}) } }, parseAs: "text", signal }))) as string);
    },
    [own, tenant, type, contained, since, until],
  );
  const spelt = useRef(published); // as the events of the first page have it, for the pages after it
  const fetch = useCallback(
    async (cursor: string | undefined, signal: AbortSignal): Promise<Page<Row>> => {
      if (!published) return ask(undefined, cursor, signal);
      if (cursor) return ask(spelt.current, cursor, signal);
      for (const key of spellings(published)) {
        const page = await ask(key, undefined, signal);
        spelt.current = key;
        if (page.data.length > 0 || page.next_cursor) return page;
      }
      return { data: [], next_cursor: null };
    },
    [ask, published],
  );
  const list = useList(["events", tenant, type, published, contained, params.get("since"), params.get("until")], fetch, id, contained ? { every: 300_000 } : {}); // a search reads much
  const tokens = useMemo(
    () => [
      ...(own ? [] : [offers.tenant]),
      offers.type,
      { key: "key", hint: "id given by the publisher" },
      { key: "data", hint: "a text in the data" },
      ...accepted,
    ],
    [own, offers],
  );
  const columns = useMemo<Column<Row>[]>(
    () => [
      {
        key: "type",
        title: "Event type",
        width: "minmax(140px, 1.3fr)",
        narrow: "title",
        cell: (row) => (
          <span className="flex items-center gap-2">
            <span className="truncate font-medium">{visible(row.type)}</span>
            {row.test && <TestMark />}
          </span>
        ),
      },
      { key: "data", title: "Data", width: "minmax(160px, 3fr)", cell: (row) => <span className="font-mono text-[12.5px] text-muted">{row.start}</span> },
      ...(tenant ? [] : [{ key: "tenant", title: "Tenant", width: "minmax(72px, 0.6fr)", cell: (row: Row) => <span className="text-muted">{row.tenant}</span> }]),
      { key: "key", title: "Publisher's id", width: "minmax(90px, 0.8fr)", wide: true, cell: (row) => row.idempotency_key && !generated(row.idempotency_key) && <span className="font-mono text-[12.5px]">{visible(row.idempotency_key)}</span> },
      { key: "outcome", title: "Outcome", width: "minmax(190px, 1fr)", cell: (row) => <Outcome row={row} /> },
      { key: "at", title: "Accepted", width: "84px", align: "right", narrow: "side", cell: (row) => <Time at={row.created_at} className="text-muted" /> },
    ],
    [tenant],
  );
  const byKey = useCallback(
    (words: string) =>
      setParams((now) => {
        now.set("key", words);
        return now;
      }),
    [setParams],
  );
  const inData = (words: string) =>
    setParams((now) => {
      now.delete("key");
      now.set("data", words);
      return now;
    });
  const filtered = tokens.some((token) => params.has(token.key));
  return (
    <>
      <PageHeader title="Events" sentence={tenant && !own ? `What ${tenant} published, newest first.` : "What was published, newest first."} />
      <div className="flex px-4 pb-3 sm:px-6">
        <TokenSearch keys={tokens} onWords={byKey} placeholder={own ? "Filter: order-1042 type:invoice.paid since:24h" : "Filter: order-1042 tenant:acme type:invoice.paid since:24h"} />
      </div>
      <DataTable
        label="Events"
        columns={columns}
        list={contained ? { ...list, costly: true } : list}
        id={id}
        href={(row) => link.event(row.tenant, row.id)}
        empty={
          filtered ? (
            <EmptyState
              icon={Activity}
              title={published ? "No event has this publisher's id" : list.more ? "No event was found yet" : "No event matches"}
              action={
                <span className="flex flex-wrap justify-center gap-2">
                  {published && (
                    <Button look="primary" icon={Search} onClick={() => inData(published)}>
                      Search the data for {visible(published)}
                    </Button>
                  )}
                  <Button onClick={() => setParams({})}>Remove the filter</Button>
                </span>
              }
            >
              {published && "The publisher's id must be the whole one, as the list has it."}
              {contained && list.more && "Data is searched from the newest event back, 2,000 events or 16 MiB at a time."}
            </EmptyState>
          ) : (
            <EmptyState
              icon={Activity}
              title="Nothing was published yet"
              {...(own ? {} : { command: `bellwire publish --tenant ${tenant ?? "acme"} --type invoice.paid --data '{"invoice":"in_1"}'` })}
            >
              Events are listed here as soon as they are accepted.
            </EmptyState>
          )
        }
      />
    </>
  );
}

/** Outcome says what became of an event, with the number of endpoints where there are several. */
function Outcome({ row }: { row: Row }) {
  if (!row.outcomes) return row.deliveries === 0 ? <span className="text-warn">No endpoint</span> : <span className="text-muted">Being stored</span>;
  const parts = outcomes(row.outcomes);
  const all = parts.reduce((sum, [, endpoints]) => sum + endpoints, 0);
  const title = `${parts.map(([fate, endpoints]) => `${statusLook("explanation", fate).word}: ${endpoints}`).join(", ")}${row.outcomes.capped ? ", of the first 100 deliveries" : ""}`;
  return (
    <span className="inline-flex items-baseline gap-x-2.5" title={title}>
      {parts.map(([fate, endpoints], i) => (
        <span key={fate} className={cx("num inline-flex items-baseline gap-1 text-muted", i > 0 && "truncate text-sm")}>
          {i === 0 ? <StatusBadge of="explanation" state={fate} /> : statusLook("explanation", fate).word} {all > 1 && endpoints}
        </span>
      ))}
    </span>
  );
}

/** read takes a page of events apart as text: the data may be large, deep, and has numbers that JavaScript has not. Events of a list of one tenant do not name it. */
function read(text: string, tenant?: string): Page<Row> {
  const value = (name: string) => JSON.parse(member(text, name) ?? "null") as string | null;
  const searched = value("searched_to");
  return {
    next_cursor: value("next_cursor"),
    ...(searched ? { searched_to: searched } : {}),
    data: items(member(text, "data") ?? "[]").map((item) => {
      const { value: data, rest } = takeOut(item, "data"); // all other members are short
      const event = JSON.parse(rest) as Schemas["TenantEvent"];
      const erased = (member(item, "erased") ?? member(item, "erased_at") ?? "null").trim();
      return { ...event, tenant: event.tenant ?? tenant, start: erased !== "null" && erased !== "false" ? "Erased" : visible(data.slice(0, shown).replace(/\s+/g, " ")) };
    }),
  };
}
