import type { ReactNode } from "react";
import type { Schemas } from "@/api/client";
import { plural } from "@/lib/numbers";
import { sentence, visible } from "@/lib/text";
import { Time, Timed } from "./Time";

type Endpoint = Schemas["EndpointWithHealth"];

/** endpointName returns what people call an endpoint: its description, or where it is. */
export function endpointName(endpoint: { description: string; url: string }): string {
  return visible(endpoint.description || shortUrl(endpoint.url));
}

/** shortUrl returns an address without its scheme and query. */
export function shortUrl(url: string): string {
  return url.replace(/^https?:\/\//, "").replace(/[?#].*$/, "");
}

/** cause returns what went wrong with the last attempt; empty if nothing did. */
export function cause(health: Schemas["Health"]): string {
  return visible(health.last_error);
}

/** HealthSentence says how an endpoint is, since when and why, what waits, and how many requests it allows. With brief, it stands beside the state's name. */
export function HealthSentence({ endpoint, brief = false }: { endpoint: Endpoint; brief?: boolean }) {
  return (
    <>
      {state(endpoint, brief)} {waiting(endpoint, brief)}
      {!brief && endpoint.health.allowed_rate && ` It allows ${plural(endpoint.health.allowed_rate, "request")} a minute.`}
    </>
  );
}

function state({ status, status_reason, health }: Endpoint, brief: boolean): ReactNode {
  if (status === "disabled") {
    return (
      <>
        Disabled: new events are not delivered to it. <Timed text={sentence(visible(status_reason))} as="both" />
      </>
    );
  }
  if (status === "paused") {
    return (
      <>
        Paused: deliveries are kept until it is enabled. <Timed text={sentence(visible(status_reason))} as="both" />
      </>
    );
  }
  switch (health.state) {
    case "failing":
      return (
        <>
          {brief ? "Since" : "Failing since"} <Time at={health.since} as="both" />: {health.failures > 1 ? `${plural(health.failures, "attempt")} in a row failed` : "an attempt failed"}
          {cause(health) ? <>. Last error: {cause(health)}.</> : "."}
          {!brief && health.last_success_at === null && " No delivery has succeeded yet."}
        </>
      );
    case "recovering":
      return (
        <>
          Recovering since <Time at={health.since} as="both" />: attempts are acknowledged again.
        </>
      );
    case "idle":
      return health.last_success_at ? (
        <>
          No attempt for a day. The last one that was acknowledged was <Time at={health.last_success_at} />.
        </>
      ) : (
        <>Nothing was sent to it yet. A test shows whether it works.</>
      );
    default:
      if (health.failures > 0) {
        return (
          <>
            {health.failures === 1 ? "The last attempt" : `The last ${plural(health.failures, "attempt")}`} failed{cause(health) && `: ${cause(health)}`}. Before, deliveries were acknowledged, the last one{" "}
            <Time at={health.last_success_at} />.
          </>
        );
      }
      return (
        <>
          Deliveries are acknowledged, the last one <Time at={health.last_success_at} />.
        </>
      );
  }
}

function waiting({ health }: Endpoint, brief: boolean): ReactNode {
  if (health.waiting === 0) return null;
  return (
    <>
      {health.waiting_capped && "More than "}
      {plural(health.waiting, "delivery waits", "deliveries wait")}
      {health.oldest_waiting_at && (
        <>
          , the oldest accepted <Time at={health.oldest_waiting_at} />
        </>
      )}
      {!brief && health.breaker === "open" && health.next_attempt_at && (
        <>
          . The circuit breaker lets the next attempt through <Time at={health.next_attempt_at} />
        </>
      )}
      .
    </>
  );
}
