import { ArrowLeft, FlaskConical, Search, X } from "lucide-react";
import { useMemo, useState } from "react";
import { type ApiError, api, call } from "@/api/client";
import { useAction, useLiveQuery } from "@/api/hooks";
import { useSubscriptions } from "@/api/names";
import { plural } from "@/lib/numbers";
import { cx, sentence } from "@/lib/text";
import { Button } from "@/parts/Button";
import { CodeEditor } from "@/parts/Code";
import { Field, FormError } from "@/parts/Form";
import { Panel } from "@/parts/Page";
import { ErrorState, Skeleton } from "@/parts/States";
import { Notice } from "@/parts/Status";
import type { Draft } from ".";
import { count, covers, type Node, toggle, treeOf } from "./tree";

/** Most event types that are asked for at once. */
const most = 250;

type Props = {
  tenant: string;
  draft: Draft;
  set: (change: Partial<Draft>) => void;
  error: ApiError | null;
  /** What is wrong at the step before. */
  misplaced: string | undefined;
  busy: boolean;
  back: () => void;
  next: () => void;
};

/** Events chooses types from a tree, and a filter that is tried on stored events. */
export function Events({ tenant, draft, set, error, misplaced, busy, back, next }: Props) {
  const types = useLiveQuery(["event-types", "names"], (signal) => call(api.GET("/api/v1/event-types", { params: { query: { limit: most } }, signal })), { every: 60_000 });
  const names = useMemo(() => types.data?.data.filter((type) => !type.archived).map((type) => type.name) ?? [], [types.data]);
  const subscriptions = useSubscriptions();
  const [search, setSearch] = useState("");
  const tree = useMemo(() => treeOf(names, search), [names, search]);
  const tried = useAction(() => call(api.POST("/api/v1/tenants/{tenant}/filters/try", { params: { path: { tenant } }, body: { filter: draft.filter.trim(), types: draft.events } })), { quiet: true });
  const all = draft.events.includes("*");
  const choose = (pattern: string) => set({ events: toggle(draft.events, pattern) });
  return (
    <form
      className="space-y-4"
      onSubmit={(event) => {
        event.preventDefault();
        next();
      }}
    >
      {misplaced && (
        <Notice tone="bad" action={<Button size="sm" onClick={back}>Change the address</Button>}>
          The address {misplaced}.
        </Notice>
      )}
      <Panel
        title="Which events"
        aside={<span className="text-sm text-muted">{all ? "All, also types that are added later" : draft.events.length === 0 ? "None yet" : `${plural(count(names, draft.events), "type")} now`}</span>}
        flush
      >
        {!types.data && types.error ? (
          <ErrorState error={types.error} what="Event types could not be loaded" retry={types.refetch} />
        ) : !types.data ? (
          <div className="space-y-3 p-4">
            <Skeleton />
            <Skeleton className="w-2/3" />
          </div>
        ) : (
          <>
            <div className="border-b border-line p-3">
              <Tick label="All events" hint="*" checked={all} onChange={() => choose("*")} />
            </div>
            <div className="flex items-center gap-2 border-b border-line px-4">
              <Search size={14} className="text-faint" aria-hidden />
              <input aria-label="Search event types" value={search} placeholder="Search" className="h-9 flex-1 bg-transparent outline-none placeholder:text-faint" onChange={(event) => setSearch(event.target.value)} />
            </div>
            <div role="group" aria-label="Event types" tabIndex={0} className="max-h-80 overflow-y-auto p-3">
              {tree.length === 0 ? <p className="px-1 py-3 text-muted">{names.length === 0 ? "There is no event type yet." : "No type has this name."}</p> : tree.map((node) => <Branch key={node.pattern} node={node} selection={draft.events} choose={choose} listeners={subscriptions?.counts} />)}
            </div>
          </>
        )}
        {!all && draft.events.length > 0 && (
          <ul aria-label="Chosen" className="flex flex-wrap gap-1.5 border-t border-line p-3">
            {draft.events.map((pattern) => (
              <li key={pattern} className="inline-flex h-6 items-center rounded-sm bg-accent-soft pl-2 font-mono text-[12.5px]">
                {pattern}
                <button type="button" aria-label={`Remove ${pattern}`} onClick={() => choose(pattern)} className="inline-flex size-6 items-center justify-center text-muted hover:text-text">
                  <X size={12} aria-hidden />
                </button>
              </li>
            ))}
          </ul>
        )}
      </Panel>
      <Panel title="Filter">
        <Field label="Only events for which this is true" name="filter" error={error ?? tried.error} optional hint="A CEL expression over type, data, id and occurred_at, such as data.amount > 100.">
          {(field) => (
            <CodeEditor
              label="Filter"
              rows={2}
              value={draft.filter}
              placeholder="data.amount > 100"
              invalid={Boolean(field["aria-invalid"])}
              {...(field["aria-describedby"] ? { describedBy: field["aria-describedby"] } : {})}
              onChange={(filter) => {
                set({ filter });
                tried.reset();
              }}
            />
          )}
        </Field>
        <div className="mt-3 flex flex-wrap items-center gap-3">
          <Button size="sm" icon={FlaskConical} busy={tried.isPending} disabled={!draft.filter.trim() || draft.events.length === 0} onClick={() => tried.mutate(undefined)}>
            Try it on stored events
          </Button>
          {tried.data && (
            <p role="status" className="text-sm text-muted">
              Of the newest {plural(tried.data.matched + tried.data.unmatched + tried.data.errors, "event")}, {tried.data.matched} would be sent, {tried.data.unmatched} not
              {tried.data.errors > 0 ? `, and for ${tried.data.errors} it has no answer: they would be sent` : ""}.
            </p>
          )}
        </div>
      </Panel>
      <FormError error={error} fields={["url", "description", "filter"]} />
      {draft.events.length === 0 && <p className="text-sm text-muted">{sentence("choose at least one event type")}</p>}
      <div className="flex justify-between">
        <Button icon={ArrowLeft} onClick={back}>
          Back
        </Button>
        <Button look="primary" type="submit" busy={busy} disabled={draft.events.length === 0}>
          Add endpoint
        </Button>
      </div>
    </form>
  );
}

