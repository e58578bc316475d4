import { RotateCw, Send, X } from "lucide-react";
import { useCallback, useMemo, useState } from "react";
import { useSearchParams } from "react-router";
import { api, asked, call, type Schemas } from "@/api/client";
import { type Page, useList } from "@/api/hooks";
import { type Endpoint, useEndpoints, useOffers } from "@/api/names";
import { middle, visible } from "@/lib/text";
import { useBeside } from "@/parts/Address";
import { Button } from "@/parts/Button";
import { type Column, DataTable } from "@/parts/DataTable";
import { endpointName } from "@/parts/Health";
import { useMedia } from "@/parts/Live";
import { PageHeader } from "@/parts/Page";
import { useCommands } from "@/parts/Palette";
import { useScope } from "@/parts/Scope";
import { useSelection } from "@/parts/Selection";
import { EmptyState } from "@/parts/States";
import { DeliveryStatus, TestMark } from "@/parts/Status";
import { Time } from "@/parts/Time";
import { useRange } from "@/parts/TimeRange";
import { accepted, TokenSearch } from "@/parts/TokenSearch";
import { Detail } from "../delivery/Detail";
import { Bulk, type Filter, type Kind, refusal } from "./Bulk";
import { Selected } from "./Selected";
import { SearchEvents } from "./SearchEvents";
import { Why } from "./Why";

type Row = Schemas["TenantDelivery"];

const states = ["pending", "retrying", "succeeded", "exhausted", "canceled"] as const;
const outcomes = ["ok", "status", "blocked", "dns", "connect", "tls", "timeout", "reset", "protocol"] as const;

const id = (row: Row) => row.id;

