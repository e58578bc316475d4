import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type ConsoleMessage, type Page, type Request } from "playwright-core";
import { expect, inject } from "vitest";
import { type Call, caller } from "./setup";

/** The server, its data and ids. It is the same for all tests: a test that changes something makes its own things first. */
export const world = inject("world");

/** Calls the API with the admin key, for what a test needs and for what it checks. */
export const call: Call = caller(world.url, world.key);

export const phone = { width: 390, height: 844 };
export const desk = { width: 1440, height: 900 };

let browser: Promise<Browser> | undefined;

/**
 * The context of all pages that need none of their own, and its pages that no test uses now. A page that is loaded again in
 * the same context costs a third of the first one: its code is in the cache.
 */
let shared: Promise<BrowserContext> | undefined;
const idle: Page[] = [];

const pages: { page: Page; problems: string[]; own: boolean; end: () => void }[] = [];

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
  const page = own ? await (await newContext(signedIn, rest)).newPage() : (idle.pop() ?? (await (await (shared ??= newContext(true))).newPage()));
  await look(page, theme, size);
  page.setDefaultTimeout(60_000);
  const problems: string[] = [];
  const add = (problem: string) => {
    if (!expected?.test(problem)) problems.push(problem);
  };
  const failed = (error: Error) => add(String(error));
  const said = (message: ConsoleMessage) => {
    if (message.type() === "error" || message.type() === "warning") add(`${message.text()} (${message.location().url})`);
  };
  page.on("pageerror", failed);
  page.on("console", said);
  pages.push({ page, problems, own, end: () => page.off("pageerror", failed).off("console", said) });
  await page.goto(new URL(address, world.url).href);
  return page;
}

/**
 * closePages ends what a test opened, and fails if a page had a problem. It runs after every test. If the test failed, what the
 * pages showed is printed first.
 */
export async function closePages(failed?: string): Promise<void> {
  const opened = pages.splice(0);
  for (const { page, own, end } of opened) {
    if (failed) console.error(`${failed}: ${page.url()} showed\n${await shown(page)}`);
    end();
    if (own) await page.context().close();
    else if (failed) await page.close();
    else await release(page);
  }
  expect(opened.flatMap(({ problems }) => problems)).toEqual([]);
}

/** release keeps a page for the next test. It shows nothing, so that it asks the server for nothing. */
async function release(page: Page): Promise<void> {
  await page.unrouteAll({ behavior: "ignoreErrors" });
  await page.goto("about:blank");
  idle.push(page);
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
export async function accessible(page: Page, where = ""): Promise<void> {
  if (!(await page.evaluate(() => "axe" in globalThis))) await page.evaluate(axe);
  const found = await page.evaluate(async () => {
    // A theme that was just changed is there after two frames.
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    const { axe } = globalThis as unknown as { axe: { run: (options: unknown) => Promise<{ violations: Violation[] }> } };
    const { violations } = await axe.run({ resultTypes: ["violations"], selectors: false, elementRef: false });
    return violations.filter(({ impact }) => impact === "serious" || impact === "critical").map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 200)).join(" | ")}`);
  });
  expect(found, where).toEqual([]);
}

type Violation = { id: string; impact: string; nodes: { html: string }[] };

/** fits fails if the page scrolls sideways. */
export async function fits(page: Page): Promise<void> {
  const [content, room] = await page.evaluate(() => [Math.max(document.documentElement.scrollWidth, document.querySelector("main")?.scrollWidth ?? 0), innerWidth]);
  expect(content, "width of the content").toBeLessThanOrEqual(room ?? 0);
}

/** requests records the API's requests of a page from now on, until the test ends. */
export function requests(page: Page): string[] {
  const seen: string[] = [];
  const note = (request: Request) => {
    const { pathname, search } = new URL(request.url());
    if (pathname.includes("/api/")) seen.push(`${request.method()} ${pathname}${search}`);
  };
  page.on("request", note);
  const opened = pages.find((each) => each.page === page);
  if (opened) {
    const { end } = opened;
    opened.end = () => (end(), page.off("request", note));
  }
  return seen;
}

/** go leads to another page of the application as a link does, without loading it again. */
export async function go(page: Page, path: string): Promise<void> {
  await page.evaluate((to) => {
    history.pushState(null, "", new URL(to, document.baseURI));
    dispatchEvent(new PopStateEvent("popstate"));
  }, path);
}

/** ready waits until a page has its heading, and all that it shows at first. */
export async function ready(page: Page): Promise<void> {
  await page.locator("main h1").first().waitFor();
  await expect.poll(() => page.locator('main [aria-busy="true"], main .skeleton').count(), { timeout: 60_000, interval: 50 }).toBe(0);
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
