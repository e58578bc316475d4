import { expect, test } from "vitest";
import { changed } from "./limits";

test("only what was changed is sent", () => {
  expect(changed({ endpoints: "10", keys: "5" }, { endpoints: "10", keys: "6" })).toEqual({ limits: { keys: 6 }, wrong: [] });
});

test("an empty value gives way to that of the server", () => {
  expect(changed({ endpoints: "10" }, { endpoints: " ", keys: "" })).toEqual({ limits: { endpoints: null }, wrong: [] });
});

test("zero is a value: no limit", () => {
  expect(changed({}, { publish_rate: "0" })).toEqual({ limits: { publish_rate: 0 }, wrong: [] });
});

test("durations are texts, and other values must be numbers", () => {
  expect(changed({}, { min_retry_delay: "5s", publish_rate: "many", retry_rate: "-1" })).toEqual({ limits: { min_retry_delay: "5s" }, wrong: ["publish_rate", "retry_rate"] });
});
