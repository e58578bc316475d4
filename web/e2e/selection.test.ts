import { expect, test } from "vitest";
import { accessible, call, fits, holds, open, ownEndpoint, ownType, pause, phone, said, settled } from "./harness";

/** held publishes events for an endpoint that is paused, and returns the endpoint. */
async function held(count: number) {
  const type = await ownType();
  const own = await ownEndpoint("ok/held", { events: [type], status: "paused" });
  await call("POST", "/tenants/acme/events/batch", { events: Array.from({ length: count }, (_, n) => ({ type, data: { n } })) });
  await settled(() => call("GET", `/tenants/acme/deliveries?endpoint=${own.id}`), ({ data }) => data.length === count);
  return { ...own, type };
}

const states = async (endpoint: string): Promise<string[]> => (await call("GET", `/tenants/acme/deliveries?endpoint=${endpoint}`)).data.map((each: { status: string }) => each.status);

test("single deliveries are selected by box, shift and key, and only they are canceled and retried", async () => {
  const own = await held(6);
  const page = await open(`/console/deliveries?tenant=acme&endpoint=${own.id}`);
  const rows = page.locator("[data-row]");
  const bar = page.getByRole("region", { name: "Selected rows" });
  await rows.nth(5).waitFor();
  await rows.nth(1).getByRole("checkbox").check();
  await rows.nth(3).getByRole("checkbox").click({ modifiers: ["Shift"] });
  await bar.getByText("3 selected").waitFor();
  await page.keyboard.press("j");
  await page.keyboard.press("x");
  await bar.getByText("4 selected").waitFor();
  await page.keyboard.press("x");
  await page.getByRole("checkbox", { name: "Select all that are shown" }).check();
  await bar.getByText("6 selected").waitFor();
  await bar.getByRole("button", { name: "Select none" }).click();
  await bar.waitFor({ state: "detached" });
  expect(page.url(), "a box opens nothing").not.toContain("delivery=");

  await rows.nth(0).getByRole("checkbox").check();
  await rows.nth(1).getByRole("checkbox").check();
  await accessible(page);
  await bar.getByRole("button", { name: "Cancel 2" }).click();
  const sure = page.getByRole("alertdialog", { name: "Cancel 2 deliveries?" });
  await sure.getByRole("button", { name: "Cancel 2" }).click();
  await said(page, "2 deliveries were canceled.");
  expect((await states(own.id)).filter((state) => state === "canceled")).toHaveLength(2);

  await rows.filter({ hasText: "Canceled" }).nth(1).waitFor();
  await rows.nth(0).getByRole("checkbox").check();
  await bar.getByRole("button", { name: "Retry 1" }).click();
  await said(page, "1 delivery is sent again.");
  // The API accepts a retry, and the attempt follows: until it is made, the delivery is canceled.
  expect((await settled(() => states(own.id), (now) => now.includes("succeeded"))).sort()).toEqual(["canceled", "pending", "pending", "pending", "pending", "succeeded"]);
  await rows.filter({ hasText: "Succeeded" }).waitFor();
});

test("what could not be done is named, with why, and the rest is done", async () => {
  const own = await held(3);
  const page = await open(`/console/deliveries?tenant=acme&endpoint=${own.id}`, { expect: /409|404/ });
  const rows = page.locator("[data-row]");
  await rows.nth(2).waitFor();
  await pause(page);
  await page.getByRole("checkbox", { name: "Select all that are shown" }).check();
  const { data } = await call("GET", `/tenants/acme/deliveries?endpoint=${own.id}`);
  await call("DELETE", `/tenants/acme/events/${data[0].event}/data`); // its delivery cannot be retried any more
  await page.getByRole("button", { name: "Retry 3" }).click();
  const dialog = page.getByRole("dialog", { name: "Not all were sent again" });
  await dialog.getByText("2 deliveries are sent again. 1 other was not:").waitFor();
  await dialog.getByText(/erased/).waitFor();
  await dialog.getByText(`${own.type} ${data[0].id.slice(0, 9)}`).waitFor();
});

test("selected endpoints are paused and enabled together, on a phone as well", async () => {
  const lemon = { dialect: "lemon", events: [await ownType()] };
  const [one, two] = [await ownEndpoint("ok/one", lemon), await ownEndpoint("ok/two", lemon)];
  const page = await open("/console/endpoints?tenant=acme&dialect=lemon", { size: phone, expect: /404/ });
  const row = (description: string) => page.getByRole("row").filter({ hasText: description });
  const bar = page.getByRole("region", { name: "Selected rows" });
  await row(one.description).getByRole("checkbox").check();
  await row(two.description).getByRole("checkbox").check();
  await bar.getByText("2 selected").waitFor();
  await fits(page);
  await accessible(page);
  await bar.getByRole("button", { name: "Pause 2" }).click();
  await page.getByRole("alertdialog").getByText("nothing is lost").waitFor();
  await page.getByRole("alertdialog").getByRole("button", { name: "Pause 2" }).click();
  await said(page, "2 endpoints were paused.");
  expect((await call("GET", `/tenants/acme/endpoints/${one.id}`)).status).toBe("paused");

  await row(one.description).getByText("Paused").waitFor();
  await row(two.description).getByText("Paused").waitFor();
  await row(one.description).getByRole("checkbox").check();
  await row(two.description).getByRole("checkbox").check();
  // It is deleted when it is about to be enabled. Earlier, the list might not have it any more.
  await page.route(`**/endpoints/${two.id}`, async (route) => {
    if (route.request().method() === "PATCH") await call("DELETE", `/tenants/acme/endpoints/${two.id}`);
    await route.continue();
  });
  await bar.getByRole("button", { name: "Enable 2" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Enable 2" }).click();
  const dialog = page.getByRole("dialog", { name: "Not all were enabled" });
  await dialog.getByText("1 endpoint was enabled. 1 other was not:").waitFor();
  await dialog.getByText(`${two.description}, acme`).waitFor();
  expect((await call("GET", `/tenants/acme/endpoints/${one.id}`)).status).toBe("enabled");
});

test("the data of an event is erased only when its id is typed, and the record stays", async () => {
  const { id } = await call("POST", "/tenants/acme/events", { type: "card.created", data: { secret: "to be erased" } });
  const page = await open(`/console/tenants/acme/events/${id}`);
  await page.getByRole("region", { name: "Data" }).getByText("to be erased").waitFor();
  await page.getByRole("button", { name: "Erase data" }).click();
  const dialog = page.getByRole("alertdialog");
  await dialog.getByText("The record stays").waitFor();
  await dialog.getByRole("button", { name: "Erase for ever", disabled: true }).waitFor();
  await dialog.getByRole("textbox").fill(id);
  await dialog.getByRole("button", { name: "Erase for ever" }).click();
  await page.locator("main").getByText("The data was erased", { exact: true }).waitFor();
  await page.getByRole("row").filter({ hasText: "Ledger" }).waitFor();
  await expect.poll(() => holds(page, "to be erased")).toBe(false);
  await expect.poll(() => page.getByRole("button", { name: "Erase data" }).count()).toBe(0);
  expect(await call("GET", `/tenants/acme/events/${id}`)).toMatchObject({ data: null, type: "card.created" });
});
