import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";

const dist = join(import.meta.dirname, "../dist");

const gzipped = (file: string) => gzipSync(readFileSync(join(dist, file)), { level: 9 }).length / 1024;

/** statics returns a script and all that it imports at once. */
function statics(file: string, found = new Set<string>()): Set<string> {
  if (found.has(file)) return found;
  found.add(file);
  const code = readFileSync(join(dist, file), "utf8");
  for (const match of code.matchAll(/(?:from|import)\s*["'](\.\/[^"']+\.js)["']/g)) statics(join(dirname(file), match[1] ?? ""), found);
  return found;
}

/** lazies returns the scripts that a script may import later. */
function lazies(file: string): string[] {
  const code = readFileSync(join(dist, file), "utf8");
  return [...code.matchAll(/import\(\s*[`"'](\.\/[^`"']+\.js)[`"']\s*\)/g)].map((match) => join(dirname(file), match[1] ?? ""));
}

const size = (files: Iterable<string>) => [...files].reduce((sum, file) => sum + gzipped(file), 0);

test.each(["console", "portal"])("%s: scripts of the first page and of every other are small, and nothing is inline", (shell) => {
  const html = readFileSync(join(dist, `${shell}.html`), "utf8");
  expect(html).not.toMatch(/<style|<script(?![^>]*\ssrc=)|\sstyle=|\son\w+=/);
  expect(html).toMatch(/<base href="\/" \/>[\s\S]*<script/);
  const entries = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] ?? "").filter((url) => url !== "/");
  for (const entry of entries) expect(entry, "addresses are below the base").toMatch(/^\.\/assets\//);

  const scripts = entries.filter((entry) => entry.endsWith(".js")).map((entry) => join(entry));
  const first = new Set(scripts.flatMap((script) => [...statics(script)]));
  expect(size(first), "KiB of the first scripts").toBeLessThan(180);

  const pages = new Set([...first].flatMap(lazies));
  expect(pages.size).toBeGreaterThan(4);
  for (const page of pages) {
    const own = [...statics(page)].filter((file) => !first.has(file));
    expect(size(own), `KiB of ${page}`).toBeLessThan(60);
  }
});

test("portal.js stands alone", () => {
  expect(existsSync(join(dist, "portal.js"))).toBe(true);
  expect(gzipped("portal.js")).toBeLessThan(6);
  expect(readFileSync(join(dist, "portal.js"), "utf8")).not.toMatch(/\bimport\b/);
});
