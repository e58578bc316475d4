// Writes dist/licences.txt: every npm package whose code is in dist, with its licence. It fails on one that we may not ship.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const allowed = new Set(["MIT", "ISC", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "OFL-1.1", "0BSD"]);

const lock = JSON.parse(readFileSync("package-lock.json", "utf8"));
const texts = [];
for (const [path, entry] of Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1))) {
  if (path === "" || entry.dev || entry.optional || !existsSync(path)) continue;
  const { name, version, license } = JSON.parse(readFileSync(join(path, "package.json"), "utf8"));
  if (!allowed.has(license)) throw new Error(`${name} has the licence ${license}, which is not among ${[...allowed].join(", ")}`);
  const file = readdirSync(path).find((each) => /^licen[cs]e/i.test(each));
  texts.push(`${name} ${version} (${license})\n\n${file ? readFileSync(join(path, file), "utf8").trim() : ""}\n`);
}
writeFileSync("dist/licences.txt", texts.join(`\n${"-".repeat(72)}\n\n`));
