import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { accessible, call, drawn, fits, open, palette, phone, take, world } from "./harness";

/** A platform's own page, on an origin of its own: /?url=… shows the portal in it. */
let platform: Server;
let origin = "";

beforeAll(async () => {
  platform = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://localhost").searchParams.get("url") ?? "";
    response.writeHead(200, { "Content-Type": "text/html" }).end(`<!doctype html><title>Platform</title><h1>Your webhooks</h1>
<script src="${world.url}/portal.js"></script><bellwire-portal session-url="${url.replaceAll("&", "&amp;")}" accent="#aa2255"></bellwire-portal>
<script>
  window.heard = [];
  const portal = document.querySelector("bellwire-portal");
  for (const name of ["ready", "endpoint-created", "session-ended"]) portal.addEventListener(name, (event) => { heard.push(name); if (event.detail?.renew) window.renew = event.detail.renew; });
</script>`);
  });
  await new Promise<void>((resolve) => platform.listen(0, "127.0.0.1", resolve));
  origin = `http://localhost:${(platform.address() as AddressInfo).port}`;
});

afterAll(() => {
  platform.closeAllConnections();
  platform.close();
});

let made = 0;

async function ownTenant(): Promise<string> {
  const id = `portal-${process.pid}-${++made}`;
  await call("POST", "/tenants", { id });
  return id;
}

async function session(tenant: string, more: Record<string, unknown> = {}): Promise<{ id: string; url: string }> {
  return call("POST", `/tenants/${tenant}/portal-sessions`, more);
}

test("from adding an endpoint to a test event that arrived, in a frame and without a cookie", async () => {
  const tenant = await ownTenant();
  const { url } = await session(tenant, { origins: [origin] });
  const page = await open(`${origin}/?url=${encodeURIComponent(url)}`, { signedIn: false });
  const portal = page.frameLocator("bellwire-portal iframe");
  await portal.getByRole("link", { name: "Add endpoint" }).first().click();
  await portal.getByLabel("URL").fill(`${world.receiver}/ok/portal`);
  await portal.getByText("Reached in").waitFor();
  await portal.getByText("not encrypted").waitFor();
  await portal.getByRole("button", { name: "Choose events" }).click();
  await portal.getByLabel("All events").uncheck();
  await portal.getByLabel("card.*").check();
  await portal.getByRole("button", { name: "Add endpoint" }).click();
  await portal.getByText("The test arrived and was acknowledged with 200").waitFor();
  await portal.getByRole("button", { name: "Send another test" }).click();
  await portal.getByText("The test arrived and was acknowledged with 200").waitFor();
  await expect.poll(() => page.evaluate("heard")).toEqual(["ready", "endpoint-created"]);
  expect(await page.context().cookies()).toEqual([]);
  const [endpoint] = (await call("GET", `/tenants/${tenant}/endpoints`)).data;
  expect(endpoint.events).toEqual(["card.*"]);
  await expect.poll(() => page.locator("iframe").evaluate((frame) => frame.clientHeight)).toBeGreaterThan(600);
});

test("a wrong address is said at its step, in the words of the API", async () => {
  const tenant = await ownTenant();
  const { url } = await session(tenant);
  const page = await open(url, { signedIn: false, expect: /422/ });
  await page.getByRole("link", { name: "Add endpoint" }).first().click();
  await page.getByLabel("URL").fill("https://user:secret@example.com/");
  await page.getByLabel("URL").and(page.locator('[aria-invalid="true"]')).waitFor(); // while one is still there
  await page.getByLabel("URL").fill("http://127.0.0.1:1/nobody");
  await page.getByText("Not reached:").waitFor();
  await page.getByLabel("Description").fill("long ".repeat(1000));
  await page.getByRole("button", { name: "Choose events" }).click();
  await page.getByRole("button", { name: "Add endpoint" }).click();
  await page.getByRole("button", { name: "Change the address" }).click();
  await page.getByLabel("Description").and(page.locator('[aria-invalid="true"]')).waitFor();
});

