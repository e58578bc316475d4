import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { start } from "../scripts/server.mjs";
import { open, settled } from "./harness";
import { type Call, caller } from "./setup";

/** Two servers on the PostgreSQL database that TestBrowser starts. */
const servers: Awaited<ReturnType<typeof start>>[] = [];
let here = "";
let there = "";
let call: Call;

beforeAll(async () => {
  const database = ["--database-url", process.env.BELLWIRE_POSTGRES ?? ""];
  const first = await start(database);
  servers.push(first, await start([...database, "--keyset-file", join(first.folder, "bellwire.keyset")]));
  [here, there] = servers.map(({ url }) => url) as [string, string];
  call = caller(there, servers[1]?.key ?? "");
});

afterAll(async () => {
  await Promise.all(servers.map((each) => each.stop()));
});

test("sessions are those of all servers, and end on all of them at once", async () => {
  await settled(() => call("GET", "/nodes"), ({ data }) => data.filter((node: { shards: number }) => node.shards > 0).length === 2);
  const link = await call("POST", "/console-sessions/links");
  const page = await open(link.url.replace(there, here), { signedIn: false, expect: /401/ });
  await page.getByRole("heading", { name: "Overview" }).waitFor();
  await page.getByRole("link", { name: "Nodes" }).click();
  await page.getByRole("row").filter({ hasText: "answers you" }).waitFor();
  await expect.poll(() => page.getByRole("row").filter({ hasText: "Alive" }).count()).toBe(2);
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
