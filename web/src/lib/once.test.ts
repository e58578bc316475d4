import { expect, test } from "vitest";
import { Once } from "./once";
import { generated } from "./text";

test("what got no answer is asked for with the same key, and what succeeded with another", () => {
  const once = new Once();
  const first = once.key("POST /retry {}", 0);
  expect(generated(first)).toBe(true);
  expect(once.key("POST /retry {}", 60_000)).toBe(first);
  expect(once.key('POST /retry {"restart":true}', 60_000)).not.toBe(first);
  once.done(first);
  expect(once.key("POST /retry {}", 120_000)).not.toBe(first);
});

test("what is asked for much later is meant once more", () => {
  const once = new Once();
  const first = once.key("POST /retry {}", 0);
  expect(once.key("POST /retry {}", 601_000)).not.toBe(first);
});
