import { expect, test } from "vitest";
import { type Fate, sendable } from "./fates";

const fate = (endpoint: string, outcome: Fate["outcome"], delivery: string | null) => ({ endpoint, outcome, delivery }) as Fate;

test("what has a delivery can be sent again, and first of all what was not acknowledged", () => {
  const fates = [fate("a", "delivered", "1"), fate("b", "exhausted", "2"), fate("c", "filtered", null), fate("d", "canceled", "3")];
  const names = (found: readonly Fate[]) => found.map(({ endpoint }) => endpoint);
  expect(names(sendable(fates).all)).toEqual(["a", "b", "d"]);
  expect(names(sendable(fates).missing)).toEqual(["b", "d"]);
});
