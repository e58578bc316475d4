import { expect, test } from "vitest";
import { call, holds, open, said, world } from "./harness";

test("the node that answers is listed with all shards", async () => {
  const page = await open("/console/nodes");
  const row = page.getByRole("row").filter({ hasText: "answers you" });
  await row.getByText("Alive").waitFor();
  await row.getByText("256").waitFor();
  await row.getByText("never").waitFor();
});

test("what an examination finds leads from the overview to what to do", async () => {
  const page = await open("/console/nodes", { own: true });
  const { data } = await call("GET", "/doctor");
  const fsync = { id: "database.durability", level: "problem", found: "fsync is off.", do: "Set fsync = on." };
  await page.route("**/api/v1/doctor", (route) => route.fulfill({ json: { examined_at: new Date().toISOString(), data: [fsync, ...data.filter((f: { level: string }) => f.level === "ok")] } }));
  await page.getByRole("link", { name: "Overview" }).click();
  await page.getByRole("link", { name: "1 problem about the server" }).click();
  await page.waitForURL(/console\/doctor$/);
  const row = page.getByRole("listitem").filter({ hasText: fsync.id });
  await row.getByText("Problem").waitFor();
  await row.getByText(fsync.do).waitFor();
});

test("options are filtered, and secrets are not shown", async () => {
  const page = await open("/console/settings");
  await page.getByRole("row").filter({ hasText: "--admin-key" }).getByText("set, a secret").waitFor();
  expect(await holds(page, world.key)).toBe(false);
  await page.getByLabel("Filter the options").fill("allow-network");
  await page.getByRole("row").filter({ hasText: "--admin-key" }).waitFor({ state: "detached" });
  const row = page.getByRole("row").filter({ hasText: "--allow-network" });
  await row.getByText("127.0.0.0/8").waitFor();
  await row.getByText("flag", { exact: true }).waitFor();
  await page.waitForURL(/find=allow-network/);
});

test("another session is ended, and one's own is marked", async () => {
  const { id } = await call("POST", "/console-sessions");
  const page = await open("/console/settings/sessions");
  await page.getByText("this one").waitFor();
  await page.getByRole("button", { name: `End ${id}` }).click();
  await page.getByRole("button", { name: "End it" }).click();
  await said(page, "The session was ended");
  await page.getByRole("button", { name: `End ${id}` }).waitFor({ state: "detached" });
  expect((await call("GET", "/console-sessions")).data.map((session: { id: string }) => session.id)).not.toContain(id);
});
