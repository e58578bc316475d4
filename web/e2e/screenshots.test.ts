import { mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { call, open } from "./harness";

/** Where the pictures of the README go: a temporary folder, unless make screenshots names docs/images. */
const folder = process.env.BELLWIRE_SCREENSHOTS ?? mkdtempSync(join(tmpdir(), "bellwire-screenshots-"));

mkdirSync(folder, { recursive: true });

/** A minute, and how late the statistics can be. */
const minute = 90_000;

const size = { width: 1280, height: 800 };

test.each(["light", "dark"] as const)("the pictures of the README, %s", async (theme) => {
  const overview = await open("/console", { size, theme });
  await overview.getByText(/Last error: the endpoint answered 500/).first().waitFor();
  await overview.getByText("Refused by status").waitFor();
  await overview.locator(".u-over").first().waitFor();
  await overview.getByText(/p99 at worst/).waitFor({ timeout: minute }); // known after a whole minute
  await overview.screenshot({ path: join(folder, `overview-${theme}.png`) });

  const { url } = await call("POST", "/tenants/acme/portal-sessions", { capabilities: ["view", "manage", "replay", "test"], theme: { accent: "#0f766e" } });
  const portal = await open(url, { signedIn: false, size, theme });
  await portal.getByRole("link", { name: "Deliveries" }).click();
  await portal.getByRole("heading", { name: "Deliveries" }).waitFor(); // the page before it has a filter, too
  await portal.getByRole("combobox", { name: "Filter" }).fill("status:retrying");
  await portal.keyboard.press("Enter");
  await portal.waitForURL(/status=retrying/);
  await portal.getByRole("row").filter({ hasText: "Order service" }).first().getByText("Retrying").click();
  await portal.getByText("the database is down").first().waitFor();
  await portal.screenshot({ path: join(folder, `portal-${theme}.png`) });
  expect(portal.url()).not.toContain("code=");
});
