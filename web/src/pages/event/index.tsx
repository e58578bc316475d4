import { useInfiniteQuery } from "@tanstack/react-query";
import { Eraser, RotateCw, Send, ShieldOff, Terminal } from "lucide-react";
import { useCallback, useMemo, useState } from "react";
import { Link, useNavigate, useParams } from "react-router";
import { api, call, type Schemas } from "@/api/client";
import { useAction, useLiveQuery } from "@/api/hooks";
import { type Endpoint, useEndpoints } from "@/api/names";
import { takeOut } from "@/lib/json";
import { plural } from "@/lib/numbers";
import { generated, middle, sentence, shell as quoted, visible } from "@/lib/text";
import { useAddress } from "@/parts/Address";
import { Button } from "@/parts/Button";
import { Id, useCopy } from "@/parts/Copy";
import { type Column, DataTable } from "@/parts/DataTable";
import { ConfirmDialog, Dialog } from "@/parts/Dialog";
import { FormError } from "@/parts/Form";
import { endpointName } from "@/parts/Health";
import { JsonView } from "@/parts/JsonView";
import { Breakable, PageHeader } from "@/parts/Page";
import { useScope, useTenant } from "@/parts/Scope";
import { PageSkeleton } from "@/parts/Shell";
import { EmptyState, ErrorState } from "@/parts/States";
import { Notice, StatusBadge, TestMark } from "@/parts/Status";
import { Time, Timed } from "@/parts/Time";
import { type Fate, sendable } from "./fates";
import { SendAgain } from "./SendAgain";

type Loaded = {
  event: Omit<Schemas["ExplainedEvent"], "data">;
  /** The data as it was published. */
  data: string;
  erased: { at: string | undefined } | undefined;
};

/** Outcomes of endpoints that were meant to get the event. The others are shown after them. */
const meant = new Set<Fate["outcome"]>(["delivered", "pending", "retrying", "exhausted", "canceled", "paused"]);

/** Outcomes after attempts that failed. */
const attempted = new Set<Fate["outcome"]>(["retrying", "exhausted"]);

/** Event shows what was published, and what became of it at every endpoint of the tenant, and why. */
export default function Event() {
  const tenant = useTenant();
  const { id = "" } = useParams();
  const event = useLiveQuery(["event", tenant, id], async (signal) =>
    read((await call(api.GET("/api/v1/tenants/{tenant}/events/{id}", { params: { path: { tenant, id } }, parseAs: "text", signal }))) as string),
  );
  if (event.isPending) return <PageSkeleton />;
  if (!event.data) return <ErrorState error={event.error} what="The event could not be loaded" retry={event.refetch} />;
  return <Page tenant={tenant} {...event.data} />;
}

/** read takes the answer apart as text: JSON.parse rounds the numbers of the data. */
function read(text: string): Loaded {
  const { value: data, rest } = takeOut(text, "data");
  const event = JSON.parse(rest) as Schemas["ExplainedEvent"] & { erased?: { at?: string } | boolean | null; erased_at?: string | null };
  const erasedAt = event.erased_at ?? (typeof event.erased === "object" ? event.erased?.at : undefined);
  return { event, data, erased: event.erased || event.erased_at ? { at: erasedAt ?? undefined } : undefined };
}

/** Reached is what became of the event at the endpoints that are loaded. */
type Reached = {
  rows: readonly Fate[];
  /** Whether there are more endpoints. */
  more: boolean;
  loading: boolean;
  /** Whether the others could not be loaded. */
  failed: boolean;
  loadMore: () => void;
};

/** useReached returns what became of an event: the first endpoints come with it, and the others when they are asked for. */
function useReached(tenant: string, event: Loaded["event"]): Reached {
  const second = event.endpoints_next_cursor;
  const [asked, setAsked] = useState(false);
  const rest = useInfiniteQuery({
    queryKey: ["event", tenant, event.id, "endpoints", second], // with a new endpoint, the second page begins elsewhere
    queryFn: ({ pageParam: cursor }) => call(api.GET("/api/v1/tenants/{tenant}/events/{id}/endpoints", { params: { path: { tenant, id: event.id }, query: { cursor } } })),
    initialPageParam: second ?? "",
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    enabled: asked && second !== null,
  });
  const rows = useMemo(() => [...event.endpoints, ...(second === null ? [] : (rest.data?.pages.flatMap((page) => page.data) ?? []))], [event.endpoints, second, rest.data]);
  return {
    rows,
    more: second !== null && (!rest.data || rest.hasNextPage),
    loading: rest.isFetching,
    failed: rest.isError,
    loadMore: () => (rest.data ? void rest.fetchNextPage() : asked ? void rest.refetch() : setAsked(true)),
  };
}

