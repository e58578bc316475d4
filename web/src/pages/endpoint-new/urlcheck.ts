import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { type ApiError, api, call, type Schemas } from "@/api/client";
import { plausible } from "./plausible";

/** How long a URL must stay as it is before it is checked, in milliseconds. */
const still = 600;

/**
 * useCheck checks the URL of a new endpoint as soon as it is typed: whether an endpoint may have it, and whether its host
 * is reached. Each URL is checked once.
 */
export function useCheck(tenant: string, typed: string) {
  const url = typed.trim();
  const [settled, setSettled] = useState(url);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(url), still);
    return () => clearTimeout(timer);
  }, [url]);
  const enabled = settled === url && plausible(url);
  return useQuery<Schemas["CheckedURL"], ApiError>({
    queryKey: ["url-check", tenant, url],
    queryFn: ({ signal }) => call(api.POST("/api/v1/tenants/{tenant}/urls/check", { params: { path: { tenant } }, body: { url }, signal })),
    enabled,
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
  });
}

export type Check = ReturnType<typeof useCheck>;
