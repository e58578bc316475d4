import { expect, test } from "vitest";
import { accessible, call, copied, go, open, ready, said, settled, world } from "./harness";
import { hostile } from "./setup";

/** A tenant that has endpoints of all dialects: bluefin's accounts have twelve digits. */
const tenant = "100000000007";

type Delivery = { id: string; attempts: { request: { body_bytes: number }; response: { body: string } }[] };

async function publish(type: string, data: string): Promise<string> {
  const answer = await fetch(`${world.url}/api/v1/tenants/${tenant}/events`, {
    method: "POST",
    headers: { Authorization: `Bearer ${world.key}`, "Content-Type": "application/json" },
    body: `{"type":"${type}","data":${data}}`,
  });
  expect(answer.status, await answer.clone().text()).toBe(202);
  return ((await answer.json()) as { id: string }).id;
}

/** sent publishes an event for one endpoint, and returns its delivery after the first attempt. */
async function sent(endpoint: string, type: string, data: string): Promise<Delivery> {
  const event = await publish(type, data);
  const { data: found } = await settled(() => call("GET", `/tenants/${tenant}/deliveries?endpoint=${endpoint}&outcome=status`), (page) => page.data.some((each: { event: string }) => each.event === event));
  return call("GET", `/tenants/${tenant}/deliveries/${found.find((each: { event: string }) => each.event === event).id}`);
}

async function endpoint(path: string, type: string, more: Record<string, unknown> = {}): Promise<string> {
  return (await call("POST", `/tenants/${tenant}/endpoints`, { url: `${world.receiver}/${path}`, events: [type], ...more })).id;
}

test("the body of a request is shown byte for byte, in every dialect", async () => {
  await call("PUT", `/tenants/${tenant}`, {});
  const deliveries: [dialect: string, delivery: Delivery][] = [];
  for (const dialect of ["standard", "akkuro", "atelio", "azakaw", "bluefin", "lemon"]) {
    const type = `bodies.of_${dialect}`;
    await call("PUT", `/event-types/${type}`, { group: "bodies" });
    const id = await endpoint("echo/body", type, { dialect, ...(dialect === "azakaw" ? { auth: { type: "api_key", header: "X-Key", key: "a key of the test" } } : {}) });
    deliveries.push([dialect, await sent(id, type, '{"one":1.0,"big":9007199254740993,"text":"é\\u00e9","2":"b","1":"a"}')]);
  }
  const page = await open(`/console/tenants/${tenant}/deliveries/${deliveries[0]?.[1].id}`);
  for (const [dialect, delivery] of deliveries) {
    await go(page, `tenants/${tenant}/deliveries/${delivery.id}`);
    await ready(page);
    const body = page.getByRole("region", { name: "Request" }).getByRole("region", { name: "Body" });
    await body.getByRole("button", { name: "Raw" }).click();
    expect(await copied(page, () => body.getByRole("button", { name: "Copy Body" }).click()), dialect).toBe(delivery.attempts[0]?.response.body);
    await page.getByText("Version 1 of the data, with the hash of what was sent.").waitFor();
  }
});

test("a body of 1 MiB, an answer that is no text, and erased data are shown for what they are", async () => {
  await call("PUT", `/tenants/${tenant}`, {});
  await call("PUT", "/event-types/bodies.large", {});
  const id = await endpoint("bytes/large", "bodies.large");
  const delivery = await sent(id, "bodies.large", `{"blob":"${hostile.large}"}`);
  const page = await open(`/console/tenants/${tenant}/deliveries/${delivery.id}`, { expect: /404/ });
  const request = page.getByRole("region", { name: "Request" });
  await request.getByText(/KiB more/).waitFor();
  await page.getByRole("region", { name: "Response" }).getByText("Body, in base64").waitFor();
  expect(await copied(page, () => page.getByRole("button", { name: "Copy as curl" }).click())).toContain("--data-binary @body.json");
  await said(page, "Save the body as body.json");

  const { data } = await call("GET", `/tenants/${tenant}/events?type=bodies.large`);
  await call("DELETE", `/tenants/${tenant}/events/${data[0].id}/data`);
  await page.reload();
  await page.getByText(/no longer stored: the data of event .* was erased/i).waitFor();
  await accessible(page);
});

test("what was not sent yet is shown as it will be", async () => {
  await call("PUT", `/tenants/${tenant}`, {});
  await call("PUT", "/event-types/bodies.later", {});
  const id = await endpoint("ok/later", "bodies.later", { status: "paused" });
  await publish("bodies.later", '{"n":1.0}');
  const { data } = await settled(() => call("GET", `/tenants/${tenant}/deliveries?endpoint=${id}`), (page) => page.data.length === 1);
  const page = await open(`/console/tenants/${tenant}/deliveries/${data[0].id}`);
  await page.getByRole("region", { name: "Body that will be sent" }).getByText("1.0", { exact: true }).waitFor();
});
