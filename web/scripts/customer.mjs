// Is the customer of docs/tutorial.md: adds an endpoint in the portal that a page embeds, and prints its signing secret.
// node scripts/customer.mjs PAGE URL EVENT-TYPE
import { existsSync } from "node:fs";
import { chromium } from "playwright-core";

const [address, url, type] = process.argv.slice(2);
const executablePath = ["chromium", "chromium-browser", "google-chrome"].flatMap((name) => process.env.PATH.split(":").map((folder) => `${folder}/${name}`)).find((file) => existsSync(file));
const browser = await chromium.launch({ executablePath, args: process.getuid() === 0 ? ["--no-sandbox"] : [] });
try {
  const page = await browser.newPage();
  await page.goto(address);
  const portal = page.frameLocator("bellwire-portal iframe");
  await portal.getByRole("link", { name: "Add endpoint" }).first().click();
  await portal.getByLabel("URL").fill(url);
  await portal.getByRole("button", { name: "Choose events" }).click();
  await portal.getByLabel("All events").uncheck();
  await portal.getByLabel(type).check();
  await portal.getByRole("button", { name: "Add endpoint" }).click();
  await portal.getByRole("button", { name: "Show the secret" }).click();
  console.log((await portal.getByText(/^whsec_/).first().textContent()).trim());
} finally {
  await browser.close();
}
