import type { Locator } from "playwright-core";
import { expect, test } from "vitest";
import { accessible, anyRow, call, copied, desk, fits, look, open, ownEndpoint, ownType, phone, ready, said, settled, tall, world } from "./harness";

const script = "<script>document.title = 'taken over'</script>";
const hostile = `{"note":"${script}","bidi":"abc\\u202egnp.exe","nul":"a\\u0000b","big":9007199254740993,"one":1.0,"2":"two","1":"one"}`;

/** publish publishes a text as it is, for acme, and returns the event's id. The publisher may have an id of its own. */
async function publish(type: string, data: string, id?: string): Promise<string> {
  const answer = await fetch(`${world.url}/api/v1/tenants/acme/events`, {
    method: "POST",
    headers: { Authorization: `Bearer ${world.key}`, "Content-Type": "application/json" },
    body: `{"type":"${type}",${id ? `"id":"${id}",` : ""}"data":${data}}`,
  });
  expect(answer.status).toBe(202);
  return ((await answer.json()) as { id: string }).id;
}

/** failed returns a delivery of acme whose attempt was refused, and its endpoint. No other test erases or retries it. */
async function failed(): Promise<{ id: string; endpoint: string }> {
  const type = await ownType();
  const own = await ownEndpoint("fail/orders", { events: [type], retry: { schedule: ["1h"] } });
  await publish(type, '{"order":1}');
  const { data } = await settled(
    () => call("GET", `/tenants/acme/deliveries?outcome=status&endpoint=${own.id}`),
    (page) => page.data.length > 0,
  );
  return { id: data[0].id, endpoint: own.description };
}

test("deliveries are filtered by tokens and the keyboard, and back and forward keep the filter", async () => {
  const page = await open("/console/deliveries");
  await anyRow(page).waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type("status:succ");
  await page.getByRole("option", { name: /succeeded/ }).waitFor();
  await page.keyboard.press("Enter");
  await page.waitForURL(/status=succeeded/);
  await page.keyboard.type("tenant:acme");
  await page.keyboard.press("Enter");
  await page.waitForURL(/tenant=acme/);
  await ready(page); // the list before this one has rows that succeeded, too
  await page.getByRole("listbox", { name: "Suggestions" }).waitFor({ state: "hidden" }); // it would lie over the rows
  await page.keyboard.press("Escape");
  await expect.poll(() => page.evaluate(() => document.activeElement === document.body), { message: "keys are the page's" }).toBe(true);
  await page.getByRole("row").filter({ hasText: "Succeeded" }).first().waitFor();
  for (const other of ["Retrying", "globex"]) await page.getByRole("row").filter({ hasText: other }).first().waitFor({ state: "detached" });
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  const beside = page.getByRole("complementary", { name: "Delivery" });
  await beside.getByText(/acknowledged with status 200/i).first().waitFor();
  await accessible(page);
  await look(page, "light", { width: 1280, height: 800 });
  const box = async (part: Locator) => (await part.boundingBox()) ?? { x: 0, width: 0 };
  const covered = async () => {
    const [column, pane] = [await box(page.getByRole("columnheader", { name: "Accepted" })), await box(beside)];
    return column.x + column.width - pane.x;
  };
  await expect.poll(covered, { message: "pixels of the last column that the delivery covers" }).toBeLessThanOrEqual(0);
  await look(page, "light", desk);
  await page.goBack();
  await beside.waitFor({ state: "detached" });
  expect(new URL(page.url()).searchParams.get("status")).toBe("succeeded");
  await page.goForward();
  await beside.waitFor();
});

