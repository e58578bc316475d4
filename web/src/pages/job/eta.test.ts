import { expect, test } from "vitest";
import { pace, remaining, remember } from "./eta";

test("the pace is that of the last minute", () => {
  let samples = remember([], { at: 0, handled: 0 });
  samples = remember(samples, { at: 30_000, handled: 3000 });
  expect(pace(samples)).toBe(100);
  samples = remember(samples, { at: 70_000, handled: 5000 });
  expect(samples.map((sample) => sample.at)).toEqual([30_000, 70_000]);
  expect(pace(samples)).toBe(50);
});

test("nothing is said of what has not been watched for long enough", () => {
  expect(pace([])).toBe(0);
  expect(pace([{ at: 0, handled: 0 }])).toBe(0);
  expect(
    pace([
      { at: 0, handled: 0 },
      { at: 1000, handled: 10 },
    ]),
  ).toBe(0);
});

test("a job that was begun again does not go backwards", () => {
  expect(remember([{ at: 0, handled: 500 }], { at: 1000, handled: 20 })).toEqual([{ at: 1000, handled: 20 }]);
});

test("the rest takes as long as the pace says", () => {
  expect(remaining(1000, 50)).toBe(20_000);
  expect(remaining(1000, 0)).toBeUndefined();
  expect(remaining(-5, 10)).toBe(0);
});
