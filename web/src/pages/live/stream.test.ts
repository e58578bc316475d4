import { expect, test, vi } from "vitest";
import type { LiveAttempt, Tail } from "./stream";

vi.stubGlobal("document", { baseURI: "http://localhost/console/" });
const { reduce } = await import("./stream");

const empty: Tail = { rows: [], held: [], waiting: 0, seconds: [], sampled: 0, dropped: 0, gap: false, state: "open", error: undefined };

const attempt = (n: number) => ({ event: "attempt", id: `att_${n}`, data: JSON.stringify({ id: `att_${n}` }) });
const ids = (rows: readonly LiveAttempt[]) => rows.map((row) => row.id);

test("attempts come newest first, and one that is repeated after a reconnection is shown once", () => {
  let tail = reduce(empty, { is: "events", events: [attempt(1), attempt(2)], holding: false });
  tail = reduce(tail, { is: "events", events: [attempt(2), attempt(3)], holding: false });
  expect(ids(tail.rows)).toEqual(["att_3", "att_2", "att_1"]);
});

test("while it is held nothing moves, and what comes is counted and released", () => {
  let tail = reduce(empty, { is: "events", events: [attempt(1)], holding: false });
  tail = reduce(tail, { is: "events", events: [attempt(2), attempt(3)], holding: true });
  expect([ids(tail.rows), tail.waiting]).toEqual([["att_1"], 2]);
  tail = reduce(tail, { is: "release" });
  expect([ids(tail.rows), tail.waiting]).toEqual([["att_3", "att_2", "att_1"], 0]);
});

test("memory is bounded, and counting goes on", () => {
  let tail = empty;
  for (let i = 0; i < 30; i++) tail = reduce(tail, { is: "events", events: Array.from({ length: 100 }, (_, k) => attempt(i * 100 + k)), holding: true });
  expect([tail.held.length, tail.waiting]).toEqual([1000, 3000]);
  tail = reduce(tail, { is: "release" });
  expect([tail.rows.length, tail.rows[0]?.id]).toEqual([1000, "att_2999"]);
});

test("what was left out is added up, and numbers of a minute are kept", () => {
  let tail = empty;
  for (let i = 0; i < 70; i++) {
    tail = reduce(tail, {
      is: "events",
      holding: false,
      events: [
        { event: "skipped", id: undefined, data: '{"sampled":10,"dropped":1}' },
        { event: "counters", id: undefined, data: `{"published":null,"attempts":${i},"succeeded":0,"failed":0}` },
        { event: "gap", id: undefined, data: "{}" },
      ],
    });
  }
  expect([tail.sampled, tail.dropped, tail.gap, tail.seconds.length, tail.seconds.at(-1)?.attempts]).toEqual([700, 70, true, 60, 69]);
});
