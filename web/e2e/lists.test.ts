import { expect, test } from "vitest";
import { anyRow, call, open, ownEndpoint, ownType, pause, requests, settled, world } from "./harness";

const publish = (tenant: string, count: number, type: string) =>
  call("POST", `/tenants/${tenant}/events/batch`, { events: Array.from({ length: count }, (_, i) => ({ type, data: { n: i } })) });

test("what is new is counted, and does not move what one reads", async () => {
  const type = await ownType();
  const own = await ownEndpoint("ok/news", { events: [type] });
  await publish("acme", 2, type);
  await settled(() => call("GET", `/tenants/acme/deliveries?endpoint=${own.id}`), ({ data }) => data.length === 2);
  const page = await open(own.page);
  const rows = page.locator("[data-row]");
  await expect.poll(() => rows.count()).toBe(2);
  const first = await rows.first().getAttribute("data-row");
  await publish("acme", 3, type);
  const fresh = page.getByRole("button", { name: "3 new" });
  await fresh.waitFor();
  expect(await rows.first().getAttribute("data-row")).toBe(first);
  await fresh.click();
  await expect.poll(() => rows.count()).toBe(5);
  await fresh.waitFor({ state: "detached" });
});

test("a filtered list says what begins to match in its middle, and what matches no longer", async () => {
  const tenant = `lists-${process.pid}`;
  await call("POST", "/tenants", { id: tenant });
  const ids: string[] = [];
  for (const status of ["paused", "enabled", "paused"]) ids.push((await call("POST", `/tenants/${tenant}/endpoints`, { url: `${world.receiver}/ok/filtered`, events: ["own.*"], status })).id);
  const [first, middle, last] = ids as [string, string, string];
  const page = await open(`/console/endpoints?tenant=${tenant}&status=paused`);
  const rows = page.locator("[data-row]");
  const listed = () => rows.evaluateAll((elements) => elements.map((element) => (element as HTMLElement).dataset.row));
  await expect.poll(listed).toEqual([last, first]);
  await call("PATCH", `/tenants/${tenant}/endpoints/${middle}`, { status: "paused" });
  await page.getByRole("button", { name: "1 new", exact: true }).waitFor();
  await call("PATCH", `/tenants/${tenant}/endpoints/${first}`, { status: "enabled" });
  const changed = page.getByRole("button", { name: "1 new, 1 no longer listed" });
  await changed.waitFor();
  expect(await listed(), "nothing moves by itself").toEqual([last, first]);
  await changed.click();
  await expect.poll(listed).toEqual([last, middle]);
  await changed.waitFor({ state: "detached" });
});

test("endpoints and tenants that are counted with the others are not said to do nothing", async () => {
  const [endpoint] = (await call("GET", "/tenants/acme/endpoints")).data;
  const page = await open("about:blank", { own: true });
  await page.route(/\/statistics\?/, (route) => {
    const row = { at: new Date().toISOString(), others: true, attempts: 3, succeeded: 2, failed: 1, p50_ms: 1, p99_ms: 1, published: 3 };
    return route.fulfill({ json: { interval: "hour", since: row.at, until: row.at, others: true, data: [row] } });
  });
  for (const [list, row] of [["endpoints", endpoint.id], ["tenants", "acme"]] as const) {
    await page.goto(`${world.url}/console/${list}`);
    await page.locator(`[data-row="${row}"]`).getByTitle(/counted with the others/).waitFor();
  }
});

test("tenants show what fails now, and do not say that nothing waits where not all was looked at", async () => {
  const [tenant] = (await call("GET", "/tenants")).data;
  const [endpoint] = (await call("GET", "/tenants/acme/endpoints")).data;
  const page = await open("about:blank", { own: true });
  await page.clock.install();
  let failing = false;
  let more = false;
  await page.route("**/api/v1/endpoints?*", (route) => {
    const from = Number(new URL(route.request().url()).searchParams.get("cursor") ?? 0);
    const made = Array.from({ length: more ? 250 : 1 }, (_, n) => ({ ...endpoint, id: `ep_${from + n}`, tenant: more ? "another" : tenant.id, status: "enabled", health: { ...endpoint.health, state: failing ? "failing" : "healthy", waiting: 0 } }));
    return route.fulfill({ json: { data: made, next_cursor: more ? String(from + 250) : null } });
  });
  await page.goto(`${world.url}/console/tenants`);
  const row = page.locator(`[data-row="${tenant.id}"]`);
  const [health, waiting] = [row.getByRole("cell").nth(2), row.getByRole("cell").nth(3)];
  await expect.poll(() => health.innerText()).toBe("1");
  expect(await waiting.innerText()).toBe("0");
  failing = true;
  await page.clock.fastForward(31_000);
  await health.getByText("1 failing").waitFor();
  more = true;
  await page.clock.fastForward(31_000);
  await expect.poll(() => health.innerText()).toBe("–");
  expect(await waiting.innerText()).toBe("–");
});

