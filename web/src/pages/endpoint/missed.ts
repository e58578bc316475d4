import { useQuery } from "@tanstack/react-query";
import { api, call, type Schemas } from "@/api/client";
import type { ApiError } from "@/api/problem";
import { useScope } from "@/parts/Scope";

type Endpoint = Pick<Schemas["EndpointWithHealth"], "tenant" | "id">;

/** useMissed counts what an endpoint has missed that is paused, disabled or fails. It is counted once, because that reads events. */
export function useMissed({ tenant, id }: Endpoint, wanted: boolean) {
  const { can } = useScope();
  return useQuery<Schemas["Missed"], ApiError>({
    queryKey: ["missed", tenant, id],
    queryFn: ({ signal }) => call(api.GET("/api/v1/tenants/{tenant}/endpoints/{id}/missed", { params: { path: { tenant, id } }, signal })),
    enabled: wanted && can("replay"),
    staleTime: 0,
    gcTime: 60_000,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
  });
}

/** useLastFailure fetches the newest attempt of an endpoint that ended as its last one did; nothing if that one was acknowledged. */
export function useLastFailure({ tenant, id, health: { last_outcome: outcome } }: Pick<Schemas["EndpointWithHealth"], "tenant" | "id" | "health">) {
  return useQuery<Schemas["DeliveryWithAttempts"] | null, ApiError>({
    queryKey: ["last-failure", tenant, id, outcome],
    queryFn: async ({ signal }) => {
      const query = { endpoint: id, limit: 1, ...(outcome ? { outcome } : {}) };
      const list = await call(api.GET("/api/v1/tenants/{tenant}/deliveries", { params: { path: { tenant }, query }, signal }));
      const newest = list.data[0]?.id;
      return newest ? call(api.GET("/api/v1/tenants/{tenant}/deliveries/{id}", { params: { path: { tenant, id: newest } }, signal })) : null;
    },
    enabled: outcome !== null && outcome !== "ok",
    gcTime: 0,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
  });
}
