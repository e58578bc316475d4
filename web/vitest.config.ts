import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: { alias: { "@": fileURLToPath(new URL("src", import.meta.url)) } },
  test: {
    projects: [
      { extends: true, test: { name: "unit", include: ["src/**/*.test.ts", "scripts/**/*.test.ts"] } },
      {
        extends: true,
        test: {
          name: "e2e",
          include: ["e2e/**/*.test.ts"],
          // Its servers are started by TestBrowser in the folder test.
          exclude: process.env.BELLWIRE_NODES ? [] : ["e2e/nodes.test.ts"],
          globalSetup: "e2e/setup.ts",
          setupFiles: "e2e/hooks.ts",
          isolate: false, // all files of a worker share its connection to the browser
          testTimeout: 180_000,
          hookTimeout: 180_000,
          fileParallelism: true,
          maxWorkers: 2,
        },
      },
    ],
  },
});
