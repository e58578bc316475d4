import { expect, test } from "vitest";
import { ApiError, later, refused, unreachable } from "./problem";

const answer = (status: number, retryAfter?: number) => new ApiError(status, "", "", "", [], "", retryAfter);

test("what a busy server or none has answered is asked again, when the server says, and a refusal is not", () => {
  for (const error of [unreachable(), answer(429), answer(503), answer(504)]) {
    expect(later(error, 500)).toBe(500);
    expect(refused(error)).toBe(false);
  }
  expect(later(answer(503, 2), 500)).toBe(2_000);
  expect(later(answer(429, 1), 8_000)).toBe(8_000);
  expect(later(answer(503, 86_400), 500)).toBe(30_000);
  for (const status of [400, 401, 403, 404, 422]) {
    expect(later(answer(status), 500)).toBeUndefined();
    expect(refused(answer(status))).toBe(true);
  }
  expect(later(answer(500), 500)).toBeUndefined();
  expect(refused(answer(500))).toBe(false);
});
