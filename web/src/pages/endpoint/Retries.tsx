import { Plus, X } from "lucide-react";
import type { ApiError } from "@/api/problem";
import { Button, IconButton } from "@/parts/Button";
import { Choice, Field } from "@/parts/Form";
import { type Form, formOf, inForm, type Policy, policyOf, presets, preview, textOf, typedNumber } from "./retries";

type Props = {
  /** The policy as JSON, as the draft has it. */
  text: string;
  onChange: (text: string) => void;
  locked: boolean;
  error: ApiError | null;
  problem?: string;
};

const forms: readonly (readonly [Form, string])[] = [
  ["schedule", "Delay by delay"],
  ["interval", "Always the same delay"],
  ["growing", "Growing delays"],
];

/** Retries edits a retry policy: one that is often wanted, or its delays, and shows when attempts would be made. */
export function Retries({ text, onChange, locked, error, problem }: Props) {
  const policy = policyOf(text) ?? { schedule: [] };
  const write = (next: Policy) => onChange(textOf(next));
  const preset = presets.findIndex(([, each]) => JSON.stringify(each) === JSON.stringify(sorted(policy)));
  const about = preview(policy);
  const fault = problem ?? error?.faults.find(({ field }) => field === "retry" || field.startsWith("retry."))?.message ?? (about ? undefined : "must have durations such as 30s, 5m or 2h, and numbers such as 12 or 1.5; jitter from 0 to 1");
  return (
    <Field label="Retries" {...(fault ? { problem: fault } : {})} hint={about}>
      {(field) => (
        <div className="space-y-3" role="group" aria-label="Retries" {...(field["aria-describedby"] ? { "aria-describedby": field["aria-describedby"] } : {})}>
          <select
            id={field.id}
            className="field"
            disabled={locked}
            value={preset}
            onChange={(event) => {
              const chosen = presets[Number(event.target.value)];
              if (chosen) write(chosen[1]);
            }}
          >
            {preset < 0 && <option value={-1}>Its own</option>}
            {presets.map(([name], i) => (
              <option key={name} value={i}>
                {name}
              </option>
            ))}
          </select>
          {!locked && <Choice label="Kind of delays" value={formOf(policy)} values={forms} onChange={(form) => write(inForm(form, policy))} />}
          <Delays policy={policy} write={write} locked={locked} />
          <Field label="Jitter" optional hint="From 0 to 1. With 0.2, each delay is up to 10 % shorter or longer, so that the retries of many events do not come at once.">
            {(field) => (
              <input
                {...field}
                className="field num sm:!w-1/2"
                inputMode="decimal"
                disabled={locked}
                value={policy.jitter ?? ""}
                placeholder="0"
                autoComplete="off"
                onChange={({ target: { value } }) => write(value === "" ? without(policy, "jitter") : { ...policy, jitter: typedNumber(value) })}
              />
            )}
          </Field>
        </div>
      )}
    </Field>
  );
}

/** without returns a policy without a member that it may lack. */
function without(policy: Policy, member: "max_interval" | "jitter"): Policy {
  const { [member]: _, ...rest } = policy;
  return rest;
}

/** sorted returns a policy with its members in the order that presets have. */
function sorted({ schedule, interval, count, initial, factor, max_interval, max_elapsed, jitter }: Policy): Policy {
  return { schedule, interval, count, initial, factor, max_interval, max_elapsed, jitter } as Policy; // what is undefined is not written
}

function Delays({ policy, write, locked }: { policy: Policy; write: (policy: Policy) => void; locked: boolean }) {
  const text = (label: string, value: string | number | undefined, change: (value: string) => Policy, numeric = false) => (
    <Field label={label}>
      {(field) => (
        <input {...field} className="field num" disabled={locked} value={value ?? ""} autoComplete="off" {...(numeric ? { inputMode: "decimal" as const } : {})} onChange={(event) => write(change(event.target.value))} />
      )}
    </Field>
  );
  switch (formOf(policy)) {
    case "interval":
      return (
        <div className="grid gap-4 sm:grid-cols-2">
          {text("Delay", policy.interval, (interval) => ({ ...policy, interval }))}
          {text("Retries", policy.count, (count) => ({ ...policy, count: typedNumber(count) }), true)}
        </div>
      );
    case "growing":
      return (
        <div className="grid gap-4 sm:grid-cols-2">
          {text("First delay", policy.initial, (initial) => ({ ...policy, initial }))}
          {text("Each is so many times the one before", policy.factor, (factor) => ({ ...policy, factor: typedNumber(factor) }), true)}
          {text("Longest delay", policy.max_interval, (max_interval) => (max_interval ? { ...policy, max_interval } : without(policy, "max_interval")))}
          {text("Until", policy.max_elapsed, (max_elapsed) => ({ ...policy, max_elapsed }))}
        </div>
      );
    default: {
      const schedule = policy.schedule ?? [];
      return (
        <div className="flex flex-wrap items-center gap-2">
          {schedule.map((delay, i) => (
            <span key={i} className="inline-flex items-center">
              <input
                aria-label={`Delay before retry ${i + 1}`}
                className="field num !w-18"
                disabled={locked}
                value={delay}
                autoComplete="off"
                onChange={(event) => write({ ...policy, schedule: schedule.map((each, at) => (at === i ? event.target.value : each)) })}
              />
              {!locked && <IconButton icon={X} label={`Remove retry ${i + 1}`} onClick={() => write({ ...policy, schedule: schedule.filter((_, at) => at !== i) })} />}
            </span>
          ))}
          {!locked && (
            <Button size="sm" icon={Plus} onClick={() => write({ ...policy, schedule: [...schedule, schedule.at(-1) ?? "5s"] })}>
              Add a retry
            </Button>
          )}
        </div>
      );
    }
  }
}
