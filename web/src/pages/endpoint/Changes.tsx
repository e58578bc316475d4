import { History } from "lucide-react";
import { useCallback } from "react";
import { api, call, type Schemas } from "@/api/client";
import { useList } from "@/api/hooks";
import { visible } from "@/lib/text";
import { Button } from "@/parts/Button";
import { Diff } from "@/parts/Diff";
import { Pane } from "@/parts/Page";
import { EmptyState, ErrorState, Skeleton } from "@/parts/States";
import { Time, Timed } from "@/parts/Time";
import type { Endpoint } from "./index";

type Change = Schemas["Change"];

const words: Record<Change["action"], string> = {
  created: "Created",
  updated: "Changed",
  deleted: "Deleted",
  found: "As it was when the history began",
};

const id = (change: Change) => `${change.at} ${change.action}`;

/** Changes lists who changed what of the endpoint, as differences. */
export function Changes({ endpoint }: { endpoint: Endpoint }) {
  const path = { tenant: endpoint.tenant, id: endpoint.id };
  const fetch = useCallback(
    (cursor: string | undefined, signal: AbortSignal) => call(api.GET("/api/v1/tenants/{tenant}/endpoints/{id}/history", { params: { path, query: cursor ? { cursor } : {} }, signal })),
    [path.tenant, path.id],
  );
  const list = useList(["changes", endpoint.id], fetch, id, { every: 15_000 });
  return (
    <Pane className="flex-1 px-4 py-4 sm:px-6">
      {list.error && list.rows.length === 0 ? (
        <ErrorState error={list.error} what="The history could not be loaded" retry={list.retry} />
      ) : list.loading ? (
        <div className="space-y-3">
          <Skeleton className="h-16" />
          <Skeleton className="h-24" />
        </div>
      ) : list.rows.length === 0 ? (
        <EmptyState icon={History} title="Nothing was changed yet" />
      ) : (
        <ol className="max-w-4xl space-y-3">
          {list.fresh > 0 && (
            <li>
              <Button size="sm" onClick={() => void list.refresh()}>
                Show {list.fresh} new
              </Button>
            </li>
          )}
          {list.rows.map((change) => (
            <li key={id(change)} className="panel overflow-hidden">
              <div className="flex flex-wrap items-baseline gap-x-2 border-b border-line px-4 py-2">
                <span className="font-medium">{words[change.action]}</span>
                <span className="text-muted">by {who(change.by)}</span>
                <Time at={change.at} className="ml-auto text-sm text-muted" />
              </div>
              <Diff before={change.before} after={change.after} />
              {change.by.reason && <p className="border-t border-line px-4 py-2 text-sm text-muted"><Timed text={visible(change.by.reason)} /></p>}
            </li>
          ))}
          {list.more && (
            <li>
              <Button busy={list.loadingMore} onClick={() => void list.loadMore()}>
                Show older changes
              </Button>
            </li>
          )}
        </ol>
      )}
    </Pane>
  );
}

function who(by: Schemas["Actor"]): string {
  switch (by.kind) {
    case "configured":
      return "the key of --admin-key";
    case "key":
      return by.key ? (by.key_name ? `${visible(by.key_name)} (${by.key})` : by.key) : "a key";
    case "bellwire":
      return "Bellwire";
    case "vouched":
      return "somebody whom the platform vouched for";
    default:
      return "somebody unknown";
  }
}
