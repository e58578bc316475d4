import { expect, test } from "vitest";
import { accessible, call, copied, holds, open, ownEndpoint, ownType, pause, phone, ready, said, settled, world } from "./harness";

const failing = `/console/tenants/acme/endpoints/${world.endpoints["acme/Order service"]}`;

test("the header says how it is, why, and what to do", async () => {
  const page = await open(failing);
  await page.getByText(/Failing since .*: \d+ attempts in a row failed\. Last error: the endpoint answered 500/).waitFor();
  await page.getByRole("button", { name: "Send a test" }).click();
  await page.waitForURL("**/testing");
  await ready(page); // the deliveries before it were refused, too
  await page.getByText("Refused by status").waitFor();
  await page.getByText("First byte").waitFor();
  await page.getByText("the database is down").waitFor();
  await page.getByText("9007199254740993").waitFor(); // as it came, not rounded
  await accessible(page);
  await page.reload();
  await page.getByText("Send a test to see what the receiver answers").waitFor(); // a reload sends nothing
});

test("a delivery opens beside the list, and on a phone on its own page", async () => {
  const page = await open(failing);
  await page.getByRole("row").filter({ hasText: "invoice.paid" }).first().click();
  await page.waitForURL(/\?delivery=dlv_/);
  const beside = page.getByRole("complementary", { name: "Delivery" });
  await beside.getByText("Refused by status").first().waitFor();
  await accessible(page);
  await page.goBack();
  await beside.waitFor({ state: "detached" });

  const small = await open(failing, { size: phone });
  await small.getByRole("row").filter({ hasText: "invoice.paid" }).first().click();
  await small.waitForURL(/\/deliveries\/dlv_/);
});

test("settings send only what was changed, and show refusals at the field", async () => {
  const own = await ownEndpoint("ok/own", { headers: { "X-Team": "billing", "X-Env": "test" } });
  const page = await open(`${own.page}/settings`, { expect: /422/ });
  await page.getByLabel("URL").fill("ftp://example.com");
  await page.getByLabel("Timeout").fill("5h");
  await page.getByRole("button", { name: "Save" }).click();
  const url = page.getByLabel("URL");
  await expect.poll(() => url.getAttribute("aria-invalid")).toBe("true");
  await expect.poll(async () => page.locator(`[id="${await url.getAttribute("aria-describedby")}"]`).innerText()).toMatch(/http/);
  await expect.poll(() => page.getByLabel("Timeout").getAttribute("aria-invalid")).toBe("true");
  expect((await call("GET", `/tenants/acme/endpoints/${own.id}`)).timeout).toBe("1s");

  await url.fill(`${world.receiver}/ok/new`);
  await page.getByLabel("Timeout").fill("2s");
  await page.getByLabel("Value of X-Env").fill("production");
  await page.getByRole("button", { name: "Add a header" }).click();
  await page.getByLabel("Name of header 3").fill("X-New");
  await page.getByLabel("Value of X-New").fill("new");
  const [request] = await Promise.all([page.waitForRequest((each) => each.method() === "PATCH"), page.getByRole("button", { name: "Save" }).click()]);
  expect(request.postDataJSON()).toEqual({ url: `${world.receiver}/ok/new`, timeout: "2s", headers: { "X-Team": "[redacted]", "X-Env": "production", "X-New": "new" } });
  await said(page, "Saved");
  expect((await call("GET", `/tenants/acme/endpoints/${own.id}`)).headers).toEqual({ "X-Team": "[redacted]", "X-Env": "[redacted]", "X-New": "[redacted]" });
  await expect.poll(() => page.getByLabel("Value of X-New").inputValue()).toBe(""); // values that are stored are not shown

  await page.getByRole("link", { name: "History" }).click();
  const change = page.getByRole("listitem").filter({ hasText: "Changed" }).first();
  await change.getByText("1s", { exact: true }).waitFor();
  await change.getByText("2s", { exact: true }).waitFor();
});

