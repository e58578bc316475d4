import { ListRestart, RotateCw, Send, X } from "lucide-react";
import { useCallback, useMemo } from "react";
import { Link, useNavigate, useSearchParams } from "react-router";
import { api, call, type Schemas } from "@/api/client";
import { useAction, useList, useLiveQuery } from "@/api/hooks";
import { plural } from "@/lib/numbers";
import { sentence, visible } from "@/lib/text";
import { Attempt } from "@/parts/Attempt";
import { Button, IconButton } from "@/parts/Button";
import { Id } from "@/parts/Copy";
import { type Column, DataTable } from "@/parts/DataTable";
import { useMedia } from "@/parts/Live";
import { Facts, Pane } from "@/parts/Page";
import { useScope } from "@/parts/Scope";
import { EmptyState, ErrorState, Skeleton } from "@/parts/States";
import { StatusBadge } from "@/parts/Status";
import { Time } from "@/parts/Time";
import { useRange } from "@/parts/TimeRange";
import { TokenSearch, times } from "@/parts/TokenSearch";
import { Why } from "../deliveries/Why";
import type { Endpoint } from "./index";

type Row = Schemas["Delivery"];

const statuses = ["pending", "retrying", "succeeded", "exhausted", "canceled"] as const;
const outcomes = ["ok", "status", "blocked", "dns", "connect", "tls", "timeout", "reset", "protocol"] as const;

const tokens = [
  { key: "status", hint: "state of the delivery", values: statuses },
  { key: "outcome", hint: "of the newest attempt", values: outcomes },
  { key: "type", hint: "event type" },
  { key: "since", hint: "accepted after", values: times },
  { key: "until", hint: "accepted before", values: times },
];

const id = (row: Row) => row.id;

