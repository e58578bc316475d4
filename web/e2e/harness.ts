import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { expect, inject } from "vitest";
import { type Call, caller } from "./setup";

/** The server, its data and ids. It is the same for all tests: a test that changes something makes its own things first. */
export const world = inject("world");

/** Calls the API with the admin key, for what a test needs and for what it checks. */
export const call: Call = caller(world.url, world.key);

export const phone = { width: 390, height: 844 };
export const desk = { width: 1440, height: 900 };

let browser: Promise<Browser> | undefined;

/** The context of all pages that need none of their own: what one of them has loaded, the others have in their cache. */
let shared: Promise<BrowserContext> | undefined;

const pages: { page: Page; problems: string[]; own: boolean }[] = [];

export type Options = {
  /** Signed in to the console, unless false. */
  signedIn?: boolean;
  size?: { width: number; height: number };
  theme?: "light" | "dark";
  /** Problems of the page that the test is about. */
  expect?: RegExp;
  /** Whether the page has a context of its own, because the test changes what is stored in the browser, or its clock. */
  own?: boolean;
} & Pick<BrowserContextOptions, "javaScriptEnabled" | "timezoneId">;

async function newContext(signedIn: boolean, options: BrowserContextOptions = {}): Promise<BrowserContext> {
  browser ??= chromium.connect(world.browser);
  const context = await (await browser).newContext({ reducedMotion: "reduce", permissions: ["clipboard-read", "clipboard-write"], ...options });
  if (signedIn) await context.addCookies([{ ...world.cookie, url: world.url, httpOnly: true, sameSite: "Strict" }]);
  return context;
}

/**
 * open shows an address: /console/…, or a whole URL. The test fails if the page logs an error or a violation of the content
 * security policy, unless it expects that.
 */
export async function open(address: string, options: Options = {}): Promise<Page> {
  const { signedIn = true, size = desk, theme = "light", expect: expected, own = !signedIn, ...rest } = options;
  const context = own ? newContext(signedIn, rest) : (shared ??= newContext(true));
  const page = await (await context).newPage();
  await look(page, theme, size);
  page.setDefaultTimeout(60_000);
  const problems: string[] = [];
  const add = (problem: string) => {
    if (!expected?.test(problem)) problems.push(problem);
  };
  page.on("pageerror", (error) => add(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") add(`${message.text()} (${message.location().url})`);
  });
  pages.push({ page, problems, own });
  await page.goto(new URL(address, world.url).href);
  return page;
}

/**
 * closePages closes what a test opened, and fails if a page had a problem. It runs after every test. If the test failed, what
 * the pages showed is printed first.
 */
export async function closePages(failed?: string): Promise<void> {
  const opened = pages.splice(0);
  for (const { page, own } of opened) {
    if (failed) console.error(`${failed}: ${page.url()} showed\n${await shown(page)}`);
    await (own ? page.context() : page).close();
  }
  expect(opened.flatMap(({ problems }) => problems)).toEqual([]);
}

/** look gives a page a theme and a size. */
export async function look(page: Page, theme: "light" | "dark", size: { width: number; height: number }): Promise<void> {
  await page.setViewportSize(size);
  await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
}

/** shown returns the text of a page, without empty lines, and at most 4,000 characters of it. */
async function shown(page: Page): Promise<string> {
  try {
    const text = await page.locator("body").innerText({ timeout: 5_000 });
    return text.replace(/\n\s*\n/g, "\n").slice(0, 4_000);
  } catch (error) {
    return String(error);
  }
}

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** accessible fails on every finding of axe that is serious or worse. */
export async function accessible(page: Page): Promise<void> {
  await page.evaluate(axe);
  const found = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: { run: (options: unknown) => Promise<{ violations: Violation[] }> } };
    const { violations } = await axe.run({ resultTypes: ["violations"], selectors: false, elementRef: false });
    return violations.filter(({ impact }) => impact === "serious" || impact === "critical").map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 200)).join(" | ")}`);
  });
  expect(found).toEqual([]);
}

type Violation = { id: string; impact: string; nodes: { html: string }[] };

/** fits fails if the page scrolls sideways. */
export async function fits(page: Page): Promise<void> {
  const [content, room] = await page.evaluate(() => [Math.max(document.documentElement.scrollWidth, document.querySelector("main")?.scrollWidth ?? 0), innerWidth]);
  expect(content, "width of the content").toBeLessThanOrEqual(room ?? 0);
}

/** requests records the API's requests from now on. */
export function requests(page: Page): string[] {
  const seen: string[] = [];
  page.on("request", (request) => {
    const { pathname, search } = new URL(request.url());
    if (pathname.includes("/api/")) seen.push(`${request.method()} ${pathname}${search}`);
  });
  return seen;
}

let made = 0;

/** ownEndpoint creates an endpoint that one test may change: in acme, with a description that no other has. */
export async function ownEndpoint(path = "ok/own", more: Record<string, unknown> = {}): Promise<{ id: string; description: string; page: string }> {
  const description = `Own ${process.pid}-${++made}`;
  const { id } = await call("POST", "/tenants/acme/endpoints", { url: `${world.receiver}/${path}`, description, events: ["own.*"], timeout: "1s", retry: { schedule: ["1s", "1h"] }, ...more });
  return { id, description, page: `/console/tenants/acme/endpoints/${id}` };
}

/** settled waits until something on the server is as it should be, and returns it. */
export async function settled<T>(look: () => Promise<T>, good: (found: T) => boolean): Promise<T> {
  let found = await look();
  await expect
    .poll(async () => good((found = await look())), { timeout: 60_000, interval: 100 })
    .toBe(true);
  return found;
}
