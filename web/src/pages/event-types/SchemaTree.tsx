import { ChevronRight } from "lucide-react";
import { useMemo, useState } from "react";
import { fields, type Node, parse, type SchemaField } from "@/lib/schema";
import { cx, visible } from "@/lib/text";

/** How many levels are open at first. */
const opened = 2;

/** SchemaTree shows the fields that a schema describes, level by level. */
export function SchemaTree({ text }: { text: string }) {
  const root = useMemo(() => parse(text), [text]);
  const all = useMemo(() => fields(root, root), [root]);
  if (all.length === 0) return <p className="px-4 py-3 text-muted">The schema names no fields. See it as JSON.</p>;
  return (
    <ul aria-label="Fields" className="py-1.5">
      {all.map((field) => (
        <Row key={field.name} field={field} root={root} depth={0} />
      ))}
    </ul>
  );
}

function Row({ field, root, depth }: { field: SchemaField; root: Node | undefined; depth: number }) {
  const [open, setOpen] = useState(depth < opened - 1);
  const inner = useMemo(() => (open ? fields(field.inner, root) : []), [open, field.inner, root]);
  const name = <code className="text-[13px] font-medium wrap-anywhere">{visible(field.name)}</code>;
  return (
    <li>
      <div className="flex gap-1.5 py-1 pr-4 hover:bg-hover" style={{ paddingLeft: `${Math.min(depth, 12) * 20 + 12}px` }}>
        <span className="flex h-5 w-4 shrink-0 items-center">
          {field.inner && (
            <button type="button" aria-expanded={open} aria-label={`Fields of ${field.name}`} onClick={() => setOpen(!open)} className="inline-flex size-4 items-center justify-center rounded-sm text-muted hover:text-text">
              <ChevronRight size={14} className={cx("transition-transform", open && "rotate-90")} aria-hidden />
            </button>
          )}
        </span>
        <div className="min-w-0 flex-1">
          <div className="flex flex-wrap items-baseline gap-x-2.5">
            {name}
            <span className="text-sm text-muted">{visible(field.type)}</span>
            {field.required && <span className="text-xs font-medium text-warn">required</span>}
            {field.rules.map((rule) => (
              <span key={rule} className="rounded-sm bg-calm-soft px-1.5 font-mono text-xs wrap-anywhere text-muted">
                {visible(rule)}
              </span>
            ))}
          </div>
          {field.description && <p className="text-sm wrap-anywhere text-muted">{visible(field.description)}</p>}
        </div>
      </div>
      {open && inner.length > 0 && (
        <ul>
          {inner.map((each) => (
            <Row key={each.name} field={each} root={root} depth={depth + 1} />
          ))}
        </ul>
      )}
    </li>
  );
}
