import { useQuery } from "@tanstack/react-query";
import { api, call, type Schemas } from "@/api/client";
import { useAction, useLiveQuery } from "@/api/hooks";
import { fetchEndpoint } from "@/api/names";
import type { ApiError } from "@/api/problem";
import { plural } from "@/lib/numbers";
import { sentence, shell, visible } from "@/lib/text";
import { endpointName } from "@/parts/Health";
import { advice, failure, helpForWaiting, waitsFor } from "@/lib/words";

export type Delivery = Schemas["DeliveryWithAttempts"];
export type Attempt = Schemas["Attempt"];
export type Endpoint = Schemas["EndpointWithHealth"];

/** useDelivery fetches a delivery again as long as something can happen to it. */
export function useDelivery(tenant: string, id: string) {
  return useLiveQuery(["delivery", tenant, id], (signal) => call(api.GET("/api/v1/tenants/{tenant}/deliveries/{id}", { params: { path: { tenant, id } }, signal })), { every: 2000 });
}

/** useEndpoint fetches what an endpoint is called and speaks. It may be deleted: then there is only its id. */
export function useEndpoint(tenant: string, id: string | undefined) {
  return useQuery<Endpoint, ApiError>({
    queryKey: ["endpoint", tenant, id],
    queryFn: ({ signal }) => fetchEndpoint(tenant, id ?? "", signal),
    enabled: id !== undefined,
    staleTime: 30_000,
    refetchOnWindowFocus: false,
  }).data;
}

/** useLater fetches the newest replay of an event that did not arrive, to the same endpoint; nothing if there is none. */
export function useLater(tenant: string, { id, event, endpoint, status, created_at: created }: Delivery): Schemas["ListedDelivery"] | undefined {
  const ended = status === "exhausted" || status === "canceled";
  const { data } = useLiveQuery(
    ["deliveries", tenant, "of", event, endpoint],
    (signal) => call(api.GET("/api/v1/tenants/{tenant}/deliveries", { params: { path: { tenant }, query: { event, endpoint, limit: 10 } }, signal })),
    { enabled: ended },
  );
  const replays = ended && data ? data.data.filter((each) => each.replay && each.id !== id && each.created_at >= created) : [];
  return replays.sort((a, b) => b.created_at.localeCompare(a.created_at))[0];
}

/** useJob fetches a job, which tells what it was for. */
export function useJob(tenant: string, id: string | null): Schemas["JobWithDeliveries"] | undefined {
  return useQuery<Schemas["JobWithDeliveries"], ApiError>({
    queryKey: ["job", tenant, id],
    queryFn: ({ signal }) => call(api.GET("/api/v1/tenants/{tenant}/jobs/{id}", { params: { path: { tenant, id: id ?? "" } }, signal })),
    enabled: id !== null,
    staleTime: 30_000,
    refetchOnWindowFocus: false,
  }).data;
}

/** endpointLabel returns what people call an endpoint, or the id of one that was deleted. */
export function endpointLabel(endpoint: Endpoint | undefined, id: string): string {
  return endpoint ? endpointName(endpoint) : id;
}

/** dialectOf returns what a delivery was formed for: what the endpoint speaks, or what the headers of the request show. */
export function dialectOf(endpoint: Endpoint | undefined, attempt: Attempt | undefined): string {
  const headers = attempt?.request?.headers ?? {};
  if ("webhook-signature" in headers) return "standard";
  if ("lmg-signature" in headers) return "lemon";
  if ("bond-signature" in headers) return "atelio";
  if ("x-event-token" in headers) return "akkuro";
  return endpoint?.dialect ?? "";
}

export const isOpen = (delivery: Pick<Delivery, "status">) => delivery.status === "pending" || delivery.status === "retrying";

/** story says in a sentence what became of a delivery, and in another what to do. */
export function story(delivery: Delivery): { what: string; next: string } {
  const told = ended(delivery);
  return delivery.retry_requested ? { ...told, next: "A retry was requested. It is made as soon as there is room." } : told;
}

function ended(delivery: Delivery): { what: string; next: string } {
  const last = delivery.attempts.at(-1);
  const tries = plural(delivery.attempt_count, "attempt");
  switch (delivery.status) {
    case "succeeded":
      return { what: last ? `Acknowledged${last.response ? ` with status ${last.response.status}` : ""} by ${delivery.attempt_count === 1 ? "the first attempt" : `the last of ${tries}`}.` : "Acknowledged.", next: "" };
    case "exhausted":
      return {
        what: `Exhausted after ${tries}${last ? `: the last one ${failure(last)}` : ""}.${delivery.test ? " A test is one attempt only." : ""}`,
        next: last ? advice(last.outcome, last.response?.status) : "",
      };
    case "canceled":
      return { what: sentence(visible(delivery.reason || "canceled")), next: "Retry it to send it after all." };
    default: {
      const waiting = delivery.waiting_for;
      const failed = last && last.outcome !== "ok" ? `Attempt ${last.number} ${failure(last)}. ` : "";
      const help = (waiting && helpForWaiting(waiting)) ?? (last && last.outcome !== "ok" ? advice(last.outcome, last.response?.status) : "");
      return { what: `${failed}${waiting ? `It ${waitsFor(waiting)}` : "It waits"}.`, next: help };
    }
  }
}

/** useDeliveryActions has what can be done to a delivery. */
export function useDeliveryActions(tenant: string, id: string, changed: () => void = () => {}) {
  const path = { tenant, id };
  const changes = [["delivery", tenant, id], ["deliveries"], ["endpoint-deliveries"]];
  const retry = useAction((restart: boolean) => call(api.POST("/api/v1/tenants/{tenant}/deliveries/{id}/retry", { params: { path }, body: { restart } })), {
    done: (_out, restart) => (restart ? "Its retry schedule begins again" : "It is sent again"),
    failed: "It was not sent again",
    changes,
    onDone: changed,
  });
  const cancel = useAction(() => call(api.POST("/api/v1/tenants/{tenant}/deliveries/{id}/cancel", { params: { path } })), {
    done: "Canceled",
    failed: "It was not canceled",
    changes,
    onDone: changed,
  });
  return { retry, cancel };
}

/** What a shell takes as one argument, with room for others. */
const longest = 100_000;

/** curl returns the command that sends the request of an attempt again, and whether it reads the body from a file. */
export function curl({ request }: Attempt, body: string | undefined): { text: string; file: boolean } {
  if (!request) return { text: "", file: false };
  const file = body === undefined || body.length > longest;
  const lines = [`curl -X ${request.method} ${shell(request.url)}`];
  for (const [name, value] of Object.entries(request.headers)) lines.push(`-H ${shell(`${name}: ${value}`)}`);
  lines.push(file ? "--data-binary @body.json" : `--data-binary ${shell(body)}`);
  return { text: lines.join(" \\\n  "), file };
}
