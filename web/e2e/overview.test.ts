import { expect, test } from "vitest";
import { open, ownEndpoint, pause, ready, tall, world } from "./harness";

test("the first screen says what needs somebody, and leads to why", async () => {
  const page = await open("/console");
  await page.getByText(/^\d+ endpoints need you\./).waitFor();
  const item = page.getByRole("listitem").filter({ hasText: "Order service" }).filter({ hasText: "acme" });
  await item.getByText(/attempts in a row failed\. Last error: the endpoint answered 500/).waitFor();
  await item.getByRole("link", { name: "Find out why" }).click();
  await page.waitForURL(`**/tenants/acme/endpoints/${world.endpoints["acme/Order service"]}?outcome=status`);
});

test("numbers, causes and charts of the chosen time", async () => {
  const page = await open("/console");
  await expect.poll(() => page.getByText("Published", { exact: true }).locator("xpath=../dd[1]").innerText()).toMatch(/[1-9]/);
  await page.getByRole("link", { name: /Refused by status/ }).click();
  await page.waitForURL("**/deliveries?outcome=status");
});

test("brushing a chart sets the time of the whole console", async () => {
  const page = await open("/console");
  await page.getByText(/^\d+ endpoints need you\./).waitFor();
  const chart = page.locator(".u-over").first();
  await chart.waitFor();
  await ready(page);
  await pause(page);
  await chart.scrollIntoViewIfNeeded();
  const box = await chart.boundingBox();
  if (!box) throw new Error("the chart is not shown");
  await page.mouse.move(box.x + box.width * 0.2, box.y + 20);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.6, box.y + 30, { steps: 4 });
  await page.mouse.up();
  await page.waitForURL(/since=.*until=/);
  await page.locator('nav a[href*="endpoints?since="]').click();
  await page.waitForURL(/endpoints\?since=.*until=/);
});

test("what waits is counted, and leads to the endpoints for which it waits", async () => {
  const idle = await ownEndpoint("ok/idle");
  const page = await open("/console", { size: tall });
  const waiting = page.getByText("Waiting now").locator("xpath=../../dd[1]");
  await expect.poll(() => waiting.innerText()).toMatch(/^[1-9]/);
  await page.getByRole("link", { name: "Waiting now" }).click();
  await page.waitForURL("**/endpoints?waiting=true");
  await page.getByRole("row").filter({ hasText: "Order service" }).first().waitFor();
  expect(await page.getByRole("row").filter({ hasText: idle.description }).count()).toBe(0);
});
