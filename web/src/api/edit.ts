import { type QueryKey, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { changed, conflicts, type Draft, pick, rebase } from "@/lib/merge";
import { ApiError, type Versioned } from "./client";

/** How often a save begins again because somebody else saved meanwhile. */
const most = 3;

/** What useEdit needs to know. */
type Source<T, D> = {
  /** Of the query that has the thing, and what it fetches. */
  queryKey: QueryKey;
  fetch: () => Promise<T>;
  draftOf: (it: T) => D;
};

/**
 * useEdit holds the draft of a thing that others may change meanwhile. What they save is taken over where the draft has no
 * change of its own. What both changed is clashing until resolve says whose stays.
 */
export function useEdit<T extends Versioned<unknown>, D extends Draft>(current: T, { queryKey, fetch, draftOf }: Source<T, D>) {
  const queries = useQueryClient();
  const [began, setBegan] = useState(current);
  const [draft, setDraft] = useState(() => draftOf(current));
  const [written, setWritten] = useState<{ etag: string; draft: D }>();
  const base = draftOf(began);
  const theirs = draftOf(current);
  const newer = current.etag !== began.etag;
  const own = newer && current.etag === written?.etag;
  const clashing = newer && !own ? conflicts(base, draft, theirs) : [];

  if (newer && clashing.length === 0) {
    setBegan(current);
    setDraft(rebase(own ? written.draft : base, draft, theirs)); // what was typed while it was saved stays
  }

  const resolve = (keep: "mine" | "theirs") => {
    const rebased = rebase(base, draft, theirs);
    setBegan(current);
    setDraft(keep === "mine" ? rebased : { ...rebased, ...pick(theirs, clashing) });
  };

  /** save writes the draft, with If-Match. It returns undefined if somebody else changed the same: that is clashing then. */
  const save = async (write: (draft: D, ifMatch: string) => Promise<T>): Promise<T | undefined> => {
    let at = began;
    let mine = draft;
    for (let tries = 1; ; tries++) {
      try {
        const saved = await write(mine, at.etag);
        setWritten({ etag: saved.etag, draft: mine });
        await queries.cancelQueries({ queryKey, exact: true });
        queries.setQueryData(queryKey, saved);
        return saved;
      } catch (error) {
        if (!(error instanceof ApiError) || error.status !== 412 || tries === most) throw error;
      }
      const now = await queries.fetchQuery({ queryKey, queryFn: fetch, staleTime: 0 });
      const [before, after] = [draftOf(at), draftOf(now)];
      if (conflicts(before, mine, after).length > 0) return undefined;
      mine = rebase(before, mine, after);
      at = now;
    }
  };

  return {
    draft,
    set: (change: Partial<D>) => setDraft((old) => ({ ...old, ...change })),
    undo: () => setDraft(base),
    base,
    theirs,
    changed: changed(base, draft),
    clashing,
    resolve,
    save,
  };
}

export type Edit<T extends Versioned<unknown>, D extends Draft> = ReturnType<typeof useEdit<T, D>>;
