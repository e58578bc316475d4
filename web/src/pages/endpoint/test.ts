import { useQuery, useQueryClient } from "@tanstack/react-query";
import { api, call, type Schemas } from "@/api/client";
import { useAction } from "@/api/hooks";
import type { Endpoint } from "./index";

type Answer = Schemas["Probe"];

/**
 * useTest sends tests to an endpoint, and returns what the newest one came to: wherever on the endpoint's page it was sent, and
 * as long as the endpoint has the same address.
 */
export function useTest({ tenant, id, url }: Pick<Endpoint, "tenant" | "id" | "url">) {
  const queries = useQueryClient();
  const key = ["test", tenant, id, url];
  const { data: found } = useQuery<Answer | null>({ queryKey: key, queryFn: () => null, enabled: false });
  const test = useAction((type: string) => call(api.POST("/api/v1/tenants/{tenant}/endpoints/{id}/probe", { params: { path: { tenant, id } }, body: type ? { type } : {} })), {
    quiet: true,
    changes: [["endpoint", tenant, id], ["endpoint-deliveries", id]],
    onDone: (answer) => queries.setQueryData<Answer>(key, answer),
  });
  return { send: test.mutate, pending: test.isPending, error: test.error, found };
}