test("all that match become a job with the exact count, and others are left alone", async () => {
  const type = await ownType();
  const own = await ownEndpoint("ok/bulk", { events: [type], status: "paused" });
  for (let i = 0; i < 3; i++) await publish(type, `{"bulk":${i}}`);
  await settled(() => call("GET", `/tenants/acme/deliveries?endpoint=${own.id}`), ({ data }) => data.length === 3);
  const page = await open(`/console/deliveries?endpoint=${own.id}&dialect=standard`);
  await page.getByText("Waits: the endpoint is paused").first().waitFor();
  await page.getByRole("button", { name: "Cancel all" }).click();
  const dialog = page.getByRole("dialog", { name: "Cancel all that match" });
  await dialog.getByText("A job is about one tenant").waitFor();
  await dialog.getByLabel("Tenant").selectOption("acme");
  await dialog.getByRole("button", { name: /^Cancel (at most )?3 deliveries/ }).click();
  await page.waitForURL(/\/tenants\/acme\/jobs\/job_/);
  await page.getByText("Dialect", { exact: true }).waitFor();
  await settled(() => call("GET", `/tenants/acme/deliveries?endpoint=${own.id}`), ({ data }) => data.every((each: { status: string }) => each.status === "canceled"));
});

test("a delivery says what failed and what to do, and shows both messages as they were", async () => {
  const { id, endpoint } = await failed();
  const page = await open(`/console/tenants/acme/deliveries/${id}`);
  await page.getByRole("navigation", { name: "Above" }).getByRole("link", { name: endpoint }).waitFor();
  await page.getByText("It was refused with status 500.").waitFor();
  await page.getByText("The receiver failed while it handled the request").first().waitFor();
  const response = page.getByRole("region", { name: "Response" });
  await response.getByText("9007199254740993").waitFor();
  const request = page.getByRole("region", { name: "Request" });
  await request.getByText("webhook-signature").waitFor();
  await request.getByRole("region", { name: "Body" }).getByText('"timestamp"').waitFor();
  const command = await copied(page, () => page.getByRole("button", { name: "Copy as curl" }).click());
  await said(page, /^Copied$/);
  expect(command).toContain(`curl -X POST ${world.receiver}/fail/orders`);
  expect(command).toContain("--data-binary '{\"type\":");
  await accessible(page);
});

test("a signature is checked in the browser, and the mistake is named", async () => {
  const page = await open(`/console/tenants/acme/deliveries/${(await failed()).id}?signature=`);
  await page.getByText("the bytes that the base64 after whsec_ stands for").waitFor();
  await page.getByRole("button", { name: "Use this endpoint's" }).click();
  await expect.poll(() => page.getByLabel("Secret", { exact: true }).inputValue()).toMatch(/^whsec_/);
  await page.getByRole("button", { name: "Check in this browser" }).click();
  await page.getByText("The signature is valid.").waitFor();
  const body = page.getByRole("textbox", { name: "Body that your code has" });
  await body.fill(`${await body.inputValue()} `);
  await page.getByRole("button", { name: "Check in this browser" }).click();
  await page.getByText("White space around the body was removed").waitFor();
  await page.getByText("The body is not what was sent.").waitFor();
  await accessible(page);
});

test("what is read and typed about an attempt stays when another one ends, and one's own retry is shown", async () => {
  const { id } = await failed();
  const page = await open(`/console/tenants/acme/deliveries/${id}?signature=`, { size: tall });
  const shown = (attempt: number) => page.getByRole("heading", { name: new RegExp(`^Attempt ${attempt}`) });
  const line = page.getByRole("navigation", { name: "Attempts" });
  const fields = [page.getByLabel("Secret", { exact: true }), page.getByLabel("webhook-signature"), page.getByRole("textbox", { name: "Body that your code has" })];
  const typed = () => Promise.all(fields.map((field) => field.inputValue()));
  await shown(1).waitFor();
  await expect.poll(async () => (await typed())[2]).toContain("timestamp");
  for (const field of fields) await field.fill("typed");
  await call("POST", `/tenants/acme/deliveries/${id}/retry`, {});
  await line.getByRole("button", { name: /^2/ }).waitFor();
  await shown(1).waitFor();
  expect(await typed()).toEqual(["typed", "typed", "typed"]);
  await line.getByRole("button", { name: /^2/ }).click();
  await shown(2).waitFor();
  expect(await typed()).toEqual(["typed", "typed", "typed"]);
  await page.getByRole("button", { name: "Retry", exact: true }).click();
  await line.getByRole("button", { name: /^3/ }).waitFor();
  await shown(2).waitFor();

  await page.getByRole("button", { name: "Why does my signature not verify?" }).click();
  await fields[0]?.waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Retry", exact: true }).click();
  await shown(4).waitFor();
});

