/** What the newest first page of a list has and the list does not show, and what the list shows and that page has no more. */
export type Changes = { fresh: number; gone: number };

/**
 * changes compares the ids that a list shows with those of its newest first page. What stands behind the last row that both have
 * may be of pages that are not loaded: it is new only if all are. What is shown behind that row is not of the first page: it is
 * gone only if that page is the whole list.
 */
export function changes(shown: readonly string[], newest: readonly string[], { allShown, whole }: { allShown: boolean; whole: boolean }): Changes {
  const known = new Set(shown);
  const listed = new Set(newest);
  const last = newest.findLastIndex((id) => known.has(id));
  const ahead = allShown || last < 0 ? newest : newest.slice(0, last);
  const span = whole ? shown : shown.slice(0, last < 0 ? 0 : shown.indexOf(newest[last] ?? ""));
  return { fresh: ahead.filter((id) => !known.has(id)).length, gone: span.filter((id) => !listed.has(id)).length };
}
