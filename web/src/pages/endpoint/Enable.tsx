import { CircleAlert, CircleCheck, ListRestart, Play, Send } from "lucide-react";
import { Link } from "react-router";
import { asError } from "@/api/problem";
import { exactNumber, plural } from "@/lib/numbers";
import { sentence, visible } from "@/lib/text";
import { answer, failure } from "@/lib/words";
import { Button } from "@/parts/Button";
import { Dialog } from "@/parts/Dialog";
import { cause, endpointName } from "@/parts/Health";
import { Facts } from "@/parts/Page";
import { useScope } from "@/parts/Scope";
import { Skeleton } from "@/parts/States";
import { Notice } from "@/parts/Status";
import { Time, Timed } from "@/parts/Time";
import { words } from "@/parts/Toast";
import type { Endpoint } from "./index";
import { useLastFailure, useMissed } from "./missed";
import { useTest } from "./test";

/**
 * Enable says why the endpoint gets nothing, and what it will get once it is enabled: what waits for it, and if that is wanted
 * what it has missed. If it failed before, the best action is to test it first.
 */
export function Enable({ endpoint, busy, enable, close }: { endpoint: Endpoint; busy: boolean; enable: (replay: boolean) => void; close: () => void }) {
  const { can } = useScope();
  const { health, status } = endpoint;
  const missed = useMissed(endpoint, true);
  const test = useTest(endpoint);
  const doubtful = can("test") && health.state === "failing" && test.found?.outcome !== "ok";
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
          <Button look={offered || doubtful ? "plain" : "primary"} icon={Play} busy={busy} disabled={missed.isLoading} onClick={() => enable(false)}>
            {offered ? "Enable, and replay nothing" : "Enable"}
          </Button>
          {offered && (
            <Button look={doubtful ? "plain" : "primary"} icon={ListRestart} busy={busy} onClick={() => enable(true)}>
              Enable and replay {exactNumber(offered.total)}
            </Button>
          )}
        </>
      }
    >
      <div className="space-y-3" aria-live="polite">
        <Before endpoint={endpoint} stopped={count?.stopped_at} />
        {can("test") && (doubtful || test.found) && <Tested tenant={endpoint.tenant} test={test} />}
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

/** Tested says how the newest test ended, and sends another one unless it was acknowledged. */
function Tested({ tenant, test: { send, pending, error, found } }: { tenant: string; test: ReturnType<typeof useTest> }) {
  const { link } = useScope();
  if (found?.outcome === "ok") {
    return (
      <Notice tone="good" icon={CircleCheck}>
        It acknowledged a test{found.response && ` with status ${found.response.status}`}, <Time at={found.started_at} />.
      </Notice>
    );
  }
  return (
    <Notice
      tone={found || error ? "bad" : "warn"}
      icon={CircleAlert}
      action={
        <Button size="sm" look="primary" icon={Send} busy={pending} onClick={() => send("")}>
          {found ? "Test again" : "Send a test first"}
        </Button>
      }
    >
      {error ? (
        `The test could not be sent. ${sentence(words(error))}`
      ) : found ? (
        <>
          The test {failure(found)}, as events would that are sent to it now.{" "}
          <Link to={link.delivery(tenant, found.delivery)} className="text-accent underline">
            Its delivery
          </Link>
        </>
      ) : (
        "Its last attempts failed. A test shows whether it works again, and sends nothing else."
      )}
    </Notice>
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
