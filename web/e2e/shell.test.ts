import { expect, test } from "vitest";
import { anyRow, call, go, open, palette, pause, phone, ready, take, tall, world } from "./harness";

test("signing in leads to the page that one wanted, and signing out leaves it", async () => {
  const page = await open("/console/endpoints?health=failing", { signedIn: false, expect: /401/ });
  await page.getByLabel("Key").fill("not-the-key-of-this-server");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("alert").getByText("Request ").waitFor();
  await page.getByLabel("Key").fill(world.key);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Endpoints" }).waitFor();
  expect(page.url()).toBe(`${world.url}/console/endpoints?health=failing`);
  expect(await page.evaluate(() => document.cookie), "scripts cannot read the session").toBe("");

  await page.reload();
  await page.getByRole("heading", { name: "Endpoints" }).waitFor();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "Sign in to Bellwire" }).waitFor();
});

test("a publisher sees its key's name, the event types, and what it may do with them", async () => {
  const key = await call("POST", "/keys", { role: "publisher", name: "Billing" });
  const page = await open("/console", { signedIn: false, expect: /401/ });
  await page.getByLabel("Key").fill(key.secret);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("Billing", { exact: true }).waitFor();
  await page.getByText("publisher", { exact: true }).waitFor();
  await page.getByRole("link", { name: /^card.created/ }).click();
  await page.waitForURL("**/event-types/card.created");
  await ready(page); // until then the first type is shown, which can be published, too
  await page.getByRole("button", { name: "Publish" }).click();
  await page.getByRole("dialog").getByLabel("Tenant").fill("acme");
  await page.getByRole("dialog").getByRole("textbox", { name: "Data" }).fill('{"by":"a publisher"}');
  await page.getByRole("dialog").getByRole("button", { name: "Publish" }).click();
  await page.getByText(/^Published to \d+ endpoint/).waitFor();
  await page.getByRole("dialog").getByRole("button", { name: "Close" }).last().click();
  expect(await page.getByRole("button", { name: "Edit" }).count()).toBe(0);
  expect(await page.getByRole("link", { name: "Endpoints" }).count()).toBe(0);
  await page.goto(`${world.url}/console/endpoints`);
  await page.getByText("This page needs an admin key").waitFor();
});

test("a one-time link signs in, and its code is gone from the address at once", async () => {
  const { url } = await call("POST", "/console-sessions/links");
  const page = await open(url, { signedIn: false });
  await page.getByRole("heading", { name: "Overview" }).waitFor();
  expect(page.url()).not.toContain("code");
  const again = await open(url, { signedIn: false, expect: /40[0-9]/ });
  await again.getByText("The link did not sign you in").waitFor();
});

test("a session that ends on the server leads to signing in, and back", async () => {
  const page = await open("/console/tenants/acme", { signedIn: false, expect: /401/ });
  await page.getByLabel("Key").fill(world.key);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Acme Ltd" }).waitFor();
  await page.context().clearCookies();
  await page.getByRole("heading", { name: "Sign in to Bellwire" }).waitFor();
  expect(page.url()).toBe(`${world.url}/console/tenants/acme`);
});

test("paused means no request at all", async () => {
  const page = await open("about:blank", { own: true });
  await page.clock.install();
  await page.addInitScript(() => {
    const { fetch } = globalThis;
    Object.assign(globalThis, { asked: 0 });
    globalThis.fetch = (...args) => ((globalThis as unknown as { asked: number }).asked++, fetch(...args));
  });
  const asked = () => page.evaluate(() => (globalThis as unknown as { asked: number }).asked);
  await page.goto(`${world.url}/console/endpoints`);
  await anyRow(page).waitFor();
  await ready(page);
  const loaded = await asked();
  await page.clock.fastForward(60_000);
  await expect.poll(asked, { message: "it is live" }).toBeGreaterThan(loaded);
  await pause(page);
  const before = await asked();
  await page.evaluate(() => dispatchEvent(new Event("focus")));
  await page.clock.fastForward(60_000);
  expect(await asked()).toBe(before);
  await page.keyboard.press("p");
  await page.getByRole("button", { name: "Live" }).waitFor();
  await page.clock.fastForward(60_000);
  await expect.poll(asked, { message: "it is live again" }).toBeGreaterThan(before);
});

test("the palette finds pages, ids and actions by keyboard alone", async () => {
  const published = `order-42-${process.pid}`;
  await call("POST", "/tenants/globex/events", { type: "card.created", id: published, data: {} });
  const page = await open("/console", { expect: /404/ });
  await page.getByRole("heading", { name: "Overview" }).waitFor();
  await palette(page, "audit", /Audit log/);
  await take(page);
  await page.getByRole("heading", { name: "Audit log" }).waitFor();
  await palette(page, "acme", /acme/);
  await take(page);
  await page.getByRole("heading", { name: "Acme Ltd" }).waitFor();
  await palette(page, world.endpoints["globex/Ledger"] ?? "", /of globex Endpoint/);
  await take(page);
  await page.getByRole("heading", { name: "Ledger" }).waitFor();
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox", { name: "Go to" }).fill(published);
  await page.getByRole("option", { name: "Events with this publisher's id" }).click();
  await page.waitForURL(`**/console/events?key=${published}`);
  await page.getByRole("row").filter({ hasText: published }).getByText("globex").waitFor();
  await palette(page, published.replaceAll("-", " "), new RegExp(`^${published} .*of globex`));
  await take(page);
  await page.waitForURL("**/console/tenants/globex/events/evt_*");
  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Keys" }).waitFor();
  await page.keyboard.press("Escape");
});

