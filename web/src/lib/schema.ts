import { scan } from "./json";

/** JSON Schemas as trees of fields. They are read from their text, so that order and digits stay as they were written. */

export type Node = { text: string; members?: Map<string, Node>; items?: Node[] };

/** parse reads a JSON text as a tree of texts; undefined if it is none. It is a loop: depth costs no stack. */
export function parse(text: string): Node | undefined {
  const root: Node = { text: "", items: [] };
  const open: { node: Node; name?: string | undefined; from: number }[] = [{ node: root, from: 0 }];
  let at = 0;
  for (const piece of scan(text)) {
    const start = at;
    at += piece.text.length;
    const inside = open.at(-1);
    if (!inside) return undefined;
    if (piece.kind === "space" || piece.text === ":" || piece.text === ",") continue;
    if (piece.kind === "key") {
      inside.name = word(piece.text);
      continue;
    }
    if (piece.text === "}" || piece.text === "]") {
      if (open.length === 1) return undefined;
      inside.node.text = text.slice(inside.from, at);
      open.pop();
      continue;
    }
    const node: Node = { text: piece.text };
    if (inside.node.members) inside.node.members.set(inside.name ?? "", node);
    else inside.node.items?.push(node);
    if (piece.text === "{") open.push({ node: Object.assign(node, { members: new Map() }), from: start });
    else if (piece.text === "[") open.push({ node: Object.assign(node, { items: [] }), from: start });
  }
  return open.length === 1 && root.items?.length === 1 ? root.items[0] : undefined;
}

/** word returns the text of a JSON string. */
export function word(text: string | undefined): string {
  if (!text?.startsWith('"')) return text ?? "";
  try {
    return JSON.parse(text) as string;
  } catch {
    return text;
  }
}

export type SchemaField = {
  name: string;
  type: string;
  required: boolean;
  description: string;
  /** What the value must be besides its type: "1 or more", "matches ^cus_". */
  rules: string[];
  /** The schema whose fields are below this one; fields(inner) returns them. */
  inner: Node | undefined;
};

const rules: [string, (value: string) => string][] = [
  ["const", (value) => `is ${value}`],
  ["format", (value) => word(value)],
  ["pattern", (value) => `matches ${word(value)}`],
  ["minimum", (value) => `at least ${value}`],
  ["exclusiveMinimum", (value) => `more than ${value}`],
  ["maximum", (value) => `at most ${value}`],
  ["exclusiveMaximum", (value) => `less than ${value}`],
  ["multipleOf", (value) => `a multiple of ${value}`],
  ["minLength", (value) => `${value} characters or more`],
  ["maxLength", (value) => `${value} characters at most`],
  ["minItems", (value) => `${value} items or more`],
  ["maxItems", (value) => `${value} items at most`],
  ["uniqueItems", (value) => (value === "true" ? "no item twice" : "")],
  ["default", (value) => `${value} if it is left out`],
];

/** fields returns what a schema says of an object's members, or of an array's items. References are followed within root. */
export function fields(schema: Node | undefined, root: Node | undefined): SchemaField[] {
  const here = resolve(schema, root);
  if (!here?.members) return [];
  const required = new Set((here.members.get("required")?.items ?? []).map((item) => word(item.text)));
  const found: SchemaField[] = [];
  for (const [name, node] of here.members.get("properties")?.members ?? []) found.push(field(name, node, root, required.has(name)));
  for (const [name, node] of here.members.get("patternProperties")?.members ?? []) found.push(field(`/${name}/`, node, root, false));
  const others = here.members.get("additionalProperties");
  if (others?.members) found.push(field("any other", others, root, false));
  const items = here.members.get("items");
  if (items?.members) found.push(field("each item", items, root, false));
  (here.members.get("prefixItems")?.items ?? []).forEach((node, i) => found.push(field(`item ${i + 1}`, node, root, false)));
  for (const keyword of ["oneOf", "anyOf", "allOf"] as const) {
    const parts = here.members.get(keyword)?.items ?? [];
    const choice = keyword !== "allOf" && parts.length > 1;
    parts.forEach((node, i) => found.push(field(choice ? `choice ${i + 1} of ${parts.length}` : `rule ${i + 1}`, node, root, false)));
  }
  return found;
}

function field(name: string, node: Node, root: Node | undefined, required: boolean): SchemaField {
  const schema = resolve(node, root);
  const members = schema?.members;
  const inner = inside(schema, root);
  return {
    name,
    type: typeOf(schema, root),
    required,
    description: word(members?.get("description")?.text ?? node.members?.get("description")?.text),
    rules: [
      ...(members?.has("required") && !members.has("properties") ? [`has ${listed(members.get("required"))}`] : []),
      ...(members?.get("enum")?.items ? [`one of ${members.get("enum")?.items?.map((item) => item.text).join(", ")}`] : []),
      ...rules.flatMap(([keyword, say]) => {
        const value = members?.get(keyword);
        const text = value && say(value.text);
        return text ? [text] : [];
      }),
    ],
    inner,
  };
}

/** listed returns the names that a schema lists, such as those of members that must be there. */
function listed(names: Node | undefined): string {
  return (names?.items ?? []).map((item) => word(item.text)).join(", ");
}

/** inside returns the schema that has the fields of a field: its own, or that of its items. */
function inside(schema: Node | undefined, root: Node | undefined): Node | undefined {
  const items = resolve(schema?.members?.get("items"), root);
  if (items && fields(items, root).length > 0 && !schema?.members?.has("properties")) return items;
  const named = ["properties", "patternProperties", "prefixItems", "oneOf", "anyOf", "allOf"].some((keyword) => schema?.members?.has(keyword));
  return named || schema?.members?.get("additionalProperties")?.members ? schema : undefined;
}

function typeOf(schema: Node | undefined, root: Node | undefined): string {
  const members = schema?.members;
  if (!members) return schema?.text === "false" ? "never" : "any value";
  const type = members.get("type");
  const names = type?.items ? type.items.map((item) => word(item.text)) : type ? [word(type.text)] : [];
  if (names.includes("array")) {
    const items = resolve(members.get("items"), root);
    const of = items?.members ? typeOf(items, root) : "any value";
    return names.map((name) => (name === "array" ? `array of ${of}` : name)).join(" or ");
  }
  if (names.length > 0) return names.join(" or ");
  if (members.has("enum") || members.has("const")) return "value";
  if (members.has("properties") || members.has("required")) return "object";
  return members.has("oneOf") || members.has("anyOf") ? "one of several" : "any value";
}

/** resolve follows references within the schema, a few at most: they may lead in circles. */
function resolve(node: Node | undefined, root: Node | undefined): Node | undefined {
  let here = node;
  for (let i = 0; i < 8; i++) {
    const reference = here?.members?.get("$ref");
    if (!reference) return here;
    const path = word(reference.text);
    if (!path.startsWith("#")) return here;
    let target = root;
    for (const part of path.slice(1).split("/").filter(Boolean)) {
      const name = decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~");
      target = target?.members?.get(name) ?? target?.items?.[Number(name)];
    }
    if (!target) return here;
    here = target;
  }
  return here;
}
