import { expect, test } from "vitest";
import { phases } from "./Waterfall";

const sum = (timings: Parameters<typeof phases>[0]) => phases(timings).reduce((all, phase) => all + phase.took, 0);

test("the phases are the whole", () => {
  const timings = { dns: 2, connect: 3, tls: 10, first_byte: 40, total: 50 };
  expect(phases(timings).map((phase) => [phase.name, phase.took])).toEqual([
    ["DNS", 2],
    ["Connect", 3],
    ["TLS", 10],
    ["First byte", 25],
    ["Body", 10],
  ]);
  expect(sum(timings)).toBe(50);
});

test("an attempt that got no answer", () => {
  const timings = { dns: 1, connect: 0, tls: 0, first_byte: 0, total: 15_000 };
  expect(phases(timings).at(-1)).toMatchObject({ name: "No answer", took: 14_999 });
});

test("no phase is negative, however clocks ran", () => {
  const timings = { dns: -1, connect: 90, tls: 5, first_byte: 3, total: 50 };
  expect(phases(timings).every((phase) => phase.took >= 0)).toBe(true);
  expect(sum(timings)).toBe(50);
});
