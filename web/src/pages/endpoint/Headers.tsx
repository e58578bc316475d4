import { Plus, RotateCcw, X } from "lucide-react";
import { useEffect, useRef } from "react";
import { Button, IconButton } from "@/parts/Button";
import { Field } from "@/parts/Form";
import type { ApiError } from "@/api/problem";
import { type Header, headerLines, headersOf, kept } from "./headerlines";

type Props = {
  /** One a line, as the form has them. */
  text: string;
  /** As they are stored. */
  base: string;
  onChange: (text: string) => void;
  locked: boolean;
  error: ApiError | null;
  problem?: string;
};

/**
 * Headers edits the endpoint's headers, each by itself. Values that are stored are not shown: such a header keeps its
 * value until another one is typed.
 */
export function Headers({ text, base, onChange, locked, error, problem }: Props) {
  const rows = headersOf(text);
  const stored = new Set(headersOf(base).map((header) => header.name));
  const added = useRef(false);
  const group = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!added.current) return;
    added.current = false;
    const names = group.current?.querySelectorAll<HTMLInputElement>("[data-name]");
    names?.[names.length - 1]?.focus(); // it scrolls into sight, above the bar that saves
  }, [rows.length]);
  const write = (i: number, change: Partial<Header> | undefined) => onChange(headerLines(rows.flatMap((row, at) => (at !== i ? [row] : change ? [{ ...row, ...change }] : []))));
  const label = (row: Header, i: number) => row.name || `header ${i + 1}`;
  return (
    <Field label="Headers" name="headers" error={error} {...(problem ? { problem } : {})} optional hint="Sent with every delivery. Stored values are not shown; a header keeps its value until you type another one.">
      {(field) => (
        <div ref={group} id={field.id} role="group" aria-label="Headers" {...(field["aria-describedby"] ? { "aria-describedby": field["aria-describedby"] } : {})} className="space-y-2">
          {rows.map((row, i) => {
            const old = stored.has(row.name) && rows.findIndex((each) => each.name === row.name) === i;
            return (
              <div key={i} className="grid grid-cols-[minmax(0,2fr)_minmax(0,3fr)_auto] items-center gap-2">
                <input
                  aria-label={`Name of ${label(row, i)}`}
                  data-name
                  className="field scroll-mb-36 font-mono text-[12.5px]"
                  value={row.name}
                  placeholder="X-Name"
                  autoComplete="off"
                  spellCheck={false}
                  disabled={locked}
                  readOnly={old}
                  onChange={(event) => write(i, { name: event.target.value })}
                />
                <input
                  aria-label={`Value of ${label(row, i)}`}
                  className="field font-mono text-[12.5px]"
                  value={row.value === kept ? "" : row.value}
                  placeholder={old ? "•••••••• stays as it is" : "Value"}
                  autoComplete="off"
                  spellCheck={false}
                  disabled={locked}
                  onChange={(event) => write(i, { value: old && event.target.value === "" ? kept : event.target.value })}
                />
                {!locked && <IconButton icon={X} label={`Remove ${label(row, i)}`} onClick={() => write(i, undefined)} />}
              </div>
            );
          })}
          {locked && rows.length === 0 && <p className="text-sm text-muted">None</p>}
          {!locked && (
            <div className="flex flex-wrap gap-2">
              <Button size="sm" icon={Plus} onClick={() => ((added.current = true), onChange(headerLines([...rows, { name: "", value: "" }])))}>
                Add a header
              </Button>
              {text !== base && (
                <Button size="sm" look="quiet" icon={RotateCcw} onClick={() => onChange(base)}>
                  As stored
                </Button>
              )}
            </div>
          )}
        </div>
      )}
    </Field>
  );
}
