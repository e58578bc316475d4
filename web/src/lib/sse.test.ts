import { expect, test } from "vitest";
import { reader } from "./sse";

const text = 'retry: 2000\n\nevent: attempt\nid: att_1\ndata: {"a":1}\n\n:\n\nevent: counters\r\ndata: {}\r\n\r\ndata: one\ndata: two\n\n';

const wanted = [
  { event: "attempt", id: "att_1", data: '{"a":1}' },
  { event: "counters", id: undefined, data: "{}" },
  { event: "message", id: undefined, data: "one\ntwo" },
];

test("events are found however they are cut", () => {
  for (let size = 1; size <= text.length; size++) {
    const read = reader();
    const found = [];
    for (let i = 0; i < text.length; i += size) found.push(...read(text.slice(i, i + size)));
    expect(found).toEqual(wanted);
  }
});

test("an event without end is refused before it fills the memory", () => {
  const read = reader();
  expect(() => {
    for (let i = 0; i < 100; i++) read("x".repeat(64 * 1024));
  }).toThrow("too long");
});