test("a long list loads more as one scrolls, and only rows in sight are elements", async () => {
  const type = await ownType();
  const own = await ownEndpoint("ok/long", { events: [type] });
  await publish("acme", 180, type);
  await settled(() => call("GET", `/tenants/acme/deliveries?endpoint=${own.id}&limit=250`), ({ data }) => data.length === 180);
  const page = await open(own.page);
  const rows = page.locator("[data-row]");
  await rows.first().waitFor();
  await pause(page);
  const seen = requests(page);
  const pane = page.locator("main [data-scroll]").first();
  await expect
    .poll(
      async () => {
        await pane.evaluate((element) => element.scrollTo(0, element.scrollHeight));
        return await page.getByText("That is all").count();
      },
      { interval: 100 },
    )
    .toBe(1);
  expect(seen.filter((request) => request.includes("cursor=")).length).toBe(3);
  expect(await rows.count()).toBeLessThan(80);
});

test("a list of a time that ends now goes on after its first page, however long that was read", async () => {
  const type = await ownType();
  const own = await ownEndpoint("ok/moving", { events: [type] });
  await publish("acme", 120, type);
  await settled(() => call("GET", `/tenants/acme/deliveries?endpoint=${own.id}&limit=250`), ({ data }) => data.length === 120);
  const page = await open("about:blank", { own: true });
  await page.clock.install();
  await page.goto(`${world.url}${own.page}?since=15m`);
  await anyRow(page).waitFor();
  const seen = requests(page);
  await page.clock.fastForward(60_000); // the beginning of the last 15 minutes moves on
  await expect.poll(() => seen.filter((request) => request.includes("/deliveries?")).length).toBeGreaterThan(0);
  const pane = page.locator("main [data-scroll]").first();
  const end = page.getByText("That is all").or(page.getByText("could not be loaded"));
  await expect
    .poll(
      async () => {
        await pane.evaluate((element) => element.scrollTo(0, element.scrollHeight));
        return await end.count();
      },
      { interval: 100 },
    )
    .toBe(1);
  expect(await end.innerText()).toBe("That is all");
  const asked = (request: string) => new URL(request.slice(4), world.url).searchParams.get("since");
  const [further, latest] = [seen.filter((request) => request.includes("cursor=")), seen.filter((request) => request.includes("/deliveries?") && !request.includes("cursor="))];
  expect(new Set(further.map(asked)).size, "all pages are of one list").toBe(1);
  expect(latest.map(asked), "what is new is looked for in the time of now").not.toContain(asked(further[0] ?? ""));
});

test("a search that finds nothing stops, says how far back it came, and goes on when it is asked to", async () => {
  const page = await open("/console/tenants");
  let asked = 0;
  await page.route("**/api/v1/deliveries?*", (route) => {
    if (route.request().url().includes("cursor=")) asked++;
    return route.fulfill({ json: { data: [], next_cursor: "further", searched_to: "2026-01-31T12:30:00Z" } });
  });
  await page.goto(`${world.url}/console/deliveries?outcome=tls`);
  await page.getByText("Nothing found back to").waitFor();
  await page.getByText("No delivery was found yet").waitFor();
  expect(asked).toBe(5);
  await page.getByRole("button", { name: "Search further" }).click();
  await expect.poll(() => asked).toBe(10);
  await page.getByText("Nothing found back to").waitFor();
  expect(asked).toBe(10);
});

test("a list that fails says so, and tries again", async () => {
  const page = await open("/console/tenants", { expect: /500/ });
  await anyRow(page).waitFor();
  await page.route("**/api/v1/jobs*", (route) => route.fulfill({ status: 500, contentType: "text/html", body: "<h1>bad gateway</h1>" }));
  await page.getByRole("link", { name: "Jobs" }).click();
  await page.getByText("Jobs could not be loaded").waitFor();
  await page.getByText("The server answered with status 500.").waitFor();
  await page.unroute("**/api/v1/jobs*");
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByText("Jobs could not be loaded").waitFor({ state: "detached" });
});

test("an upgrade under an open tab asks to load the page again", async () => {
  const page = await open("/console/tenants", { expect: /404|dynamically imported/ });
  await anyRow(page).waitFor();
  await page.route("**/assets/nodes-*.js", (route) => route.fulfill({ status: 404 }));
  await page.getByRole("link", { name: "Nodes" }).click();
  await page.getByText("The server has another version now, or cannot be reached.").waitFor();
  await page.unroute("**/assets/nodes-*.js");
  await page.getByRole("button", { name: "Load the page again" }).click();
  await page.getByRole("heading", { name: "Nodes" }).waitFor();
  expect(page.url()).toBe(`${world.url}/console/nodes`);
});

