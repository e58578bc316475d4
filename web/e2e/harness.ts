import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type ConsoleMessage, type Locator, type Page, type Request } from "playwright-core";
import { expect, inject } from "vitest";
import { type Call, caller } from "./setup";

/** The server, its data and ids. It is the same for all tests: a test that changes something makes its own things first. */
export const world = inject("world");

/** Calls the API with the admin key, for what a test needs and for what it checks. */
export const call: Call = caller(world.url, world.key);

export const phone = { width: 390, height: 844 };
export const desk = { width: 1440, height: 900 };
/** A page of this size has all rows of a list in sight, also those of other tests. Rows out of sight are not in the document. */
export const tall = { width: 1440, height: 9000 };

let browser: Promise<Browser> | undefined;

/**
 * A pool has the context of pages that need none of their own, and those of them that no test uses now. A page that is loaded
 * again in the same context costs a third of the first one: its code is in the cache.
 */
type Pool = { context?: Promise<BrowserContext>; idle: Page[] };
const operators: Pool = { idle: [] };
const guests: Pool = { idle: [] };

/** The pages of a test. Those that are of no pool have a context of their own. */
const pages: { page: Page; problems: string[]; pool: Pool | undefined; end: () => void }[] = [];

/** Requests of the API that are under way, by page. */
const underWay = new WeakMap<Page, Set<Request>>();

export type Options = {
  /** Signed in to the console, unless false. */
  signedIn?: boolean;
  size?: { width: number; height: number };
  theme?: "light" | "dark";
  /** Problems of the page that the test is about. */
  expect?: RegExp;
  /**
   * Whether the page has a context of its own, because the test changes what is stored in the browser, or its clock: so does
   * signing in. The portal stores nothing.
   */
  own?: boolean;
} & Pick<BrowserContextOptions, "javaScriptEnabled" | "timezoneId">;

async function newContext(signedIn: boolean, options: BrowserContextOptions = {}): Promise<BrowserContext> {
  browser ??= chromium.connect(world.browser);
  const context = await (await browser).newContext({ reducedMotion: "reduce", permissions: ["clipboard-read", "clipboard-write"], ...options });
  await context.addInitScript(note);
  if (signedIn) await context.addCookies([{ ...world.cookie, url: world.url, httpOnly: true, sameSite: "Strict" }]);
  return context;
}

/** note notes each message that a page shows for a while, and each new label of a button, however soon it is gone: see said. */
function note(): void {
  const seen: string[] = [];
  Object.assign(globalThis, { seen });
  const add = (element: Element | null | undefined) => element?.textContent && seen.push(element.textContent);
  new MutationObserver((records) => {
    for (const { target, addedNodes } of records) {
      const element = target instanceof Element ? target : target.parentElement;
      add(element?.closest("button"));
      if (element?.matches("[aria-live]")) for (const node of addedNodes) if (node instanceof Element) add(node);
    }
  }).observe(document, { childList: true, characterData: true, subtree: true });
}

/** How many times slower than it is the processor seems to pages, to find what takes a fast one for granted. */
const slower = Number(process.env.BELLWIRE_SLOWER ?? 1);

async function newPage(context: Promise<BrowserContext>): Promise<Page> {
  const page = await (await context).newPage();
  page.setDefaultTimeout(60_000);
  const open = new Set<Request>();
  underWay.set(page, open);
  page.on("request", (request) => request.url().includes("/api/") && open.add(request));
  page.on("requestfinished", (request) => open.delete(request));
  page.on("requestfailed", (request) => open.delete(request));
  if (slower > 1) await (await page.context().newCDPSession(page)).send("Emulation.setCPUThrottlingRate", { rate: slower });
  return page;
}

/**
 * open shows an address: /console/…, or a whole URL. The test fails if the page logs an error or a violation of the content
 * security policy, unless it expects that.
 */
export async function open(address: string, options: Options = {}): Promise<Page> {
  const { signedIn = true, size = desk, theme = "light", expect: expected, own = !signedIn && address.includes("/console"), ...rest } = options;
  const pool = own ? undefined : signedIn ? operators : guests;
  const page = pool ? (pool.idle.pop() ?? (await newPage((pool.context ??= newContext(signedIn))))) : await newPage(newContext(signedIn, rest));
  await dress(page, theme, size);
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
  pages.push({ page, problems, pool, end: () => page.off("pageerror", failed).off("console", said) });
  await page.goto(new URL(address, world.url).href);
  return page;
}

/**
 * closePages ends what a test opened, and fails if a page had a problem. It runs after every test. If the test failed, it
 * returns what the pages showed.
 */
