import { type QueryClient, useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useMemo } from "react";
import { visible } from "@/lib/text";
import { endpointName } from "@/parts/Health";
import { useLive } from "@/parts/Live";
import { useScope } from "@/parts/Scope";
import type { TokenKey } from "@/parts/TokenSearch";
import { api, call, type Schemas, versioned } from "./client";

/** Names of things, for lists that show them and for filters that offer them. They are looked up once a minute. */

export type Endpoint = Schemas["EndpointWithHealth"];

/** fetchEndpoint is what queries with the key ["endpoint", tenant, id] fetch. */
export const fetchEndpoint = (tenant: string, id: string, signal?: AbortSignal) =>
  versioned(api.GET("/api/v1/tenants/{tenant}/endpoints/{id}", { params: { path: { tenant, id } }, ...(signal ? { signal } : {}) }));

const minute = 60_000;

/** How many are looked up: so many pages. What lies beyond is shown by its id, and can be typed. */
const pages = 4;
const page = 250;

async function all<T>(fetch: (cursor: string | undefined) => Promise<{ data: T[]; next_cursor: string | null }>): Promise<T[]> {
  const found: T[] = [];
  let cursor: string | undefined;
  for (let i = 0; i < pages; i++) {
    const page = await fetch(cursor);
    found.push(...page.data);
    if (!page.next_cursor) break;
    cursor = page.next_cursor;
  }
  return found;
}

const endpoints = (tenant: string | undefined, shell: "console" | "portal") => ({
  queryKey: ["names", "endpoints", tenant ?? ""],
  queryFn: ({ signal }: { signal?: AbortSignal }) =>
    all<Endpoint>((cursor) => {
      const query = { limit: page, ...(cursor ? { cursor } : {}) };
      const options = signal ? { signal } : {};
      return shell === "portal"
        ? call(api.GET("/api/v1/tenants/{tenant}/endpoints", { params: { path: { tenant: tenant ?? "" }, query }, ...options }))
        : call(api.GET("/api/v1/endpoints", { params: { query: { ...query, ...(tenant ? { tenant } : {}) } }, ...options }));
    }),
  staleTime: minute,
  refetchOnWindowFocus: false,
});

export const eventTypes = () => ({
  queryKey: ["names", "event-types"],
  queryFn: () => all<Schemas["EventType"]>((cursor) => call(api.GET("/api/v1/event-types", { params: { query: { limit: page, ...(cursor ? { cursor } : {}) } } }))),
  staleTime: minute,
  refetchOnWindowFocus: false,
});

export const tenants = () => ({
  queryKey: ["names", "tenants"],
  queryFn: () => all<Schemas["Tenant"]>((cursor) => call(api.GET("/api/v1/tenants", { params: { query: { limit: page, ...(cursor ? { cursor } : {}) } } }))),
  staleTime: minute,
  refetchOnWindowFocus: false,
});

/** useSubscriptions returns how many endpoints of all tenants subscribe to each type. Only operators may know; undefined until it is there. */
export function useSubscriptions(): { counts: ReadonlyMap<string, number>; capped: boolean } | undefined {
  const { can } = useScope();
  const { data } = useQuery({
    queryKey: ["names", "subscriptions"],
    queryFn: ({ signal }) => call(api.GET("/api/v1/subscriptions", { signal })),
    enabled: can("operate"),
    staleTime: minute,
    refetchOnWindowFocus: false,
  });
  return useMemo(() => data && { counts: new Map(data.data.map((type) => [type.event_type, type.endpoints])), capped: data.capped }, [data]);
}

/** useEndpoints returns endpoints by their ids: those of a tenant, or in the console of all. With every, they are looked up again after so many milliseconds. */
export function useEndpoints(tenant?: string, every?: number): { endpoints: ReadonlyMap<string, Endpoint>; loading: boolean; more: boolean } {
  const { shell, tenant: own } = useScope();
  const { refetchInterval } = useLive();
  const found = useQuery({ ...endpoints(own ?? tenant, shell), refetchInterval: refetchInterval && (every ?? false) });
  const map = useMemo(() => new Map(found.data?.map((endpoint) => [endpoint.id, endpoint])), [found.data]);
  return { endpoints: map, loading: found.isPending, more: map.size >= pages * page };
}

/** useFindEndpoints returns a function that finds endpoints by their names and addresses. */
export function useFindEndpoints(): (words: string) => Promise<Endpoint[]> {
  const queries: QueryClient = useQueryClient();
  const { shell, tenant } = useScope();
  return useCallback(
    async (words) => {
      const wanted = words.toLowerCase();
      const known = await queries.fetchQuery(endpoints(tenant, shell));
      return known.filter((endpoint) => `${endpoint.description} ${endpoint.url}`.toLowerCase().includes(wanted));
    },
    [queries, shell, tenant],
  );
}

/** dialects are those of the server, also those that files declare. */
export const dialects = () => ({
  queryKey: ["names", "dialects"],
  queryFn: async () => (await call(api.GET("/api/v1/dialects"))).data.map((dialect) => dialect.name),
  staleTime: minute,
  refetchOnWindowFocus: false,
});

/** useOffers returns the keys of filters that several pages have, with what they offer. */
export function useOffers(tenant?: string): Record<"endpoint" | "type" | "tenant" | "dialect", TokenKey> {
  const queries: QueryClient = useQueryClient();
  const { shell, tenant: own } = useScope();
  return useMemo(
    () => ({
      endpoint: {
        key: "endpoint",
        hint: "endpoint's id or name",
        values: async () => (await queries.fetchQuery(endpoints(own ?? tenant, shell))).map((endpoint) => ({ value: endpoint.id, hint: endpointName(endpoint) })),
      },
      type: { key: "type", hint: "event type", values: async () => (await queries.fetchQuery(eventTypes())).map((type) => type.name) },
      tenant: { key: "tenant", hint: "tenant's id or name", values: async () => (await queries.fetchQuery(tenants())).map((each) => ({ value: each.id, hint: visible(each.name) })) },
      dialect: { key: "dialect", hint: "dialect of the endpoint", values: () => queries.fetchQuery(dialects()) },
    }),
    [queries, shell, own, tenant],
  );
}