/** Deliveries lists what was sent, newest first, beside the one that is open. On a phone, a delivery has its own page. */
export default function Deliveries() {
  const { shell, tenant: own, can } = useScope();
  const [params, setParams] = useSearchParams();
  const { query: time } = useRange();
  const wide = useMedia("(min-width: 1100px)");
  const [bulk, setBulk] = useState<Kind>();
  const tenant = own ?? params.get("tenant") ?? undefined;
  const { endpoints } = useEndpoints(tenant);
  const offers = useOffers(tenant);

  const status = asked<(typeof states)[number]>(params, "status");
  const outcome = asked<(typeof outcomes)[number]>(params, "outcome");
  const endpoint = params.get("endpoint") ?? undefined;
  const type = params.get("type") ?? undefined;
  const dialect = params.get("dialect") ?? undefined;
  const job = params.get("job") ?? undefined;
  const { since, until } = time;
  const filter = useMemo(
    () => ({
      ...(status ? { status } : {}),
      ...(outcome ? { outcome } : {}),
      ...(endpoint ? { endpoint } : {}),
      ...(type ? { type } : {}),
      ...(dialect ? { dialect } : {}),
      ...(job ? { job } : {}),
      ...(since ? { since } : {}),
      ...(until ? { until } : {}),
    }),
    [status, outcome, endpoint, type, dialect, job, since, until],
  );
  const fetch = useCallback(
    async (cursor: string | undefined, signal: AbortSignal): Promise<Page<Row>> => {
      const query = { limit: 100, ...filter, ...(cursor ? { cursor } : {}) };
      if (!own) return call(api.GET("/api/v1/deliveries", { params: { query: { ...query, ...(tenant ? { tenant } : {}) } }, signal }));
      const page = await call(api.GET("/api/v1/tenants/{tenant}/deliveries", { params: { path: { tenant: own }, query }, signal }));
      return { ...page, data: page.data.map((row) => ({ ...row, tenant: own })) };
    },
    [own, tenant, filter],
  );
  // A span ends now, so its beginning moves. The list is the same one nevertheless.
  const key = useMemo(() => ["deliveries", tenant, { ...filter, since: params.get("since"), until: params.get("until") }], [tenant, filter, params]);
  const list = useList(key, fetch, id);
  const selection = useSelection(list.rows, id, JSON.stringify(key));

  const tokens = useMemo(
    () => [
      { key: "status", hint: "state of the delivery", values: states },
      offers.endpoint,
      offers.type,
      ...(own ? [] : [offers.tenant]),
      offers.dialect,
      { key: "job", hint: "that made, retried or canceled them" },
      { key: "outcome", hint: "of the newest attempt", values: outcomes },
      ...accepted,
    ],
    [offers, own],
  );
  const filtered = tokens.some((token) => params.has(token.key));

  const { open, show: showBeside, hide } = useBeside(wide);
  const opened = list.rows.find((row) => row.id === open);
  const openTenant = own ?? opened?.tenant ?? params.get("of") ?? "";
  const show = useCallback((row: Row) => showBeside(row.tenant, row.id), [showBeside]);

  const columns = useMemo<Column<Row>[]>(
    () => [
      { key: "status", title: "State", width: "116px", narrow: "side", cell: (row) => <DeliveryStatus delivery={row} /> },
      { key: "type", title: "Event type", width: open ? "minmax(88px, 1.5fr)" : "minmax(120px, 1.5fr)", narrow: "title", cell: (row) => <span className="flex items-center gap-2"><span className="truncate font-medium" title={visible(row.event_type)}>{visible(row.event_type)}</span>{row.test && <TestMark />}</span> },
      {
        key: "endpoint",
        title: "Endpoint",
        width: open ? "minmax(72px, 1.2fr)" : "minmax(110px, 1.2fr)",
        cell: (row) => <EndpointName id={row.endpoint} endpoint={endpoints.get(row.endpoint)} />,
      },
      ...(open ? [] : [{ key: "why", title: "What happens", width: "minmax(140px, 2.2fr)", cell: (row: Row) => <Why row={row} /> }]),
      ...(own || open || tenant ? [] : [{ key: "tenant", title: "Tenant", width: "minmax(72px, 0.8fr)", wide: true, cell: (row: Row) => <span className="text-muted">{row.tenant}</span> }]),
      { key: "attempts", title: open ? "Tries" : "Attempts", width: open ? "40px" : "64px", align: "right", narrow: "hidden", cell: (row) => <span className="num text-muted">{row.attempt_count}</span> },
      { key: "created", title: "Accepted", width: "84px", align: "right", cell: (row) => <Time at={row.created_at} className="text-muted" /> },
    ],
    [endpoints, open, own, tenant],
  );

  const wanted: Filter = { ...filter, ...(tenant ? { tenant } : {}) };
  const jobs = can("replay") ? (["retry", "cancel"] as const) : [];
  useCommands(
    "deliveries",
    useMemo(
      () =>
        can("replay")
          ? [
              { id: "bulk-retry", label: "Retry all deliveries that match", group: "Action", icon: RotateCw, run: () => setBulk("retry") },
              { id: "bulk-cancel", label: "Cancel all deliveries that match", group: "Action", icon: X, run: () => setBulk("cancel") },
            ]
          : [],
      [can],
    ),
  );

  return (
    <div className="flex h-full min-h-0">
      <div data-scroll className="relative min-w-0 flex-1 overflow-x-hidden overflow-y-auto">
        <PageHeader
          title="Deliveries"
          sentence="Every event on its way to every endpoint, newest first."
          action={jobs.map((kind) => {
            const no = refusal(kind, wanted);
            return (
              <Button key={kind} icon={kind === "retry" ? RotateCw : X} disabled={no !== undefined} title={no} onClick={() => setBulk(kind)}>
                {kind === "retry" ? "Retry all that match" : "Cancel all that match"}
              </Button>
            );
          })}
        />
        <div className="flex px-4 pb-3 sm:px-6">
          <TokenSearch keys={tokens} placeholder="Filter: status:exhausted type:invoice.paid since:24h" instead={(words) => <SearchEvents words={words} {...(tenant ? { tenant } : {})} />} />
        </div>
        <DataTable
          label="Deliveries"
          columns={columns}
          list={list}
          id={id}
          onOpen={show}
          openId={open}
          select={can("replay") ? selection : undefined}
          empty={
            filtered ? (
              <EmptyState icon={Send} title={list.more ? "No delivery was found yet" : "No delivery matches"} action={<Button onClick={() => setParams({})}>Remove the filter</Button>}>
                {list.more ? "Lists are searched from the newest delivery back, a part at a time." : "Deliveries are kept for as long as the server's retention says."}
              </EmptyState>
            ) : (
              <EmptyState
                icon={Send}
                title="Nothing was sent yet"
                {...(shell === "console" ? { command: 'bellwire publish --tenant acme --type invoice.paid --data \'{"invoice":"in_1"}\'' } : {})}
              >
                Publish an event that an endpoint subscribes to, and it is listed here at once.
              </EmptyState>
            )
          }
        />
        {can("replay") && <Selected selection={selection} />}
      </div>
      {open && (
        <aside aria-label="Delivery" data-scroll className="relative w-[46%] max-w-180 shrink-0 overflow-x-hidden overflow-y-auto border-l border-line bg-panel">
          <Detail key={open} tenant={openTenant} id={open} close={hide} />
        </aside>
      )}
      {bulk && <Bulk kind={bulk} filter={wanted} close={() => setBulk(undefined)} />}
    </div>
  );
}

function EndpointName({ id: endpoint, endpoint: known }: { id: string; endpoint: Endpoint | undefined }) {
  if (!known) return <span className="font-mono text-[12.5px]" title={endpoint}>{middle(endpoint)}</span>;
  return <span title={`${visible(known.url)}\n${endpoint}`}>{endpointName(known)}</span>;
}
