import { expect, test } from "vitest";
import { open } from "./harness";
import { caller } from "./setup";

/** Two servers on one PostgreSQL database, which TestBrowser of the folder test starts: their URLs, and the admin key of both. */
const { here, there, key } = JSON.parse(process.env.BELLWIRE_NODES ?? "") as { here: string; there: string; key: string };

test("sessions are those of all servers, and end on all of them at once", async () => {
  const call = caller(there, key);
  const link = await call("POST", "/console-sessions/links");
  const page = await open(link.url.replace(there, here), { signedIn: false, expect: /401/ });
  await page.getByRole("heading", { name: "Overview" }).waitFor();
  await page.getByRole("link", { name: "Nodes" }).click();
  await page.getByRole("row").filter({ hasText: "answers you" }).waitFor();
  expect(await page.getByRole("row").filter({ hasText: "Alive" }).count()).toBe(2);
  const [session] = (await call("GET", "/console-sessions")).data;
  await call("DELETE", `/console-sessions/${session.id}`);
  await page.getByRole("heading", { name: "Sign in to Bellwire" }).waitFor();

  const tenant = "of-both-nodes";
  await call("POST", "/tenants", { id: tenant });
  const opened = await call("POST", `/tenants/${tenant}/portal-sessions`, {});
  const portal = await open(opened.url.replace(there, here), { signedIn: false, expect: /401/ });
  await portal.getByText("There is no endpoint yet").waitFor();
  await portal.getByRole("link", { name: "Live", exact: true }).click();
  await portal.getByText("Connected").waitFor();
  await call("DELETE", `/tenants/${tenant}/portal-sessions/${opened.id}`);
  await portal.getByText("Your session has ended").waitFor();
});
