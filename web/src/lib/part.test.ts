import { expect, test } from "vitest";
import { persist } from "./part";

test("what fails is tried again as often as it may", async () => {
  let calls = 0;
  const failing = (times: number) => async () => {
    if (++calls <= times) throw new Error(`failure ${calls}`);
    return "loaded";
  };
  expect(await persist(failing(2), [0, 0])).toBe("loaded");
  expect(calls).toBe(3);
  calls = 0;
  await expect(persist(failing(9), [0, 0])).rejects.toThrow("failure 3");
  calls = 0;
  await expect(persist(failing(9), [0, 0], (_, wait) => (calls < 2 ? wait : undefined))).rejects.toThrow("failure 2");
});
