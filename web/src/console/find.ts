import type { Command } from "@/parts/Palette";
import { api, call, type Schemas } from "@/api/client";
import type { Endpoint } from "@/api/names";
import { spellings, visible } from "@/lib/text";
import { endpointName } from "@/parts/Health";
import { bulkJob, consoleScope } from "@/parts/Scope";

type Found = Schemas["Found"];

/** isId reports whether a text looks like an id that Bellwire gave. */
const isId = (typed: string): boolean => /^(evt|dlv|ep|job|att)_\w+$/.test(typed);

/** isKey reports whether a text looks like an id that a publisher gave: it has a digit, which no page's name has. */
const isKey = (typed: string): boolean => /\d/.test(typed) && !isId(typed);

/** published returns the newest events of all tenants with an id that a publisher gave, however its words are joined. */
async function published(typed: string, signal: AbortSignal): Promise<Schemas["TenantEvent"][]> {
  for (const key of spellings(typed)) {
    const { data } = await call(api.GET("/api/v1/events", { params: { query: { key, limit: 5 } }, signal }));
    if (data.length > 0) return data;
  }
  return [];
}

const { link } = consoleScope;

/** pages says what a kind of id is called, and which page shows it. */
const pages: Partial<Record<Found["kind"], [group: string, to: (tenant: string, id: string) => string]>> = {
  event: ["Event", link.event],
  delivery: ["Delivery", link.delivery],
  endpoint: ["Endpoint", link.endpoint],
  job: ["Job", link.job],
  tenant: ["Tenant", link.tenant],
};

/** find returns what has the id or the name that was typed, whoever it belongs to, for the palette. */
export async function find(typed: string, signal: AbortSignal, named: (words: string) => Promise<Endpoint[]>, go: (to: string) => void): Promise<Command[]> {
  const [having, events, endpoints] = await Promise.all([
    call(api.GET("/api/v1/ids/{id}", { params: { path: { id: typed } }, signal })).catch(() => undefined),
    isKey(typed) ? published(typed, signal).catch(() => []) : [],
    named(typed).catch(() => []),
  ]);
  const found = (having?.data ?? []).flatMap((each): Command[] => {
    if (each.kind === "bulk_job") return [{ id: `${each.kind}-${each.id}`, label: each.id, group: "Job over all tenants", run: () => go(bulkJob(each.id)) }];
    const page = pages[each.kind];
    if (!page || each.tenant === null || each.deleted) return [];
    const [group, to] = page;
    const tenant = each.kind === "tenant" ? "" : each.tenant;
    return [{ id: `${each.kind}-${each.id}`, label: each.id, group, ...(tenant ? { hint: `of ${tenant}` } : {}), run: () => go(to(each.tenant ?? "", each.id)) }];
  });
  const deliveries: Command[] = typed.startsWith("ep_")
    ? [{ id: `deliveries-${typed}`, label: "Deliveries to this endpoint", group: "Filter", run: () => go(link.deliveries({ endpoint: typed })) }]
    : [];
  const byKey = events.map((each): Command => ({ id: each.id, label: visible(each.idempotency_key ?? typed), hint: `${visible(each.type)} of ${each.tenant}`, group: "Event", run: () => go(link.event(each.tenant, each.id)) }));
  const list: Command = { id: `events-${typed}`, label: "Events with this publisher's id", hint: visible(typed), group: "Filter", run: () => go(`/events?key=${encodeURIComponent(typed)}`) };
  const byName = endpoints.map((each): Command => ({ id: `named-${each.id}`, label: endpointName(each), hint: `of ${each.tenant}`, group: "Endpoint", run: () => go(link.endpoint(each.tenant, each.id)) }));
  return [...found, ...byKey, ...deliveries, ...(isKey(typed) ? [list] : []), ...byName];
}
