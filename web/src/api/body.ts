import { useQuery } from "@tanstack/react-query";
import { api, call, type Schemas } from "./client";
import type { ApiError } from "./problem";

/** useRequestBody fetches the body of a delivery's requests, which is the same in every attempt. It is not stored, but made again: that fails if the event's data was erased. */
export function useRequestBody(tenant: string, delivery: string | undefined) {
  return useQuery<Schemas["RequestBodyOf"], ApiError>({
    queryKey: ["body", tenant, delivery],
    queryFn: ({ signal }) => call(api.GET("/api/v1/tenants/{tenant}/deliveries/{id}/body", { params: { path: { tenant, id: delivery ?? "" } }, signal })),
    enabled: delivery !== undefined,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 60_000,
    refetchOnWindowFocus: false,
  });
}
