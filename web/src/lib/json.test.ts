import { describe, expect, test } from "vitest";
import { items, member, pretty, prettyText, problem, scan, takeOut } from "./json";

const text = '{"b": 9007199254740993, "2":1.0,"1":[ ],"a":{"é\\u00e9\\"":"x\\/y","n":[1E400,-0.0,true,null]}}';

test("nothing of a text is lost", () => {
  for (const any of [text, "", "not json {", '"open', "{]}[,:", "\u0000\u202e", "- 1", "'single'"]) {
    expect([...scan(any)].map((piece) => piece.text).join("")).toBe(any);
  }
});

test("pretty keeps digits, escapes and order", () => {
  expect(prettyText(text)).toBe(
    [
      "{",
      '  "b": 9007199254740993,',
      '  "2": 1.0,',
      '  "1": [],',
      '  "a": {',
      '    "é\\u00e9\\"": "x\\/y",',
      '    "n": [',
      "      1E400,",
      "      -0.0,",
      "      true,",
      "      null",
      "    ]",
      "  }",
      "}",
    ].join("\n"),
  );
});

test("keys are told from strings", () => {
  const kinds = [...scan('{"a" : "b"}')].filter((piece) => piece.kind !== "space").map((piece) => piece.kind);
  expect(kinds).toEqual(["punct", "key", "punct", "string", "punct"]);
});

describe("member", () => {
  test.each([
    ['{"x":{"data":1},"data": {"n": 1.0} , "y":2}', '{"n": 1.0}'],
    ['{"data":"a,}b"}', '"a,}b"'],
    ['{"d\\u0061ta":[1,{"data":2}]}', '[1,{"data":2}]'],
    ['{"x":"data","data":null}', "null"],
    ['{"x":1}', undefined],
    ["[1]", undefined],
    ["", undefined],
  ])("of %s is %s", (object, want) => expect(member(object, "data")).toBe(want));
});

test.each([
  ['{"type":"a.b","data":"data","n":1}', '"data"', '{"type":"a.b","data":null,"n":1}'],
  ['{"type":"data","data":{"data":1.0}}', '{"data":1.0}', '{"type":"data","data":null}'],
  ['{"id":"1","data":1}', "1", '{"id":"1","data":null}'],
  ['{"key":"\\"data\\":7","data": 7 }', "7", '{"key":"\\"data\\":7","data": null }'],
  ['{"d\\u0061ta":"a"}', '"a"', '{"d\\u0061ta":null}'],
  ['{"n":null}', "null", '{"n":null}'],
])("out of %s", (object, value, rest) => expect(takeOut(object, "data")).toEqual({ value, rest }));

test("items of an array", () => {
  expect(items('[ {"a":[1,2]} , 1.0,"x,y", []]')).toEqual(['{"a":[1,2]}', "1.0", '"x,y"', "[]"]);
  expect(items("[]")).toEqual([]);
});

test("10,000 levels and a mebibyte are lines like others", () => {
  const deep = "[".repeat(10_000) + "]".repeat(10_000);
  expect(pretty(deep)).toHaveLength(19_999);
  expect(prettyText(deep).length).toBeLessThan(4_000_000);
  expect(member(`{"data":${deep}}`, "data")).toBe(deep);
  const long = `{"data":"${"x".repeat(1 << 20)}"}`;
  expect(pretty(long)).toHaveLength(3);
});

describe("problem", () => {
  test.each(['{"a":[1,{}],"b":""}', "[]", " 1 ", '"x"', "null", "-0.5e3"])("%s is JSON", (valid) =>
    expect(problem(valid)).toBeUndefined(),
  );
  test.each([
    ['{\n  "a": x\n}', "expected a value, not x", 2, 8],
    ['{"a":1,}', "expected a name in double quotes, not }", 1, 8],
    ["[1 2]", "expected a comma or ], not 2", 1, 4],
    ['{"a" 1}', "expected a colon, not 1", 1, 6],
    ["[01]", "expected a value, not 01", 1, 2],
    ["1 1", "expected nothing after the value", 1, 3],
    ['["open', "this text does not end, or has a character that must be escaped", 1, 2],
    ['{"a":[', "ends too early: ] is missing", 1, 7],
    ["", "ends too early: a value is missing", 1, 1],
    ["[}", "expected a value, not }", 1, 2],
  ])("of %s", (invalid, message, line, column) => expect(problem(invalid)).toEqual({ message, line, column }));
});
