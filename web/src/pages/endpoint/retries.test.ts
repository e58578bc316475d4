import { expect, test } from "vitest";
import { delays, formOf, inForm, milliseconds, policyOf, presets, preview, textOf, typedNumber, withNumbers } from "./retries";

test.each([
  ["5s", 5000],
  ["1h30m", 5_400_000],
  ["2d", 172_800_000],
  ["0.5s", 500],
  ["250ms", 250],
  ["", undefined],
  ["5", undefined],
  ["5s later", undefined],
])("the duration %s", (text, want) => expect(milliseconds(text)).toBe(want));

test("a preview says when attempts are made, and when it ends", () => {
  expect(preview({ schedule: [] })).toBe("One attempt. If it fails, the delivery is exhausted.");
  expect(preview({ schedule: ["5s", "5m"] })).toBe("3 attempts, at 0 s, 5 s, 5 min 5 s. Then the delivery is exhausted.");
  expect(preview({ interval: "1h", count: 24 })).toBe("25 attempts, at 0 s, 1 h, 2 h, 3 h, 4 h, …, 24 h. Then the delivery is exhausted.");
  expect(preview({ schedule: ["5s"], jitter: 0.2 })).toBe("2 attempts, at 0 s, 5 s, each varied a little. Then the delivery is exhausted.");
  expect(preview({ schedule: ["soon"] })).toBeUndefined();
});

test("growing delays end with max_elapsed, as the engine's do", () => {
  expect(delays({ initial: "10s", factor: 2, max_interval: "30s", max_elapsed: "2m" })).toEqual([10_000, 20_000, 30_000, 30_000, 30_000]);
  expect(delays({ initial: "1s", factor: 1, max_elapsed: "1d" })).toHaveLength(100);
});

test("each preset and each form has a preview, and stays itself as text", () => {
  for (const [, policy] of presets) {
    expect(preview(policy)).toBeDefined();
    expect(policyOf(textOf(policy))).toEqual(policy);
  }
  for (const form of ["schedule", "interval", "growing"] as const) {
    const policy = inForm(form, { schedule: [], jitter: 0.3 });
    expect([formOf(policy), policy.jitter]).toEqual([form, 0.3]);
    expect(preview(policy)).toBeDefined();
  }
});

test("numbers are kept as they are typed, and saved as numbers", () => {
  const typed = ["1", "1.", "1.5", "1.50", "", "1,5", "-"].map(typedNumber);
  expect(typed).toEqual([1, "1.", 1.5, "1.50", "", "1,5", "-"]);
  const policy = (factor: number) => ({ initial: "5s", factor, max_elapsed: "1m" });
  expect(typed.map((factor) => withNumbers(policy(factor)).factor)).toEqual([1, 1, 1.5, 1.5, "", "1,5", "-"]);
  expect(preview(policy(typedNumber("1.50")))).toBe(preview(policy(1.5)));
  expect(preview({ schedule: ["5s"], jitter: typedNumber("0.") })).toBe("2 attempts, at 0 s, 5 s. Then the delivery is exhausted.");
  expect(preview({ schedule: ["5s"], jitter: 2 })).toBeUndefined();
});
