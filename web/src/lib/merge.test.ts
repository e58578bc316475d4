import { expect, test } from "vitest";
import { conflicts, rebase } from "./merge";

const base = { url: "https://example.com/hooks", description: "Orders", timeout: "15s" };

test("of two people's changes, nothing is lost", () => {
  const mine = { ...base, timeout: "30s", description: "Mine" };
  const theirs = { ...base, url: "https://example.com/new", description: "Theirs" };
  expect(rebase(base, mine, theirs)).toEqual({ url: "https://example.com/new", timeout: "30s", description: "Mine" });
  expect(conflicts(base, mine, theirs)).toEqual(["description"]);
  expect(conflicts(base, mine, { ...base, description: "Mine" }), "the same change is no conflict").toEqual([]);
});