type BranchProps = { node: Node; selection: readonly string[]; choose: (pattern: string) => void; listeners: ReadonlyMap<string, number> | undefined; depth?: number };

function Branch({ node, selection, choose, listeners, depth = 0 }: BranchProps) {
  const others = listeners?.get(node.pattern);
  const hint = node.children.length > 0 ? `${node.count} types` : others ? `${plural(others, "endpoint")} now` : "";
  const own = selection.includes(node.pattern);
  const above = !own && selection.some((pattern) => covers(pattern, node.pattern));
  return (
    <div className={depth > 0 ? "ml-6" : ""}>
      <Tick label={node.label} hint={hint} checked={own || above} disabled={above} onChange={() => choose(node.pattern)} name={node.pattern} />
      {node.children.map((child) => (
        <Branch key={child.pattern} node={child} selection={selection} choose={choose} listeners={listeners} depth={depth + 1} />
      ))}
    </div>
  );
}

function Tick({ label, hint, checked, disabled, onChange, name }: { label: string; hint: string; checked: boolean; disabled?: boolean; onChange: () => void; name?: string }) {
  return (
    <label className={cx("flex h-7.5 cursor-pointer items-center gap-2.5 rounded-sm px-1 hover:bg-hover", disabled && "cursor-default text-muted")}>
      <input type="checkbox" aria-label={name ?? label} checked={checked} disabled={disabled} onChange={onChange} className="size-3.5 accent-[var(--accent-solid)]" />
      <span className={name ? "font-mono text-[12.5px]" : ""}>{label}</span>
      {hint && <span className="text-xs text-faint">{hint}</span>}
    </label>
  );
}
