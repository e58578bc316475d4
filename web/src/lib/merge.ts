/** Two people's changes of the same thing, member by member. */

export type Draft = Readonly<Record<string, string | boolean>>;

/** changed returns the names of what a draft changes of what it began with. */
export function changed<D extends Draft>(base: D, draft: D): (keyof D & string)[] {
  return Object.keys({ ...base, ...draft }).filter((name) => base[name] !== draft[name]);
}

/** rebase returns a draft on what somebody else has saved meanwhile: what the draft did not change becomes theirs. */
export function rebase<D extends Draft>(base: D, draft: D, theirs: D): D {
  return { ...theirs, ...pick(draft, changed(base, draft)) };
}

/** conflicts returns what both the draft and somebody else changed, differently. */
export function conflicts<D extends Draft>(base: D, draft: D, theirs: D): (keyof D & string)[] {
  const ours = new Set(changed(base, draft));
  return changed(base, theirs).filter((name) => ours.has(name) && draft[name] !== theirs[name]);
}

export function pick<D extends Draft>(draft: D, names: readonly (keyof D & string)[]): Partial<D> {
  return Object.fromEntries(names.map((name) => [name, draft[name]])) as Partial<D>;
}
