import type { Schemas } from "@/api/client";
import { duration } from "@/lib/time";

export type Policy = NonNullable<Schemas["Patch"]["retry"]>;

export type Form = "schedule" | "interval" | "growing";

/** The most retries that a policy can have, as the API says. */
const most = 100;

const units: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** milliseconds reads a duration of the API, such as 90s, 1h30m or 2d; undefined if it is none. */
export function milliseconds(text: string): number | undefined {
  const parts = [...text.trim().matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)];
  if (parts.length === 0 || parts.map(([all]) => all).join("") !== text.trim()) return undefined;
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * (units[unit ?? ""] ?? 0), 0);
}

/** policyOf reads the text that the form keeps of a policy; undefined if it is not JSON. */
export function policyOf(text: string): Policy | undefined {
  try {
    return JSON.parse(text) as Policy;
  } catch {
    return undefined;
  }
}

/** textOf is the opposite of policyOf. */
export const textOf = (policy: Policy): string => JSON.stringify(policy, null, 2);

/** typedNumber keeps a number as it is typed, such as "1." on the way to 1.5, unless that is how it is written anyway. */
export function typedNumber(typed: string): number {
  return String(Number(typed)) === typed ? Number(typed) : (typed as unknown as number);
}

/** withNumbers returns a policy whose numbers are no longer as they were typed. What is none stays, for the API to refuse. */
export function withNumbers(policy: Policy): Policy {
  const read = Object.entries(policy).map(([name, value]) => [name, numeric.has(name) && typeof value === "string" && value.trim() !== "" && Number.isFinite(Number(value)) ? Number(value) : value]);
  return Object.fromEntries(read) as Policy;
}

const numeric = new Set(["count", "factor", "jitter"]);

export function formOf(policy: Policy): Form {
  if (policy.initial !== undefined) return "growing";
  return policy.interval !== undefined || policy.count !== undefined ? "interval" : "schedule";
}

/** inForm returns a policy of another form, with values that one can begin from. Its jitter stays. */
export function inForm(form: Form, { jitter }: Policy): Policy {
  const rest = jitter === undefined ? {} : { jitter };
  switch (form) {
    case "schedule":
      return { schedule: ["5s", "5m", "30m"], ...rest };
    case "interval":
      return { interval: "5m", count: 12, ...rest };
    case "growing":
      return { initial: "5s", factor: 2, max_interval: "1h", max_elapsed: "72h", ...rest };
  }
}

/** Policies that are often wanted. */
export const presets: readonly (readonly [name: string, policy: Policy])[] = [
  ["Standard: 9 retries in 3 days", { schedule: ["5s", "5m", "30m", "2h", "5h", "10h", "14h", "20h", "24h"], jitter: 0.2 }],
  ["Quick: 5 retries in 10 minutes", { schedule: ["5s", "15s", "40s", "2m", "7m"], jitter: 0.2 }],
  ["Each hour for a day", { interval: "1h", count: 24 }],
  ["No retry", { schedule: [] }],
];

/** delays returns the milliseconds before each retry, without jitter; undefined if a value is none. */
export function delays(policy: Policy): number[] | undefined {
  switch (formOf(policy)) {
    case "schedule": {
      const each = (policy.schedule ?? []).map(milliseconds);
      return each.every((delay) => delay !== undefined) ? each : undefined;
    }
    case "interval": {
      const delay = milliseconds(policy.interval ?? "");
      const count = Number(policy.count);
      return delay === undefined || !Number.isInteger(count) || count < 0 || count > most ? undefined : Array.from({ length: count }, () => delay);
    }
    case "growing": {
      const [first, longest, end] = [milliseconds(policy.initial ?? ""), milliseconds(policy.max_interval ?? "30d"), milliseconds(policy.max_elapsed ?? "")];
      const factor = Number(policy.factor);
      if (!first || longest === undefined || end === undefined || !(factor >= 1)) return undefined;
      const each: number[] = [];
      for (let at = 0; each.length < most; ) {
        const delay = Math.min(first * factor ** each.length, longest);
        at += delay;
        if (at > end) break;
        each.push(delay);
      }
      return each;
    }
  }
}

/** How many times a preview names before the last one. */
const named = 5;

/** preview says when attempts are made, and when the delivery is exhausted; undefined if the policy has a value that is none. */
export function preview(policy: Policy): string | undefined {
  const each = delays(policy);
  const jitter = Number(policy.jitter ?? 0);
  if (!each || !(jitter >= 0 && jitter <= 1)) return undefined;
  if (each.length === 0) return "One attempt. If it fails, the delivery is exhausted.";
  let at = 0;
  const times = ["0 s", ...each.map((delay) => duration((at += delay)))];
  const listed = times.length <= named + 2 ? times : [...times.slice(0, named), "…", times[times.length - 1]];
  return `${times.length} attempts, at ${listed.join(", ")}${jitter > 0 ? ", each varied a little" : ""}. Then the delivery is exhausted.`;
}
