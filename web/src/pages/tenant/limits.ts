import type { Schemas } from "@/api/client";

export type Limits = Schemas["Tenant"]["effective_limits"];

export type LimitName = keyof Limits;

/** What limits are called, and what they count. docs/limits.md explains each. */
export const names: Record<LimitName, readonly [name: string, unit: string]> = {
  publish_rate: ["Events published", "a second"],
  request_rate: ["API requests", "a second"],
  change_rate: ["Changes of endpoints", "a second"],
  test_rate: ["Tests", "a second"],
  retry_rate: ["Manual retries", "a second"],
  min_retry_delay: ["Shortest delay before a retry", ""],
  target_requests: ["Failed requests to one host", "an hour"],
  endpoints: ["Endpoints", ""],
  keys: ["Keys", ""],
  jobs: ["Jobs at once", ""],
  stored_events: ["Stored events", ""],
  event_retention: ["How long events are kept", ""],
  fan_out: ["Deliveries that wait to be stored", ""],
  configuration_bytes: ["Size of the configuration", "bytes"],
  attempt_details: ["Attempts kept with details, of a delivery", ""],
  audit_entries: ["New entries in the audit log", "a day"],
};

/** changed returns what to send: own values that were typed, and null for those that were removed. Wrong ones are named. */
export function changed(base: Readonly<Partial<Record<LimitName, string>>>, typed: Readonly<Partial<Record<LimitName, string>>>): { limits: Record<string, number | string | null>; wrong: LimitName[] } {
  const limits: Record<string, number | string | null> = {};
  const wrong: LimitName[] = [];
  for (const [name, text] of Object.entries(typed) as [LimitName, string][]) {
    const value = text.trim();
    if (value === (base[name] ?? "")) continue;
    if (value === "") limits[name] = null;
    else if (name === "min_retry_delay" || name === "event_retention") limits[name] = value;
    else if (Number.isFinite(Number(value)) && Number(value) >= 0) limits[name] = Number(value);
    else wrong.push(name);
  }
  return { limits, wrong };
}