/** Deliveries lists what was sent to the endpoint, beside the one that is open. On a phone, a delivery has its own page. */
export function Deliveries({ endpoint, ask }: { endpoint: Endpoint; ask: () => void }) {
  const { tenant } = endpoint;
  const { link, can } = useScope();
  const [params, setParams] = useSearchParams();
  const range = useRange();
  const side = useMedia("(min-width: 1100px)");
  const navigate = useNavigate();
  const status = statuses.find((each) => each === params.get("status"));
  const outcome = outcomes.find((each) => each === params.get("outcome"));
  const type = params.get("type") ?? undefined;
  const { since, until } = range.query;
  const open = params.get("delivery") ?? undefined;

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
  const list = useList(["endpoint-deliveries", endpoint.id, status, outcome, type, since, until], fetch, id);
  const show = useCallback(
    (row: Row) => {
      if (!side) return void navigate(link.delivery(tenant, row.id));
      setParams((old) => {
        const next = new URLSearchParams(old);
        next.set("delivery", row.id);
        return next;
      });
    },
    [side, navigate, link, tenant, setParams],
  );
  const hide = () =>
    setParams((old) => {
      const next = new URLSearchParams(old);
      next.delete("delivery");
      return next;
    });

  const shown = side ? open : undefined;
  const columns = useMemo<Column<Row>[]>(
    () => [
      { key: "status", title: "State", width: "108px", narrow: "side", cell: (row) => <StatusBadge of="delivery" state={row.status} /> },
      { key: "type", title: "Event type", width: "minmax(120px, 2fr)", narrow: "title", cell: (row) => visible(row.event_type) },
      ...(shown
        ? []
        : [
            { key: "reason", title: "What happens", width: "minmax(120px, 2fr)", wide: true, narrow: "hidden" as const, cell: (row: Row) => <Why row={row} endpoint={endpoint} /> },
            { key: "event", title: "Event", width: "156px", narrow: "hidden" as const, cell: (row: Row) => <Id value={row.event} to={link.event(tenant, row.event)} /> },
          ]),
      { key: "attempts", title: "Attempts", width: "64px", align: "right", cell: (row) => <span className="num">{row.attempt_count}</span> },
      { key: "at", title: "Created", width: "88px", align: "right", cell: (row) => <Time at={row.created_at} className="text-muted" /> },
    ],
    [shown, link, tenant, endpoint],
  );
  const filtered = Boolean(status || outcome || type || since || until);

  return (
    <div className="flex flex-1 md:min-h-0">
      <Pane className="min-w-0 flex-1">
        <div className="px-4 py-3 sm:px-6">
          <TokenSearch keys={tokens} placeholder="Filter: status:exhausted type:invoice.paid" />
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
              <EmptyState icon={Send} title="No delivery matches" action={<Button onClick={() => setParams({})}>Remove the filter</Button>} />
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

function Detail({ tenant, id: delivery, close }: { tenant: string; id: string; close: () => void }) {
  const { link, can } = useScope();
  const path = { tenant, id: delivery };
  const query = useLiveQuery(["delivery", tenant, delivery], (signal) => call(api.GET("/api/v1/tenants/{tenant}/deliveries/{id}", { params: { path }, signal })));
  const changes = [["delivery", tenant, delivery]];
  const retry = useAction(() => call(api.POST("/api/v1/tenants/{tenant}/deliveries/{id}/retry", { params: { path } })), { done: "It is sent again", failed: "It was not sent again", changes });
  const cancel = useAction(() => call(api.POST("/api/v1/tenants/{tenant}/deliveries/{id}/cancel", { params: { path } })), { done: "Canceled", failed: "It was not canceled", changes });
  const it = query.data;
  return (
    <>
      <header className="sticky top-0 z-10 flex items-center gap-3 border-b border-line bg-panel px-4 py-2.5">
        <h2 className="min-w-0 flex-1 truncate font-semibold">{it ? visible(it.event_type) : <Skeleton className="w-32" />}</h2>
        {it && <StatusBadge of="delivery" state={it.status} soft />}
        <IconButton label="Close the delivery" icon={X} onClick={close} />
      </header>
      {query.error && !it ? (
        <ErrorState error={query.error} what="The delivery could not be loaded" retry={query.refetch} />
      ) : !it ? (
        <div className="space-y-3 p-4">
          <Skeleton />
          <Skeleton className="w-1/2" />
          <Skeleton className="w-2/3" />
        </div>
      ) : (
        <div className="space-y-4 p-4">
          {it.reason && <p className="wrap-anywhere">{sentence(visible(it.reason))}</p>}
          <Facts
            facts={[
              ["Delivery", <Id key="delivery" value={it.id} to={link.delivery(tenant, it.id)} full />],
              ["Event", <Id key="event" value={it.event} to={link.event(tenant, it.event)} full />],
              ["Created", <Time key="created" at={it.created_at} />],
              it.next_attempt_at !== null && ["Next attempt", <Time key="next" at={it.next_attempt_at} />],
              it.job !== null && ["Made by", <Id key="job" value={it.job} to={link.job(tenant, it.job)} />],
            ]}
          />
          {can("replay") && (
            <div className="flex flex-wrap gap-2">
              <Button size="sm" icon={RotateCw} busy={retry.isPending} onClick={() => retry.mutate(undefined)}>
                Send now
              </Button>
              {(it.status === "pending" || it.status === "retrying") && (
                <Button size="sm" icon={X} busy={cancel.isPending} onClick={() => cancel.mutate(undefined)}>
                  Cancel
                </Button>
              )}
              <Link to={link.delivery(tenant, it.id)} className="ml-auto self-center text-sm text-accent hover:underline">
                Open it
              </Link>
            </div>
          )}
          <h3 className="pt-1 text-sm font-semibold">{it.attempts.length === 0 ? "No attempt yet" : plural(it.attempts.length, "attempt")}</h3>
          <div className="space-y-2">
            {it.attempts.toReversed().map((attempt, i) => (
              <Attempt key={attempt.id} attempt={attempt} open={i === 0} />
            ))}
          </div>
        </div>
      )}
    </>
  );
}
