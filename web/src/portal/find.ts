import { api, call } from "@/api/client";
import type { Endpoint } from "@/api/names";
import { middle, spellings, visible } from "@/lib/text";
import { endpointName } from "@/parts/Health";
import type { Command } from "@/parts/Palette";
import type { Scope } from "@/parts/Scope";

/** find returns what a customer has with the id or the name that was typed, for the palette. */
export async function find(scope: Scope, typed: string, signal: AbortSignal, named: (words: string) => Promise<Endpoint[]>, go: (to: string) => void): Promise<Command[]> {
  const [stored, endpoints] = await Promise.all([byId(scope, typed, signal, go), named(typed).catch(() => [])]);
  return [...stored, ...endpoints.map((each): Command => ({ id: each.id, label: endpointName(each), group: "Endpoint", run: () => go(scope.link.endpoint(each.tenant, each.id)) }))];
}

/** byId returns the event or the delivery with an id of Bellwire's, or the events with one of the publisher's, however its words are joined. */
async function byId({ tenant = "", link }: Scope, typed: string, signal: AbortSignal, go: (to: string) => void): Promise<Command[]> {
  const params = { path: { tenant, id: typed } };
  const event = (id: string, label: string, type: string): Command => ({ id, label, hint: visible(type), group: "Event", run: () => go(link.event(tenant, id)) });
  try {
    if (/^evt_\w+$/.test(typed)) {
      const found = await call(api.GET("/api/v1/tenants/{tenant}/events/{id}", { params, signal }));
      return [event(found.id, middle(found.id), found.type)];
    }
    if (/^dlv_\w+$/.test(typed)) {
      const found = await call(api.GET("/api/v1/tenants/{tenant}/deliveries/{id}", { params, signal }));
      return [{ id: found.id, label: middle(found.id), hint: visible(found.event_type), group: "Delivery", run: () => go(link.delivery(tenant, found.id)) }];
    }
    for (const key of spellings(typed)) {
      const published = await call(api.GET("/api/v1/tenants/{tenant}/events", { params: { path: { tenant }, query: { key, limit: 5 } }, signal }));
      if (published.data.length > 0) return published.data.map(({ id, type }) => event(id, visible(key), type));
    }
    return [];
  } catch {
    return []; // nothing has the id, or the server cannot say now
  }
}
