import type { Schemas } from "@/api/client";

type Row = Pick<Schemas["StatisticsRow"], "at" | "succeeded" | "failed">;

/**
 * brokenSince returns the beginning of the hour in which an endpoint began to fail the last time that it did; undefined if no
 * attempt failed. Rows have one hour each, oldest first. Hours without an attempt do not end a failure.
 */
export function brokenSince(rows: readonly Row[]): number | undefined {
  const last = rows.findLastIndex((row) => row.failed > 0);
  let first = last;
  // The last hour may have what was acknowledged after the failure. In an earlier one, that was before it.
  while (first > 0 && (rows[first - 1]?.failed ?? 0) > 0 && (first === last || rows[first]?.succeeded === 0)) first--;
  const row = rows[first];
  return row && Date.parse(row.at);
}
