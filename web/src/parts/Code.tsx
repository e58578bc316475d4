import { useId, useRef } from "react";
import { scan } from "@/lib/json";
import { cx } from "@/lib/text";
import { CopyButton } from "./Copy";

/** CodeBlock shows a command or a program, with a button that copies it. */
export function CodeBlock({ code, title, className }: { code: string; title?: string; className?: string }) {
  return (
    <div className={cx("group relative overflow-hidden rounded-lg border border-line bg-sunk", className)}>
      {title && <div className="border-b border-line px-3 py-1.5 text-xs font-medium text-muted">{title}</div>}
      <pre tabIndex={0} className="mr-10 overflow-x-auto max-sm:whitespace-pre-wrap max-sm:wrap-anywhere p-3 pr-0 text-[12.5px] leading-5">
        <code>{code}</code>
      </pre>
      <CopyButton text={code} label={title ? `Copy ${title}` : "Copy"} className={cx("absolute right-2 bg-sunk", title ? "top-9" : "top-2")} />
    </div>
  );
}

/** How long a text may be to be coloured while it is edited. */
const coloured = 64 * 1024;

const colours: Record<string, string> = {
  key: "text-[var(--syntax-key)]",
  string: "text-[var(--syntax-string)]",
  number: "text-[var(--syntax-number)]",
  word: "text-[var(--syntax-word)]",
  punct: "text-muted",
};

/** colour returns the class of a piece of JSON. CEL has the same texts, numbers and words. */
export function colour(kind: string): string {
  return colours[kind] ?? "";
}

/**
 * CodeEditor edits JSON or CEL: a text area, with the coloured text behind it. It needs no style but the page's, and undo,
 * spelling of screen readers and touch keyboards are the browser's own.
 */
export function CodeEditor({
  value,
  onChange,
  label,
  rows = 8,
  invalid,
  describedBy,
  readOnly,
  placeholder,
}: {
  value: string;
  onChange?: (value: string) => void;
  label: string;
  rows?: number;
  invalid?: boolean;
  describedBy?: string;
  readOnly?: boolean;
  placeholder?: string;
}) {
  const id = useId();
  const behind = useRef<HTMLPreElement>(null);
  const colouring = value.length <= coloured;
  const text = "whitespace-pre-wrap wrap-anywhere px-3 py-2 font-mono text-[12.5px] leading-5";
  return (
    <div
      className={cx(
        "relative overflow-hidden rounded-md border bg-panel focus-within:outline-2 focus-within:-outline-offset-1 focus-within:outline-[var(--focus)]",
        invalid ? "border-bad-solid" : "border-line-strong",
      )}
    >
      {colouring && (
        <pre ref={behind} aria-hidden className={cx(text, "pointer-events-none absolute inset-0 overflow-hidden")}>
          {[...scan(value)].map((piece, i) => (
            <span key={i} className={colour(piece.kind)}>
              {piece.text}
            </span>
          ))}
          {"\n"}
        </pre>
      )}
      <textarea
        id={id}
        aria-label={label}
        aria-invalid={invalid || undefined}
        aria-describedby={describedBy}
        value={value}
        rows={rows}
        readOnly={readOnly}
        placeholder={placeholder}
        spellCheck={false}
        autoCapitalize="off"
        autoCorrect="off"
        onChange={(event) => onChange?.(event.target.value)}
        onScroll={(event) => {
          if (behind.current) behind.current.scrollTop = event.currentTarget.scrollTop;
        }}
        className={cx(text, "relative block w-full resize-y bg-transparent caret-[var(--text)] outline-none placeholder:text-faint", colouring && "text-transparent")}
      />
    </div>
  );
}
