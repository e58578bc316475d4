import { relative } from "node:path";
import { stripVTControlCharacters } from "node:util";
import type { SerializedError } from "vitest";
import type { Reporter, TestCase, TestModule, TestRunEndReason } from "vitest/node";

/** How much is said of an error. What fails is at its beginning. */
const most = 1_200;

/**
 * Failures prints nothing but what failed: first why each test failed, and then what the pages showed, so that the reasons are
 * what remains of an output that is cut. What passed is a count.
 */
export default class Failures implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[], reason: TestRunEndReason): void {
    const tests = modules.flatMap((each) => [...each.children.allTests()]);
    const failed = tests.filter((test) => test.result().state === "failed");
    const broken = modules.filter((each) => each.errors().length > 0);
    for (const error of errors) console.log(`${words(error)}\n`);
    for (const each of broken) console.log(`${each.relativeModuleId}\n${each.errors().map(words).join("\n")}\n`);
    for (const test of failed) console.log(`${test.module.relativeModuleId}: ${test.fullName}\n${why(test)}\n`);
    for (const test of failed) for (const page of test.meta().pages ?? []) console.log(`${test.name}: ${page}\n`);
    const count = [`${failed.length} of ${tests.length} tests failed`];
    if (broken.length > 0) count.push(`${broken.length} files could not be run`);
    if (reason === "interrupted") count.push("the run was interrupted");
    console.log(count.join(", "));
  }
}

function why(test: TestCase): string {
  return (test.result().errors ?? []).map(words).join("\n");
}

/** words returns an error's message and difference, and where in the tests it was thrown. */
function words(error: SerializedError): string {
  const { message = "", diff = "", stacks = [] } = error as SerializedError & { diff?: string; stacks?: { file: string; line: number }[] };
  const places = stacks.filter(({ file }) => file.includes("/e2e/")).map(({ file, line }) => `${relative(process.cwd(), file)}:${line}`);
  return stripVTControlCharacters(`${message}\n${diff}`).trim().slice(0, most) + (places.length > 0 ? `\nat ${places.join(", ")}` : "");
}