export async function closePages(failed: boolean): Promise<string[]> {
  const opened = pages.splice(0);
  const texts: string[] = [];
  for (const { page, pool, end } of opened) {
    if (failed) texts.push(`${page.url()} showed\n${await shown(page)}`);
    end();
    if (!pool) await page.context().close();
    else if (failed) await page.close();
    else await release(page, pool);
  }
  expect(opened.flatMap(({ problems }) => problems), "what the pages logged").toEqual([]);
  return texts;
}

/** release keeps a page for the next test. It shows nothing, so that it asks the server for nothing. */
async function release(page: Page, { idle }: Pool): Promise<void> {
  await page.unrouteAll({ behavior: "ignoreErrors" });
  await page.goto("about:blank");
  underWay.get(page)?.clear();
  idle.push(page);
}

/** look gives a page a theme and a size, and waits until it is drawn so. */
export async function look(page: Page, theme: "light" | "dark", size: { width: number; height: number }): Promise<void> {
  await dress(page, theme, size);
  await drawn(page);
}

async function dress(page: Page, theme: "light" | "dark", size: { width: number; height: number }): Promise<void> {
  await page.setViewportSize(size);
  await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
}

/**
 * drawn waits until a page is drawn as it is now. Queries of media are answered before the first frame, what they change is
 * measured before the second, and there in the third.
 */
export async function drawn(page: Page): Promise<void> {
  await page.evaluate(async () => {
    for (let frames = 0; frames < 3; frames++) await new Promise(requestAnimationFrame);
  });
}

