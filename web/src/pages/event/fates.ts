import type { Schemas } from "@/api/client";

export type Fate = Schemas["Explanation"];

/** sendable returns the endpoints that have a delivery of the event, which can be sent again, and those of them that have not acknowledged it. */
export function sendable(fates: readonly Fate[]): { missing: Fate[]; all: Fate[] } {
  const all = fates.filter(({ delivery }) => delivery !== null && delivery !== undefined);
  return { missing: all.filter(({ outcome }) => outcome !== "delivered"), all };
}
