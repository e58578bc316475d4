import { defineConfig } from "vite";

/** Builds portal.js, the script of the platforms' own pages: one file under a name that never changes. */
export default defineConfig({
  build: {
    target: ["chrome111", "firefox111", "safari16.4"],
    emptyOutDir: false,
    copyPublicDir: false,
    rolldownOptions: {
      input: "src/embed/portal.ts",
      output: { format: "iife", entryFileNames: "portal.js" },
    },
  },
});
