import { type ReactNode, useId } from "react";
import type { ApiError } from "@/api/problem";
import { cx, sentence } from "@/lib/text";

type Wired = { id: string; name?: string; "aria-invalid"?: true; "aria-describedby"?: string };

/**
 * Field labels one input. With name and error, it shows what the API says about that field, at the field.
 *
 *     <Field label="URL" name="url" error={create.error}>{(field) => <input {...field} className="field" />}</Field>
 */
export function Field({
  label,
  name,
  error,
  problem,
  hint,
  optional,
  children,
  className,
}: {
  label: ReactNode;
  name?: string;
  error?: ApiError | null;
  problem?: string | undefined;
  hint?: ReactNode;
  optional?: boolean;
  children: (field: Wired) => ReactNode;
  className?: string;
}) {
  const id = useId();
  const fault = problem ?? (name ? error?.fault(name) : undefined);
  const described = fault || hint ? `${id}-about` : undefined;
  return (
    <div className={className}>
      <div className="mb-1.5 flex items-baseline justify-between gap-2">
        <label htmlFor={id} className="text-sm font-medium">
          {label}
        </label>
        {optional && <span className="text-xs text-faint">optional</span>}
      </div>
      {children({
        id,
        ...(name ? { name } : {}),
        ...(fault ? { "aria-invalid": true as const } : {}),
        ...(described ? { "aria-describedby": described } : {}),
      })}
      {(fault || hint) && (
        <p id={described} className={cx("mt-1.5 text-xs wrap-anywhere", fault ? "text-bad" : "text-muted")}>
          {fault ? sentence(fault) : hint}
        </p>
      )}
    </div>
  );
}

/** FormError shows what an error says beside the fields of a form: all faults that no field of it shows. */
export function FormError({ error, fields = [] }: { error: ApiError | null; fields?: readonly string[] }) {
  if (!error) return null;
  const elsewhere = error.faults.filter((fault) => !fields.some((field) => fault.field === field || fault.field.startsWith(`${field}.`) || fault.field.startsWith(`${field}[`)));
  if (error.faults.length > 0 && elsewhere.length === 0) return null;
  const lines = elsewhere.length > 0 ? elsewhere.map((fault) => `${fault.field} ${fault.message}`) : [error.detail];
  return (
    <div role="alert" className="rounded-md bg-bad-soft px-3 py-2 text-sm wrap-anywhere">
      {lines.map((line) => (
        <p key={line}>{sentence(line)}</p>
      ))}
      {error.hint && <p className="mt-0.5 text-muted">{sentence(error.hint)}</p>}
      {error.requestId && <p className="mt-1 font-mono text-xs text-faint">Request {error.requestId}</p>}
    </div>
  );
}

/** Switch turns something on and off. */
export function Switch({ label, checked, onChange, hint }: { label: string; checked: boolean; onChange: (checked: boolean) => void; hint?: string }) {
  return (
    <label className="flex cursor-pointer items-start gap-2.5">
      <input type="checkbox" role="switch" checked={checked} onChange={(event) => onChange(event.target.checked)} className="peer sr-only" />
      <span
        aria-hidden
        className="relative mt-0.5 h-4 w-7 shrink-0 rounded-full bg-line-strong transition-colors after:absolute after:top-0.5 after:left-0.5 after:size-3 after:rounded-full after:bg-on-accent after:transition-transform peer-checked:bg-accent-solid peer-checked:after:translate-x-3 peer-focus-visible:outline-2 peer-focus-visible:outline-offset-1 peer-focus-visible:outline-[var(--focus)]"
      />
      <span>
        {label}
        {hint && <span className="block text-xs text-muted">{hint}</span>}
      </span>
    </label>
  );
}

/** Choice is one of a few values, all in sight. */
export function Choice<T extends string>({ label, value, values, onChange }: { label: string; value: T; values: readonly (readonly [T, string])[]; onChange: (value: T) => void }) {
  return (
    <div role="radiogroup" aria-label={label} className="inline-flex max-w-full flex-wrap gap-0.5 rounded-md border border-line bg-sunk p-0.5">
      {values.map(([each, word]) => (
        <label
          key={each}
          className={cx(
            "inline-flex h-6.5 cursor-pointer items-center rounded-sm px-2.5 text-sm has-focus-visible:outline-2 has-focus-visible:outline-[var(--focus)]",
            value === each ? "bg-raised font-medium shadow-[0_0_0_1px_var(--line-strong)]" : "text-muted hover:text-text",
          )}
        >
          <input type="radio" name={label} value={each} checked={value === each} onChange={() => onChange(each)} className="sr-only" />
          {word}
        </label>
      ))}
    </div>
  );
}
