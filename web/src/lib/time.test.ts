import { describe, expect, test, vi } from "vitest";
import { clock, duration, exact, forAddress, left, parseSpan, parseTime, relative, resolved, rfc3339, span, zoneName } from "./time";

const now = Date.UTC(2026, 10, 27, 12, 0, 0);

describe("relative", () => {
  test.each([
    [0, "now"],
    [4_999, "now"],
    [-3_000, "now"], // the server's clock is ahead of the browser's
    [12_000, "12 s ago"],
    [59_999, "59 s ago"],
    [60_000, "1 min ago"],
    [3_600_000, "1 h ago"],
    [47 * 3_600_000, "47 h ago"],
    [48 * 3_600_000, "2 d ago"],
    [-90_000, "in 1 min"],
  ])("%d ms ago is %s", (past, want) => expect(relative(now - past, now)).toBe(want));
});

describe("duration", () => {
  test.each([
    [-5, "0 ms"],
    [Number.NaN, "0 ms"],
    [0, "0 ms"],
    [0.42, "0.4 ms"],
    [12.4, "12 ms"],
    [999.6, "1 s"],
    [15_000, "15 s"],
    [1_254, "1.25 s"],
    [125_000, "2 min 5 s"],
    [7_200_000, "2 h"],
  ])("%d is %s", (ms, want) => expect(duration(ms)).toBe(want));
});

test("a span is never negative", () => expect(span(-1)).toBe("0 s"));

test("exact names its zone", () => {
  expect(exact(now, "utc")).toBe("2026-11-27 12:00:00.000 UTC");
  expect(exact(now, "local")).toMatch(/^2026-11-2[678] \d\d:\d\d:\d\d\.000 [+−]\d\d:\d\d$/);
  expect(exact(Number.NaN, "utc")).toBe("unknown");
});

test("clock leaves out today's date", () => {
  expect(clock(now - 1000, now, "utc")).toBe("11:59:59");
  expect(clock(now - 86_400_000, now, "utc")).toBe("2026-11-26 12:00");
});

test("parseSpan", () => {
  expect(parseSpan("15m")).toBe(900_000);
  expect(parseSpan("0h")).toBeUndefined();
  expect(parseSpan("h")).toBeUndefined();
  expect(parseSpan("-1h")).toBeUndefined();
});

test("parseTime", () => {
  expect(parseTime("1h", now, "local")).toBe(now - 3_600_000);
  for (const text of ["2026-11-27T11:00:00Z", "2026-11-27 11:00", "2026-11-27T11:00", "2026-11-27T12:00+01:00"]) expect(parseTime(text, now, "utc"), text).toBe(now - 3_600_000);
  expect(parseTime("2026-11-27", now, "utc")).toBe(now - 12 * 3_600_000);
  for (const text of ["yesterday", "2026-99-99", "2026-02-31", "2026-11-27T25:00", "2026-11-27 and more", ""]) expect(parseTime(text, now, "utc"), text).toBeUndefined();
});

test("what is typed without a zone is of the one that is switched on", () => {
  const local = (...at: [number, number, number, number?, number?]) => new Date(...at).getTime();
  expect(parseTime("2026-11-27 11:30", now, "local")).toBe(local(2026, 10, 27, 11, 30));
  expect(parseTime("2026-11-27", now, "local")).toBe(local(2026, 10, 27));
  expect(parseTime("2026-11-27T11:00:00Z", now, "local")).toBe(now - 3_600_000);
});

test("what the pages show of a time can be typed", () => {
  for (const zone of ["utc", "local"] as const) {
    const shown = [exact(now, zone), resolved(rfc3339(now), now, zone) ?? ""];
    for (const text of shown) expect(parseTime(text, now, zone), text).toBe(now);
  }
  for (const text of ["2026-01-31 12:30 UTC", "2026-01-31T12:30UTC", "2026-01-31 18:00 UTC+5:30", "2026-01-31 07:30 UTC−5", "2026-01-31 07:30 −05:00"]) {
    expect(parseTime(text, now, "local"), text).toBe(Date.parse("2026-01-31T12:30:00Z"));
  }
});

test("an address has a span as it was typed, and any other time in UTC", () => {
  expect(forAddress(" 24h ", now, "local")).toBe("24h");
  expect(forAddress("2026-11-27", now, "utc")).toBe("2026-11-27T00:00:00Z");
  expect(forAddress("2026-11-27 12:00+02:00", now, "local")).toBe("2026-11-27T10:00:00Z");
});

test("a time that was typed is told with its zone", () => {
  expect(resolved("1h", now, "utc")).toBe("2026-11-27 11:00:00 UTC");
  expect(resolved("2026-11-27", now, "local")).toMatch(/^2026-11-27 00:00:00 UTC/);
  expect(resolved("yesterday", now, "utc")).toBeUndefined();
});

test("rfc3339 has whole seconds", () => expect(rfc3339(now + 1_234)).toBe("2026-11-27T12:00:01Z"));

test("a time of day names its zone", () => {
  const minutes = vi.spyOn(Date.prototype, "getTimezoneOffset");
  const name = (offset: number) => (minutes.mockReturnValue(offset), zoneName(now, "local"));
  expect([name(0), name(-120), name(-330), name(300)]).toEqual(["UTC", "UTC+2", "UTC+5:30", "UTC−5"]);
  expect(zoneName(now, "utc")).toBe("UTC");
  minutes.mockRestore();
});

test("what is left is measured by the clock of the server", () => {
  expect(left("2026-11-27T12:00:00Z", "Fri, 27 Nov 2026 11:00:00 GMT")).toBe(3_600_000);
  expect(left("2026-11-27T12:00:00Z", "Fri, 27 Nov 2026 13:00:00 GMT")).toBe(0);
  expect(left("2026-11-27T12:00:00Z", null)).toBeUndefined();
});
