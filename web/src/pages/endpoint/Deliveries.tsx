import { ListRestart, Send } from "lucide-react";
import { useCallback, useMemo } from "react";
import { api, asked, call, type Schemas } from "@/api/client";
import { useList } from "@/api/hooks";
import { visible } from "@/lib/text";
import { useAddress, useBeside } from "@/parts/Address";
import { Button } from "@/parts/Button";
import { Id } from "@/parts/Copy";
import { type Column, DataTable } from "@/parts/DataTable";
import { useMedia } from "@/parts/Live";
import { Pane } from "@/parts/Page";
import { useScope } from "@/parts/Scope";
import { EmptyState } from "@/parts/States";
import { DeliveryStatus, TestMark } from "@/parts/Status";
import { Time } from "@/parts/Time";
import { useRange } from "@/parts/TimeRange";
import { accepted, TokenSearch } from "@/parts/TokenSearch";
import { SearchEvents } from "../deliveries/SearchEvents";
import { Why } from "../deliveries/Why";
import { Detail } from "../delivery/Detail";
import type { Endpoint } from "./index";

type Row = Schemas["ListedDelivery"];

const statuses = ["pending", "retrying", "succeeded", "exhausted", "canceled"] as const;
const outcomes = ["ok", "status", "blocked", "dns", "connect", "tls", "timeout", "reset", "protocol"] as const;

const tokens = [
  { key: "status", hint: "state of the delivery", values: statuses },
  { key: "outcome", hint: "of the newest attempt", values: outcomes },
  { key: "type", hint: "event type" },
  ...accepted,
];

const id = (row: Row) => row.id;

/** Deliveries lists what was sent to the endpoint, beside the one that is open. On a phone, a delivery has its own page. */
export function Deliveries({ endpoint, ask }: { endpoint: Endpoint; ask: () => void }) {
  const { tenant } = endpoint;
  const { link, can } = useScope();
  const [params, change] = useAddress();
  const range = useRange();
  const { open: shown, show: showBeside, hide } = useBeside(useMedia("(min-width: 1100px)"));
  const status = asked<(typeof statuses)[number]>(params, "status");
  const outcome = asked<(typeof outcomes)[number]>(params, "outcome");
  const type = params.get("type") ?? undefined;
  const { since, until } = range.query;

  const fetch = useCallback(
    (cursor: string | undefined, signal: AbortSignal) => {
      const query = {
        endpoint: endpoint.id,
        ...(status ? { status } : {}),
        ...(outcome ? { outcome } : {}),
        ...(type ? { type } : {}),
        ...(since ? { since } : {}),
        ...(until ? { until } : {}),
        ...(cursor ? { cursor } : {}),
      };
      return call(api.GET("/api/v1/tenants/{tenant}/deliveries", { params: { path: { tenant }, query }, signal }));
    },
    [tenant, endpoint.id, status, outcome, type, since, until],
  );
  // A span ends now, so its beginning moves. The list is the same one nevertheless.
  const list = useList(["endpoint-deliveries", endpoint.id, status, outcome, type, range.since, range.until], fetch, id);
  const show = useCallback((row: Row) => showBeside(tenant, row.id), [showBeside, tenant]);
  const columns = useMemo<Column<Row>[]>(
    () => [
      { key: "status", title: "State", width: "116px", narrow: "side", cell: (row) => <DeliveryStatus delivery={row} /> },
      { key: "type", title: "Event type", width: "minmax(120px, 2fr)", narrow: "title", cell: (row) => <span className="flex items-center gap-2"><span className="truncate">{visible(row.event_type)}</span>{row.test && <TestMark />}</span> },
      ...(shown
        ? []
        : [
            { key: "reason", title: "What happens", width: "minmax(120px, 2fr)", wide: true, cell: (row: Row) => <Why row={row} /> },
            { key: "event", title: "Event", width: "156px", narrow: "hidden" as const, cell: (row: Row) => <Id value={row.event} to={link.event(tenant, row.event)} /> },
          ]),
      { key: "attempts", title: "Attempts", width: "64px", align: "right", cell: (row) => <span className="num">{row.attempt_count}</span> },
      { key: "at", title: "Accepted", width: "88px", align: "right", cell: (row) => <Time at={row.created_at} className="text-muted" /> },
    ],
    [shown, link, tenant],
  );
  const filtered = Boolean(status || outcome || type || since || until);

  return (
    <div className="flex flex-1 md:min-h-0">
      <Pane className="min-w-0 flex-1">
        <div className="px-4 py-3 sm:px-6">
          <TokenSearch keys={tokens} placeholder="Filter: status:exhausted type:invoice.paid" instead={(words) => <SearchEvents words={words} tenant={tenant} />} />
        </div>
        <DataTable
          label="Deliveries"
          columns={columns}
          list={list}
          id={id}
          onOpen={show}
          openId={shown}
          empty={
            filtered ? (
              <EmptyState icon={Send} title="No delivery matches" action={<Button onClick={() => change(() => new URLSearchParams())}>Remove the filter</Button>} />
            ) : (
              <EmptyState
                icon={Send}
                title="Nothing was sent to it yet"
                action={
                  can("replay") && (
                    <Button icon={ListRestart} onClick={ask}>
                      Replay earlier events
                    </Button>
                  )
                }
              >
                Events that match its types arrive here as soon as they are published. Earlier ones can be replayed to it.
              </EmptyState>
            )
          }
        />
      </Pane>
      {shown && (
        <Pane label="Delivery" className="w-[46%] max-w-190 shrink-0 border-l border-line bg-panel">
          <Detail key={shown} tenant={tenant} id={shown} close={hide} />
        </Pane>
      )}
    </div>
  );
}
