import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: { alias: { "@": fileURLToPath(new URL("src", import.meta.url)) } },
  test: {
    projects: [
      { extends: true, test: { name: "unit", include: ["src/**/*.test.ts", "scripts/**/*.test.ts"], testTimeout: 60_000 } },
      {
        extends: true,
        test: {
          name: "e2e",
          include: ["e2e/**/*.test.ts"],
          exclude: process.env.BELLWIRE_POSTGRES ? [] : ["e2e/nodes.test.ts"], // TestBrowser starts PostgreSQL
          globalSetup: "e2e/setup.ts",
          setupFiles: "e2e/hooks.ts",
          isolate: false, // all files of a worker share its connection to the browser
          // What is waited for is late where the machine is slow. Nothing is true because of how long something takes.
          testTimeout: 900_000,
          hookTimeout: 300_000,
          expect: { poll: { timeout: 60_000, interval: 50 } },
          fileParallelism: true,
          maxWorkers: 2,
        },
      },
    ],
  },
});
