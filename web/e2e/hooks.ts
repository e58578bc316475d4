import { afterEach } from "vitest";
import { closePages } from "./harness";

declare module "vitest" {
  interface TaskMeta {
    /** What the pages of a test that failed showed. */
    pages?: string[];
  }
}

afterEach(async ({ task }) => {
  const failed = task.result?.state === "fail";
  const pages = await closePages(failed);
  if (failed) task.meta.pages = pages;
});