/** shown returns the text of a page's content, or of all of it, on few lines, and at most 600 characters of it. */
async function shown(page: Page): Promise<string> {
  try {
    const texts = await page.evaluate(() => [document.querySelector("main") ?? document.body, ...document.querySelectorAll("[role=dialog], [role=alertdialog], [aria-live] [role]")].map((each) => (each as HTMLElement).innerText));
    return texts.join(" | ").replace(/\s*\n\s*/g, " · ").slice(0, 600);
  } catch (error) {
    return String(error);
  }
}

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** accessible fails on every finding of axe that is serious or worse. */
export async function accessible(page: Page, where = ""): Promise<void> {
  if (!(await page.evaluate(() => "axe" in globalThis))) await page.evaluate(axe);
  await drawn(page);
  const found = await page.evaluate(async () => {
    await Promise.allSettled(document.getAnimations().map(({ finished }) => finished));
    const { axe } = globalThis as unknown as { axe: { run: (options: unknown) => Promise<{ violations: Violation[] }> } };
    const { violations } = await axe.run({ resultTypes: ["violations"], selectors: false, elementRef: false });
    return violations.filter(({ impact }) => impact === "serious" || impact === "critical").map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 200)).join(" | ")}`);
  });
  expect(found, where).toEqual([]);
}

type Violation = { id: string; impact: string; nodes: { html: string }[] };

/** fits fails if the page scrolls sideways. */
export async function fits(page: Page): Promise<void> {
  const overhang = () => page.evaluate(() => Math.max(document.documentElement.scrollWidth, document.querySelector("main")?.scrollWidth ?? 0) - innerWidth);
  await expect.poll(overhang, { message: "pixels by which the content is wider than the page" }).toBeLessThanOrEqual(0);
}

/** said waits until a page has shown a message since it was loaded, also one that is gone by now. Each is found once. */
export async function said(page: Page, message: string | RegExp): Promise<void> {
  const take = () =>
    page.evaluate((message) => {
      const { seen } = globalThis as unknown as { seen: string[] };
      const at = seen.findIndex((each) => (typeof message === "string" ? each.includes(message) : message.test(each)));
      return at < 0 ? `only ${seen.slice(-10).join(", ")}` : seen.splice(at, 1)[0];
    }, message);
  await expect.poll(take, { message: "what was shown" }).not.toMatch(/^only /);
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

/** go leads to another page of the application as a link does, without loading it again, and waits until that page is shown. */
export async function go(page: Page, path: string): Promise<void> {
  await page.evaluate((to) => {
    history.pushState(null, "", new URL(to, document.baseURI));
    dispatchEvent(new PopStateEvent("popstate"));
  }, path);
  await expect.poll(() => missing(page), { message: path }).not.toMatch(/^the page/);
}

/** ready waits until the page that the address names is shown, with its heading and all that it shows at first. */
export async function ready(page: Page): Promise<void> {
  await expect.poll(() => missing(page)).toBe("");
}

/** loaded waits as ready does, for a page that may have no heading because what it is about does not exist. */
export async function loaded(page: Page): Promise<void> {
  await expect.poll(() => missing(page)).toMatch(/^$|^its heading/);
}

/**
 * missing says what a page does not show yet. The browser has an address before the application shows its page: until that
 * page's code is there, the page before it remains.
 */
function missing(page: Page): Promise<string> {
  return page.evaluate(() => {
    const main = document.querySelector("main");
    const plain = (address: string) => address.replace(/\/(?=$|\?)/, "");
    if (plain(main?.dataset.address ?? "nothing") !== plain(location.pathname + location.search)) return `the page of ${location.pathname}${location.search}: ${main?.dataset.address} is shown`;
    const busy = main?.querySelectorAll('[aria-busy="true"], .skeleton').length ?? 0;
    if (busy > 0) return `${busy} parts that are loaded`;
    return main?.querySelector("h1") ? "" : "its heading";
  });
}

/** anyRow returns the first row of a list. The rows of a list of all tenants are those of any test. */
export function anyRow(page: Page): Locator {
  return page.locator("[data-row]").first();
}

/** named returns what a page is recognized by: its address, heading and title. */
export function named(page: Page): Promise<string> {
  return page.evaluate(() => {
    const main = document.querySelector("main");
    return [main?.dataset.address, main?.querySelector("h1")?.innerText, document.title].join(" | ");
  });
}

/** pause stops the page's live data, and waits for what is under way, so that nothing of it changes by itself. */
export async function pause(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Live", exact: true }).click();
  await page.getByRole("button", { name: "Paused", exact: true }).waitFor();
  await quiet(page);
}

/** quiet waits until a page asks the API for nothing. What it was answered may make it ask for more: then it waits for that. */
async function quiet(page: Page): Promise<void> {
  let last: Request | undefined;
  const asked = (request: Request) => (last = request);
  page.on("request", asked);
  const isQuiet = async () => {
    const before = last;
    if (underWay.get(page)?.size !== 0) return false;
    await drawn(page);
    return last === before;
  };
  await expect.poll(isQuiet, { message: "nothing is asked for" }).toBe(true);
  page.off("request", asked);
}

/** holds reports whether a text is anywhere in a page, shown or not. It must be one that no id can contain by chance. */
export async function holds(page: Page, text: string): Promise<boolean> {
  return (await page.content()).includes(text);
}

/** copied returns the text that a page puts on the clipboard when something is done. Pages of other tests have the same clipboard. */
export async function copied(page: Page, act: () => Promise<unknown>): Promise<string> {
  await page.evaluate(() => {
    delete (navigator.clipboard as Partial<Clipboard>).writeText; // that of an earlier call
    delete (globalThis as { written?: string }).written;
    const write = navigator.clipboard.writeText.bind(navigator.clipboard);
    navigator.clipboard.writeText = async (text) => {
      await write(text);
      Object.assign(globalThis, { written: text });
    };
  });
  await act();
  const written = () => page.evaluate(() => (globalThis as { written?: string }).written);
  await expect.poll(written).toBeDefined();
  return (await written()) ?? "";
}

/** palette types into the palette, and takes its first entry once the one that is wanted is there. */
export async function palette(page: Page, typed: string, wanted: RegExp): Promise<void> {
  const input = page.getByRole("combobox", { name: "Go to" });
  await page.keyboard.press("Control+k");
  await input.waitFor();
  await expect.poll(() => input.evaluate((element) => element === document.activeElement)).toBe(true);
  await page.keyboard.type(typed);
  await page.getByRole("option", { selected: true, name: wanted }).waitFor();
}

/** take runs what is selected in the palette, and waits until it is closed. */
export async function take(page: Page): Promise<void> {
  await page.keyboard.press("Enter");
  await page.getByRole("combobox", { name: "Go to" }).waitFor({ state: "detached" });
}

let made = 0;

/** ownType makes a type of events that no other test publishes. Of acme's endpoints, Ledger gets them, too. */
export async function ownType(): Promise<string> {
  const type = `alone.made_${process.pid}_${++made}`;
  await call("PUT", `/event-types/${type}`, { group: "alone" });
  return type;
}

/** ownEndpoint creates an endpoint that one test may change: in acme, with a description that no other has. */
export async function ownEndpoint(path = "ok/own", more: Record<string, unknown> = {}): Promise<{ id: string; description: string; page: string }> {
  const description = `Own ${process.pid}-${++made}`;
  const { id } = await call("POST", "/tenants/acme/endpoints", { url: `${world.receiver}/${path}`, description, events: ["own.*"], timeout: "1s", retry: { schedule: ["1s", "1h"] }, ...more });
  return { id, description, page: `/console/tenants/acme/endpoints/${id}` };
}

/** settled waits until something on the server is as it should be, and returns it. */
export async function settled<T>(look: () => Promise<T>, good: (found: T) => boolean): Promise<T> {
  let found = await look();
  await expect.poll(async () => good((found = await look())), { interval: 100 }).toBe(true);
  return found;
}
