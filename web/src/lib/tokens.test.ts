import { expect, test } from "vitest";
import { format, fromParams, parse, toParams } from "./tokens";

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
