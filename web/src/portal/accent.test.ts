import { expect, test } from "vitest";
import { luminance, properties } from "./accent";

test("luminance is that of WCAG", () => {
  expect(luminance("#000000")).toBe(0);
  expect(luminance("#ffffff")).toBeCloseTo(1);
  expect(luminance("#808080")).toBeCloseTo(0.2159, 3);
});

test("words on the accent are dark where it is light", () => {
  expect(properties("#ffdd00")["--on-accent"]).toBe("#111111");
  expect(properties("#3358d4")["--on-accent"]).toBe("#ffffff");
});
