import { expect, test } from "vitest";
import { requestBody } from "./body";

const event = { id: "evt_1", type: "card.created", occurred_at: "2026-01-02T03:04:05.67Z", created_at: "2026-01-02T03:04:06Z", data: '{"id": "c_1", "limit": 1.0}' };

test.each([
  ["standard", '{"type":"card.created","timestamp":"2026-01-02T03:04:05.67Z","data":{"id": "c_1", "limit": 1.0}}'],
  ["lemon", '{"id":"evt_1","type":"card.created","created_at":"2026-01-02T03:04:06.000000+00:00","context":{"id": "c_1", "limit": 1.0}}'],
  ["azakaw", '{"Type":"card.created","id": "c_1", "limit": 1.0}'],
])("the body of %s has the event's bytes", (dialect, body) => {
  expect(requestBody(dialect, event, body.length)).toBe(body);
  expect(requestBody(dialect, event, body.length + 1), "a body of another length is not what was sent").toBeUndefined();
});

test("other dialects are not guessed", () => {
  expect(requestBody("bluefin", event, 100)).toBeUndefined();
  expect(requestBody("standard", event, undefined)).toBeUndefined();
});