test("a page goes on in a new session when the old one is ended", async () => {
  const tenant = await ownTenant();
  const { id, url } = await session(tenant, { origins: [origin] });
  const page = await open(`${origin}/?url=${encodeURIComponent(url)}`, { signedIn: false, expect: /401/ });
  const portal = page.frameLocator("bellwire-portal iframe");
  await portal.getByRole("heading", { name: "Endpoints" }).waitFor();
  await call("DELETE", `/tenants/${tenant}/portal-sessions/${id}`);
  await expect.poll(() => page.evaluate("heard")).toContain("session-ended");
  const next = await session(tenant, { origins: [origin] });
  await page.evaluate((again) => (globalThis as unknown as { renew: (url: string) => void }).renew(again), next.url);
  await portal.getByRole("heading", { name: "Endpoints" }).waitFor();
});

test("a customer's clock that is wrong ends no session, and the end of its time does", async () => {
  const { url } = await session(await ownTenant());
  const page = await open("about:blank", { signedIn: false, own: true });
  await page.clock.install({ time: Date.now() + 2 * 86_400_000 });
  await page.goto(url);
  await page.getByText("There is no endpoint yet").waitFor();
  await page.clock.fastForward(1_000);
  await drawn(page);
  expect(await page.getByText("There is no endpoint yet").count()).toBe(1);
  await page.clock.fastForward(3_600_000);
  await page.getByText("Your session has ended").waitFor();
});

test("a link is not over while the server is busy or gone, and opens when it answers", async () => {
  const { url } = await session(await ownTenant(), { origins: [origin] });
  const page = await open("about:blank", { signedIn: false, own: true, expect: /429|503|ERR_FAILED/ });
  await page.clock.install();
  let busy = true;
  let asked = 0;
  await page.route("**/portal-sessions/exchange", (route) => {
    if (!busy) return route.continue();
    const status = [429, 503, 0][asked++ % 3];
    return status ? route.fulfill({ status, headers: { "Retry-After": "1" } }) : route.abort();
  });
  await page.goto(`${origin}/?url=${encodeURIComponent(url)}`);
  const portal = page.frameLocator("bellwire-portal iframe");
  const again = portal.getByRole("button", { name: "Try again" });
  await expect.poll(async () => (await page.clock.fastForward(10_000), await again.count())).toBe(1);
  expect(asked).toBe(6);
  expect(await page.evaluate("heard")).toEqual([]);
  await again.click();
  await expect.poll(() => asked).toBe(7);
  busy = false;
  await expect.poll(async () => (await page.clock.fastForward(10_000), await page.evaluate("heard"))).toEqual(["ready"]);
  await portal.getByText("There is no endpoint yet").waitFor();
});

test("a page is told that its session has ended where its frame shows nothing of the portal", async () => {
  const tenant = await ownTenant();
  const { id, url } = await session(tenant, { origins: [origin] });
  await call("DELETE", `/tenants/${tenant}/portal-sessions/${id}`);
  const page = await open("about:blank", { signedIn: false, own: true, expect: /frame-ancestors|ERR_BLOCKED/ });
  await page.clock.install();
  await page.goto(`${origin}/?url=${encodeURIComponent(url)}`);
  await expect.poll(() => page.frames().some((frame) => frame.url().startsWith("chrome-error:"))).toBe(true);
  await expect.poll(async () => (await page.clock.fastForward(5_000), await page.evaluate("heard"))).toEqual(["session-ended"]);
  const next = await session(tenant, { origins: [origin] });
  await page.evaluate((again) => (globalThis as unknown as { renew: (url: string) => void }).renew(again), next.url);
  const portal = page.frameLocator("bellwire-portal iframe");
  await portal.getByRole("heading", { name: "Endpoints" }).waitFor();
  await page.clock.fastForward(60_000);
  await portal.getByText("There is no endpoint yet").waitFor();
  expect(await page.evaluate("heard")).toEqual(["session-ended", "ready"]);
});

