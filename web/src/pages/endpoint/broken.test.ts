import { expect, test } from "vitest";
import { brokenSince } from "./broken";

const hours = (...counts: [hour: number, succeeded: number, failed: number][]) =>
  counts.map(([hour, succeeded, failed]) => ({ at: `2026-01-02T${String(hour).padStart(2, "0")}:00:00Z`, succeeded, failed }));

const at = (hour: number) => Date.parse(`2026-01-02T${String(hour).padStart(2, "0")}:00:00Z`);

test.each([
  ["nothing failed", hours([1, 5, 0], [2, 5, 0]), undefined],
  ["there was no attempt", [], undefined],
  ["all failed", hours([1, 0, 5], [2, 0, 5]), at(1)],
  ["it broke within an hour and was repaired within another", hours([1, 9, 0], [2, 4, 3], [3, 0, 7], [4, 0, 7], [5, 2, 5], [6, 9, 0]), at(2)],
  ["it broke and was repaired within one hour", hours([1, 9, 0], [2, 4, 3], [3, 9, 0]), at(2)],
  ["there was no attempt for some hours", hours([1, 9, 0], [2, 0, 3], [8, 0, 3], [9, 5, 1]), at(2)],
  ["an earlier failure was over", hours([1, 0, 3], [2, 9, 0], [3, 0, 5]), at(3)],
])("%s", (_name, rows, want) => expect(brokenSince(rows)).toBe(want));
