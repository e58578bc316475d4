/** Event types as a tree by their dots, and the patterns that a selection in it is. */

export type Node = {
  /** The last part of its name. */
  label: string;
  /** The pattern that selects it: a name, or a prefix with a star for a group. */
  pattern: string;
  /** How many types it selects. */
  count: number;
  children: Node[];
};

/** treeOf returns the groups and types that contain a text, in the order of their names, with those about the webhooks themselves last. */
export function treeOf(names: readonly string[], search = ""): Node[] {
  const wanted = search.trim().toLowerCase();
  const found = [...names].filter((name) => name.toLowerCase().includes(wanted)).sort((a, b) => Number(about(a)) - Number(about(b)) || (a < b ? -1 : 1));
  return grow(found, "");
}

/** about reports whether a type is of operational events. */
function about(name: string): boolean {
  return name.startsWith("bellwire.");
}

function grow(names: readonly string[], prefix: string): Node[] {
  const groups = new Map<string, string[]>();
  for (const name of names) {
    const label = name.slice(prefix.length).split(".")[0] ?? "";
    groups.set(label, [...(groups.get(label) ?? []), name]);
  }
  return [...groups].flatMap(([label, members]) => {
    const name = prefix + label;
    const nodes: Node[] = [];
    if (members.includes(name)) nodes.push({ label, pattern: name, count: 1, children: [] });
    const below = members.filter((member) => member.startsWith(`${name}.`));
    if (below.length === 1 && below[0]) nodes.push({ label: below[0].slice(prefix.length), pattern: below[0], count: 1, children: [] });
    else if (below.length > 1) nodes.push({ label, pattern: `${name}.*`, count: below.length, children: grow(below, `${name}.`) });
    return nodes;
  });
}

/** covers reports whether a pattern selects all that another one selects. */
export function covers(pattern: string, other: string): boolean {
  if (pattern === other) return true;
  return pattern.endsWith("*") && other.startsWith(pattern.slice(0, -1));
}

/** toggle adds a pattern to a selection, without those that it makes needless, or removes it. */
export function toggle(selection: readonly string[], pattern: string): string[] {
  if (selection.includes(pattern)) return selection.filter((each) => each !== pattern);
  return [...selection.filter((each) => !covers(pattern, each)), pattern];
}

/** count returns how many types a selection has. */
export function count(names: readonly string[], selection: readonly string[]): number {
  return names.filter((name) => selection.some((pattern) => covers(pattern, name))).length;
}