test("a portal in a frame that must be loaded again asks its page for another session", async () => {
  const { url } = await session(await ownTenant(), { origins: [origin] });
  const page = await open(`${origin}/?url=${encodeURIComponent(url)}`, { signedIn: false, own: true, expect: /404|dynamically imported/ });
  const portal = page.frameLocator("bellwire-portal iframe");
  await portal.getByRole("heading", { name: "Endpoints" }).waitFor();
  await page.route("**/assets/events-*.js", (route) => route.fulfill({ status: 404 }));
  await portal.getByRole("button", { name: "Open the navigation" }).or(portal.getByRole("link", { name: "Events", exact: true })).first().click();
  await portal.getByRole("link", { name: "Events", exact: true }).click();
  await portal.getByRole("button", { name: "Load the page again" }).click();
  await expect.poll(() => page.evaluate("heard")).toEqual(["ready", "session-ended"]);
});

test("what a session may not do is not shown, and no other page can frame it", async () => {
  const tenant = await ownTenant();
  const { url } = await session(tenant, { capabilities: ["view"] });
  const page = await open(`${origin}/?url=${encodeURIComponent(url)}`, { signedIn: false, expect: /frame-ancestors|ERR_BLOCKED/ });
  await expect.poll(() => page.frames().some((frame) => frame.url().startsWith("chrome-error:"))).toBe(true);
  const portal = await open(url, { signedIn: false });
  await portal.getByText("There is no endpoint yet").waitFor();
  expect(await portal.getByRole("link", { name: "Add endpoint" }).count()).toBe(0);
});

test("the palette finds a customer's pages, endpoints and events", async () => {
  const tenant = await ownTenant();
  await call("POST", `/tenants/${tenant}/endpoints`, { url: `${world.receiver}/ok/palette`, description: "Order service", events: ["own.*"] });
  await call("POST", `/tenants/${tenant}/events`, { type: "card.created", data: {}, id: `${tenant}-order-42` });
  const { url } = await session(tenant);
  const page = await open(url, { signedIn: false });
  await page.getByRole("heading", { name: "Endpoints" }).waitFor();
  await palette(page, "Order", /Order service/);
  await take(page);
  await page.getByRole("heading", { name: "Order service" }).waitFor();
  await palette(page, `${tenant} order 42`.replaceAll("-", " "), /card\.created/); // as people say it
  await take(page);
  await expect.poll(() => page.url()).toContain("/events/evt_");
  await palette(page, "types", /Event types/);
  await take(page);
  await expect.poll(() => page.url()).toContain("/event-types");
});

test("a session in the past cannot be opened again", async () => {
  const tenant = await ownTenant();
  const { url } = await session(tenant);
  const first = await open(url, { signedIn: false });
  await first.getByRole("heading", { name: "Endpoints" }).waitFor();
  const second = await open(url, { signedIn: false, expect: /40[013]|422/ });
  await second.getByText("This link does not work any more").waitFor();
});

test("adding an endpoint fits a phone and is accessible at each step", async () => {
  const tenant = await ownTenant();
  const { url } = await session(tenant, { theme: { mode: "dark", accent: "#ffcc00" } });
  const page = await open(url, { signedIn: false, size: phone });
  await page.getByRole("link", { name: "Add endpoint" }).first().click();
  await page.getByLabel("URL").fill(`${world.receiver}/fail/portal`);
  await fits(page);
  await accessible(page);
  await page.getByRole("button", { name: "Choose events" }).click();
  await page.getByLabel("payment.*").waitFor();
  await fits(page);
  await accessible(page);
  await page.getByRole("button", { name: "Add endpoint" }).click();
  await page.getByText("It did not acknowledge.").waitFor();
  await fits(page);
  await accessible(page);
});
