import { expect, test } from "vitest";
import { bytes, human, percent, plural } from "./numbers";

test.each([
  [0, "0"],
  [950, "950"],
  [1000, "1 k"],
  [12_432, "12.4 k"],
  [999_400, "999 k"],
  [999_600, "1 M"],
  [3_100_000, "3.1 M"],
  [Number.NaN, "–"],
])("human(%d) is %s", (n, want) => expect(human(n)).toBe(want));

test("bytes", () => {
  expect(bytes(812)).toBe("812 B");
  expect(bytes(3500)).toBe("3.4 KiB");
  expect(bytes(1 << 20)).toBe("1 MiB");
});

test("percent does not round to all or nothing", () => {
  expect(percent(0, 10)).toBe("0 %");
  expect(percent(10, 10)).toBe("100 %");
  expect(percent(99_999, 100_000)).toBe(">99.9 %");
  expect(percent(1, 100_000)).toBe("<0.1 %");
  expect(percent(0, 0)).toBe("–");
});

test("plural", () => {
  expect(plural(1, "attempt")).toBe("1 attempt");
  expect(plural(1234, "delivery", "deliveries")).toBe("1,234 deliveries");
});
