import { expect, test } from "vitest";
import { activityBy, bars, latency, series, totals } from "./series";

const start = Date.UTC(2026, 10, 27, 12);
const row = (minute: number, succeeded: number, failed: number) => ({
  at: new Date(start + minute * 60_000).toISOString(),
  attempts: succeeded + failed,
  succeeded,
  failed,
  published: succeeded,
  p50_ms: 5,
  p99_ms: 50,
});

test("intervals without a row are zero, and have no latency", () => {
  const got = series([row(0, 6, 0), row(2, 3, 1)], start + 1000, start + 3 * 60_000, "minute");
  expect(got.times).toHaveLength(3);
  expect(got.succeeded).toEqual([6, 0, 3]);
  expect(got.failed).toEqual([0, 0, 1]);
  expect(got.p99).toEqual([50, null, 50]);
});

test("an interval that has just begun is left out", () => {
  expect(series([row(1, 1, 0)], start, start + 70_000, "minute").times).toHaveLength(1);
});

test("hours are rates a minute, by what is past of them", () => {
  expect(series([row(0, 120, 0)], start, start + 3_600_000, "hour").succeeded).toEqual([2]);
  expect(series([row(0, 120, 0)], start, start + 1_800_000, "hour").succeeded).toEqual([4]);
});

test("totals", () => expect(totals([row(0, 6, 0), row(2, 3, 1)])).toEqual({ published: 9, attempts: 10, succeeded: 9, failed: 1 }));

test("bars end with the present one, and leave out what is older", () => {
  expect(bars([row(-9, 9, 9), row(1, 2, 0), row(2, 3, 1)], start + 130_000, "minute", 3)).toEqual([
    { succeeded: 0, failed: 0 },
    { succeeded: 2, failed: 0 },
    { succeeded: 3, failed: 1 },
  ]);
});

test("latency is that of the newest interval that a chart shows", () => {
  const rows = [row(0, 1, 0), { ...row(1, 1, 0), p50_ms: 2, p99_ms: 9 }, { ...row(3, 1, 0), p99_ms: 900 }];
  const shown = series(rows, start, start + 3.2 * 60_000, "minute"); // the minute that has just begun is left out
  expect(latency(shown)).toEqual({ at: start + 60_000, p50: 2, p99: 9, worst: 50 });
  expect(latency(series([], start, start + 60_000, "minute"))).toBeUndefined();
});

test("what a group did is not known where it can be among the others", () => {
  const hour = (n: number) => ({ ...row(60 * n, 2, 1), published: null });
  const of = activityBy("endpoint", [{ ...hour(0), endpoint: "a" }, { ...hour(1), endpoint: "a" }, { ...hour(1), endpoint: "b" }, { ...hour(0), others: true }], start + 2 * 3_600_000);
  expect(of("a")).toMatchObject({ least: false });
  expect(of("b")).toMatchObject({ least: true });
  expect(of("c")).toBe("others");
  const tenant = activityBy("tenant", [{ ...hour(1), tenant: "a" }, { ...hour(0), others: true }], start + 2 * 3_600_000);
  expect(tenant("a")).toMatchObject({ least: false });
  expect(tenant("b")).toBe("others");
  const alone = activityBy("endpoint", [{ ...hour(0), endpoint: "a" }], start)("c");
  expect(alone).toMatchObject({ least: false, published: 0 });
  expect(alone !== "others" && totals(alone.bars.map((bar) => ({ ...hour(0), ...bar }))).succeeded).toBe(0);
});
