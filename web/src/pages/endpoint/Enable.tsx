import { ListRestart, Play } from "lucide-react";
import { Link } from "react-router";
import { asError } from "@/api/problem";
import { exactNumber, plural } from "@/lib/numbers";
import { sentence, visible } from "@/lib/text";
import { answer } from "@/lib/words";
import { Button } from "@/parts/Button";
import { Dialog } from "@/parts/Dialog";
import { cause, endpointName } from "@/parts/Health";
import { Facts } from "@/parts/Page";
import { useScope } from "@/parts/Scope";
import { Skeleton } from "@/parts/States";
import { Time, Timed } from "@/parts/Time";
import type { Endpoint } from "./index";
import { useLastFailure, useMissed } from "./missed";

/** Enable says why the endpoint gets nothing, and what it will get once it is enabled: what waits for it, and if that is wanted what it has missed. */
export function Enable({ endpoint, busy, enable, close }: { endpoint: Endpoint; busy: boolean; enable: (replay: boolean) => void; close: () => void }) {
  const { health, status } = endpoint;
  const missed = useMissed(endpoint, true);
  const count = missed.data;
  const offered = count && count.total > 0 ? count : undefined;
  return (
    <Dialog
      open
      onClose={close}
      title={`Enable ${endpointName(endpoint)}?`}
      width="max-w-xl"
      footer={
        <>
          <Button onClick={close}>Leave it {status}</Button>
          <Button look={offered ? "plain" : "primary"} icon={Play} busy={busy} disabled={missed.isLoading} onClick={() => enable(false)}>
            {offered ? "Enable, and replay nothing" : "Enable"}
          </Button>
          {offered && (
            <Button look="primary" icon={ListRestart} busy={busy} onClick={() => enable(true)}>
              Enable and replay {exactNumber(offered.total)}
            </Button>
          )}
        </>
      }
    >
      <div className="space-y-3" aria-live="polite">
        <Before endpoint={endpoint} stopped={count?.stopped_at} />
        {missed.isLoading ? (
          <Skeleton className="w-3/4" />
        ) : count ? (
          <p>
            {count.total === 0 ? (
              <>It has missed nothing</>
            ) : (
              <>
                It has missed {count.total_is_bound && "at most "}
                <strong className="num font-semibold">{exactNumber(count.total)}</strong> {count.total === 1 ? "event" : "events"}, which failed or were never sent,
              </>
            )}{" "}
            since <Time at={count.since} as="clock" />.
            {health.state === "failing" && count.total > 0 && " That is a little before the first failed attempt, whose event had been accepted by then."}
          </p>
        ) : (
          missed.error && <p className="text-bad">What it has missed could not be counted. {sentence(asError(missed.error).detail)}</p>
        )}
        <p>
          New events are sent to it from then on.
          {health.waiting > 0 && ` ${health.waiting_capped ? "More than " : ""}${plural(health.waiting, "delivery waits", "deliveries wait")} for it, and will be sent at once.`}
        </p>
      </div>
    </Dialog>
  );
}

/** Before says since when and why nothing is sent to the endpoint, and how its last attempt ended. */
function Before({ endpoint, stopped }: { endpoint: Endpoint; stopped: string | null | undefined }) {
  const { link } = useScope();
  const { health, status, status_reason: reason } = endpoint;
  const last = useLastFailure(endpoint);
  const attempt = last.data?.attempts.at(-1);
  return (
    <Facts
      className="rounded-lg bg-sunk px-3 py-2.5"
      facts={[
        stopped ? [status === "paused" ? "Paused" : "Disabled", <Time key="stopped" at={stopped} as="both" />] : null,
        reason ? ["Why", <Timed key="why" text={sentence(visible(reason))} />] : null,
        health.state === "failing" && ["First failed attempt", <Time key="since" at={health.since} as="both" />],
        health.last_outcome !== "ok" &&
          cause(health) !== "" && [
            "Last answer",
            <span key="answer" className="wrap-anywhere">
              {attempt ? answer(attempt) : sentence(cause(health))}{" "}
              {last.data && (
                <Link to={link.delivery(endpoint.tenant, last.data.id)} className="text-accent underline">
                  Its delivery
                </Link>
              )}
            </span>,
          ],
        health.last_success_at ? ["Last success", <Time key="success" at={health.last_success_at} as="both" />] : health.last_failure_at ? ["Last success", "never"] : null,
      ]}
    />
  );
}