test("when two people change the same, both sides are shown and nothing is lost", async () => {
  const own = await ownEndpoint();
  const page = await open(`${own.page}/settings`);
  await page.getByLabel("Description").fill("Mine");
  await page.getByLabel("Requests at once").fill("7");
  await call("PATCH", `/tenants/acme/endpoints/${own.id}`, { description: "Theirs", timeout: "9s" });
  await page.getByText("Somebody else changed this endpoint").waitFor();
  await page.locator("del", { hasText: "Theirs" }).waitFor();
  await page.locator("ins", { hasText: "Mine" }).waitFor();
  await page.getByRole("button", { name: "Save", disabled: true }).waitFor();
  await page.getByRole("button", { name: "Keep mine" }).click();
  await expect.poll(() => page.getByLabel("Timeout").inputValue()).toBe("9s");
  await page.getByRole("button", { name: "Save" }).click();
  await said(page, "Saved");
  expect(await call("GET", `/tenants/acme/endpoints/${own.id}`)).toMatchObject({ description: "Mine", timeout: "9s", max_in_flight: 7 });
});

test("a save never writes over what somebody else saved, also while nothing is refreshed", async () => {
  const own = await ownEndpoint();
  const page = await open(`${own.page}/settings`, { expect: /412/ });
  await pause(page);
  await page.getByLabel("Description").fill("Mine");
  await page.getByLabel("Requests at once").fill("7");
  await call("PATCH", `/tenants/acme/endpoints/${own.id}`, { timeout: "9s" });
  await page.getByRole("button", { name: "Save" }).click();
  await said(page, "Saved");
  expect(await call("GET", `/tenants/acme/endpoints/${own.id}`), "both changed other parts").toMatchObject({ description: "Mine", timeout: "9s", max_in_flight: 7 });
  await expect.poll(() => page.getByLabel("Timeout").inputValue()).toBe("9s");

  await page.getByLabel("Timeout").fill("8s");
  await call("PATCH", `/tenants/acme/endpoints/${own.id}`, { timeout: "6s" });
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("Somebody else changed this endpoint").waitFor();
  await page.locator("del", { hasText: "6s" }).waitFor();
  await page.locator("ins", { hasText: "8s" }).waitFor();
  await accessible(page);
  expect(await call("GET", `/tenants/acme/endpoints/${own.id}`), "nothing was written").toMatchObject({ timeout: "6s" });
  await page.getByRole("button", { name: "Take theirs" }).click();
  await expect.poll(() => page.getByLabel("Timeout").inputValue()).toBe("6s");
});

test("the secret is shown when asked, copied by a click, and rotated", async () => {
  const own = await ownEndpoint();
  const { secret } = await call("GET", `/tenants/acme/endpoints/${own.id}/secret`);
  const page = await open(`${own.page}/settings`);
  await page.getByRole("button", { name: "Show the secret" }).waitFor();
  expect(await holds(page, secret)).toBe(false);
  await page.getByRole("button", { name: "Show the secret" }).click();
  expect(await copied(page, () => page.getByText(secret).click())).toBe(secret);
  await page.getByRole("button", { name: "Hide" }).click();
  await expect.poll(() => holds(page, secret)).toBe(false);

  await page.getByRole("button", { name: "Rotate" }).click();
  const dialog = page.getByRole("dialog", { name: "Rotate the secret" });
  await dialog.getByRole("radio", { name: "1 hour" }).check({ force: true });
  await dialog.getByRole("button", { name: "Rotate" }).click();
  const shown = await dialog.getByText(/^whsec_/).innerText();
  expect((await call("GET", `/tenants/acme/endpoints/${own.id}/secret`)).secret).toBe(shown);
});

