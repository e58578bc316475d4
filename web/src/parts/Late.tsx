import { notifyManager, type Query, type QueryState, useQueryClient } from "@tanstack/react-query";
import { TriangleAlert } from "lucide-react";
import { useCallback, useSyncExternalStore } from "react";
import { asError } from "@/api/problem";
import { visible } from "@/lib/text";
import { Time } from "./Time";

/** Of what is shown and fetched again by itself, useLate returns what failed to be and is the oldest; undefined if all is up to date. */
export function useLate(): QueryState | undefined {
  const cache = useQueryClient().getQueryCache();
  const subscribe = useCallback((changed: () => void) => cache.subscribe(notifyManager.batchCalls(changed)), [cache]);
  return useSyncExternalStore(subscribe, () => {
    const late = cache.getAll().filter(isLate).map((query) => query.state);
    return late.sort((a, b) => a.dataUpdatedAt - b.dataUpdatedAt)[0];
  });
}

/** What is not fetched again by itself says so where it is shown: it would be late until somebody asks. */
function isLate({ state, observers }: Query): boolean {
  return state.status === "error" && state.data !== undefined && observers.some(({ options }) => options.enabled !== false && Boolean(options.refetchInterval));
}

/** Late says since when what is shown is not up to date, and why. It is below the page, which does not move when it comes. */
export function Late() {
  const late = useLate();
  return (
    <div role="status">
      {late && (
        <p data-bar className="flex items-center gap-2.5 border-t border-line bg-warn-soft px-4 py-2 text-sm sm:px-6">
          <TriangleAlert size={15} className="shrink-0 text-warn" aria-hidden />
          <span className="min-w-0 wrap-anywhere">
            Not up to date since <Time at={late.dataUpdatedAt} as="clock" />: {visible(asError(late.error).detail)}.
          </span>
        </p>
      )}
    </div>
  );
}
