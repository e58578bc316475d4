import { useQuery } from "@tanstack/react-query";
import { api, call, type Schemas } from "./client";
import type { ApiError } from "./problem";

/** useRequestBody fetches the body of a delivery's requests: of an attempt what it has sent, otherwise what would be sent now. It is not stored, but made again: that fails if the event's data was erased. */
export function useRequestBody(tenant: string, delivery: string | undefined, attempt?: number) {
  return useQuery<Schemas["RequestBodyOf"], ApiError>({
    queryKey: ["body", tenant, delivery, attempt],
    queryFn: ({ signal }) =>
      call(api.GET("/api/v1/tenants/{tenant}/deliveries/{id}/body", { params: { path: { tenant, id: delivery ?? "" }, query: attempt === undefined ? {} : { attempt } }, signal })),
    enabled: delivery !== undefined,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 60_000,
    refetchOnWindowFocus: false,
  });
}