test("a replay shows its exact count before it runs", async () => {
  const type = await ownType();
  for (let n = 0; n < 4; n++) await call("POST", "/tenants/acme/events", { type, data: { n } });
  const own = await ownEndpoint("ok/replay", { events: [type] });
  const page = await open(own.page);
  await page.getByText("Nothing was sent to it yet").first().waitFor();
  await page.getByRole("button", { name: "Replay", exact: true }).click();
  const dialog = page.getByRole("dialog", { name: /Replay events to/ });
  await dialog.getByText(/^4 events will be sent/).waitFor();
  await dialog.getByLabel("Accepted since").fill("last week");
  await dialog.getByText("Must be like 24h").waitFor();
  await dialog.getByRole("button", { name: /^Replay/, disabled: true }).waitFor();
  await dialog.getByLabel("Accepted since").fill("24h");
  await dialog.getByRole("button", { name: "Replay 4" }).click();
  await dialog.getByRole("link", { name: "Show the job" }).waitFor();
  const done = await settled(() => call("GET", `/tenants/acme/deliveries?endpoint=${own.id}`), ({ data }) => data.length === 4);
  expect(done.data.every((delivery: { replay: boolean }) => delivery.replay)).toBe(true);
});

test("once a test is acknowledged, what was missed is offered at once, from the first failure on", async () => {
  const name = `own-${process.pid}`;
  const type = await ownType();
  const own = await ownEndpoint(`broken/${name}`, { events: [type], retry: { schedule: [] } });
  for (let n = 0; n < 3; n++) await call("POST", "/tenants/acme/events", { type, data: { n } });
  const failing = await settled(() => call("GET", `/tenants/acme/endpoints/${own.id}`), ({ health }) => health.state === "failing" && health.failures === 3);
  const began = Date.parse(failing.health.since);
  await fetch(`${world.receiver}/repair/${name}`);

  const page = await open(`${own.page}/testing`);
  await page.getByRole("button", { name: "Send a test" }).last().click();
  await page.getByText("It works again.").waitFor();
  await page.getByRole("button", { name: "Replay what was missed" }).last().click();
  const dialog = page.getByRole("dialog", { name: /Replay events to/ });
  await dialog.getByText("A little before the first failed attempt").waitFor();
  const since = Date.parse(await dialog.getByLabel("Accepted since").inputValue());
  expect(since).toBeLessThan(began);
  expect(since).toBeGreaterThan(began - 3_700_000);
  await dialog.getByRole("button", { name: /^Replay \d+/ }).waitFor();
  await accessible(page);
  await dialog.getByRole("button", { name: /^Replay \d+/ }).click();
  await dialog.getByRole("link", { name: "Show the job" }).click();

  await page.getByRole("heading", { name: `Replay all that was missed to ${own.description}` }).waitFor();
  const arrived = page.getByRole("term").filter({ hasText: "Arrived" }).locator("..");
  await expect.poll(async () => Number((await arrived.getByRole("definition").innerText()).trim())).toBeGreaterThanOrEqual(3);
  await page.getByRole("link", { name: "Show deliveries" }).click();
  await page.waitForURL((url) => url.pathname.endsWith("/deliveries") && url.searchParams.has("job"));
  await page.getByRole("row").filter({ hasText: "Succeeded" }).nth(2).waitFor();
  await page.getByRole("link", { name: "Jobs" }).click();
  await page.getByRole("row").filter({ hasText: own.description }).getByText(own.id.slice(0, 9)).waitFor();
});

test("pausing and enabling say what happens before it does", async () => {
  const own = await ownEndpoint();
  const page = await open(own.page);
  await page.getByRole("button", { name: "More actions" }).click();
  await page.getByRole("menuitem", { name: "Pause" }).click();
  const dialog = page.getByRole("alertdialog");
  await dialog.getByText("nothing is lost").waitFor();
  await dialog.getByLabel("Reason").fill("the receiver moves");
  await dialog.getByRole("button", { name: "Pause" }).click();
  await page.getByText("Paused: deliveries are kept until it is enabled. The receiver moves.").waitFor();
  await page.getByRole("button", { name: "Enable", exact: true }).click();
  const enabling = page.getByRole("dialog", { name: /^Enable / });
  await enabling.getByText("It has missed nothing").waitFor();
  await enabling.getByRole("button", { name: "Enable", exact: true }).click();
  await settled(() => call("GET", `/tenants/acme/endpoints/${own.id}`), ({ status }) => status === "enabled");
});

