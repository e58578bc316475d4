import { afterEach } from "vitest";
import { closePages } from "./harness";

afterEach(closePages);