test("a page whose code cannot be loaded at first appears by itself", async () => {
  const page = await open("/console/tenants", { expect: /ERR_CONNECTION_CLOSED|dynamically imported|preload/ });
  await anyRow(page).waitFor();
  const requests = new Map<string, number>();
  await page.route(/\/assets\/(?!.*\.woff)/, (route) => {
    const asset = route.request().url();
    const earlier = requests.get(asset) ?? 0;
    requests.set(asset, earlier + 1);
    return earlier < 2 ? route.abort("connectionclosed") : route.continue();
  });
  await page.getByRole("link", { name: "Overview" }).click();
  await page.getByRole("heading", { name: "Overview" }).waitFor();
  const plot = page.locator(".u-wrap").first();
  await plot.waitFor();
  await expect.poll(() => plot.evaluate((element) => getComputedStyle(element).position), { message: "the chart's styles" }).toBe("relative");
  expect([...requests.values()].some((times) => times > 2), "code was loaded at the third attempt").toBe(true);
});

test("a value that a filter does not have is refused, and never shows everything", async () => {
  const page = await open("/console/deliveries", { expect: /422/ });
  await anyRow(page).waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type("outcome:failed since:yesterday tenant:acme");
  await page.keyboard.press("Enter");
  await page.waitForURL(/tenant=acme/);
  await page.getByText("outcome:failed is no filter. Use outcome: with ok, status").waitFor();
  await page.getByText("since:yesterday is no time.").waitFor();
  expect(page.url()).not.toMatch(/outcome|since/);
  expect(await page.getByRole("combobox", { name: "Filter" }).inputValue()).toBe("outcome:failed since:yesterday");

  // A person may have typed the address, or an earlier version may have written it.
  const named = world.endpoints["acme/Ledger"];
  for (const [path, list] of [
    ["deliveries?outcome=failed", "Deliveries"],
    ["deliveries?status=exausted", "Deliveries"],
    ["deliveries?since=yesterday", "Deliveries"],
    ["events?until=yesterday", "Events"],
    ["audit?since=yesterday", "Audit log"],
    ["endpoints?health=broken", "Endpoints"],
    ["endpoints?waiting=yes", "Endpoints"],
    ["endpoints?sort=name", "Endpoints"],
    [`tenants/acme/endpoints/${named}?status=exausted`, "Deliveries"],
    [`tenants/acme/endpoints/${named}?outcome=failed`, "Deliveries"],
    ["?since=yesterday", "The statistics"],
  ]) {
    await page.goto(`${world.url}/console/${path}`);
    await page.getByText(`${list} could not be loaded`).first().waitFor();
    expect(await page.locator("[data-row]").count(), path).toBe(0);
  }
});

test("a time that is typed is of the zone that is switched on, and the same for whoever gets the link", async () => {
  const page = await open("/console/deliveries", { own: true, timezoneId: "Asia/Kolkata" });
  const add = async (token: string, held: RegExp) => {
    await page.getByRole("combobox", { name: "Filter" }).fill(token);
    await page.keyboard.press("Enter");
    await page.waitForURL(held);
  };
  await add("since:2026-01-31T12:30", /since=2026-01-31T07%3A00%3A00Z/);
  await page.getByRole("button", { name: /^Time:/ }).click();
  const range = page.getByRole("dialog", { name: "Time range" });
  await range.getByText("2026-01-31 12:30:00 UTC+5:30").waitFor();
  await range.getByLabel("To").fill("2026-02-01 18:00");
  await range.getByText("2026-02-01 18:00:00 UTC+5:30").waitFor();
  await range.getByRole("button", { name: "Apply" }).click();
  await page.waitForURL(/until=2026-02-01T12%3A30%3A00Z/);

  await page.getByRole("button", { name: "Theme and time zone" }).click();
  await page.getByRole("menuitemradio", { name: "Times in UTC" }).click();
  await page.keyboard.press("Escape");
  await add("since:2026-01-31", /since=2026-01-31T00%3A00%3A00Z/);
  await add("since:7d", /since=7d/);

  await page.goto(`${world.url}/console/bulk-jobs?start=replay`);
  const dialog = page.getByRole("dialog", { name: "Replay for all tenants" });
  await dialog.getByLabel("Accepted since").fill("2026-01-31 12:30");
  await dialog.getByText("2026-01-31 12:30:00 UTC").waitFor();
  await page.goto(`${world.url}/console/tenants/acme/endpoints/${world.endpoints["acme/Ledger"]}`);
  await page.getByRole("button", { name: "Replay", exact: true }).click();
  const replay = page.getByRole("dialog", { name: /^Replay events/ });
  await replay.getByLabel("Accepted since").fill("2026-01-31");
  await replay.getByText("2026-01-31 00:00:00 UTC").waitFor();
  if (process.env.BELLWIRE_PICTURES) await page.screenshot({ path: `${process.env.BELLWIRE_PICTURES}/replay.png` });
});
