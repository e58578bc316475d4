import { Plus, Search, X } from "lucide-react";
import { useMemo, useState } from "react";
import { plural } from "@/lib/numbers";
import { cx } from "@/lib/text";
import { Button } from "@/parts/Button";
import { count, covers, type Node, toggle, treeOf } from "./tree";

type Props = {
  names: readonly string[];
  selection: readonly string[];
  onChange: (selection: string[]) => void;
  /** How many endpoints subscribe to each type, if that is known. */
  listeners?: ReadonlyMap<string, number> | undefined;
  locked?: boolean;
};

/** chosenTypes says in a few words how much a selection is. */
export function chosenTypes(names: readonly string[], selection: readonly string[]): string {
  if (selection.includes("*")) return "All, also types that are added later";
  return selection.length === 0 ? "None yet" : `${plural(count(names, selection), "type")} now`;
}

/** Picker chooses event types by group and name, or by the beginning of their names. */
export function Picker({ names, selection, onChange, listeners, locked = false }: Props) {
  const [search, setSearch] = useState("");
  const tree = useMemo(() => treeOf(names, search), [names, search]);
  const all = selection.includes("*");
  const choose = (pattern: string) => onChange(toggle(selection, pattern));
  const typed = search.trim();
  const wildcard = typed && !selection.includes(typed) && (typed.endsWith("*") || names.includes(typed)) ? typed : typed && !typed.includes("*") ? `${typed}*` : undefined;
  return (
    <>
      <div className="border-b border-line p-3">
        <Tick label="All events" hint="*" checked={all} disabled={locked} onChange={() => choose("*")} />
        <p className="mt-1 pl-7 text-xs text-muted">Also of types that are added later. Types that begin with bellwire. are about Bellwire's own work: a tenant gets them only while its operational events are on.</p>
      </div>
      <div className="flex items-center gap-2 border-b border-line px-4">
        <Search size={14} className="text-faint" aria-hidden />
        <input aria-label="Search event types" value={search} placeholder="Search, or type a beginning such as card.*" className="h-9 min-w-0 flex-1 bg-transparent outline-none placeholder:text-faint" onChange={(event) => setSearch(event.target.value)} />
        {wildcard && !locked && !selection.some((pattern) => covers(pattern, wildcard)) && (
          <Button size="sm" look="quiet" icon={Plus} onClick={() => (choose(wildcard), setSearch(""))}>
            Add {wildcard}
          </Button>
        )}
      </div>
      <div role="group" aria-label="Event types" tabIndex={0} className="relative max-h-80 overflow-y-auto p-3">
        {tree.length === 0 ? <p className="px-1 py-3 text-muted">{names.length === 0 ? "There is no event type yet." : "No type has this name."}</p> : tree.map((node) => <Branch key={node.pattern} node={node} selection={selection} choose={choose} listeners={listeners} locked={locked} />)}
      </div>
      {!all && selection.length > 0 && (
        <ul aria-label="Chosen" className="flex flex-wrap gap-1.5 border-t border-line p-3">
          {selection.map((pattern) => (
            <li key={pattern} className="inline-flex h-6 items-center rounded-sm bg-accent-soft px-2 font-mono text-[12.5px]">
              {pattern}
              {!locked && (
                <button type="button" aria-label={`Remove ${pattern}`} onClick={() => choose(pattern)} className="-mr-2 inline-flex size-6 items-center justify-center text-muted hover:text-text">
                  <X size={12} aria-hidden />
                </button>
              )}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

type BranchProps = { node: Node; selection: readonly string[]; choose: (pattern: string) => void; listeners: ReadonlyMap<string, number> | undefined; locked: boolean; depth?: number };

function Branch({ node, selection, choose, listeners, locked, depth = 0 }: BranchProps) {
  const others = listeners?.get(node.pattern);
  const hint = node.children.length > 0 ? `${node.count} types` : others ? `${plural(others, "endpoint")} now` : "";
  const own = selection.includes(node.pattern);
  const above = !own && selection.some((pattern) => covers(pattern, node.pattern));
  return (
    <div className={depth > 0 ? "ml-6" : ""}>
      <Tick label={node.label} hint={hint} checked={own || above} disabled={above || locked} onChange={() => choose(node.pattern)} name={node.pattern} />
      {node.children.map((child) => (
        <Branch key={child.pattern} node={child} selection={selection} choose={choose} listeners={listeners} locked={locked} depth={depth + 1} />
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
