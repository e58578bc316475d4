import { expect, test } from "vitest";
import { Once } from "./once";
import { generated } from "./text";

test("what got no answer is asked for with the same key, and what succeeded with another", () => {
  const once = new Once();
  const first = once.key("/jobs/a/retry\n{}", 0);
  expect(generated(first)).toBe(true);
  expect(once.key("/jobs/a/retry\n{}", 60_000)).toBe(first);
  expect(once.key('/jobs/a/retry\n{"restart":true}', 60_000)).not.toBe(first);
  once.done("/jobs/a/retry", first);
  expect(once.key("/jobs/a/retry\n{}", 120_000)).not.toBe(first);
});

test("what is asked for much later is meant once more", () => {
  const once = new Once();
  const first = once.key("/jobs/a/retry\n{}", 0);
  expect(once.key("/jobs/a/retry\n{}", 61_000)).not.toBe(first);
});

test("what is asked for again after another change of the same thing is meant once more", () => {
  const once = new Once();
  const resume = once.key("/jobs/a/resume\n", 0);
  const other = once.key("/jobs/b/resume\n", 0);
  const create = once.key("/tenants/acme/endpoints\n{}", 0);
  once.done("/jobs/a/pause", null);
  expect(once.key("/jobs/a/resume\n", 1)).not.toBe(resume);
  expect(once.key("/jobs/b/resume\n", 1)).toBe(other);
  once.done("/tenants/globex/endpoints/ep_1", null);
  expect(once.key("/tenants/acme/endpoints\n{}", 1)).toBe(create);
  once.done("/tenants/acme/endpoints/ep_1", null);
  expect(once.key("/tenants/acme/endpoints\n{}", 1)).not.toBe(create);
});
