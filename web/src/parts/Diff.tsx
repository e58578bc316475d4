import { cx, visible } from "@/lib/text";

type Values = Readonly<Record<string, unknown>>;

/** Diff shows what changed: of each member its old and its new value. */
export function Diff({ before, after, className }: { before: Values; after: Values; className?: string }) {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((name) => !same(before[name], after[name]) && !(isEmpty(before[name]) && isEmpty(after[name])));
  if (names.length === 0) return <p className={cx("px-4 py-2.5 text-sm text-muted", className)}>Nothing that is shown changed.</p>;
  return (
    <dl className={cx("divide-y divide-line", className)}>
      {names.map((name) => (
        <div key={name} className="grid gap-x-4 gap-y-1 px-4 py-2 sm:grid-cols-[180px_minmax(0,1fr)]">
          <dt className="text-muted">{visible(name.replaceAll("_", " "))}</dt>
          <dd className="min-w-0 space-y-0.5 font-mono text-[12.5px]">
            {!isEmpty(before[name]) && (
              <div className="flex gap-2 wrap-anywhere text-bad">
                <span className="select-none" aria-label="before">
                  −
                </span>
                <del className="min-w-0 whitespace-pre-wrap no-underline">{show(before[name])}</del>
              </div>
            )}
            {!isEmpty(after[name]) && (
              <div className="flex gap-2 wrap-anywhere text-good">
                <span className="select-none" aria-label="after">
                  +
                </span>
                <ins className="min-w-0 whitespace-pre-wrap no-underline">{show(after[name])}</ins>
              </div>
            )}
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** isEmpty reports whether a value says nothing: it was not set before, or is not any more. */
function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || value === "" || (typeof value === "object" && Object.keys(value).length === 0);
}

export function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function show(value: unknown): string {
  if (typeof value === "string") return visible(value);
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return visible(value.join(", "));
  return visible(JSON.stringify(value, null, 1).replace(/\n\s*/g, " "));
}
