import { useVirtualizer } from "@tanstack/react-virtual";
import { useMemo, useRef, useState } from "react";
import { deepest, type Line, pretty, prettyText } from "@/lib/json";
import { bytes } from "@/lib/numbers";
import { cx, visible } from "@/lib/text";
import { colour } from "./Code";
import { CopyButton } from "./Copy";

/** Above as many lines, only those in sight are elements. */
const many = 400;

/** What one line shows of a long text. The copy has all of it. */
const longest = 4000;

/** The form that was chosen last. It stays when the text is another one, such as that of an attempt that was made meanwhile. */
let chosen = false;

/** JsonView shows a text as it was published: pretty or raw, always as text. Digits, escapes and order stay. */
export function JsonView({ text, title = "JSON", maxHeight = 480, className }: { text: string; title?: string; maxHeight?: number; className?: string }) {
  const [raw, setRaw] = useState(chosen);
  const choose = (raw: boolean) => setRaw((chosen = raw));
  const lines = useMemo(() => (raw ? rawLines(text) : pretty(text)), [text, raw]);
  return (
    <section aria-label={title} className={cx("overflow-hidden rounded-lg border border-line bg-panel", className)}>
      <div className="flex h-9 items-center gap-2 border-b border-line pr-1.5 pl-3">
        <span className="text-xs font-medium text-muted">{title}</span>
        <span className="num text-xs text-faint">{bytes(new Blob([text]).size)}</span>
        <div role="group" aria-label="Form" className="ml-auto flex text-xs">
          {[false, true].map((mode) => (
            <button
              key={String(mode)}
              type="button"
              aria-pressed={raw === mode}
              onClick={() => choose(mode)}
              className={cx("h-6 rounded-sm px-2", raw === mode ? "bg-calm-soft font-medium" : "text-muted hover:text-text")}
            >
              {mode ? "Raw" : "Pretty"}
            </button>
          ))}
        </div>
        <CopyButton text={() => (raw ? text : prettyText(text))} label={`Copy ${title}`} />
      </div>
      <Lines lines={lines} title={title} maxHeight={maxHeight} />
    </section>
  );
}

function rawLines(text: string): Line[] {
  const lines: Line[] = [];
  for (const line of text.split("\n")) {
    for (let i = 0; i === 0 || i < line.length; i += longest) {
      lines.push({ depth: 0, pieces: [{ kind: "other", text: line.slice(i, i + longest) }] });
    }
  }
  return lines;
}

function Lines({ lines, title, maxHeight }: { lines: Line[]; title: string; maxHeight: number }) {
  const box = useRef<HTMLDivElement>(null);
  const all = lines.length <= many;
  const virtual = useVirtualizer({
    count: all ? 0 : lines.length,
    getScrollElement: () => box.current,
    estimateSize: () => 20,
    overscan: 20,
  });
  const look = "font-mono text-[12.5px] leading-5";
  return (
    <div ref={box} tabIndex={0} role="group" aria-label={`${title}, as text`} className={cx("overflow-auto py-2", look)} style={{ maxHeight }}>
      {all ? (
        lines.map((line, i) => <Row key={i} line={line} number={i + 1} />)
      ) : (
        <div className="relative" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map((item) => {
            const line = lines[item.index];
            return (
              <div
                key={item.key}
                data-index={item.index}
                ref={virtual.measureElement}
                className="absolute top-0 left-0 w-full"
                style={{ transform: `translateY(${item.start}px)` }}
              >
                {line && <Row line={line} number={item.index + 1} />}
              </div>
            );
          })}
        </div>
      )}
    </div>
  );
}

function Row({ line, number }: { line: Line; number: number }) {
  return (
    <div className="flex pr-3 whitespace-pre-wrap hover:bg-hover">
      <span aria-hidden className="num w-11 shrink-0 pr-3 text-right text-faint select-none">
        {number}
      </span>
      <span className="min-w-0 wrap-anywhere" style={{ paddingLeft: `${Math.min(line.depth, deepest) * 2}ch` }}>
        {line.depth > deepest && <span className="text-faint select-none">{`[level ${line.depth}] `}</span>}
        {line.pieces.map((piece, i) => (
          <span key={i} className={colour(piece.kind)}>
            {visible(piece.text.slice(0, longest))}
            {piece.text.length > longest && <span className="text-faint select-none">{`… ${bytes(piece.text.length - longest)} more`}</span>}
          </span>
        ))}
      </span>
    </div>
  );
}