test("a delivery is retried and canceled, and the page says so", async () => {
  const type = await ownType();
  const own = await ownEndpoint("ok/again", { events: [type], status: "paused" });
  await publish(type, '{"again":1}');
  const { data } = await settled(() => call("GET", `/tenants/acme/deliveries?endpoint=${own.id}`), (page) => page.data.length === 1);
  const page = await open(`/console/tenants/acme/deliveries/${data[0].id}`, { size: phone });
  await page.getByText("It waits because the endpoint is paused.").waitFor();
  await fits(page);
  await accessible(page);
  await page.getByRole("button", { name: "Cancel", exact: true }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Cancel the delivery" }).click();
  await page.getByText("Retry it to send it after all.").waitFor();
  await call("PATCH", `/tenants/acme/endpoints/${own.id}`, { status: "enabled" });
  await page.getByRole("button", { name: "Retry", exact: true }).click();
  await page.getByText(/Acknowledged with status 200/).waitFor();
});

test("an event shows its data byte for byte, and one row for each endpoint with the reason", async () => {
  const type = await ownType(); // only Ledger gets it
  const id = await publish(type, hostile);
  const page = await open(`/console/tenants/acme/events/${id}`, { size: tall });
  const data = page.getByRole("region", { name: "Data" });
  await data.getByText("9007199254740993").waitFor();
  await data.getByText(script).waitFor();
  expect(await page.title()).not.toBe("taken over");
  expect(await data.innerText()).not.toMatch(/[\u202e\u0000]/);
  await data.getByRole("button", { name: "Raw" }).click();
  expect(await copied(page, () => data.getByRole("button", { name: "Copy Data" }).click())).toBe(hostile);
  await page.getByRole("row").filter({ hasText: "Ledger" }).getByText("Delivered").waitFor();
  await page.getByRole("row").filter({ hasText: "Order service" }).getByText(`none of them matches ${type}`).waitFor();
  await accessible(page);

  await page.getByRole("button", { name: "Send again", exact: true }).click();
  await page.getByRole("button", { name: "Send to 1 endpoint" }).click();
  await said(page, "It is sent again to 1 endpoint.");

  await page.getByRole("button", { name: "Publish again" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Publish", exact: true }).click();
  await page.waitForURL((url) => /\/events\/evt_/.test(url.pathname) && !url.pathname.endsWith(id));
  const again = page.url().split("/").at(-1) ?? "";
  const text = await (await fetch(`${world.url}/api/v1/tenants/acme/events/${again}`, { headers: { Authorization: `Bearer ${world.key}` } })).text();
  expect(text).toContain(hostile);
});

test("data of 1 MiB and of many levels is shown, and erased data is said to be", async () => {
  const large = await publish("card.created", `{"blob":"${"x".repeat(1000 * 1024)}"}`);
  const key = `deep-${process.pid}`;
  const deep = await publish("card.created", `${"[".repeat(9000)}1${"]".repeat(9000)}`, key);
  await call("DELETE", `/tenants/acme/events/${deep}/data`);
  const page = await open(`/console/tenants/acme/events/${large}`);
  await page.getByText(/KiB more|MiB more/).first().waitFor();
  await page.goto(`${world.url}/console/tenants/acme/events/${deep}`);
  await page.getByText("The data was erased").waitFor();
  expect(await page.getByRole("button", { name: "Publish again" }).count()).toBe(0);
  await page.goto(`${world.url}/console/events?tenant=acme&key=${key}`);
  await page.locator(`[data-row="${deep}"]`).getByText("Erased").waitFor();
  await accessible(page);
});

test("a type is made with its faults at the fields, tried, edited beside somebody else, and archived", async () => {
  const name = `made.by_${process.pid}`;
  const page = await open("/console/event-types", { expect: /404|409|412|422|400/ });
  await page.getByRole("button", { name: "New" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill(name);
  await dialog.getByRole("textbox", { name: "Schema" }).fill('{"type":');
  await dialog.getByText(/Line 1, column 9/i).waitFor();
  await dialog.getByRole("textbox", { name: "Schema" }).fill('{"type":"object","required":["n"],"properties":{"n":{"type":"integer","maximum":9007199254740993,"description":"How many."}}}');
  await dialog.getByRole("textbox", { name: "Example" }).fill('{"n":9007199254740993}');
  await dialog.getByRole("button", { name: "Create" }).click();
  await page.waitForURL(new RegExp(name));
  await dialog.waitFor({ state: "detached" });
  await page.getByText("How many.").waitFor();
  await page.getByText("at most 9007199254740993").waitFor();
  await accessible(page);

  await page.getByRole("button", { name: "Send a test" }).click();
  await page.getByRole("dialog").getByLabel("Endpoint").selectOption(world.endpoints["acme/Ledger"] ?? "");
  await page.getByRole("dialog").getByRole("button", { name: "Send", exact: true }).click();
  await page.getByText("It was acknowledged with status 200.").waitFor();
  await page.getByRole("dialog").getByRole("button", { name: "Close" }).first().click();

  await page.getByRole("button", { name: "Edit" }).click();
  await call("PUT", `/event-types/${name}?force=true`, { description: "Theirs" });
  await page.getByRole("dialog").getByLabel("Description").fill("Mine");
  await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
  await page.getByText("Somebody else changed it while you did").waitFor();
  await page.locator("del", { hasText: "Theirs" }).waitFor();
  await page.getByRole("button", { name: "Keep mine" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
  await page.getByText("Mine.").first().waitFor();

  // Their change took schema and example away. Receivers rely on the schema that is written now, so that a weaker one must be confirmed.
  const schema = page.getByRole("dialog").getByRole("textbox", { name: "Schema" });
  await page.getByRole("button", { name: "Edit" }).click();
  await schema.fill('{"type":"object","required":["n"],"properties":{"n":{"type":"integer"}}}');
  await page.getByRole("dialog").getByRole("button", { name: "Save", exact: true }).click();
  await schema.waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Edit" }).click();
  await schema.fill('{"type":"object"}');
  await page.getByRole("dialog").getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText("Data.n was removed").waitFor();
  await page.getByRole("button", { name: "Save it all the same" }).click();
  await schema.waitFor({ state: "detached" });
  expect((await call("GET", `/event-types/${name}`)).schema).toEqual({ type: "object" });

  await page.getByRole("button", { name: "Archive" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Archive it" }).click();
  await page.getByText("It cannot be published").waitFor();
  expect((await call("GET", `/event-types/${name}`)).archived).toBe(true);

  await page.getByRole("button", { name: "New" }).click();
  await page.getByRole("dialog").getByLabel("Name").fill(name);
  await page.getByRole("dialog").getByRole("button", { name: "Create" }).click();
  await page.getByText("Is that of an event type already").waitFor();
  expect((await call("GET", `/event-types/${name}`)).description).toBe("Mine");
});

test("the live tail lists attempts, is held and counts, goes on after the connection broke, and is still while paused", async () => {
  const page = await open("/console/deliveries", { expect: /502|ERR_|Failed to load/ });
  let connections = 0;
  const attempt = (n: number) => `event: attempt\nid: att_${n}\ndata: ${JSON.stringify({ id: `att_${n}`, tenant: "acme", endpoint: world.endpoints["acme/Ledger"], delivery: "dlv_1", event: "evt_1", event_type: `tail.${n}`, dialect: "standard", number: 1, trigger: "schedule", outcome: n === 2 ? "status" : "ok", status: n === 2 ? 503 : 200, duration_ms: 4.2, started_at: new Date().toISOString() })}\n\n`;
  const seen: (string | undefined)[] = [];
  // The stream itself is tested with the server. Here each connection ends after what it has, so that the page must come back.
  await page.route("**/api/v1/live**", async (route) => {
    seen.push((await route.request().allHeaders())["last-event-id"]);
    const n = ++connections;
    const body = n === 1 ? attempt(1) + attempt(2) + 'event: skipped\ndata: {"sampled":31,"dropped":0}\n\n' : attempt(n + 1);
    await route.fulfill({ status: n === 2 ? 502 : 200, contentType: n === 2 ? "text/plain" : "text/event-stream", body: n === 2 ? "bad gateway" : body });
  });
  await page.getByRole("link", { name: "Live", exact: true }).click();
  await page.getByRole("row").filter({ hasText: "tail.2" }).getByText("503").waitFor();
  await page.getByText("31 attempts were left out, because there are more than 200 a second").waitFor();
  await page.getByRole("row").filter({ hasText: "tail.4" }).waitFor();
  expect(seen.slice(0, 3), "a connection goes on after what was seen").toEqual([undefined, "att_2", "att_2"]);
  await accessible(page);
  await page.getByRole("button", { name: "Hold" }).click();
  const newest = page.getByRole("row").filter({ hasText: "tail." }).first();
  const before = await newest.innerText();
  await page.getByRole("button", { name: /Go on \(([2-9]|\d\d+) new\)/ }).waitFor();
  expect(await newest.innerText()).toBe(before);
  await page.getByRole("button", { name: /Go on/ }).click();
  await expect.poll(() => newest.innerText()).not.toBe(before);
  await page.getByRole("button", { name: "Live", exact: true }).click();
  await page.getByText("Live data is paused, so nothing is asked of the server.").waitFor();
});

test("an attempt is on the live page as soon as it ends, and a click opens its delivery", async () => {
  const type = await ownType();
  const own = await ownEndpoint("ok/live", { events: [type] });
  const page = await open(`/console/live?endpoint=${own.id}`);
  await page.getByText("Connected").waitFor();
  await publish(type, '{"live":1}');
  const row = page.getByRole("row").filter({ hasText: own.description });
  const time = row.getByRole("cell").first();
  await expect.poll(() => time.innerText()).toMatch(/^\d\d:\d\d:\d\d UTC/);
  expect(await time.evaluate((cell) => cell.scrollWidth - cell.clientWidth), "the whole time is shown").toBe(0);
  await row.click();
  await page.getByRole("complementary", { name: "Delivery" }).getByText(/Acknowledged with status 200/).waitFor();
  await accessible(page);
});

test("an event is found by the id that its publisher gave, typed as it is", async () => {
  const key = `order-${process.pid}`;
  await call("POST", "/tenants/acme/events", { id: key, type: "card.created", data: {} });
  const page = await open("/console/events");
  await anyRow(page).waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type(key);
  await page.keyboard.press("Enter");
  await page.waitForURL(new RegExp(`key=${key}`));
  await page.getByRole("row").filter({ hasText: key }).click();
  await page.getByRole("heading", { name: "card.created" }).waitFor();
  await page.goBack();
  await ready(page);
  await page.keyboard.press("/");
  await page.keyboard.type("order no such");
  await page.keyboard.press("Enter");
  await page.getByText("The publisher's id must be the whole one").waitFor();

  // What is no publisher's id may be a word in the data.
  const word = `Word${process.pid}`;
  await publish("card.created", `{"note":"a ${word} in it"}`);
  await page.getByRole("button", { name: "Remove the filter" }).click();
  await page.keyboard.press("/");
  await page.keyboard.type(word.toUpperCase());
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: `Search the data for ${word.toUpperCase()}` }).click();
  await page.getByRole("row").filter({ hasText: word }).waitFor();
  await expect.poll(() => page.getByRole("row").filter({ hasText: "card.created" }).count()).toBe(1);
  await accessible(page);
});