test("a disabled endpoint is tested before it is enabled, which says how much will be replayed", async () => {
  const type = await ownType();
  const own = await ownEndpoint("ok/off", { events: [type] });
  await call("PATCH", `/tenants/acme/endpoints/${own.id}`, { status: "disabled" });
  for (let n = 0; n < 3; n++) await call("POST", "/tenants/acme/events", { type, data: { n } });
  const page = await open(own.page);
  await page.getByRole("button", { name: "Send a test" }).click();
  await page.getByText("It works. The endpoint is still disabled.").waitFor();
  await page.getByText("First byte").waitFor();
  await accessible(page);
  expect((await call("GET", `/tenants/acme/endpoints/${own.id}`)).status).toBe("disabled");
  const audited = (await call("GET", "/audit?tenant=acme&limit=100")).data;
  expect(audited.find(({ subject }: { subject: string }) => subject === own.id).action).toBe("endpoint.probe");

  await page.getByText("It works. The endpoint is still disabled.").locator("..").locator("..").getByRole("button", { name: "Enable" }).click();
  const dialog = page.getByRole("dialog", { name: /^Enable / });
  await dialog.getByText(/It has missed 3 events, which failed or were never sent, since/).waitFor();
  await dialog.getByRole("term").filter({ hasText: "Disabled" }).waitFor();
  await page.getByText("It has missed 3 events so far.").waitFor();
  await accessible(page);
  await dialog.getByRole("button", { name: "Enable and replay 3" }).click();
  await said(page, "Enabled. 3 events that it missed will be sent.");
  await page.getByRole("link", { name: "Follow the replay" }).waitFor();
  const done = await settled(() => call("GET", `/tenants/acme/deliveries?endpoint=${own.id}&status=succeeded`), ({ data }) => data.length === 4);
  expect(done.data.filter((delivery: { replay: boolean }) => delivery.replay).length).toBe(3);
});

test("enabling an endpoint that failed begins with a test, also on a phone", async () => {
  const own = await ownEndpoint(`broken/enable-${process.pid}`, { retry: { schedule: [] }, events: [await ownType()] });
  const [type] = (await call("GET", `/tenants/acme/endpoints/${own.id}`)).events;
  for (let n = 0; n < 3; n++) await call("POST", "/tenants/acme/events", { type, data: { n } });
  await settled(() => call("GET", `/tenants/acme/endpoints/${own.id}`), ({ health }) => health.state === "failing");
  await call("PATCH", `/tenants/acme/endpoints/${own.id}`, { status: "disabled", status_reason: "every attempt has failed since 2026-01-31T12:30:00Z" });
  const page = await open(own.page, { size: phone, theme: "dark" });
  await page.getByRole("button", { name: "Enable and replay what was missed" }).click();
  const dialog = page.getByRole("dialog", { name: /^Enable / });
  await dialog.getByText(/It has missed 3 events/).waitFor();
  await accessible(page);
  expect(await dialog.evaluate((box) => [box, ...box.querySelectorAll("*")].every((part) => part.getBoundingClientRect().right <= innerWidth)), "nothing is cut").toBe(true);
  await dialog.getByRole("button", { name: "Send a test first" }).click();
  await dialog.getByText("The test was refused with status 503").waitFor();
  await fetch(`${world.receiver}/repair/enable-${process.pid}`);
  await dialog.getByRole("button", { name: "Test again" }).click();
  await dialog.getByText("It acknowledged a test with status 200").waitFor();
  await accessible(page);
  expect(await holds(page, "2026-01-31T12:30:00Z"), "times are in the chosen zone").toBe(false);
  await dialog.getByRole("button", { name: "Enable and replay 3" }).click();
  await said(page, "Enabled. 3 events that it missed will be sent.");
  const old = await settled(() => call("GET", `/tenants/acme/deliveries?endpoint=${own.id}`), ({ data }) => data.filter((each: { status: string }) => each.status === "succeeded").length >= 3);
  const exhausted = old.data.find((each: { status: string; test: boolean }) => each.status === "exhausted" && !each.test);
  await page.goto(`${world.url}/console/tenants/acme/deliveries/${exhausted.id}`);
  await page.getByText(/The event was replayed to this endpoint .* That delivery: succeeded\./).waitFor();
  await page.getByRole("link", { name: "Show the replay" }).click();
  await page.getByRole("link", { name: `Replay all that was missed to ${own.description}` }).waitFor();
});

