import { expect, test } from "vitest";
import { call, go, loaded, open, ready, world } from "./harness";

/** What is acme's, and must not be seen by another tenant's session: names, and the ids below. */
const names = ["Risk engine", "Mailer", "Acme Ltd"];

type Ids = { endpoint: string; delivery: string; event: string; job: string; key: string; session: string };

/** idsOf returns an id of each kind that a tenant has. */
async function idsOf(tenant: string, endpoint: string): Promise<Ids> {
  const [delivery] = (await call("GET", `/tenants/${tenant}/deliveries?limit=1`)).data;
  const job = await call("POST", `/tenants/${tenant}/replays`, { endpoint, since: "2020-01-01T00:00:00Z", status: "missed" });
  const key = await call("POST", `/tenants/${tenant}/keys`, { role: "tenant-read" });
  const session = await call("POST", `/tenants/${tenant}/portal-sessions`, {});
  return { endpoint, delivery: delivery.id, event: delivery.event, job: job.id, key: key.id, session: session.id };
}

/** stranger makes a tenant with an endpoint, and a portal session of it that may do everything. */
async function stranger(): Promise<{ tenant: string; endpoint: string; url: string }> {
  const tenant = `stranger-${process.pid}-${Date.now()}`;
  await call("POST", "/tenants", { id: tenant });
  const { id } = await call("POST", `/tenants/${tenant}/endpoints`, { url: `${world.receiver}/ok/stranger`, events: ["card.created"] });
  await call("POST", `/tenants/${tenant}/events`, { type: "card.created", data: { own: true } });
  const { url } = await call("POST", `/tenants/${tenant}/portal-sessions`, {});
  return { tenant, endpoint: id, url };
}

test("a stranger's session follows every link, and asks for every id of another tenant, and finds nothing of it", async () => {
  const ids = await idsOf("acme", world.endpoints["acme/Order service"] ?? "");
  const secrets = [...names, ...Object.values(ids)];
  const { url } = await stranger();
  const page = await open(url, { signedIn: false, expect: /40[34]/ });
  await ready(page);
  const answers: Promise<string>[] = [];
  page.on("response", (response) => {
    if (response.url().includes("/api/") && !response.url().includes("/live")) answers.push(response.text().catch(() => ""));
  });
  const clean = async (where: string, repeated: ReadonlySet<string> = new Set()) => {
    const text = `${await page.locator("body").innerText()} ${await page.title()}`;
    for (const secret of secrets) if (!repeated.has(secret)) expect(text, where).not.toContain(secret);
  };

  const seen = new Set<string>([""]);
  for (const left = [""]; left.length > 0; ) {
    const path = left.shift() ?? "";
    if (path) await go(page, path);
    await ready(page);
    await clean(path);
    for (const to of await page.locator("a[href]").evaluateAll((links) => links.map((link) => (link as HTMLAnchorElement).href))) {
      const inside = to.startsWith(`${world.url}/portal`) ? to.slice(`${world.url}/portal`.length).replace(/^\//, "").split("#")[0] : undefined;
      if (inside === undefined || seen.has(inside)) continue;
      seen.add(inside);
      left.push(inside);
    }
  }
  expect(seen.size, `pages that links lead to: ${[...seen].join(", ")}`).toBeGreaterThan(12);

  const asked = [
    ...["", "/settings", "/testing", "/history"].map((tab) => `endpoints/${ids.endpoint}${tab}`),
    `deliveries/${ids.delivery}`,
    `events/${ids.event}`,
    `jobs/${ids.job}`,
    `deliveries?endpoint=${ids.endpoint}`,
    `deliveries?delivery=${ids.delivery}&of=acme`,
    "events?tenant=acme",
    "deliveries?tenant=acme",
    `live?endpoint=${ids.endpoint}&tenant=acme`,
  ];
  const repeated = new Set<string>();
  for (const path of asked) {
    for (const id of Object.values(ids)) if (path.includes(id)) repeated.add(id); // the page may repeat what it was asked for
    await go(page, path);
    await loaded(page);
    await clean(path, repeated);
  }
  expect(answers.length).toBeGreaterThan(asked.length);
  for (const answer of await Promise.all(answers)) for (const name of names) expect(answer).not.toContain(name);
});

/** What a portal session may call that is about no tenant: the catalogue, the dialects, and what begins and ends sessions. */
const ofNoTenant = /^(list-event-types|get-event-type|list-dialects|exchange-.*|sign-(in|out)|get-console-session)$/;

test("no operation of the API takes a stranger's session for another tenant, or another tenant's ids for its own", async () => {
  const ids = await idsOf("acme", world.endpoints["acme/Ledger"] ?? "");
  const before = await call("GET", `/tenants/acme/endpoints/${ids.endpoint}`);
  const { tenant, url } = await stranger();
  const code = new URL(url).hash.replace("#code=", "");
  const { token } = await (await fetch(`${world.url}/api/v1/portal-sessions/exchange`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ code }) })).json() as { token: string };
  const { paths } = (await (await fetch(`${world.url}/openapi.json`)).json()) as { paths: Record<string, Record<string, { operationId: string }>> };
  const kinds: [RegExp, keyof Ids][] = [[/\/endpoints\//, "endpoint"], [/\/deliveries\//, "delivery"], [/\/events\//, "event"], [/\/jobs\//, "job"], [/\/keys\//, "key"], [/-sessions\//, "session"]];
  const wrong: string[] = [];
  let calls = 0;
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, { operationId }] of Object.entries(methods)) {
      if (ofNoTenant.test(operationId)) continue;
      const id = ids[kinds.find(([pattern]) => pattern.test(path))?.[1] ?? "endpoint"];
      const at = (whose: string) => path.replace("{tenant}", whose).replace(/\{[a-z]+\}/g, id);
      for (const whose of path.includes("{tenant}") ? (path.includes("{id}") ? ["acme", tenant] : ["acme"]) : [""]) {
        const body = method === "get" || method === "delete" ? {} : { headers: { "Content-Type": "application/json" }, body: "{}" };
        const answer = await fetch(`${world.url}${at(whose)}`, { method: method.toUpperCase(), ...body, headers: { ...body.headers, Authorization: `Bearer ${token}` } });
        await answer.body?.cancel();
        calls++;
        // With its own tenant a body may be refused before an id is looked for.
        if (![403, 404, ...(whose === tenant ? [400, 422] : [])].includes(answer.status)) wrong.push(`${operationId} of ${whose || "all"}: ${answer.status}`);
      }
    }
  }
  expect(wrong).toEqual([]);
  expect(calls).toBeGreaterThan(60);
  expect(await call("GET", `/tenants/acme/endpoints/${ids.endpoint}`)).toMatchObject({ updated_at: before.updated_at, status: before.status });
});
