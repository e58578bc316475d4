import { expect, test } from "vitest";
import { type Draft, patchOf } from "./form";

const base: Draft = {
  url: "https://example.com/hooks",
  description: "Orders",
  events: "order.*",
  filter: "",
  on_error: "deliver",
  timeout: "15s",
  rate_limit: "",
  max_in_flight: "64",
  ordering: "none",
  auto_disable_after: "120h",
  retry: "{}",
  signing: "hmac",
  headers: "",
};

test("only what is changed is sent", () => {
  expect(patchOf(base, base)).toEqual({ patch: {}, mistakes: [] });
  expect(patchOf(base, { ...base, events: "order.*, card.created\n", rate_limit: "2.5", headers: "X-A:b:c\n:\nX-D:  e" })).toEqual({
    patch: { events: ["order.*", "card.created"], rate_limit: 2.5, headers: { "X-A": "b:c", "X-D": "e" } },
    mistakes: [],
  });
});

test("an empty input clears", () => {
  const set = { ...base, filter: "data.amount > 5", rate_limit: "3" };
  expect(patchOf(set, { ...set, filter: " ", rate_limit: "" }).patch).toEqual({ filter: null, rate_limit: null });
});

test("mistakes name their field", () => {
  expect(patchOf(base, { ...base, max_in_flight: "many", retry: "{", headers: ":nameless" }).mistakes.map((mistake) => mistake.field)).toEqual(["max_in_flight", "retry", "headers"]);
});

test("a header that was not touched keeps its value", () => {
  const stored = { ...base, headers: "X-A:[redacted]\nX-B:[redacted]" };
  expect(patchOf(stored, { ...stored, headers: "X-A:[redacted]\nX-B:new" }).patch).toEqual({ headers: { "X-A": "[redacted]", "X-B": "new" } });
  expect(patchOf(stored, { ...stored, headers: `${stored.headers}\nX-A:2` }).mistakes.map((mistake) => mistake.field)).toEqual(["headers"]);
});
