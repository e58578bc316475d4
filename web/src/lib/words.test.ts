import { expect, test } from "vitest";
import { answer, outcomes } from "./words";

const timings = { dns: 0, connect: 0, tls: 0, first_byte: 0, total: 15_003 } as never;
const response = (body: string, encoding: "text" | "base64" = "text") => ({ status: 500, body, encoding, headers: {}, headers_truncated: false, truncated: false });

test.each([
  ["a refusal with its body", { outcome: "status", response: response('{"error":\n  "down"}') }, 'Status 500: {"error": "down"}'],
  ["an empty body", { outcome: "status", response: response("  \n") }, "Status 500, with an empty body."],
  ["a long body", { outcome: "status", response: response("x".repeat(300)) }, `Status 500: ${"x".repeat(160)}…`],
  ["what hides", { outcome: "status", response: response("a\u202eb") }, "Status 500: a\\u202eb"],
  ["bytes", { outcome: "status", response: response("AAEC", "base64") }, "Status 500, with a body that is not text."],
  ["no answer", { outcome: "timeout", response: null }, "None: it got no answer within 15 s."],
] as const)("the answer of an attempt: %s", (_name, attempt, want) => expect(answer({ error: "", timings, ...attempt })).toBe(want));

test("what became of an event begins with what needs somebody", () => {
  const none = { pending: 0, retrying: 0, succeeded: 0, exhausted: 0, canceled: 0, capped: false };
  expect(outcomes(none)).toEqual([]);
  expect(outcomes({ ...none, succeeded: 2, canceled: 1, exhausted: 1 })).toEqual([
    ["exhausted", 1],
    ["canceled", 1],
    ["delivered", 2],
  ]);
});
