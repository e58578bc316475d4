import { expect, test } from "vitest";
import { changes } from "./list";

const part = { allShown: false, whole: false };
const all = { allShown: true, whole: true };

test.each([
  ["nothing changed", "abc", "abc", all, 0, 0],
  ["new rows come first", "abc", "xyabc", all, 2, 0],
  ["a row begins to match in the middle", "abd", "abcd", all, 1, 0],
  ["a row begins to match at the end of a list that is shown as a whole", "ab", "abc", all, 1, 0],
  ["a row matches no longer", "abc", "ac", all, 0, 1],
  ["no row matches any longer", "abc", "", all, 0, 3],
  ["rows come and go", "abcd", "xbyd", all, 2, 2],
  ["new rows push others off the first page", "abcdef", "xyab", { allShown: true, whole: false }, 2, 0],
  ["more new rows than a page has", "abcd", "wxyz", part, 4, 0],
  ["a row left, and one of the next page moved up that is not loaded", "abcd", "acde", part, 0, 1],
  ["a row left, and one of the next page moved up that is loaded", "abcdefgh", "acde", part, 0, 1],
  ["rows behind the first page are not looked at", "abcdefgh", "abcd", part, 0, 0],
  ["a search has found nothing yet", "abcd", "", part, 0, 0],
  ["the first row of an empty list", "", "a", all, 1, 0],
])("%s", (_, shown, newest, at, fresh, gone) => expect(changes([...shown], [...newest], at)).toEqual({ fresh, gone }));
