import { useCallback } from "react";
import { type NavigateOptions, useNavigate, useSearchParams } from "react-router";
import { useScope } from "./Scope";

/**
 * useAddress returns the parameters of the address, and what changes them. A change begins with what the address says now,
 * not with what was rendered last, so that changes that follow each other at once keep each other.
 */
export function useAddress(): [URLSearchParams, (change: (now: URLSearchParams) => URLSearchParams | void, options?: NavigateOptions) => void] {
  const [params, setParams] = useSearchParams();
  const change = useCallback(
    (alter: (now: URLSearchParams) => URLSearchParams | void, options?: NavigateOptions) => {
      const now = new URLSearchParams(window.location.search);
      setParams(alter(now) ?? now, options);
    },
    [setParams],
  );
  return [params, change];
}

/** useBeside opens a delivery beside a list if the page is wide, and on its own page otherwise. The address says which is open. */
export function useBeside(wide: boolean) {
  const { link, tenant: own } = useScope();
  const navigate = useNavigate();
  const [params, change] = useAddress();
  const open = wide ? (params.get("delivery") ?? undefined) : undefined;
  const show = useCallback(
    (tenant: string, delivery: string) => {
      if (!wide) return void navigate(link.delivery(tenant, delivery));
      change(
        (now) => {
          now.set("delivery", delivery);
          if (!own) now.set("of", tenant);
        },
        { replace: open !== undefined },
      );
    },
    [wide, navigate, link, change, own, open],
  );
  const hide = useCallback(
    () =>
      change((now) => {
        now.delete("delivery");
        now.delete("of");
      }),
    [change],
  );
  return { open, show, hide };
}
