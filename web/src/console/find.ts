import type { Command } from "@/parts/Palette";
import { api, call } from "@/api/client";
import { consoleScope } from "@/parts/Scope";

/** isKey reports whether a text looks like an id that a publisher gave: it has a digit, which no page's name has. */
const isKey = (typed: string): boolean => /\d/.test(typed) && !/^(evt|dlv|ep|job)_/.test(typed);

/** find returns what has the id that was typed, for the palette. */
export async function find(typed: string, signal: AbortSignal, go: (to: string) => void): Promise<Command[]> {
  const { link } = consoleScope;
  const tenant = async (): Promise<Command[]> => {
    const found = await call(api.GET("/api/v1/tenants/{tenant}", { params: { path: { tenant: typed } }, signal })).catch(() => undefined);
    return found ? [{ id: `tenant-${found.id}`, label: found.id, hint: found.name, group: "Tenant", run: () => go(link.tenant(found.id)) }] : [];
  };
  const deliveries = (): Command[] =>
    typed.startsWith("ep_") ? [{ id: `deliveries-${typed}`, label: "Deliveries to this endpoint", group: "Filter", run: () => go(link.deliveries({ endpoint: typed })) }] : [];
  const published: Command = { id: `events-${typed}`, label: "Events with this publisher's id", hint: typed, group: "Filter", run: () => go(`/events?key=${encodeURIComponent(typed)}`) };
  return [...(await tenant()), ...deliveries(), ...(isKey(typed) ? [published] : [])];
}
