// Starts a server of this source on a free port, and on a temporary SQLite database unless the options name another, for
// what needs its description or its data.
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dirname, "../..");

/**
 * Builds the binary, unless BELLWIRE_BINARY names one, and starts it.
 *
 * @param {string[]} [options] of serve
 * @param {Record<string, string>} [environment]
 * @returns {Promise<{ url: string, key: string, folder: string, log: () => string, stop: () => Promise<void> }>}
 */
export async function start(options = [], environment = {}) {
  const folder = mkdtempSync(join(tmpdir(), "bellwire-web-"));
  let binary = process.env.BELLWIRE_BINARY;
  if (!binary) {
    binary = join(folder, "bellwire");
    execFileSync("go", ["build", "-o", binary, "./cmd/bellwire"], { cwd: root, stdio: "inherit" });
  }
  const key = "a-key-of-the-web-tests-only";
  const database = options.includes("--database-url") ? [] : ["--database-url", "sqlite://bellwire.db"];
  const server = spawn(binary, ["serve", "--listen", "127.0.0.1:0", ...database, ...options], {
    cwd: folder,
    env: { PATH: process.env.PATH, BELLWIRE_ADMIN_KEY: key, ...environment },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let log = "";
  const url = await new Promise((resolve, reject) => {
    server.stderr.setEncoding("utf8").on("data", (text) => {
      log += text;
      const match = /msg=listening .*?address=(\S+)/.exec(log);
      if (match) resolve(`http://${match[1]}`);
    });
    server.on("error", reject);
    server.on("exit", (code) => reject(new Error(`the server ended with exit code ${code}:\n${log}`)));
  });
  const ended = new Promise((resolve) => server.on("exit", resolve));
  return {
    url,
    key,
    folder,
    log: () => log,
    stop: async () => {
      if (server.exitCode === null) {
        server.kill("SIGTERM");
        await ended;
      }
      rmSync(folder, { recursive: true });
    },
  };
}
