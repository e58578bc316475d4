import { expect, test } from "vitest";
import { accessible, call, fits, holds, look, open, pause, phone, said, settled, tall, world } from "./harness";

let made = 0;

/** ownTenant creates a tenant that one test may change. */
async function ownTenant(): Promise<string> {
  const id = `own-${process.pid}-${++made}`;
  await call("POST", "/tenants", { id, name: `Own ${id}` });
  return id;
}

test("a tenant is added, paused with a reason and resumed", async () => {
  const id = `added-${process.pid}`;
  const page = await open("/console/tenants", { expect: /422/ });
  await page.getByRole("button", { name: "Add tenant" }).first().click();
  await page.getByLabel("Id").fill("no spaces");
  await page.getByRole("dialog").getByRole("button", { name: "Add tenant" }).click();
  await page.getByLabel("Id").and(page.locator('[aria-invalid="true"]')).waitFor();
  await page.getByLabel("Id").fill(id);
  await page.getByLabel("Name").fill("Added Ltd");
  await page.getByRole("dialog").getByRole("button", { name: "Add tenant" }).click();
  await page.getByRole("heading", { name: "Added Ltd" }).waitFor();

  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByLabel("Reason").fill("the invoice is overdue");
  await page.getByRole("dialog").getByRole("button", { name: "Pause" }).click();
  await page.getByText("The invoice is overdue.").waitFor();
  await page.getByRole("button", { name: "Resume" }).click();
  await page.getByText("Active", { exact: true }).waitFor();
  expect((await call("GET", `/tenants/${id}`)).status).toBe("active");
});

test("the list of tenants says how their endpoints are, what waits and what they published", async () => {
  const page = await open("/console/tenants", { size: tall });
  const acme = page.getByRole("row").filter({ hasText: "Acme Ltd" });
  await acme.getByText(/\d failing/).waitFor();
  await expect.poll(() => acme.getByRole("cell").nth(4).innerText()).toMatch(/^[1-9]/);
  await acme.getByRole("img", { name: /^acme: [1-9]\d* attempts, [1-9]\d* failed/ }).waitFor();
  await accessible(page);
});

test("a key is created, shown once and deleted", async () => {
  const tenant = await ownTenant();
  const page = await open(`/console/tenants/${tenant}/keys`);
  await page.getByRole("button", { name: "Create key" }).first().click();
  await page.getByLabel("Name").fill("billing service");
  await page.getByLabel("Expires after").fill("90d");
  await page.getByRole("dialog").getByRole("button", { name: "Create key" }).click();
  const secret = (await page.getByRole("dialog").locator("pre code").textContent()) ?? "";
  const listed = await fetch(`${world.url}/api/v1/tenants/${tenant}/endpoints`, { headers: { authorization: `Bearer ${secret}` } });
  expect(listed.status).toBe(200);
  await page.getByRole("button", { name: "Done" }).click();
  await page.getByRole("button", { name: "Delete billing service" }).click();
  await page.getByRole("button", { name: "Delete the key" }).click();
  await page.getByText("No key yet").waitFor();
  expect(await page.getByRole("button", { name: "Create key" }).count()).toBe(1);
  await expect.poll(() => holds(page, secret)).toBe(false);
});

test("a limit is changed, and a wrong one is refused at its field", async () => {
  const tenant = await ownTenant();
  const page = await open(`/console/tenants/${tenant}/limits`, { expect: /422/ });
  const endpoints = page.getByLabel("Endpoints", { exact: true });
  await endpoints.fill("0.5");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText(/must be a whole number/i).waitFor();
  await endpoints.fill("7");
  await page.getByRole("button", { name: "Save" }).click();
  await said(page, "The limits were changed");
  expect((await call("GET", `/tenants/${tenant}`)).limits).toEqual({ endpoints: 7 });
});

