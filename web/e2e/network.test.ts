import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { accessible, call, desk, drawn, fits, look, open, ownEndpoint, ownType, phone, ready, requests, said, settled, world } from "./harness";

/** network returns what makes a page's network that of a phone at the edge of its cell, or takes it away. */
async function network(page: Page): Promise<(offline: boolean) => Promise<unknown>> {
  const session = await page.context().newCDPSession(page);
  await session.send("Network.enable");
  return (offline) => session.send("Network.emulateNetworkConditions", { offline, latency: 300, downloadThroughput: 200_000, uploadThroughput: 100_000 });
}

test("over a slow network pages show what is to come at once, and nothing jumps", async () => {
  const page = await open("about:blank", { own: true });
  await (await network(page))(false);
  // Layout shifts count from the first paint on, those after a click or a key do not.
  await page.addInitScript(() => {
    const shifts: unknown[] = [];
    Object.assign(globalThis, { shifts });
    new MutationObserver((_, observer) => {
      if (!document.querySelector('.skeleton, [aria-busy="true"]')) return;
      Object.assign(globalThis, { skeleton: true });
      observer.disconnect();
    }).observe(document, { childList: true, subtree: true });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        const shift = entry as unknown as { value: number; hadRecentInput: boolean; sources: { node?: { outerHTML?: string; textContent?: string } }[] };
        if (!shift.hadRecentInput) shifts.push({ value: shift.value, what: shift.sources.map(({ node }) => node?.outerHTML?.slice(0, 120) ?? node?.textContent) });
      }
    }).observe({ type: "layout-shift", buffered: true });
  });
  for (const path of ["", "deliveries", "endpoints", "tenants/acme"]) {
    await page.goto(new URL(`/console/${path}`, world.url).href);
    await ready(page);
    expect(await page.evaluate(() => "skeleton" in globalThis), `${path}: what is to come was shown`).toBe(true);
    const shifts = await page.evaluate(() => (globalThis as unknown as { shifts: { value: number }[] }).shifts);
    const sum = shifts.reduce((all, { value }) => all + value, 0);
    expect(sum, `${path}: ${JSON.stringify(shifts)}`).toBeLessThan(0.1); // what Core Web Vitals call good
  }
});

test("an action over a slow network is sent once, and one without a network says so and loses nothing", async () => {
  const type = await ownType();
  const own = await ownEndpoint("ok/slow", { events: [type], status: "paused" });
  await call("POST", "/tenants/acme/events", { type, data: {} });
  const { data } = await settled(() => call("GET", `/tenants/acme/deliveries?endpoint=${own.id}`), (page) => page.data.length === 1);
  const page = await open(`/console/tenants/acme/deliveries/${data[0].id}`, { own: true, expect: /ERR_INTERNET_DISCONNECTED/ });
  const retry = page.getByRole("button", { name: "Send now", exact: true });
  await retry.waitFor();
  const cut = await network(page);
  await cut(false);
  const seen = requests(page);
  await retry.dblclick();
  await said(page, "It is sent again");
  expect(seen.filter((request) => request.startsWith("POST"))).toHaveLength(1);

  await page.goto(page.url().replace(/deliveries\/.*/, `endpoints/${own.id}/settings`));
  await page.getByLabel("Description").fill("Typed without a network");
  await cut(true);
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("alert").getByText(/cannot be reached/).first().waitFor();
  await cut(false);
  await page.getByRole("button", { name: "Save" }).click();
  await said(page, "Saved");
  expect((await call("GET", `/tenants/acme/endpoints/${own.id}`)).description).toBe("Typed without a network");
});

test("a page and what is typed on it stay when it is fetched again and that fails", async () => {
  const name = `network.kept_${process.pid}`;
  await call("PUT", `/event-types/${name}`, { description: "First" });
  const page = await open(`/console/event-types/${name}`, { expect: /500/ });
  const field = page.getByRole("dialog").getByLabel("Description");
  const edit = async (description: string) => {
    await page.getByRole("button", { name: "Edit", exact: true }).click();
    await field.fill(description);
  };
  await edit("Second");
  let fail = () => {};
  const held = new Promise<void>((resolve) => (fail = resolve));
  const failed = new Set<string>();
  await page.route(/\/api\/v1\/event-types[/?]/, async (route) => {
    if (route.request().method() !== "GET") return route.continue();
    await held;
    await route.fulfill({ status: 500, json: {} });
    failed.add(new URL(route.request().url()).pathname.split("/").at(-1) ?? "");
  });
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await said(page, "Saved");
  await field.waitFor({ state: "detached" });
  await edit("Third");
  fail();
  await expect.poll(() => [...failed].sort()).toEqual(["event-types", name]);
  await drawn(page);
  expect(await field.inputValue({ timeout: 10_000 })).toBe("Third");
});

