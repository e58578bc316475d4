import { expect, test } from "vitest";
import { accessible, call, desk, fits, look, open, phone, settled, world } from "./harness";

/** An endpoint that has got an event of a type of its own. */
async function delivered(name: string): Promise<{ tenant: string; type: string; id: string; delivery: string }> {
  const tenant = `versions-${name}-${process.pid}`;
  const type = `${name}.paid`;
  await call("POST", "/tenants", { id: tenant });
  await call("PUT", `/event-types/${type}`, { group: "payloads", schema: { type: "object", required: ["total"], properties: { total: { type: "number" } } }, example: { total: 12.5 } });
  const { id } = await call("POST", `/tenants/${tenant}/endpoints`, { url: `${world.receiver}/ok/versions`, events: [type], description: "Ledger" });
  await call("POST", `/tenants/${tenant}/events`, { type, data: { total: 1.5 } });
  const { data } = await settled(() => call("GET", `/tenants/${tenant}/deliveries?status=succeeded`), (page) => page.data.length === 1);
  return { tenant, type, id, delivery: data[0].id };
}

const second = { schema: { type: "object", required: ["sum"] }, example: { sum: 12.5 }, converter: '{"total": data.sum}' };

test("an operator adds a version, changes its converter, and sees both", async () => {
  const { type } = await delivered("added");
  const page = await open(`/console/event-types/${type}`, { expect: /422/ });
  const versions = page.locator("section.panel", { has: page.getByRole("heading", { name: "Versions", exact: true }) });
  await versions.getByRole("button", { name: "Add a version" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("textbox", { name: "Schema" }).fill(JSON.stringify(second.schema));
  await dialog.getByRole("textbox", { name: "Example" }).fill(JSON.stringify(second.example));
  await dialog.getByLabel("Converter").fill('{"total": "none"}');
  await dialog.getByRole("button", { name: "Add it" }).click();
  await dialog.getByText(/what does not fit the schema of version 1/).waitFor();
  await dialog.getByLabel("Converter").fill(second.converter);
  await accessible(page, "adding");
  await dialog.getByRole("button", { name: "Add it" }).click();
  await versions.getByText("Version 2", { exact: true }).waitFor();
  await versions.getByText(/^[1-9]\d* endpoints? gets? it/).first().waitFor();
  await expect.poll(() => versions.getByText(/endpoints? gets? it/).count()).toBe(2);
  await versions.getByRole("button", { name: /^Version 1/ }).click();
  await versions.getByText("Converter from version 2").waitFor();
  await versions.getByText(second.converter).waitFor();
  await versions.getByRole("button", { name: "Change the converter" }).click();
  await dialog.getByLabel("Converter").fill('{"total": data.sum, "currency": "EUR"}');
  await dialog.getByRole("button", { name: "Change it" }).click();
  await versions.getByText('"currency": "EUR"').waitFor();
  const stored = await call("GET", `/event-types/${type}`);
  expect(stored.version).toBe(2);
  expect(stored.older_versions[0].converter).toBe('{"total": data.sum, "currency": "EUR"}');
  for (const size of [desk, phone]) {
    await look(page, "light", size);
    await versions.scrollIntoViewIfNeeded();
    await accessible(page, `at ${size.width} pixels`);
    await fits(page);
  }
});

test("a customer previews a later version on the last events in the portal, and moves the endpoint", async () => {
  const { tenant, type, id, delivery } = await delivered("moved");
  await call("POST", `/event-types/${type}/versions`, second);
  await call("POST", `/tenants/${tenant}/events`, { type, data: { sum: 2.5 } });
  await settled(() => call("GET", `/tenants/${tenant}/deliveries?status=succeeded`), (page) => page.data.length === 2);
  const { url } = await call("POST", `/tenants/${tenant}/portal-sessions`, { capabilities: ["view", "manage"] });
  const page = await open(url, { signedIn: false });
  await page.getByText("Ledger").first().click();
  await page.getByRole("link", { name: "Versions" }).click();
  await page.getByText("It gets version 1 of 2, by the time of its creation.").waitFor();
  await page.getByLabel(`Version of ${type}`).selectOption("2");
  await page.getByRole("button", { name: "Preview on its last events" }).click();
  const preview = page.getByRole("region", { name: "Preview" });
  await preview.getByText("1 event of its last 2 would not be as the version says.").waitFor();
  await preview.getByText("The event was published in version 1, of which no later one can be made").waitFor();
  await preview.getByRole("region", { name: "Before, version 1" }).first().getByText('"total"').waitFor();
  await preview.getByRole("region", { name: "After, version 2" }).getByText('"sum"').waitFor();
  for (const size of [desk, phone]) {
    await look(page, "light", size);
    await accessible(page, `at ${size.width} pixels`);
    await fits(page);
  }
  await page.getByRole("button", { name: "Move it" }).click();
  await page.getByText("It gets the newest version, which was chosen.").waitFor();
  expect((await call("GET", `/tenants/${tenant}/endpoints/${id}`)).versions).toEqual({ [type]: 2 });

  const viewer = await call("POST", `/tenants/${tenant}/portal-sessions`, { capabilities: ["view"] });
  const other = await open(viewer.url, { signedIn: false });
  await other.getByText("Ledger").first().click();
  await other.getByRole("link", { name: "Versions" }).click();
  await other.getByLabel(`Version of ${type}`).waitFor();
  expect(await other.getByRole("button", { name: "Move it" }).count()).toBe(0);

  // What was sent stays what it was.
  const sent = await open(`/console/tenants/${tenant}/deliveries/${delivery}`);
  await sent.getByText("Version 1 of the data, with the hash of what was sent.").waitFor();
});

test("a body that cannot be made again is shown with the reason", async () => {
  const { tenant, type } = await delivered("changed");
  await call("POST", `/event-types/${type}/versions`, second);
  await call("POST", `/tenants/${tenant}/events`, { type, data: { sum: 2.5 } });
  const { data } = await settled(() => call("GET", `/tenants/${tenant}/deliveries?status=succeeded`), (page) => page.data.length === 2);
  await call("PUT", `/event-types/${type}/versions/1/converter`, { converter: '{"total": data.sum + 1.0}' });
  const page = await open(`/console/tenants/${tenant}/deliveries/${data[0].id}`);
  await page.getByText(/It is not what was sent: the event type was changed .*, after the attempt/).waitFor();
  for (const size of [desk, phone]) {
    await look(page, "light", size);
    await accessible(page, `at ${size.width} pixels`);
    await fits(page);
  }
});