test("what is typed about a tenant survives what somebody else saves, and both sides of the same are shown", async () => {
  const tenant = await ownTenant();
  const page = await open(`/console/tenants/${tenant}/settings`, { expect: /412/ });
  await page.getByLabel("Name").fill("Mine");
  await call("PATCH", `/tenants/${tenant}`, { metadata: { plan: "gold" } });
  await expect.poll(() => page.getByLabel("Metadata").inputValue()).toBe("plan=gold");
  await expect.poll(() => page.getByLabel("Name").inputValue()).toBe("Mine");
  await call("PATCH", `/tenants/${tenant}`, { name: "Theirs" });
  await page.getByText("Somebody else changed this tenant while you did").waitFor();
  await page.locator("del", { hasText: "Theirs" }).waitFor();
  await page.getByRole("button", { name: "Keep mine" }).click();
  await page.getByRole("button", { name: "Save" }).click();
  await said(page, "The tenant was changed");
  expect(await call("GET", `/tenants/${tenant}`)).toMatchObject({ name: "Mine", metadata: { plan: "gold" } });

  await page.getByRole("link", { name: "Limits" }).click();
  await pause(page);
  const endpoints = page.getByLabel("Endpoints", { exact: true });
  await endpoints.fill("7");
  await call("PATCH", `/tenants/${tenant}`, { limits: { endpoints: 9 } });
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("Somebody else changed these limits while you did").waitFor();
  expect((await call("GET", `/tenants/${tenant}`)).limits).toEqual({ endpoints: 9 });
  await page.getByRole("button", { name: "Take theirs" }).click();
  await expect.poll(() => endpoints.inputValue()).toBe("9");
});

test("a tenant's settings of dialects are changed, and an auth stays without its secret", async () => {
  const tenant = await ownTenant();
  await call("PATCH", `/tenants/${tenant}`, { dialects: { lemon: { auth: { type: "bearer", token: "hunter2" } }, akkuro: { timeout: "9s" } } });
  const page = await open(`/console/tenants/${tenant}/settings`, { expect: /422/ });
  const settings = page.getByRole("textbox", { name: "Settings of dialects" });
  await expect.poll(() => settings.inputValue()).toContain('"type": "bearer"');
  expect(await settings.inputValue()).not.toContain("hunter2");
  const change = page.getByRole("button", { name: "Change them" });
  await settings.fill('{"lemon": {"timeout": "2m"}}');
  await change.click();
  await page.getByText(/must be between 1s and/i).waitFor();
  await settings.fill('{"lemon": {"timeout": "20s", "auth": {"type": "bearer"}}}');
  await accessible(page, "settings of dialects");
  await change.click();
  await said(page, "The settings were changed");
  expect((await call("GET", `/tenants/${tenant}`)).dialects).toEqual({ lemon: { timeout: "20s", auth: { type: "bearer" } } });
});

test("a portal link opens the tenant's portal once, and its session is ended", async () => {
  const tenant = await ownTenant();
  const page = await open(`/console/tenants/${tenant}/portal`);
  await page.getByRole("button", { name: "Portal link" }).click();
  await page.getByRole("button", { name: "Create the link" }).click();
  const link = (await page.getByRole("link", { name: "Open the portal" }).getAttribute("href")) ?? "";
  const portal = await open(link, { signedIn: false, expect: /401/ });
  await portal.getByRole("heading", { name: "Endpoints" }).waitFor();
  expect(portal.url()).not.toContain("code=");
  await page.getByRole("dialog").getByRole("button", { name: "Close", exact: true }).last().click();
  await page.getByRole("button", { name: /^End ses_/ }).click();
  await page.getByRole("button", { name: "End it" }).click();
  await page.getByText("Nobody is in the portal").waitFor();
  await portal.getByText("Your session has ended").waitFor();
});

test("a tenant is deleted only when its name is typed", async () => {
  const tenant = await ownTenant();
  const page = await open(`/console/tenants/${tenant}/settings`, { expect: /404/ });
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  const sure = page.getByRole("button", { name: "Delete for ever" });
  await page.getByRole("button", { name: "Delete for ever", disabled: true }).waitFor();
  await page.getByLabel(`Type ${tenant} to confirm`).fill(tenant);
  await sure.click();
  await said(page, `Tenant ${tenant} was deleted. Its data will be gone from the database by about`);
  await page.getByRole("heading", { name: "Tenants" }).waitFor();
  await expect(call("GET", `/tenants/${tenant}`)).rejects.toThrow();
});

