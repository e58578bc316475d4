import { existsSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { chromium } from "playwright-core";
import type { TestProject } from "vitest/node";
import { start } from "../scripts/server.mjs";

/** What all tests share: one server with data, one receiver, one browser. */
export type World = {
  url: string;
  key: string;
  receiver: string;
  browser: string;
  /** The cookie of an operator who is signed in. */
  cookie: { name: string; value: string };
  /** Ids of endpoints by tenant and name, such as "acme/Ledger". */
  endpoints: Record<string, string>;
};

declare module "vitest" {
  interface ProvidedContext {
    world: World;
  }
}

/** The programs that Debian, and others, call Chromium. */
const programs = ["chromium", "chromium-browser", "google-chrome"];

function program(): string {
  for (const folder of (process.env.PATH ?? "").split(":")) {
    for (const name of programs) if (existsSync(`${folder}/${name}`)) return `${folder}/${name}`;
  }
  throw new Error(`the tests of the pages need Chromium: none of ${programs.join(", ")} is in PATH`);
}

/**
 * Chromium otherwise starts a process for each page that is loaded, and one more that waits for the next: they take a third of the
 * tests' processor time. Contexts have processes of their own all the same.
 */
const thrifty = ["--process-per-site", "--disable-site-isolation-trials", "--renderer-process-limit=2"];

/** Names of paths that were repaired. */
const repaired = new Set<string>();

/** What a receiver may answer to do harm to whoever looks at it. */
export const hostile = {
  script: "<script>document.title = 'taken over'</script><img src=x onerror=\"document.title = 'taken over'\">",
  /** Characters that turn the direction around, end a text in C, or are not seen. */
  hidden: "abc\u202egnp.exe\u0000\u200b\u2066",
  large: "x".repeat(1000 * 1024),
  deep: "[".repeat(9_998) + "1" + "]".repeat(9_998),
} as const;

/**
 * The receiver answers by the path: ok, echo, bytes, slow, fail, hang, hostile/KIND, and broken, which fails until repair is requested with
 * the same name. It never closes a connection that hangs until it is stopped.
 */
function receive(request: IncomingMessage, response: ServerResponse): void {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk)).on("end", () => {
    const [, kind, name = ""] = new URL(request.url ?? "/", "http://receiver").pathname.split("/");
    if (kind === "repair") repaired.add(name);
    if (kind === "broken" && !repaired.has(name)) return void response.writeHead(503).end("under repair");
    if (kind === "hang") return;
    if (kind === "echo") return void response.writeHead(500).end(Buffer.concat(chunks));
    if (kind === "bytes") return void response.writeHead(500).end(Buffer.from([0xff, 0xfe, 0x00, 0x41]));
    if (kind === "hostile") {
      const body = hostile[name as keyof typeof hostile];
      return void response.writeHead(500, { "Content-Type": "text/html", "X-Note": hostile.script }).end(name === "deep" ? body.slice(0, 4_000) : body);
    }
    if (kind === "slow") return void setTimeout(() => response.writeHead(200).end("late"), 300);
    if (kind === "fail") return void response.writeHead(500, { "Content-Type": "application/json" }).end('{"error":"the database is down","code":9007199254740993}');
    response.writeHead(200, { "Content-Type": "text/plain" }).end("thank you");
  });
}

export type Call = (method: string, path: string, body?: unknown) => Promise<any>;

const tenants = [
  ["acme", "Acme Ltd"],
  ["globex", "Globex Corporation"],
] as const;

const types = ["payment.completed", "payment.failed", "card.created", "card.blocked", "invoice.paid"];

const endpoints = [
  ["Ledger", "ok/ledger", ["*"]],
  ["Order service", "fail/orders", ["payment.*", "invoice.paid"]],
  ["Mailer", "hang/mail", ["card.blocked"]],
  ["Risk engine", "slow/risk", ["payment.*"]],
] as const;

async function seed(call: Call, receiver: string): Promise<Record<string, string>> {
  const ids: Record<string, string> = {};
  for (const type of types) {
    await call("PUT", `/event-types/${type}`, { description: `Sent when ${type.replace(".", " was ")}`, group: type.split(".")[0] });
  }
  for (const [tenant, name] of tenants) {
    await call("POST", "/tenants", { id: tenant, name });
    for (const [description, path, events] of endpoints) {
      const made = await call("POST", `/tenants/${tenant}/endpoints`, {
        url: `${receiver}/${path}`,
        description,
        events,
        timeout: "1s",
        retry: { schedule: ["1s", "1h"] },
      });
      ids[`${tenant}/${description}`] = made.id;
    }
    const made = Array.from({ length: 20 }, (_, i) => ({ type: types[i % types.length], data: { order: i, big: 1, note: `event ${i}` } }));
    await call("POST", `/tenants/${tenant}/events/batch`, { events: made });
  }
  // Endpoints are failing after three attempts in a row.
  await until(async () => (await call("GET", "/endpoints?health=failing")).data.length === 4);
  return ids;
}

async function until(done: () => Promise<boolean>): Promise<void> {
  for (const limit = Date.now() + 20_000; !(await done()); ) {
    if (Date.now() > limit) throw new Error("the seeds did not take effect in 20 seconds");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** caller returns what calls the API with the admin key. */
export function caller(url: string, key: string): Call {
  return async (method, path, body) => {
    const answer = await fetch(`${url}/api/v1${path}`, {
      method,
      headers: { Authorization: `Bearer ${key}`, ...(body === undefined ? {} : { "Content-Type": "application/json" }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text ? JSON.parse(text) : undefined;
  };
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function signIn(url: string, key: string): Promise<World["cookie"]> {
  const answer = await fetch(`${url}/api/v1/console-sessions`, { method: "POST", headers: { Authorization: `Bearer ${key}` } });
  const cookie = /^([^=]+)=([^;]+)/.exec(answer.headers.get("Set-Cookie") ?? "");
  if (!cookie?.[1] || !cookie[2]) throw new Error(`signing in set no cookie: ${answer.status} ${await answer.text()}`);
  return { name: cookie[1], value: cookie[2] };
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const undo: (() => unknown)[] = [];
  const stop = async () => {
    for (const each of undo.reverse()) await each();
  };
  try {
    const receiving = createServer(receive);
    const receiver = await listen(receiving);
    undo.push(() => (receiving.closeAllConnections(), receiving.close()));
    const server = await start(["--allow-network", "127.0.0.0/8"]);
    undo.push(server.stop);
    const browser = await chromium.launchServer({ executablePath: program(), args: [...thrifty, ...(process.getuid?.() === 0 ? ["--no-sandbox"] : [])] });
    undo.push(() => browser.close());
    const ids = await seed(caller(server.url, server.key), receiver);
    project.provide("world", {
      url: server.url,
      key: server.key,
      receiver,
      browser: browser.wsEndpoint(),
      cookie: await signIn(server.url, server.key),
      endpoints: ids,
    });
    return stop;
  } catch (error) {
    await stop();
    throw error;
  }
}
