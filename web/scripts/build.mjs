// Builds dist, or the folder that is named: the pages, portal.js, and the licences of the packages in them.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { build } from "vite";

const root = join(import.meta.dirname, "..");
const outDir = resolve(process.argv[2] ?? join(root, "dist"));

for (const [configFile, emptyOutDir] of [
  ["vite.config.ts", true],
  ["vite.embed.config.ts", false],
]) {
  await build({ root, configFile: join(root, configFile), build: { outDir, emptyOutDir }, logLevel: "warn" });
}

const allowed = new Set(["MIT", "ISC", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "OFL-1.1", "0BSD"]);

const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
const texts = [];
for (const [path, entry] of Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1))) {
  const folder = join(root, path);
  if (path === "" || entry.dev || entry.optional || !existsSync(folder)) continue;
  const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  if (!allowed.has(license)) throw new Error(`${name} has the licence ${license}, which is not among ${[...allowed].join(", ")}`);
  const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each));
  texts.push(`${name} ${version} (${license})\n\n${file ? readFileSync(join(folder, file), "utf8").trim() : ""}\n`);
}
writeFileSync(join(outDir, "licences.txt"), texts.join(`\n${"-".repeat(72)}\n\n`));
