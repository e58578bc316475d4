import { expect, test } from "vitest";
import { generate, generated, middle, sentence, shell, spellings, visible } from "./text";

test("middle keeps both ends", () => {
  expect(middle("ep_0198c7a3f2e47d0a9b1c2d3e4f506172")).toBe("ep_0198c7…506172");
  expect(middle("acme")).toBe("acme");
});

test("visible shows what hides", () => expect(visible("a\u0000b\u202ec\td\n")).toBe("a\\u0000b\\u202ec\td\n"));

test("shell quotes", () => {
  expect(shell("https://example.com/hooks")).toBe("https://example.com/hooks");
  expect(shell("it's; rm")).toBe("'it'\\''s; rm'");
});

test("sentence", () => {
  expect(sentence("must be an absolute URL")).toBe("Must be an absolute URL.");
  expect(sentence("url.path is wrong")).toBe("url.path is wrong.");
  expect(sentence("Is there?")).toBe("Is there?");
});

test("spellings of an id begin with the one that was typed, and are three at most", () => {
  expect(spellings("order 42")).toEqual(["order 42", "order-42", "order_42"]);
  expect(spellings("order-42")).toEqual(["order-42", "order_42"]);
  expect(spellings("in1")).toEqual(["in1"]);
});

test.each([
  ["auto_ABCDEFGHIJKLMNOPQRSTUVWX23", true],
  ["auto_0198c7a3-f2e4-7d0a-9b1c-2d3e4f506172", true],
  ["auto_parts-42", false],
  ["order-42", false],
])("whether a client made the key %s", (key, want) => expect(generated(key)).toBe(want));

test("a key that is made is recognized, and is another one each time", () => {
  const keys = Array.from({ length: 50 }, generate);
  expect(keys.filter(generated)).toHaveLength(50);
  expect(new Set(keys).size).toBe(50);
});
