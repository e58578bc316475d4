import { expect, test } from "vitest";
import { count, covers, toggle, treeOf } from "./tree";

const names = ["card.created", "card.blocked", "card", "invoice.paid", "payout.sent.late", "payout.sent.soon"];

test("types are grouped by their dots", () => {
  expect(treeOf(names).map(({ label, pattern, count }) => [label, pattern, count])).toEqual([
    ["card", "card", 1],
    ["card", "card.*", 2],
    ["invoice.paid", "invoice.paid", 1],
    ["payout", "payout.*", 2],
  ]);
});

test("a search keeps what contains it", () => {
  expect(treeOf(names, " PAID ").map(({ pattern }) => pattern)).toEqual(["invoice.paid"]);
});

test("a group makes its members needless", () => {
  expect(toggle(["card.created", "invoice.paid"], "card.*")).toEqual(["invoice.paid", "card.*"]);
  expect(toggle(["card.*"], "*")).toEqual(["*"]);
  expect(toggle(["card.*", "invoice.paid"], "card.*")).toEqual(["invoice.paid"]);
});

test("a prefix covers what begins with it", () => {
  expect(covers("card.*", "card.created")).toBe(true);
  expect(covers("card.*", "card")).toBe(false);
  expect(covers("card", "card.created")).toBe(false);
  expect(count(names, ["card.*", "invoice.paid"])).toBe(3);
});

test("types of operational events come last", () => {
  expect(treeOf(["bellwire.job.finished", "card.created", "axis.set"]).map(({ pattern }) => pattern)).toEqual(["axis.set", "card.created", "bellwire.job.finished"]);
});
