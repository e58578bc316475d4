import { expect, test } from "vitest";
import { ApiError } from "@/api/problem";
import { words } from "./Toast";

test("no character of an error hides, or turns others around", () => {
  const error = new ApiError(409, "taken", "the name abc\u202egnp.exe is taken", "choose another\u200b one", [], "", undefined);
  expect(words(error)).toBe("The name abc\\u202egnp.exe is taken. Choose another\\u200b one.");
});