test("retries have a jitter, and take decimals as they are typed", async () => {
  const own = await ownEndpoint();
  const page = await open(`${own.page}/settings`);
  const retries = page.getByRole("group", { name: "Retries" });
  await retries.getByText("Growing delays").click();
  const factor = retries.getByLabel("Each is so many times the one before");
  await factor.fill("");
  await factor.pressSequentially("1.5");
  expect(await factor.inputValue()).toBe("1.5");
  await retries.getByLabel("Jitter").pressSequentially("0.25");
  await page.getByRole("button", { name: "Save" }).click();
  await said(page, "Saved");
  expect((await call("GET", `/tenants/acme/endpoints/${own.id}`)).retry).toMatchObject({ factor: 1.5, jitter: 0.25 });
});

test("deleting names what is lost, and must be typed", async () => {
  const own = await ownEndpoint();
  const page = await open(own.page, { expect: /404/ });
  await page.getByRole("button", { name: "More actions" }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  const dialog = page.getByRole("alertdialog", { name: `Delete ${own.description}?` });
  await dialog.getByText("its secret are deleted").waitFor();
  await dialog.getByRole("button", { name: "Delete", disabled: true }).waitFor();
  await dialog.getByRole("textbox").fill(own.id);
  await dialog.getByRole("button", { name: "Delete" }).click();
  await page.waitForURL("**/console/endpoints?tenant=acme");
  await expect(call("GET", `/tenants/acme/endpoints/${own.id}`)).rejects.toThrow("404");
});

test("a refused action says why, in the API's words, with the request's id", async () => {
  const own = await ownEndpoint();
  const page = await open(own.page, { expect: /50[0-9]/ });
  await page.getByText("Nothing was sent to it yet").first().waitFor();
  await page.route("**/secret", (route) =>
    route.fulfill({ status: 503, headers: { "X-Request-Id": "req-1" }, contentType: "application/problem+json", body: JSON.stringify({ status: 503, code: "unavailable", title: "", detail: "the database does not answer", hint: "try again in a moment" }) }),
  );
  await page.getByRole("link", { name: "Settings", exact: true }).last().click();
  await page.getByRole("button", { name: "Show the secret" }).click();
  const alert = page.getByRole("alert");
  await alert.getByText("The database does not answer. Try again in a moment.").waitFor();
  await alert.getByText("Request req-1").waitFor();
});

test("an endpoint is added from the list of all tenants, which asks for whom", async () => {
  const page = await open("/console/endpoints");
  await page.getByRole("button", { name: "Add endpoint" }).click();
  await page.getByLabel("Tenant", { exact: true }).selectOption("acme");
  await accessible(page);
  await page.getByRole("button", { name: "Choose the address" }).click();
  await page.waitForURL(/tenants\/acme\/endpoints\/new/);
  await page.getByText("For tenant acme.").waitFor();
});
