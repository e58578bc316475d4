import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { call, go, open, palette, ready, settled, world } from "./harness";
import { hostile } from "./setup";

/** text is what a person may type anywhere: a script, and characters that are not seen. NUL is only allowed in data. */
const text = `${hostile.script} ${hostile.hidden.replace("\u0000", "")}`;

const unseen = /[\u202a-\u202e\u2066-\u2069\u0000\u200b]/;

/** harmless fails if something of a text ran, or is shown as it is where it hides or turns around what it stands in. */
async function harmless(page: Page, where: string): Promise<void> {
  expect(await page.title(), where).not.toBe("taken over");
  const found = await page.evaluate(() => ({ text: document.body.innerText, made: document.querySelectorAll("main img, main script, main iframe").length }));
  expect(found.made, `${where}: elements that a text made`).toBe(0);
  expect(unseen.exec(found.text)?.index ?? -1, `${where}: a character that is not seen, before ${JSON.stringify(found.text.slice(unseen.exec(found.text)?.index ?? 0).slice(0, 40))}`).toBe(-1);
}

async function publish(tenant: string, type: string, data: string): Promise<string> {
  const answer = await fetch(`${world.url}/api/v1/tenants/${tenant}/events`, {
    method: "POST",
    headers: { Authorization: `Bearer ${world.key}`, "Content-Type": "application/json" },
    body: `{"type":"${type}","data":${data}}`,
  });
  if (answer.status !== 202) throw new Error(`${answer.status} ${await answer.text()}`);
  return ((await answer.json()) as { id: string }).id;
}

test("hostile texts are shown as texts wherever they can stand, and nothing runs or hangs", async () => {
  const tenant = `hostile-${process.pid}`;
  await call("POST", "/tenants", { id: tenant, name: text, metadata: { note: text } });
  await call("PATCH", `/tenants/${tenant}`, { status: "active", name: `${text} again` });
  const type = `hostile.made_${process.pid}`;
  await call("PUT", `/event-types/${type}`, { description: text, group: hostile.script, schema: { type: "object", description: text, properties: { [hostile.script]: { type: "string", description: text, enum: [text] } } }, example: { [hostile.script]: text } });
  await call("PUT", "/event-types/hostile.data", {});
  await call("POST", `/tenants/${tenant}/keys`, { role: "tenant-read", name: hostile.script });
  const endpoints: Record<string, string> = {};
  for (const kind of ["script", "hidden", "large", "deep"]) {
    const made = await call("POST", `/tenants/${tenant}/endpoints`, {
      url: `${world.receiver}/hostile/${kind}?q=%3Cscript%3E`,
      description: kind === "script" ? text : kind,
      metadata: { note: text },
      headers: { "X-Note": "<b>note</b>" },
      events: ["hostile.data"],
      retry: { schedule: ["1h"] },
    });
    endpoints[kind] = made.id;
  }
  const events = {
    text: await publish(tenant, "hostile.data", JSON.stringify({ script: hostile.script, hidden: hostile.hidden })),
    large: await publish(tenant, "hostile.data", `{"blob":"${hostile.large}","list":[${"1,".repeat(5_000)}1]}`),
    deep: await publish(tenant, "hostile.data", hostile.deep),
  };
  const { data: deliveries } = await settled(() => call("GET", `/tenants/${tenant}/deliveries?outcome=status`), ({ data }) => data.length === 12);
  const job = await call("POST", `/tenants/${tenant}/replays`, { endpoint: endpoints.script, since: "2020-01-01T00:00:00Z", status: "missed" });

  const page = await open("/console", { expect: /404/ });
  page.on("dialog", (dialog) => void dialog.accept().then(() => expect.unreachable("a dialog was opened")));
  const visit = async (path: string, shown?: string | RegExp) => {
    await go(page, path);
    await ready(page);
    if (shown) await page.locator("main").getByText(shown).first().waitFor();
    await harmless(page, path);
  };
  await visit("");
  await visit(`tenants/${tenant}`, /<script>/);
  await visit(`tenants/${tenant}/keys`, /<script>/);
  await visit(`tenants/${tenant}/settings`);
  await visit("tenants", /<script>/);
  await visit(`endpoints?tenant=${tenant}`, /<script>/);
  for (const tab of ["", "/settings", "/history"]) await visit(`tenants/${tenant}/endpoints/${endpoints.script}${tab}`, /<script>/);
  await visit(`deliveries?tenant=${tenant}`, /<script>/);
  await visit(`live?tenant=${tenant}`);
  await visit(`events?tenant=${tenant}`, /<script>/);
  await visit(`tenants/${tenant}/jobs/${job.id}`, /<script>/);
  await visit("jobs", /<script>/);
  await page.route(`**/api/v1/event-types/${type}`, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, json: { ...(await response.json()), name: `hostile${hostile.hidden}` } });
  });
  await visit(`event-types/${type}`, /<script>/);
  for (const action of ["Edit", "Archive", "Publish", "Send a test"]) {
    await page.getByRole("button", { name: action, exact: true }).click();
    const dialog = page.getByRole(action === "Archive" ? "alertdialog" : "dialog", { name: /hostile/ });
    expect(await dialog.getByRole("heading", { name: /hostile/ }).innerText(), action).not.toMatch(unseen); // what is edited is not escaped
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
  }
  await visit(`audit?tenant=${tenant}`);
  await page.getByText("tenant.update").first().click();
  await page.getByRole("dialog").getByText(/<script>/).first().waitFor();
  await harmless(page, "an entry of the audit log");
  await page.keyboard.press("Escape");

  await visit(`tenants/${tenant}/events/${events.text}`, hostile.script);
  await visit(`tenants/${tenant}/events/${events.large}`, /KiB more/);
  await visit(`tenants/${tenant}/events/${events.deep}`, "[level 41]");
  for (const [kind, id] of Object.entries(endpoints)) {
    for (const event of Object.values(events)) {
      const delivery = deliveries.find((each: { endpoint: string; event: string }) => each.endpoint === id && each.event === event);
      await visit(`tenants/${tenant}/deliveries/${delivery.id}`, "It was refused with status 500.");
      await page.getByRole("region", { name: "Response" }).getByText(kind === "script" ? /<script>/ : kind === "large" ? /xxxx/ : kind === "deep" ? /\[/ : /abc/).first().waitFor();
      await harmless(page, `a delivery of ${kind}`);
    }
  }
  await visit(`tenants/${tenant}/endpoints/${endpoints.script}/testing`);
  await page.getByRole("button", { name: "Send a test" }).last().click();
  await page.getByText(/<script>/).last().waitFor();
  await page.getByText("Refused by status").waitFor();
  await harmless(page, "the answer to a test");
  await palette(page, `1${hostile.script}`, /<script>/);
  await harmless(page, "the palette");
});
