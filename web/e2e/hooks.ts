import { afterEach } from "vitest";
import { closePages } from "./harness";

afterEach(({ task }) => closePages(task.result?.state === "fail" ? task.name : undefined));