function Page({ tenant, event, data, erased }: { tenant: string } & Loaded) {
  const { shell, link, can } = useScope();
  const { endpoints } = useEndpoints(tenant);
  const reached = useReached(tenant, event);
  const [sending, setSending] = useState(false);
  const [again, setAgain] = useState(false);
  const [erasing, setErasing] = useState(false);
  const [copied, copy] = useCopy();
  const command = () => copy(`bellwire events show --tenant ${quoted(tenant)} ${event.id}`);
  return (
    <>
      <PageHeader
        title={`${visible(event.type)} ${middle(event.id)}`}
        heading={
          <span className="flex flex-wrap items-center gap-x-3 gap-y-1">
            <Breakable name={visible(event.type)} />
            {event.test && <TestMark />}
          </span>
        }
        sentence={<Summary fates={reached.rows} more={reached.more} test={event.test} />}
        back={[{ to: shell === "console" ? `/events?tenant=${encodeURIComponent(tenant)}` : "/events", label: "Events" }]}
        action={
          <>
            {shell === "console" && (
              <>
                <Button icon={Terminal} onClick={command}>{copied ? "Copied" : "Copy as command"}</Button>
                {!erased && (
                  <Button icon={Eraser} onClick={() => setErasing(true)}>
                    Erase data
                  </Button>
                )}
                {!erased && !event.test && (
                  <Button icon={Send} title="Makes a new event of the same data" onClick={() => setAgain(true)}>
                    Publish again
                  </Button>
                )}
              </>
            )}
            {can("replay") && !erased && sendable(reached.rows).all.length > 0 && (
              <Button look="primary" icon={RotateCw} onClick={() => setSending(true)}>
                Send again
              </Button>
            )}
          </>
        }
      >
        <dl className="mt-3 flex flex-wrap gap-x-6 gap-y-1.5 text-sm">
          {(
            [
              ["Event", <Id key="id" value={event.id} />],
              ...(shell === "console" ? [["Tenant", <Id key="tenant" value={tenant} to={link.tenant(tenant)} />]] : []),
              ...(event.idempotency_key ? [[generated(event.idempotency_key) ? "Id of the request" : "Publisher's id", <Id key="key" value={event.idempotency_key} />]] : []),
              ...(event.ordering_key ? [["Ordering key", <Id key="ordering" value={event.ordering_key} />]] : []),
              ["Accepted", <Time key="at" at={event.created_at} />],
              ...(event.occurred_at !== event.created_at ? [["Occurred", <Time key="occurred" at={event.occurred_at} />]] : []),
            ] as [string, React.ReactNode][]
          ).map(([name, value]) => (
            <div key={name} className="flex h-5 items-center gap-1.5">
              <dt className="text-muted">{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
        {event.problem && (
          <div className="mt-3">
            <Notice tone="bad">{sentence(`it was not sent: ${visible(event.problem)}`)}</Notice>
          </div>
        )}
      </PageHeader>
      <div className="grid items-start gap-x-6 gap-y-5 px-4 pb-8 sm:px-6 xl:grid-cols-[minmax(0,1.5fr)_minmax(0,1fr)]">
        <Fates tenant={tenant} event={event} reached={reached} />
        {erased ? (
          <section className="panel">
            <EmptyState icon={ShieldOff} title="The data was erased">
              {erased.at ? (
                <>
                  It was removed <Time at={erased.at} />, and cannot be shown or sent again.
                </>
              ) : (
                "It was removed, and cannot be shown or sent again."
              )}{" "}
              What became of the event is still known.
            </EmptyState>
          </section>
        ) : (
          <JsonView text={data} title="Data" maxHeight={640} />
        )}
      </div>
      <Erase tenant={tenant} event={event} reached={reached} open={erasing} close={() => setErasing(false)} />
      {sending && <SendAgain tenant={tenant} event={event} fates={reached.rows} more={reached.more} endpoints={endpoints} close={() => setSending(false)} />}
      {again && <Again tenant={tenant} event={event} data={data} close={() => setAgain(false)} />}
    </>
  );
}

/** Summary counts outcomes in words. */
function Summary({ fates, more, test }: { fates: readonly Fate[]; more: boolean; test: boolean }) {
  const count = (...outcomes: Fate["outcome"][]) => fates.filter((fate) => outcomes.includes(fate.outcome)).length;
  const all = fates.filter((fate) => meant.has(fate.outcome)).length;
  if (fates.length === 0) return <>The tenant had no endpoint.</>;
  if (all === 0) return <>{test ? "No endpoint got this test." : "No endpoint was to get it: below is why."}</>;
  const delivered = count("delivered");
  const rest = (
    [
      [count("retrying"), "retrying"],
      [count("pending"), "pending"],
      [count("paused"), "waiting for a paused endpoint"],
      [count("exhausted"), "exhausted"],
      [count("canceled"), "canceled"],
    ] as const
  ).filter(([n]) => n > 0);
  return (
    <>
      {delivered === all ? `Delivered to ${all === 1 ? "the one endpoint" : `all ${all} endpoints`} that subscribed` : `Delivered to ${delivered} of ${plural(all, "endpoint")} that subscribed`}
      {rest.length > 0 && `; ${rest.map(([n, word]) => `${n} ${word}`).join(", ")}`}
      {more ? ", among those shown." : "."}
    </>
  );
}

/** Fates has a row for each endpoint: those that were meant first. */
function Fates({ tenant, event, reached }: { tenant: string; event: Loaded["event"]; reached: Reached }) {
  const { link, can } = useScope();
  const navigate = useNavigate();
  const { endpoints } = useEndpoints(tenant);
  const [params, change] = useAddress();
  const everyone = params.get("show") !== "subscribed";
  const rows = useMemo(() => {
    const first = reached.rows.filter((fate) => meant.has(fate.outcome));
    return everyone ? [...first, ...reached.rows.filter((fate) => !meant.has(fate.outcome))] : first;
  }, [reached.rows, everyone]);
  const retry = useAction((delivery: string) => call(api.POST("/api/v1/tenants/{tenant}/deliveries/{id}/retry", { params: { path: { tenant, id: delivery } }, body: {} })), {
    done: "It is sent again",
    failed: "It was not sent again",
    changes: [["event", tenant, event.id]],
  });
  const { mutate, isPending, variables } = retry;
  const columns = useMemo<Column<Fate>[]>(
    () => [
      {
        key: "endpoint",
        title: "Endpoint",
        width: "minmax(110px, 1fr)",
        narrow: "title",
        cell: (fate) => {
          const known = endpoints.get(fate.endpoint);
          return (
            <Link to={link.endpoint(tenant, fate.endpoint)} title={known ? `${visible(known.url)}\n${fate.endpoint}` : fate.endpoint} className="font-medium hover:text-accent hover:underline">
              {known ? endpointName(known) : <span className="font-mono text-[12.5px]">{middle(fate.endpoint)}</span>}
            </Link>
          );
        },
      },
      { key: "outcome", title: "Outcome", width: "124px", narrow: "side", cell: (fate) => <StatusBadge of="explanation" state={fate.outcome} /> },
      {
        key: "why",
        title: "Why",
        width: "minmax(140px, 2fr)",
        cell: (fate) => {
          const text = reason(fate, endpoints.get(fate.endpoint));
          const attempts = attempted.has(fate.outcome) && fate.delivery;
          return (
            (text || attempts) && (
              <span className="block py-0.5 text-sm whitespace-normal wrap-anywhere text-muted">
                {text && <Timed text={sentence(text)} />}{" "}
                {attempts && (
                  <Link to={link.delivery(tenant, attempts)} className="text-accent underline">
                    See what it answered
                  </Link>
                )}
              </span>
            )
          );
        },
      },
      {
        key: "action",
        title: "",
        width: "116px",
        align: "right",
        narrow: "hidden",
        cell: (fate) =>
          fate.delivery && can("replay") ? (
            <Button size="sm" look="quiet" aria-label={`Send again to ${fate.endpoint}`} icon={RotateCw} busy={isPending && variables === fate.delivery} onClick={() => fate.delivery && mutate(fate.delivery)}>
              Send again
            </Button>
          ) : null,
      },
    ],
    [endpoints, link, tenant, can, mutate, isPending, variables],
  );
  const others = reached.rows.length - rows.filter((fate) => meant.has(fate.outcome)).length;
  const id = useCallback((fate: Fate) => fate.endpoint, []);
  const openable = useCallback((fate: Fate) => void navigate(fate.delivery ? link.delivery(tenant, fate.delivery) : link.endpoint(tenant, fate.endpoint)), [navigate, link, tenant]);
  return (
    <section className="panel min-w-0 overflow-hidden" aria-label="What became of it">
      <div className="flex min-h-11 flex-wrap items-center justify-between gap-3 border-b border-line px-4 py-2 sm:px-6">
        <h2 className="text-sm font-semibold">What became of it</h2>
        {others > 0 && (
          <label className="flex items-center gap-2 text-sm text-muted">
            <input
              type="checkbox"
              checked={everyone}
              onChange={({ target }) => change((now) => (target.checked ? now.delete("show") : now.set("show", "subscribed")), { replace: true })}
            />
            Also {others === 1 ? "the one" : `the ${others}`} that it was not meant for
          </label>
        )}
      </div>
      <DataTable
        label="Endpoints"
        columns={columns}
        list={{ rows }}
        id={id}
        onOpen={openable}
        empty={<EmptyState title={reached.rows.length === 0 ? "The tenant had no endpoint" : "No endpoint was to get it"} />}
      />
      {reached.more && (
        <div className="flex justify-center border-t border-line p-2">
          <Button size="sm" busy={reached.loading} onClick={reached.loadMore}>
            {reached.failed ? "The other endpoints could not be loaded. Try again" : "Show more endpoints"}
          </Button>
        </div>
      )}
    </section>
  );
}

/** reason says why, also where the outcome alone says it to the API. */
function reason(fate: Fate, endpoint: Endpoint | undefined): string {
  if (fate.reason) return visible(fate.reason);
  const open = fate.outcome === "pending" || fate.outcome === "retrying";
  return open && endpoint?.health.breaker === "open" ? "it waits, because the endpoint keeps failing" : "";
}

/** Erase removes the data of the event. It names what is lost, and what stays. */
function Erase({ tenant, event, reached, open, close }: { tenant: string; event: Loaded["event"]; reached: Reached; open: boolean; close: () => void }) {
  const erase = useAction(() => call(api.DELETE("/api/v1/tenants/{tenant}/events/{id}/data", { params: { path: { tenant, id: event.id } } })), {
    done: "The data was erased",
    failed: "The data was not erased",
    changes: [["event", tenant, event.id], ["body", tenant], ["events"], ["deliveries"]],
  });
  const waiting = reached.rows.filter(({ outcome }) => outcome === "pending" || outcome === "retrying" || outcome === "paused").length;
  return (
    <ConfirmDialog open={open} onClose={close} title="Erase the data of this event?" action="Erase for ever" keep="Keep the data" name={event.id} busy={erase.isPending} onConfirm={() => erase.mutate(undefined, { onSettled: close })}>
      <p>Its data is removed, and so is what attempts kept of requests and responses. It cannot be shown, retried or replayed any more.</p>
      {waiting > 0 && (
        <p>
          {plural(waiting, "delivery that waits is", "deliveries that wait are")} canceled{reached.more && ", and those of endpoints that are not shown"}.
        </p>
      )}
      {waiting === 0 && reached.more && <p>Deliveries that wait at endpoints that are not shown are canceled.</p>}
      <p>The record stays: the event&apos;s id, type and times, what became of it at each endpoint, and who erased it.</p>
    </ConfirmDialog>
  );
}

/** Again publishes the same data as a new event. */
function Again({ tenant, event, data, close }: { tenant: string; event: Loaded["event"]; data: string; close: () => void }) {
  const { link } = useScope();
  const navigate = useNavigate();
  const body = `{"type":${JSON.stringify(event.type)},"data":${data}}`;
  const publish = useAction(
    () =>
      call(
        api.POST("/api/v1/tenants/{tenant}/events", {
          params: { path: { tenant } },
          body: { type: event.type, data: null },
          bodySerializer: () => body, // the data as it was published, and not as JavaScript would write it
        }),
      ),
    {
      quiet: true,
      done: (receipt) => (receipt.deliveries === 0 ? "Published, but no endpoint subscribes to it" : `Published to ${plural(receipt.deliveries, "endpoint")}`),
      changes: [["events"]],
      onDone: (receipt) => {
        close();
        void navigate(link.event(tenant, receipt.id));
      },
    },
  );
  return (
    <Dialog
      open
      onClose={close}
      title="Publish again"
      sentence="The same data becomes a new event with a new id. It goes to the endpoints that subscribe now, also to those that have the first one already."
      footer={
        <>
          <Button onClick={close}>Leave it</Button>
          <Button look="primary" icon={Send} busy={publish.isPending} onClick={() => publish.mutate(undefined)}>
            Publish
          </Button>
        </>
      }
    >
      <div className="space-y-3">
        <JsonView text={data} title={visible(event.type)} maxHeight={280} />
        <p className="text-sm text-muted">To send this event once more, use Send again instead.</p>
        <FormError error={publish.error} />
      </div>
    </Dialog>
  );
}
