import { expect, test } from "vitest";
import { format, fromParams, parse, refusal, toParams } from "./tokens";

const keys = ["status", "type", "since"];

test("tokens and words", () => {
  expect(parse('status:exhausted order 42 TYPE:"card. x" since: foo:bar', keys)).toEqual({
    tokens: [
      { key: "status", value: "exhausted" },
      { key: "type", value: "card. x" },
    ],
    words: ["order", "42", "foo:bar"],
  });
});

test("an open quote ends at the end", () => expect(parse('type:"card', keys).tokens).toEqual([{ key: "type", value: "card" }]));

test("what is written is read back", () => {
  const tokens = [
    { key: "type", value: "a b" },
    { key: "status", value: "pending" },
  ];
  expect(parse(format(tokens), keys).tokens).toEqual(tokens);
});

test("the URL holds one value of each key and keeps the rest", () => {
  const params = toParams(new URLSearchParams("tab=x&type=old"), keys, [
    { key: "status", value: "pending" },
    { key: "status", value: "exhausted" },
  ]);
  expect(params.toString()).toBe("tab=x&status=exhausted");
  expect(fromParams(params, keys)).toEqual([{ key: "status", value: "exhausted" }]);
});

test.each([
  [{ key: "status", values: ["pending", "exhausted"] }, "exhausted", undefined],
  [{ key: "status", values: ["pending", "exhausted"] }, "exausted", "status:exausted is no filter. Use status: with pending or exhausted."],
  [{ key: "waiting", values: ["true"] }, "yes", "waiting:yes is no filter. Use waiting: with true."],
  [{ key: "status", values: ["200", "500"], more: "others" as const }, "418", undefined],
  [{ key: "type", values: async () => [] }, "no.such", undefined],
  [{ key: "key" }, "order 42", undefined],
  [{ key: "since", values: ["24h"], more: "times" as const }, "3d", undefined],
  [{ key: "since", values: ["24h"], more: "times" as const }, "2026-01-31", undefined],
  [{ key: "since", values: ["24h"], more: "times" as const }, "yesterday", "since:yesterday is no time. Use a span such as 24h, or a time such as 2026-01-31T12:30."],
])("whether %o takes %s", (key, value, want) => expect(refusal(key, value)).toBe(want));
