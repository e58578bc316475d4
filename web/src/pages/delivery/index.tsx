import { Menu } from "@base-ui/react/menu";
import { ChevronDown, CircleAlert, CircleCheck, Clock, Hourglass, ListRestart, RotateCw, Terminal, X } from "lucide-react";
import { Suspense, useMemo, useRef, useState } from "react";
import { useParams } from "react-router";
import { useRequestBody } from "@/api/body";
import { plural } from "@/lib/numbers";
import { part } from "@/lib/part";
import { cx, middle, sentence, visible } from "@/lib/text";
import { advice, failure } from "@/lib/words";
import { useAddress } from "@/parts/Address";
import { Button } from "@/parts/Button";
import { Id, useCopy } from "@/parts/Copy";
import { ConfirmDialog } from "@/parts/Dialog";
import { Exchange, RequestBody } from "@/parts/Exchange";
import { endpointName } from "@/parts/Health";
import { useKeys } from "@/parts/Keys";
import { Breakable, PageHeader, Panel } from "@/parts/Page";
import { useCommands } from "@/parts/Palette";
import { useScope, useTenant } from "@/parts/Scope";
import { PageSkeleton } from "@/parts/Shell";
import { ErrorState, Skeleton } from "@/parts/States";
import { DeliveryStatus, StatusBadge, TestMark } from "@/parts/Status";
import { Time, Timed, Took } from "@/parts/Time";
import { useToast } from "@/parts/Toast";
import { Waterfall } from "@/parts/Waterfall";
import { type Attempt, curl, type Delivery as DeliveryOf, dialectOf, type Endpoint, endpointLabel, isOpen, story, useDelivery, useDeliveryActions, useEndpoint } from "./data";
import { JobLink, Replayed } from "./Replayed";

const Signature = part(() => import("./Signature").then((module) => ({ default: module.Signature })));

/** Delivery tells what became of an event at one endpoint: every attempt, what was sent, what came back, and what to do. */
export default function Delivery() {
  const tenant = useTenant();
  const { id = "" } = useParams();
  const delivery = useDelivery(tenant, id);
  const endpoint = useEndpoint(tenant, delivery.data?.endpoint);
  if (delivery.isPending) return <PageSkeleton />;
  if (!delivery.data) return <ErrorState error={delivery.error} what="The delivery could not be loaded" retry={delivery.refetch} />;
  return <Page tenant={tenant} delivery={delivery.data} endpoint={endpoint} />;
}

function Page({ tenant, delivery: it, endpoint }: { tenant: string; delivery: DeliveryOf; endpoint: Endpoint | undefined }) {
  const { link, shell } = useScope();
  const [params, change] = useAddress();
  const attempts = useMemo(() => it.attempts.toReversed(), [it.attempts]);
  const { read, setRead, follow } = useRead(attempts[0]?.number, params.has("signature"));
  const named = (number: number | string | null | undefined) => attempts.find((attempt) => String(attempt.number) === String(number));
  const chosen = named(params.get("attempt")) ?? named(read) ?? attempts[0];
  const { what, next } = story(it);
  const choose = (attempt: Attempt | undefined) => {
    if (!attempt) return;
    setRead(attempt.number);
    change(
      (now) => {
        if (attempt === attempts[0]) now.delete("attempt");
        else now.set("attempt", String(attempt.number));
      },
      { replace: true },
    );
  };
  const step = (by: number) => choose(attempts[Math.min(attempts.length - 1, Math.max(0, attempts.indexOf(chosen as Attempt) + by))]);
  useKeys({ j: () => step(1), k: () => step(-1) });

  return (
    <>
      <PageHeader
        title={`${visible(it.event_type)} to ${endpointLabel(endpoint, it.endpoint)}`}
        heading={
          <span className="flex flex-wrap items-center gap-x-3 gap-y-1">
            <span>
              <Breakable name={visible(it.event_type)} /> <span className="font-normal text-muted">to</span> {endpointLabel(endpoint, it.endpoint)}
            </span>
            <DeliveryStatus delivery={it} soft />
            {it.test && <TestMark />}
          </span>
        }
        sentence={
          <>
            <Timed text={what} />
            {it.next_attempt_at && Date.parse(it.next_attempt_at) > Date.now() && it.attempt_count > 0 && (
              <>
                {" "}
                Next attempt <Time at={it.next_attempt_at} />.
              </>
            )}
            {next && <> {next}</>}
          </>
        }
        action={<Actions tenant={tenant} delivery={it} endpoint={endpoint} attempt={chosen} onRetry={follow} />}
        back={[
          { to: link.deliveries(), label: "Deliveries" },
          ...(shell === "console" ? [{ to: link.deliveries({ tenant }), label: tenant }] : []),
          { to: link.endpoint(tenant, it.endpoint), label: endpoint ? endpointName(endpoint) : middle(it.endpoint) },
        ]}
      >
        <Line tenant={tenant} delivery={it} endpoint={endpoint} />
        <Replayed tenant={tenant} delivery={it} />
      </PageHeader>
      <div className="grid gap-x-6 gap-y-4 px-4 pb-8 sm:px-6 lg:grid-cols-[256px_minmax(0,1fr)]">
        <Timeline delivery={it} attempts={attempts} chosen={chosen} choose={choose} />
        <div className="min-w-0 space-y-4">
          {chosen ? <AttemptPanel key={chosen.id} tenant={tenant} delivery={it} attempt={chosen} /> : <NoAttempt tenant={tenant} delivery={it} />}
          <Verify tenant={tenant} delivery={it} endpoint={endpoint} attempt={chosen} />
        </div>
      </div>
    </>
  );
}