test("a change whose answer was lost is done once when it is asked for again, and twice when it is meant twice", async () => {
  const type = await ownType();
  const own = await ownEndpoint("fail/lost", { events: [type], retry: { schedule: ["1h"] } });
  const { id } = await call("POST", "/tenants/acme/events", { type, data: { n: 1 } });
  const events = async () => (await call("GET", `/tenants/acme/events?type=${type}`)).data;
  const { data } = await settled(() => call("GET", `/tenants/acme/deliveries?outcome=status&endpoint=${own.id}`), (page) => page.data.length === 1);
  const page = await open(`/console/tenants/acme/events/${id}`, { expect: /ERR_/ });
  const keys: (string | undefined)[] = [];
  let lose = true;
  await page.route(/\/(events|retry)$/, async (route) => {
    if (route.request().method() !== "POST") return route.continue();
    keys.push(route.request().headers()["idempotency-key"]);
    const response = await route.fetch(); // the server does it
    return lose ? route.abort("connectionreset") : route.fulfill({ response });
  });
  await page.getByRole("button", { name: "Publish again" }).click();
  const publish = page.getByRole("dialog").getByRole("button", { name: "Publish", exact: true });
  await publish.click();
  await page.getByRole("dialog").getByText("The server cannot be reached").waitFor();
  lose = false;
  await publish.click();
  await page.waitForURL((url) => /\/events\/evt_/.test(url.pathname) && !url.pathname.endsWith(id));
  expect(await events()).toHaveLength(2);
  expect(keys[1]).toBe(keys[0]);

  await page.goto(`${world.url}/console/tenants/acme/deliveries/${data[0].id}`);
  const retry = page.getByRole("button", { name: "Retry", exact: true });
  lose = true;
  await retry.click();
  await page.getByRole("alert").getByText(/cannot be reached/).waitFor();
  lose = false;
  await retry.click();
  await said(page, "It is sent again");
  const attempts = () => call("GET", `/tenants/acme/deliveries/${data[0].id}`);
  await settled(attempts, (delivery) => delivery.attempt_count === 2);
  await retry.click();
  await said(page, "It is sent again");
  await settled(attempts, (delivery) => delivery.attempt_count === 3);
  expect(keys[3]).toBe(keys[2]);
  expect(keys[4]).not.toBe(keys[2]);
  expect(keys.every((key) => key?.startsWith("auto_"))).toBe(true);
});

test("where the server is gone, or never answers, the page says since when it is not up to date, until it is again", async () => {
  const page = await open("about:blank", { own: true, expect: /ERR_|503/ });
  await page.clock.install();
  let answer: "yes" | "refused" | "busy" | "never" = "yes";
  await page.route("**/api/v1/**", (route) => {
    if (answer === "yes") return route.continue();
    if (answer === "refused") return route.abort("connectionrefused");
    if (answer === "busy") return route.fulfill({ status: 503, json: { detail: "the database cannot be reached" } });
  });
  await page.goto(`${world.url}/console/`);
  await ready(page);
  const live = page.getByRole("button", { name: "Live", exact: true });
  const sign = page.getByRole("status").filter({ hasText: /^Not up to date since \d\d:\d\d:\d\d UTC/ });
  await live.waitFor();
  expect(await sign.count()).toBe(0);
  for (const [how, why] of [
    ["refused", "the server cannot be reached."],
    ["busy", "the database cannot be reached."],
    ["never", "the server does not answer."],
  ] as const) {
    answer = how;
    await expect.poll(async () => (await page.clock.fastForward(5_000), await sign.allInnerTexts()), { interval: 200 }).toEqual([expect.stringContaining(why)]);
    await page.getByRole("button", { name: "Not live", exact: true }).waitFor();
    if (how === "refused") {
      for (const size of [phone, desk]) {
        for (const theme of ["light", "dark"] as const) {
          await look(page, theme, size);
          await fits(page);
          await accessible(page, `${theme}, ${size.width} pixels`);
          if (process.env.BELLWIRE_PICTURES) await page.screenshot({ path: `${process.env.BELLWIRE_PICTURES}/late-${theme}-${size.width}.png` });
        }
      }
    }
    answer = "yes";
    await expect.poll(async () => (await page.clock.fastForward(5_000), await sign.count()), { interval: 200 }).toBe(0);
    await live.waitFor();
  }
});