test("a list is walked by keys, and back returns to its filter", async () => {
  const page = await open("/console/endpoints?tenant=acme&health=failing", { size: tall });
  await page.getByRole("row").filter({ hasText: "Order service" }).waitFor();
  const first = await anyRow(page).getAttribute("data-row");
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await page.waitForURL(`**/console/tenants/acme/endpoints/${first}`);
  await page.goBack();
  await page.getByRole("button", { name: "Remove health:failing" }).waitFor();
  expect(page.url()).toContain("tenant=acme&health=failing");
  await page.goForward();
  await page.getByRole("link", { name: "History" }).waitFor();
});

test("tokens are suggested, and the URL holds them", async () => {
  const page = await open("/console/endpoints", { size: tall });
  await page.getByRole("row").filter({ hasText: "Ledger" }).first().waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type("hea");
  await page.getByRole("option", { name: "health: how deliveries go" }).waitFor();
  await page.keyboard.press("Enter");
  await page.keyboard.type("fail");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/console/endpoints?health=failing");
  await page.getByRole("row").filter({ hasText: "Mailer" }).first().waitFor();
  await page.getByRole("row").filter({ hasText: "Ledger" }).first().waitFor({ state: "detached" });
  await page.keyboard.press("Backspace");
  await page.waitForURL("**/console/endpoints");
  await page.keyboard.type("nonsense:1");
  await page.keyboard.press("Enter");
  await page.getByText("Not a filter: nonsense:1").waitFor();
});

test("what is no filter of deliveries stays, and leads to the events with that id", async () => {
  const page = await open("/console/deliveries?tenant=acme");
  const filter = page.getByRole("combobox", { name: "Filter" });
  await filter.fill("order 42");
  await filter.press("Enter");
  await page.getByText("Not a filter: order 42").waitFor();
  expect(await filter.inputValue()).toBe("order 42");
  await page.getByRole("link", { name: "Search events for order 42" }).click();
  await page.waitForURL("**/console/events?tenant=acme&key=order+42");
});

test("a page begins at its top, and is where it was left when somebody goes back", async () => {
  const page = await open("/console", { size: phone });
  const top = () => page.evaluate(() => document.getElementById("main")?.scrollTop ?? -1);
  const item = page.getByRole("listitem").filter({ hasText: "Order service" }).filter({ hasText: "acme" });
  const link = item.getByRole("link", { name: "Find out why" });
  await link.waitFor();
  await ready(page);
  await pause(page); // endpoints of other tests would move it
  await page.evaluate(() => document.getElementById("main")?.scrollTo({ top: 150 }));
  await link.click({ trial: true }); // scrolls to it, if it is further below
  const left = await top();
  expect(left).toBeGreaterThan(0);
  await link.click();
  await page.waitForURL("**?outcome=status");
  await expect.poll(top).toBe(0);
  await page.goBack();
  await link.waitFor();
  await expect.poll(top).toBe(left);
});

test("the theme and the zone are chosen, and stay", async () => {
  const page = await open("/console/endpoints", { timezoneId: "Asia/Tokyo", own: true });
  const ground = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  const light = await ground();
  await page.getByRole("button", { name: "Theme and time zone" }).click();
  await page.getByRole("menuitemradio", { name: "Dark" }).click();
  await expect.poll(ground).not.toBe(light);
  await anyRow(page).waitFor();
  const shown = () => page.locator("time").first().getAttribute("title");
  await expect.poll(shown).toMatch(/\+09:00$/);
  await page.getByRole("menuitemradio", { name: "Times in UTC" }).click();
  await expect.poll(shown).toMatch(/UTC$/);
  await page.reload();
  await expect.poll(shown).toMatch(/UTC$/);
  await expect.poll(ground).not.toBe(light);
});

test("on a phone the navigation is a drawer", async () => {
  const page = await open("/console/endpoints", { size: phone });
  await page.getByRole("button", { name: "Open the navigation" }).click();
  await page.getByRole("dialog", { name: "Navigation" }).getByRole("link", { name: "Tenants" }).click();
  await page.getByRole("heading", { name: "Tenants" }).waitFor();
  await page.getByRole("dialog", { name: "Navigation" }).waitFor({ state: "hidden" });
});

test("a page that does not exist says so", async () => {
  const page = await open("/console/no/such/page");
  await page.getByText("This page does not exist").waitFor();
});

test("a page about another thing has a state of its own, and the tabs of one thing share theirs", async () => {
  const newest = async (what: string): Promise<[string, string]> => {
    const { data } = await call("GET", `/tenants/globex/${what}?limit=2`);
    return [`tenants/globex/${what}/${data[0].id}`, `tenants/globex/${what}/${data[1].id}`];
  };
  const pairs: [string, string][] = [await newest("deliveries"), await newest("events"), await newest("endpoints"), ["tenants/acme", "tenants/globex"], ["tenants/acme/endpoints/new", "tenants/globex/endpoints/new"]];
  const page = await open("/console");
  const heading = page.locator("main h1");
  const visit = async (path: string) => {
    await go(page, path);
    await ready(page);
  };
  const kept = () => heading.evaluate((element) => "marked" in element);
  for (const [one, other] of pairs) {
    await visit(one);
    await visit(other);
    await heading.evaluate((element) => Object.assign(element, { marked: true }));
    await visit(one); // what it shows is there already
    expect(await kept(), one).toBe(false);
  }
  await visit("tenants/acme");
  await heading.evaluate((element) => Object.assign(element, { marked: true }));
  await visit("tenants/acme/keys");
  expect(await kept(), "a tab").toBe(true);
});