/**
 * useRead returns the number of the attempt that is shown unless the address names one: the one that was the newest when the page
 * was opened, and not one that ends while somebody reads. follow goes on to the next one that ends, unless something is typed about
 * this one then. It returns what undoes that.
 */
function useRead(newest: number | undefined, typing: boolean) {
  const [read, setRead] = useState(newest);
  const [after, setAfter] = useState<number>();
  if (newest !== undefined && read === undefined) setRead(newest);
  if (newest !== undefined && after !== undefined && newest > after) {
    setAfter(undefined);
    if (!typing) setRead(newest);
  }
  const follow = () => {
    setAfter(newest ?? 0);
    return () => setAfter(undefined);
  };
  return { read, setRead, follow };
}

/** Line has what one copies or follows. */
function Line({ tenant, delivery: it, endpoint }: { tenant: string; delivery: DeliveryOf; endpoint: Endpoint | undefined }) {
  const { link, shell } = useScope();
  const facts: [string, React.ReactNode][] = [
    ["Delivery", <Id key="delivery" value={it.id} />],
    ["Event", <Id key="event" value={it.event} to={link.event(tenant, it.event)} />],
    ["Endpoint", <Id key="endpoint" value={it.endpoint} to={link.endpoint(tenant, it.endpoint)} />],
    ...(shell === "console" ? [["Tenant", <Id key="tenant" value={tenant} to={link.tenant(tenant)} />] as [string, React.ReactNode]] : []),
    ...(endpoint ? [["Dialect", endpoint.dialect] as [string, React.ReactNode]] : []),
    ["Accepted", <Time key="accepted" at={it.created_at} />],
    ...(it.job ? [[it.replay ? "Replay by" : "Job", <JobLink key="job" tenant={tenant} id={it.job} />] as [string, React.ReactNode]] : []),
  ];
  return (
    <dl className="mt-3 flex flex-wrap gap-x-6 gap-y-1.5 text-sm">
      {facts.map(([name, value]) => (
        <div key={name} className="flex h-5 items-center gap-1.5">
          <dt className="text-muted">{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Actions({ tenant, delivery: it, endpoint, attempt, onRetry }: { tenant: string; delivery: DeliveryOf; endpoint: Endpoint | undefined; attempt: Attempt | undefined; onRetry: () => () => void }) {
  const { can } = useScope();
  const { retry, cancel } = useDeliveryActions(tenant, it.id);
  const [asking, setAsking] = useState(false);
  const body = useRequestBody(tenant, attempt?.request ? it.id : undefined, attempt?.number);
  const [copied, copy] = useCopy();
  const open = isOpen(it);
  const toast = useToast();
  const copyCurl = () => {
    if (!attempt) return;
    const command = curl(attempt, body.data?.body);
    copy(command.text);
    if (command.file) toast.done("Save the body as body.json: it is too long for a command");
  };
  const again = (restart: boolean) => {
    retry.mutate(restart, { onError: onRetry() });
  };
  const latest = useRef(again);
  latest.current = again;
  useCommands(
    `delivery-${it.id}`,
    useMemo(
      () =>
        can("replay")
          ? [
              { id: "retry", label: "Retry this delivery", group: "Action", icon: RotateCw, run: () => latest.current(false) },
              { id: "restart", label: "Retry this delivery with its whole schedule", group: "Action", icon: ListRestart, run: () => latest.current(true) },
            ]
          : [],
      [can],
    ),
  );
  const item = "flex cursor-default flex-col rounded-sm px-2.5 py-1.5 outline-none select-none data-[highlighted]:bg-hover";
  return (
    <>
      {attempt?.request && (
        <Button icon={copied ? CircleCheck : Terminal} disabled={body.isPending} onClick={copyCurl}>
          {copied ? "Copied" : "Copy as curl"}
        </Button>
      )}
      {can("replay") && open && (
        <Button icon={X} onClick={() => setAsking(true)}>
          Cancel
        </Button>
      )}
      {can("replay") && (
        <span className="inline-flex">
          <Button look="primary" icon={RotateCw} busy={retry.isPending} onClick={() => again(false)} className="rounded-r-none">
            {open && it.attempt_count === 0 ? "Send now" : "Retry"}
          </Button>
          <Menu.Root>
            <Menu.Trigger render={<Button look="primary" aria-label="More ways to retry" className="rounded-l-none border-l border-l-[rgb(255_255_255/25%)] !px-1.5" />}>
              <ChevronDown size={14} aria-hidden />
            </Menu.Trigger>
            <Menu.Portal>
              <Menu.Positioner sideOffset={6} align="end" className="z-40">
                <Menu.Popup className="w-76 rounded-lg border border-line-strong bg-raised p-1 shadow-pop outline-none">
                  <Menu.Item className={item} onClick={() => again(false)}>
                    <span className="font-medium">Retry once</span>
                    <span className="text-xs text-muted">One attempt, at once. If it fails, what was scheduled goes on.</span>
                  </Menu.Item>
                  <Menu.Item className={item} onClick={() => again(true)}>
                    <span className="font-medium">Retry and restart the schedule</span>
                    <span className="text-xs text-muted">An attempt at once, or at the deliver_at of its event, and all retries of the policy after it.</span>
                  </Menu.Item>
                </Menu.Popup>
              </Menu.Positioner>
            </Menu.Portal>
          </Menu.Root>
        </span>
      )}
      <ConfirmDialog
        open={asking}
        onClose={() => setAsking(false)}
        title="Cancel this delivery?"
        action="Cancel the delivery"
        busy={cancel.isPending}
        onConfirm={() => cancel.mutate(undefined, { onSettled: () => setAsking(false) })}
      >
        <p>
          {endpointLabel(endpoint, it.endpoint)} will not get this {visible(it.event_type)}. No more attempts are made. It can be retried later, as long as the event is stored.
        </p>
      </ConfirmDialog>
    </>
  );
}

/** Timeline lists the attempts, newest first, between what comes next and where it began. */
function Timeline({ delivery: it, attempts, chosen, choose }: { delivery: DeliveryOf; attempts: Attempt[]; chosen: Attempt | undefined; choose: (attempt: Attempt) => void }) {
  const missing = it.attempt_count - attempts.length;
  return (
    <nav aria-label="Attempts" className="min-w-0 lg:sticky lg:top-4 lg:max-h-[calc(100dvh-96px)] lg:self-start lg:overflow-y-auto">
      <ol className="relative space-y-0.5 before:absolute before:top-4 before:bottom-4 before:left-[17px] before:w-px before:bg-line-strong">
        {it.next_attempt_at && isOpen(it) && (
          <Point icon={it.waiting_for && it.waiting_for.reason !== "retry" ? Hourglass : Clock}>
            <span className="text-muted">
              {Date.parse(it.next_attempt_at) > Date.now() ? (
                <>
                  Next attempt <Time at={it.next_attempt_at} />
                </>
              ) : (
                "Waits to be sent"
              )}
            </span>
          </Point>
        )}
        {attempts.map((attempt) => (
          <li key={attempt.id} className="relative">
            <button
              type="button"
              aria-current={attempt === chosen || undefined}
              onClick={() => choose(attempt)}
              className={cx("flex w-full items-center gap-2.5 rounded-md py-1.5 pr-2 pl-2.5 text-left", attempt === chosen ? "bg-selected" : "hover:bg-hover")}
            >
              <Dot ok={attempt.outcome === "ok"} />
              <span className="min-w-0 flex-1">
                <span className="flex justify-between gap-2">
                  <span className="truncate font-medium">
                    <span className="num">{attempt.number}</span>
                    <span className="text-faint"> · </span>
                    {attempt.response ? <span className="num">{attempt.response.status}</span> : <StatusBadge of="attempt" state={attempt.outcome} className="[&_svg]:hidden" />}
                  </span>
                  <Took ms={attempt.timings.total} className="text-sm text-muted" />
                </span>
                <span className="block truncate text-xs text-muted">
                  <Time at={attempt.started_at} />
                  {attempt.trigger !== "schedule" && (attempt.trigger === "manual" ? ", by hand" : ", a test")}
                </span>
              </span>
            </button>
          </li>
        ))}
        {missing > 0 && <Point icon={Clock}><span className="text-muted">{plural(missing, "earlier attempt")}, not shown</span></Point>}
        <Point icon={CircleCheck}>
          <span className="text-muted">
            Accepted <Time at={it.created_at} />
          </span>
        </Point>
      </ol>
    </nav>
  );
}

function Dot({ ok }: { ok: boolean }) {
  const Icon = ok ? CircleCheck : CircleAlert;
  return <Icon size={15} className={cx("relative shrink-0 rounded-full bg-bg", ok ? "text-good" : "text-bad")} aria-hidden />;
}

function Point({ icon: Icon, children }: { icon: typeof Clock; children: React.ReactNode }) {
  return (
    <li className="relative flex items-center gap-2.5 py-1.5 pl-2.5 text-sm">
      <Icon size={15} className="shrink-0 bg-bg text-faint" aria-hidden />
      {children}
    </li>
  );
}

function AttemptPanel({ tenant, delivery, attempt }: { tenant: string; delivery: DeliveryOf; attempt: Attempt }) {
  const status = attempt.response?.status;
  return (
    <Panel
      title={
        <span className="flex flex-wrap items-center gap-x-2.5">
          Attempt {attempt.number}
          <StatusBadge of="attempt" state={attempt.outcome} />
        </span>
      }
      aside={<Time at={attempt.started_at} as="clock" className="text-sm text-muted" />}
    >
      <div className="space-y-4">
        <div className="grid gap-x-4 gap-y-3 xl:grid-cols-2">
          <div className="space-y-1">
            <p className="font-medium wrap-anywhere">{sentence(`it ${failure(attempt)}`)}</p>
            {attempt.error && attempt.outcome !== "status" && <p className="font-mono text-[12.5px] wrap-anywhere text-bad">{visible(attempt.error)}</p>}
            {attempt.outcome !== "ok" && <p className="text-muted">{advice(attempt.outcome, status)}</p>}
          </div>
          <Waterfall timings={attempt.timings} />
        </div>
        <Exchange tenant={tenant} delivery={delivery.id} attempt={attempt} />
      </div>
    </Panel>
  );
}

function NoAttempt({ tenant, delivery }: { tenant: string; delivery: DeliveryOf }) {
  const open = isOpen(delivery);
  return (
    <Panel title={open ? "No attempt yet" : "It was never sent"}>
      <div className="space-y-3">
        <p className="text-muted">{open ? "The request, the answer and where the time went are shown here as soon as it was sent." : "So there is no request and no answer to show."}</p>
        <RequestBody tenant={tenant} delivery={delivery.id} title={open ? "Body that will be sent" : "Body that would have been sent"} />
      </div>
    </Panel>
  );
}

/** Verify holds the helper for signatures, whose code is loaded when it is opened. The URL says that it is open. */
function Verify({ tenant, delivery, endpoint, attempt }: { tenant: string; delivery: DeliveryOf; endpoint: Endpoint | undefined; attempt: Attempt | undefined }) {
  const [params, change] = useAddress();
  const open = params.has("signature");
  const body = useRequestBody(tenant, open && attempt?.request ? delivery.id : undefined, attempt?.number);
  const same = body.data?.sent?.same;
  const dialect = dialectOf(endpoint, attempt);
  const toggle = () =>
    change(
      (now) => {
        if (open) now.delete("signature");
        else now.set("signature", "");
      },
      { replace: true },
    );
  return (
    <section className="panel">
      <h2>
        <button type="button" aria-expanded={open} onClick={toggle} className="flex min-h-11 w-full items-center justify-between gap-3 px-4 py-2 text-left text-sm font-semibold">
          Why does my signature not verify?
          <ChevronDown size={15} className={cx("shrink-0 text-muted transition-transform", open && "rotate-180")} aria-hidden />
        </button>
      </h2>
      {open && (
        <div className="border-t border-line p-4">
          <Suspense fallback={<Skeleton className="h-40" />}>
            <Signature tenant={tenant} endpoint={delivery.endpoint} dialect={dialect} attempt={attempt} body={same ? body.data?.body : undefined} />
          </Suspense>
        </div>
      )}
    </section>
  );
}