test("a job is paused, made faster, resumed and canceled", async () => {
  const job = await call("POST", "/tenants/globex/replays", { endpoint: world.endpoints["globex/Ledger"], since: "2020-01-01T00:00:00Z", status: "all", rate: 0.001 });
  const page = await open("/console/jobs");
  await page.getByText("Replay everything to Ledger").first().click();
  await page.goto(`${world.url}/console/tenants/globex/jobs/${job.id}`);
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByText("Paused. Nothing happens until you resume it.").waitFor();
  await page.getByRole("button", { name: "Change the rate" }).click();
  await page.getByLabel("Deliveries a second").fill("0.002");
  await page.getByRole("dialog").getByRole("button", { name: "Change the rate" }).click();
  await said(page, "The rate was changed");
  await page.getByRole("button", { name: "Resume" }).click();
  await settled(() => call("GET", `/tenants/globex/jobs/${job.id}`), ({ state, rate }) => state === "running" && rate === 0.002);
  await page.getByRole("button", { name: "Cancel", exact: true }).click();
  await page.getByRole("button", { name: "Cancel the job" }).click();
  await page.getByText("Canceled", { exact: true }).first().waitFor();
});

test("a job over all tenants is counted, started, paused and canceled", async () => {
  const type = "own.everybody";
  await call("PUT", `/event-types/${type}`, {});
  const tenant = await ownTenant();
  await call("POST", `/tenants/${tenant}/endpoints`, { url: `${world.receiver}/ok/own`, events: [type] });
  for (const data of [1, 2]) await call("POST", `/tenants/${tenant}/events`, { type, data });
  const page = await open("/console/bulk-jobs");
  await page.getByRole("button", { name: "Replay for all tenants" }).click();
  const form = page.getByRole("dialog");
  await form.getByText("Everything").click();
  await form.getByLabel("Event types").fill(type);
  await form.getByLabel("Deliveries a second").fill("0.001");
  await form.getByText("2 events of 1 tenant.").waitFor();
  await accessible(page, "the form");
  await form.getByRole("button", { name: "Replay 2" }).click();
  await page.getByRole("heading", { name: `Replay everything of ${type} of all tenants` }).waitFor();
  await page.getByRole("row").filter({ hasText: tenant }).waitFor();
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByText("Paused. Nothing happens until you resume it.").waitFor();
  await look(page, "dark", phone);
  await fits(page);
  await accessible(page, "the job");
  await page.getByRole("button", { name: "Cancel", exact: true }).click();
  await page.getByRole("button", { name: "Cancel the job" }).click();
  await page.getByText(/^Canceled .*, at/).waitFor();
  const id = page.url().split("/").at(-1) ?? "";
  expect((await call("GET", "/bulk-jobs")).data.find((job: { id: string }) => job.id === id)).toMatchObject({ state: "canceled", tenants: 1 });
});

test("the audit log shows who did it, and what was before and after", async () => {
  const tenant = await ownTenant();
  await call("PATCH", `/tenants/${tenant}`, { name: "Another name" });
  const { id, secret } = await call("POST", `/tenants/${tenant}/keys`, { role: "tenant", name: "Night shift" });
  const made = await fetch(`${world.url}/api/v1/tenants/${tenant}/endpoints`, {
    method: "POST",
    headers: { authorization: `Bearer ${secret}`, "content-type": "application/json" },
    body: JSON.stringify({ url: `${world.receiver}/ok/audited`, events: ["card.created"] }),
  });
  expect(made.status).toBe(201);
  const page = await open(`/console/audit?tenant=${tenant}`);
  await page.getByRole("row").filter({ hasText: "endpoint.create" }).filter({ hasText: "Night shift" }).getByText(id.slice(0, 6)).waitFor();
  await page.getByText("tenant.update").click();
  const entry = page.getByRole("dialog");
  await entry.getByText("Another name").waitFor();
  await entry.getByText(`Own ${tenant}`).waitFor();
});
