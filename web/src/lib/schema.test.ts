import { expect, test } from "vitest";
import { fields, parse } from "./schema";

const of = (text: string) => {
  const root = parse(text);
  return fields(root, root);
};

test("members keep their order, and numbers their digits", () => {
  const found = of('{"type":"object","required":["b"],"properties":{"b":{"type":"integer","maximum":9007199254740993},"2":{"type":["string","null"]},"1":{"enum":["x",1.0]}}}');
  expect(found.map(({ name, type, required, rules }) => [name, type, required, rules])).toEqual([
    ["b", "integer", true, ["at most 9007199254740993"]],
    ["2", "string or null", false, []],
    ["1", "value", false, ['one of "x", 1.0']],
  ]);
});

test("arrays and nested objects lead on", () => {
  const root = parse('{"properties":{"lines":{"type":"array","items":{"type":"object","properties":{"sku":{"type":"string","pattern":"^a"}}}}}}');
  const [lines] = fields(root, root);
  expect(lines?.type).toBe("array of object");
  expect(fields(lines?.inner, root)).toMatchObject([{ name: "sku", rules: ["matches ^a"] }]);
});

test("alternatives are counted, and say what each asks for", () => {
  const found = of('{"anyOf":[{"required":["iban"]},{"required":["card","cvc"]},{}],"allOf":[{"type":"object","minimum":1}],"oneOf":[{"type":"string"}]}');
  expect(found.map(({ name, type, rules }) => [name, type, rules])).toEqual([
    ["rule 1", "string", []],
    ["choice 1 of 3", "object", ["has iban"]],
    ["choice 2 of 3", "object", ["has card, cvc"]],
    ["choice 3 of 3", "any value", []],
    ["rule 1", "object", ["at least 1"]],
  ]);
});

test("references are followed, also in circles", () => {
  const root = parse('{"$ref":"#/$defs/node","$defs":{"node":{"properties":{"next":{"$ref":"#/$defs/node"},"self":{"$ref":"#/$defs/self"}}},"self":{"$ref":"#/$defs/self"}}}');
  let level = fields(root, root);
  for (let i = 0; i < 5; i++) {
    expect(level.map(({ name }) => name)).toEqual(["next", "self"]);
    level = fields(level[0]?.inner, root);
  }
});

test("what is no schema has no fields", () => {
  expect(of("true")).toEqual([]);
  expect(of("null")).toEqual([]);
  expect(parse("{")).toBeUndefined();
  expect(parse("")).toBeUndefined();
  expect(parse("[".repeat(10_000) + "]".repeat(10_000))).toBeDefined();
});
