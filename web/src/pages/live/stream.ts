import { useEffect, useReducer, useRef } from "react";
import { access, publicBase } from "@/api/client";
import { type ApiError, asError, fromResponse, refused, unreachable } from "@/api/problem";
import type { Schemas } from "@/api/client";
import { reader, type ServerEvent } from "@/lib/sse";

/** An attempt as the live stream tells of it. */
export type LiveAttempt = {
  id: string;
  tenant: string;
  endpoint: string;
  delivery: string;
  event: string;
  event_type: string;
  dialect: string;
  number: number;
  trigger: Schemas["Attempt"]["trigger"];
  outcome: Schemas["Attempt"]["outcome"];
  /** 0 if there was no response. */
  status: number;
  duration_ms: number;
  started_at: string;
};

/** Numbers of one second. A tenant's stream has no published. */
export type Counters = { published: number | null; attempts: number; succeeded: number; failed: number };

export type Tail = {
  /** Newest first. */
  rows: readonly LiveAttempt[];
  /** What came while the list was held, newest first. */
  held: readonly LiveAttempt[];
  /** How many came while it was held, also those that are not kept. */
  waiting: number;
  seconds: readonly Counters[];
  /** How many were left out: because there are so many, or because this page reads slowly. */
  sampled: number;
  dropped: number;
  /** Whether attempts may be missing since the last connection. */
  gap: boolean;
  state: "connecting" | "open" | "lost";
  error: ApiError | undefined;
};

/** How many attempts are kept, and how many seconds. */
const kept = 1000;
const minute = 60;

const empty: Tail = { rows: [], held: [], waiting: 0, seconds: [], sampled: 0, dropped: 0, gap: false, state: "connecting", error: undefined };

type Action =
  | { is: "events"; events: readonly ServerEvent[]; holding: boolean }
  | { is: "open" | "connecting" | "release" | "clear" }
  | { is: "lost"; error: ApiError };

/** reduce is the tail after an action. It is pure, and keeps a bounded number of everything. */
export function reduce(tail: Tail, action: Action): Tail {
  switch (action.is) {
    case "events":
      return receive(tail, action.events, action.holding);
    case "release":
      return { ...tail, rows: [...tail.held, ...tail.rows].slice(0, kept), held: [], waiting: 0 };
    case "clear":
      return { ...empty, state: tail.state };
    case "open":
      return { ...tail, state: "open", error: undefined };
    case "connecting":
      return { ...tail, state: "connecting" };
    case "lost":
      return { ...tail, state: "lost", error: action.error };
  }
}

function receive(tail: Tail, events: readonly ServerEvent[], holding: boolean): Tail {
  const fresh: LiveAttempt[] = [];
  const next = { ...tail };
  for (const { event, data } of events) {
    if (event === "attempt") fresh.push(JSON.parse(data) as LiveAttempt);
    else if (event === "counters") next.seconds = [...next.seconds, JSON.parse(data) as Counters].slice(-minute);
    else if (event === "gap") next.gap = true;
    else if (event === "skipped") {
      const skipped = JSON.parse(data) as { sampled: number; dropped: number };
      next.sampled += skipped.sampled;
      next.dropped += skipped.dropped;
    }
  }
  if (fresh.length === 0) return next;
  const known = new Set(tail.rows.slice(0, 300).map((row) => row.id)); // a connection that begins again may repeat some
  const newest = fresh.filter((attempt) => !known.has(attempt.id)).reverse();
  if (holding) return { ...next, held: [...newest, ...tail.held].slice(0, kept), waiting: tail.waiting + newest.length };
  return { ...next, rows: [...newest, ...tail.held, ...tail.rows].slice(0, kept), held: [], waiting: 0 };
}

/**
 * useTail follows a live stream, and begins again after what it saw last when the connection breaks. While it is not
 * enabled, or the page is not visible, there is no connection at all.
 */
export function useTail(path: string, enabled: boolean, holding: boolean): [Tail, (action: "release" | "clear") => void] {
  const [tail, dispatch] = useReducer(reduce, empty);
  const held = useRef(holding);
  useEffect(() => {
    held.current = holding;
  }, [holding]);
  const last = useRef<string>(undefined);
  useEffect(() => {
    last.current = undefined;
    dispatch({ is: "clear" });
  }, [path]);
  useEffect(() => {
    if (!enabled) return;
    let abort = new AbortController();
    const start = () => {
      abort.abort();
      abort = new AbortController();
      if (document.hidden) return;
      void follow(path, last, abort.signal, (action) => dispatch(action.is === "events" ? { ...action, holding: held.current } : action));
    };
    start();
    document.addEventListener("visibilitychange", start);
    return () => {
      document.removeEventListener("visibilitychange", start);
      abort.abort();
    };
  }, [path, enabled]);
  return [tail, (is) => dispatch({ is })];
}

type Told = { is: "events"; events: readonly ServerEvent[] } | { is: "open" | "connecting" } | { is: "lost"; error: ApiError };

/** follow connects again and again, later each time that fails, until it is aborted or the server refuses. */
async function follow(path: string, last: { current: string | undefined }, signal: AbortSignal, tell: (told: Told) => void): Promise<void> {
  let wait = 1000;
  while (!signal.aborted) {
    tell({ is: "connecting" });
    try {
      await connect(path, last, signal, (told) => {
        if (signal.aborted) return;
        if (told.is === "open") wait = 1000;
        tell(told);
      });
      // The server ended the stream, as it does when it stops. Another node may go on with it.
    } catch (error) {
      if (signal.aborted) return;
      const reason = asError(error);
      tell({ is: "lost", error: reason });
      if (reason.status === 401) return access.ended();
      if (refused(reason)) return;
      wait = Math.max(wait, (reason.retryAfter ?? 0) * 1000);
    }
    await pause(wait, signal);
    wait = Math.min(wait * 2, 15_000);
  }
}

async function connect(path: string, last: { current: string | undefined }, signal: AbortSignal, tell: (told: Told) => void): Promise<void> {
  const headers: Record<string, string> = { Accept: "text/event-stream" };
  if (access.bearer) headers.Authorization = `Bearer ${access.bearer}`;
  if (last.current) headers["Last-Event-ID"] = last.current;
  let response: Response;
  try {
    response = await fetch(new URL(path, publicBase), { signal, headers, credentials: "same-origin", cache: "no-store" });
  } catch (error) {
    if (signal.aborted) throw error;
    throw unreachable();
  }
  if (!response.ok || !response.body) throw fromResponse(response, await response.json().catch(() => undefined));
  tell({ is: "open" });
  const read = reader();
  const chunks = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await chunks.read().catch(() => {
      throw unreachable();
    });
    if (done) return;
    const events = read(value);
    if (events.length === 0) continue;
    const end = events.find(({ event }) => event === "end");
    last.current = events.findLast(({ id }) => id)?.id ?? last.current;
    tell({ is: "events", events });
    if (end) throw fromResponse(new Response(null, { status: 401 }), JSON.parse(end.data));
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
}
