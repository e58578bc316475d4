import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { accessible, call, desk, fits, go, look, named, open, phone, ready, settled, world } from "./harness";

type Ids = { delivery: string; event: string; endpoint: string; job: string };

/** find returns the ids of one delivery of acme that failed, of its event and endpoint, and of a job. */
async function find(): Promise<Ids> {
  const endpoint = world.endpoints["acme/Order service"] ?? "";
  const { data } = await settled(() => call("GET", `/tenants/acme/deliveries?outcome=status&endpoint=${endpoint}`), (found) => found.data.length > 0);
  const job = await call("POST", "/tenants/acme/replays", { endpoint: world.endpoints["acme/Ledger"], since: "2020-01-01T00:00:00Z", status: "missed" });
  return { delivery: data[0].id, event: data[0].event, endpoint, job: job.id };
}

const consolePages = (ids: Ids) => [
  "",
  "live",
  "deliveries",
  `tenants/acme/deliveries/${ids.delivery}`,
  "events",
  `tenants/acme/events/${ids.event}`,
  "endpoints",
  "tenants/acme/endpoints/new",
  ...["", "/settings", "/testing", "/history"].map((tab) => `tenants/acme/endpoints/${ids.endpoint}${tab}`),
  "jobs",
  `tenants/acme/jobs/${ids.job}`,
  "tenants",
  ...["", "/keys", "/portal", "/limits", "/settings"].map((tab) => `tenants/acme${tab}`),
  "event-types/card.created",
  "audit",
  "nodes",
  "doctor",
  "settings",
  "settings/sessions",
];

const portalPages = (ids: Ids) => [
  "",
  "endpoints/new",
  ...["", "/settings", "/testing", "/history"].map((tab) => `endpoints/${ids.endpoint}${tab}`),
  "deliveries",
  `deliveries/${ids.delivery}`,
  "events",
  `events/${ids.event}`,
  "event-types/card.created",
  "live",
  `jobs/${ids.job}`,
];

/** Where pictures of every page go, in both themes and widths, for people who look at them; none without it. */
const folder = process.env.BELLWIRE_PICTURES;

async function picture(page: Page, path: string, as: string): Promise<void> {
  if (!folder) return;
  mkdirSync(folder, { recursive: true });
  const shell = page.url().startsWith(`${world.url}/portal`) ? "portal" : "console";
  const name = path.replace(/(dlv|evt|ep|job)_\w+/, "$1").replaceAll("/", "-");
  await page.screenshot({ path: join(folder, `${as}-${shell}-${name || "first"}.png`) });
}

/**
 * visit goes through pages as links do. Each is accessible on a desk in the light and on a phone in the dark, and fits both
 * widths in both themes. Then it goes back to the first and forward to the last, and sees the same pages.
 */
async function visit(page: Page, paths: readonly string[]): Promise<void> {
  const names: string[] = [];
  for (const path of paths) {
    if (path !== paths[0]) await go(page, path);
    await ready(page);
    await fits(page);
    await accessible(page, path);
    await picture(page, path, "desk-light");
    await look(page, "dark", desk);
    await fits(page);
    await picture(page, path, "desk-dark");
    await look(page, "light", phone);
    await ready(page);
    await fits(page);
    await picture(page, path, "phone-light");
    await look(page, "dark", phone);
    await accessible(page, path);
    await picture(page, path, "phone-dark");
    await look(page, "light", desk);
    names.push(await named(page));
  }
  for (const [i] of paths.entries()) {
    if (i > 0) await page.goBack();
    await expect.poll(() => named(page)).toBe(names[paths.length - 1 - i]);
  }
  for (const [i] of paths.entries()) {
    if (i > 0) await page.goForward();
    await expect.poll(() => named(page)).toBe(names[i]);
  }
  await ready(page);
}

test("every page of the console is accessible, fits, and is found by back and forward", async () => {
  await visit(await open("/console"), consolePages(await find()));
});

test("every page of the portal is accessible, fits, and is found by back and forward", async () => {
  const { url } = await call("POST", "/tenants/acme/portal-sessions", { theme: { accent: "#0f766e" } });
  await visit(await open(url, { signedIn: false }), portalPages(await find()));
});
