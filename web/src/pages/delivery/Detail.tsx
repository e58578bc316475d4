import { ExternalLink, RotateCw, X } from "lucide-react";
import { Link } from "react-router";
import { visible } from "@/lib/text";
import { advice, failure } from "@/lib/words";
import { sentence } from "@/lib/text";
import { Button, IconButton } from "@/parts/Button";
import { Id } from "@/parts/Copy";
import { Exchange } from "@/parts/Exchange";
import { Facts } from "@/parts/Page";
import { useScope } from "@/parts/Scope";
import { ErrorState, Skeleton } from "@/parts/States";
import { DeliveryStatus, StatusBadge, TestMark } from "@/parts/Status";
import { Time, Timed, Took } from "@/parts/Time";
import { Waterfall } from "@/parts/Waterfall";
import { type Attempt, type Delivery, endpointLabel, isOpen, story, useDelivery, useDeliveryActions, useEndpoint } from "./data";
import { JobLink, Replayed } from "./Replayed";

/** Detail shows a delivery beside a list: what became of it, and its newest attempt. */
export function Detail({ tenant, id, close }: { tenant: string; id: string; close: () => void }) {
  const query = useDelivery(tenant, id);
  const it = query.data;
  return (
    <>
      <header className="sticky top-0 z-10 flex h-12 items-center gap-3 border-b border-line bg-panel pr-2 pl-4">
        <h2 className="min-w-0 flex-1 truncate font-semibold">{it ? visible(it.event_type) : query.error ? "Delivery" : <Skeleton className="w-32" />}</h2>
        {it?.test && <TestMark />}
        {it && <DeliveryStatus delivery={it} soft />}
        <IconButton label="Close the delivery" icon={X} onClick={close} />
      </header>
      {it ? (
        <Body tenant={tenant} delivery={it} />
      ) : query.error ? (
        <ErrorState error={query.error} what="The delivery could not be loaded" retry={query.refetch} />
      ) : (
        <div className="space-y-3 p-4" aria-busy>
          <Skeleton />
          <Skeleton className="w-1/2" />
          <Skeleton className="h-24" />
        </div>
      )}
    </>
  );
}

function Body({ tenant, delivery: it }: { tenant: string; delivery: Delivery }) {
  const { link, can } = useScope();
  const endpoint = useEndpoint(tenant, it.endpoint);
  const { retry, cancel } = useDeliveryActions(tenant, it.id);
  const { what, next } = story(it);
  const last = it.attempts.at(-1);
  return (
    <div className="space-y-4 p-4">
      <div>
        <p className="font-medium wrap-anywhere"><Timed text={what} /></p>
        {next && <p className="mt-0.5 text-muted">{next}</p>}
      </div>
      <Replayed tenant={tenant} delivery={it} />
      <div className="flex flex-wrap gap-2">
        {can("replay") && (
          <Button size="sm" look="primary" icon={RotateCw} busy={retry.isPending} onClick={() => retry.mutate(false)}>
            {isOpen(it) && it.attempt_count === 0 ? "Send now" : "Retry"}
          </Button>
        )}
        {can("replay") && isOpen(it) && (
          <Button size="sm" icon={X} busy={cancel.isPending} onClick={() => cancel.mutate(undefined)}>
            Cancel
          </Button>
        )}
        <Link to={link.delivery(tenant, it.id)} className="ml-auto inline-flex items-center gap-1.5 self-center text-sm text-accent hover:underline">
          All attempts <ExternalLink size={13} aria-hidden />
        </Link>
      </div>
      <Facts
        facts={[
          ["Endpoint", <Link key="endpoint" to={link.endpoint(tenant, it.endpoint)} className="hover:text-accent hover:underline">{endpointLabel(endpoint, it.endpoint)}</Link>],
          ["Event", <Id key="event" value={it.event} to={link.event(tenant, it.event)} />],
          ["Delivery", <Id key="delivery" value={it.id} />],
          ["Accepted", <Time key="accepted" at={it.created_at} />],
          it.job !== null && [it.replay ? "Replay by" : "Job", <JobLink key="job" tenant={tenant} id={it.job} />],
          it.next_attempt_at !== null && Date.parse(it.next_attempt_at) > Date.now() && ["Next attempt", <Time key="next" at={it.next_attempt_at} />],
        ]}
      />
      {last && <Newest tenant={tenant} delivery={it} attempt={last} />}
    </div>
  );
}

function Newest({ tenant, delivery, attempt }: { tenant: string; delivery: Delivery; attempt: Attempt }) {
  return (
    <section className="space-y-3 border-t border-line pt-4">
      <div className="flex flex-wrap items-center gap-x-3">
        <h3 className="text-sm font-semibold">
          Attempt {attempt.number}
          {delivery.attempt_count > 1 && <span className="font-normal text-muted"> of {delivery.attempt_count}</span>}
        </h3>
        <StatusBadge of="attempt" state={attempt.outcome} />
        <span className="ml-auto flex gap-3 text-sm text-muted">
          <Took ms={attempt.timings.total} />
          <Time at={attempt.started_at} />
        </span>
      </div>
      {attempt.outcome !== "ok" && (
        <p className="wrap-anywhere">
          {sentence(`it ${failure(attempt)}`)} <span className="text-muted">{advice(attempt.outcome, attempt.response?.status)}</span>
        </p>
      )}
      <Waterfall timings={attempt.timings} />
      <Exchange tenant={tenant} delivery={delivery.id} attempt={attempt} stacked />
    </section>
  );
}
