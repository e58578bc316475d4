import { keepPreviousData, type QueryKey, useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useMemo, useRef } from "react";
import { changes } from "@/lib/list";
import { useLive } from "@/parts/Live";
import { useToast } from "@/parts/Toast";
import type { ApiError } from "./problem";

/** Page is a part of a list. Of one that is searched, searched_to says how far back. */
export type Page<T> = { data: T[]; next_cursor: string | null; searched_to?: string };

type Fetch<T> = (signal: AbortSignal) => Promise<T>;

type FetchPage<T> = (cursor: string | undefined, signal: AbortSignal) => Promise<Page<T>>;

/** A page that was loaded, with what asks for the next one as this one was asked for, and when it was there. */
type Loaded<T> = Page<T> & { fetch: FetchPage<T>; at: number };

type Next<T> = { cursor: string; fetch: FetchPage<T> };

/** useLiveQuery fetches, and fetches again every few seconds while the page is visible and not paused. */
export function useLiveQuery<T>(key: QueryKey, fetch: Fetch<T>, options: { every?: number; enabled?: boolean; keep?: boolean } = {}) {
  const { refetchInterval } = useLive();
  return useQuery<T, ApiError>({
    queryKey: key,
    queryFn: ({ signal }) => fetch(signal),
    refetchInterval: refetchInterval && (options.every ?? refetchInterval),
    refetchOnWindowFocus: refetchInterval !== false, // paused means no request at all
    refetchOnReconnect: refetchInterval !== false,
    enabled: options.enabled ?? true,
    ...(options.keep ? { placeholderData: keepPreviousData } : {}),
  });
}

/**
 * useList loads a list page by page. It does not move under the reader: the first page is looked at every few seconds,
 * fresh counts what has come since, and gone what is no longer listed. refresh shows both. A cursor is valid only for the question that it answers, and a time
 * that ends now asks another one later: the pages after the first are asked for as the first was.
 */
export function useList<T>(
  key: QueryKey,
  fetch: FetchPage<T>,
  id: (item: T) => string,
  options: { every?: number; enabled?: boolean } = {},
) {
  const queries = useQueryClient();
  const enabled = options.enabled ?? true;
  const list = useInfiniteQuery<Loaded<T>, ApiError, { pages: Loaded<T>[] }, QueryKey, Next<T> | undefined>({
    queryKey: [...key, "pages"],
    queryFn: async ({ pageParam, signal }) => {
      const ask = pageParam?.fetch ?? fetch;
      return { ...(await ask(pageParam?.cursor, signal)), fetch: ask, at: performance.now() };
    },
    initialPageParam: undefined,
    getNextPageParam: ({ next_cursor: cursor, fetch }) => (cursor ? { cursor, fetch } : undefined),
    enabled,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 60_000,
  });
  const ask = async (signal: AbortSignal) => {
    const asked = performance.now();
    return { asked, ...(await fetch(undefined, signal)) };
  };
  const first = useLiveQuery([...key, "first"], ask, {
    ...(options.every ? { every: options.every } : {}),
    enabled: enabled && list.data !== undefined,
  });

  const pages = list.data?.pages;
  const later = first.data && pages?.[0] && first.data.asked >= pages[0].at; // and not what was asked before the list was loaded again
  const newest = later ? first.data.data : undefined;
  const whole = later && !first.data.next_cursor;
  const rows = useMemo(() => {
    const updates = new Map(newest?.map((item) => [id(item), item]));
    const shown = new Set<string>();
    return (pages ?? [])
      .flatMap((page) => page.data)
      .filter((item) => !shown.has(id(item)) && shown.add(id(item)))
      .map((item) => updates.get(id(item)) ?? item); // what is shown changes in place, and stays where it is
  }, [pages, newest, id]);
  const { fresh, gone } = useMemo(
    () => (newest ? changes(rows.map(id), newest.map(id), { allShown: !list.hasNextPage, whole: whole ?? false }) : { fresh: 0, gone: 0 }),
    [rows, newest, whole, list.hasNextPage, id],
  );

  const refresh = useCallback(async () => {
    await queries.resetQueries({ queryKey: [...key, "pages"] });
    await queries.invalidateQueries({ queryKey: [...key, "first"] });
  }, [queries, key]);

  return {
    rows,
    fresh,
    gone,
    refresh,
    error: list.error,
    loading: list.isPending,
    more: list.hasNextPage,
    loadingMore: list.isFetchingNextPage,
    loadMore: list.fetchNextPage,
    searchedTo: pages?.at(-1)?.searched_to,
    retry: list.refetch,
  };
}

export type List<T> = ReturnType<typeof useList<T>>;

/** useAction runs a change, once at a time: what is asked while it runs is left out, such as the second click of two. Its failure is shown in the API's words unless the form shows it; what it changed is fetched again. */
export function useAction<In, Out>(
  run: (input: In) => Promise<Out>,
  options: { done?: string | ((out: Out, input: In) => string | undefined); failed?: string; changes?: QueryKey[]; onDone?: (out: Out, input: In) => void; quiet?: boolean } = {},
) {
  const queries = useQueryClient();
  const toast = useToast();
  const running = useRef(false);
  const mutation = useMutation<Out, ApiError, In>({
    mutationFn: (input) => run(input).finally(() => (running.current = false)),
    onSuccess: async (out, input) => {
      const done = typeof options.done === "function" ? options.done(out, input) : options.done;
      if (done) toast.done(done);
      options.onDone?.(out, input);
      for (const queryKey of options.changes ?? []) await queries.invalidateQueries({ queryKey });
    },
    onError: (error) => {
      if (!options.quiet) toast.failed(error, options.failed);
    },
  });
  const { mutate: start } = mutation;
  const mutate = useCallback<typeof start>(
    (...args) => {
      if (running.current) return;
      running.current = true;
      start(...args);
    },
    [start],
  );
  return { ...mutation, mutate };
}
