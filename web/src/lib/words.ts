import type { Schemas } from "@/api/client";
import { visible } from "./text";
import { duration } from "./time";

/** Words for deliveries and attempts: what happened, why, and what to do next. */

type Outcomes = NonNullable<Schemas["Event"]["outcomes"]>;
type Fate = Schemas["Explanation"]["outcome"];

/** outcomes returns what became of an event and at how many endpoints, what needs somebody first. */
export function outcomes(of: Outcomes): [fate: Fate, endpoints: number][] {
  const all: [Fate, number][] = [
    ["exhausted", of.exhausted],
    ["retrying", of.retrying],
    ["pending", of.pending],
    ["canceled", of.canceled],
    ["delivered", of.succeeded],
  ];
  return all.filter(([, endpoints]) => endpoints > 0);
}

type Waiting = Schemas["Waiting"];
type Attempt = Schemas["Attempt"];

const waits: Record<Waiting["reason"], string> = {
  retry: "waits for its next attempt",
  deliver_at: "waits for the time at which its event is to be delivered",
  paused: "waits because the endpoint is paused",
  tenant_paused: "waits because the tenant is paused",
  ending: "is about to be canceled, because the endpoint is disabled or deleted",
  order: "waits for an earlier delivery in its order",
  breaker: "waits because the endpoint keeps failing",
  rest: "waits because the endpoint asked for a rest",
  rate_limit: "waits because the endpoint's rate limit is reached",
  in_flight: "waits because as many requests are in flight as the endpoint takes",
  unanswered: "waits because the endpoint does not answer",
  failure_rate: "waits because too many of the tenant's attempts fail",
  host_limit: "waits because the host has acknowledged too few of the tenant's requests",
  share: "waits because the tenant has its share of the node",
  fault: "waits because the node or its database failed a moment ago",
  takeover: "waits until a node takes over the endpoint",
  other_node: "waits on another node, which sends for the endpoint",
  queued: "waits for its turn, or its request is in flight",
};

/** waitsFor completes "It …". */
export function waitsFor(waiting: Waiting): string {
  return waits[waiting.reason] ?? `waits (${waiting.reason})`;
}

/** What helps a delivery that waits; undefined if it only takes time. */
export function helpForWaiting(waiting: Waiting): string | undefined {
  switch (waiting.reason) {
    case "paused":
      return "Enable the endpoint to send what waits.";
    case "tenant_paused":
      return "Resume the tenant to send what waits.";
    case "order":
      return "See the delivery before it: while that one fails, all after it wait.";
    case "breaker":
    case "unanswered":
    case "host_limit":
      return "Repair the receiver. The first request that it acknowledges lets the others through.";
    case "rate_limit":
      return "Raise the endpoint's limit if its receiver can take more.";
    case "in_flight":
      return "Bellwire sends more at a time when the receiver answers fast, up to the endpoint's limit.";
    default:
      return undefined;
  }
}

/** failure completes "The attempt …": "was refused with status 500", "got no answer within 15 s". */
export function failure(attempt: Pick<Attempt, "outcome" | "error" | "timings"> & { response?: { status: number } | null }): string {
  switch (attempt.outcome) {
    case "ok":
      return attempt.response ? `was acknowledged with status ${attempt.response.status}` : "was acknowledged";
    case "status":
      return attempt.response ? `was refused with status ${attempt.response.status}` : "was refused by its status";
    case "blocked":
      return "was not sent, because the address is not allowed";
    case "dns":
      return "found no address for the host";
    case "connect":
      return "could not connect";
    case "tls":
      return "could not agree on TLS";
    case "timeout":
      return `got no answer within ${duration(Math.round(attempt.timings.total / 100) * 100)}`;
    case "reset":
      return "ended when the receiver closed the connection";
    case "protocol":
      return "got an answer that is not valid HTTP";
    default:
      return `failed (${attempt.outcome})`;
  }
}

/** How much of an answer's body an excerpt has. */
const excerpt = 160;

/** answer says what came back for an attempt, with the beginning of its text. */
export function answer(attempt: Pick<Attempt, "outcome" | "error" | "timings" | "response">): string {
  const { response } = attempt;
  if (!response) return `None: it ${failure(attempt)}.`;
  if (response.encoding === "base64") return `Status ${response.status}, with a body that is not text.`;
  const text = response.body.trim().replace(/\s+/g, " ");
  if (!text) return `Status ${response.status}, with an empty body.`;
  return `Status ${response.status}: ${visible(text.slice(0, excerpt))}${text.length > excerpt ? "…" : ""}`;
}

/** advice says what to do about a failed attempt. */
export function advice(outcome: Attempt["outcome"], status: number | undefined): string {
  switch (outcome) {
    case "ok":
      return "";
    case "status":
      return adviceForStatus(status ?? 0);
    case "blocked":
      return "Use a public address. An operator can allow a private network with the option allow-network.";
    case "dns":
      return "Check the spelling of the host in the endpoint's URL, and that its DNS record is public.";
    case "connect":
      return "Check that the receiver runs, listens on this port, and that no firewall drops the connection.";
    case "tls":
      return "Check that the certificate is valid, is for this host, and is sent with its intermediate certificates.";
    case "timeout":
      return "Answer first and work later: store the event, answer with 200, and handle it in the background. Or raise the endpoint's timeout.";
    case "reset":
      return "Look for a crash, a restart, or a limit on the body's size in the receiver or the proxy before it.";
    case "protocol":
      return "Check that an HTTP server, and not something else, listens on this port; and whether it wants https.";
    default:
      return "";
  }
}

function adviceForStatus(status: number): string {
  if (status >= 300 && status < 400) return "Redirects are not followed. Set the endpoint's URL to the address that it leads to.";
  if (status === 401 || status === 403) return "The receiver did not accept the sender. Check the signature below, the secret, and what the receiver expects in its headers.";
  if (status === 404 || status === 405) return "The receiver runs, but has nothing at this path that takes POST. Check the endpoint's URL.";
  if (status === 410) return "The receiver says that this address is gone, so the endpoint was disabled. Set the right URL and enable it.";
  if (status === 413) return "The receiver takes no body of this size. Raise its limit, or that of the proxy before it.";
  if (status === 429) return "The receiver gets more than it can take. Set a rate limit on the endpoint.";
  if (status >= 400 && status < 500) return "The receiver did not accept the request. Its answer below may say why.";
  if (status === 502 || status === 503 || status === 504) return "This is usually the proxy before the receiver, which could not reach it. Check that the receiver runs.";
  return "The receiver failed while it handled the request. Look at its answer below, and into its log at this time.";
}
