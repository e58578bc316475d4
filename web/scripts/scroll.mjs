// Measures what it costs to scroll a list of deliveries, at the widths of a desk and of a phone:
// node scripts/scroll.mjs [--rows 10000] [--profile FOLDER]
// Of each kind it prints the median and the worst of many, in milliseconds. A jump is by five screens, from the scroll until
// its picture is there: two frames of waiting are included. A frame is one of a scroll that goes on, by a quarter of a screen.
import { existsSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";
import { start } from "./server.mjs";

const { values } = parseArgs({ options: { rows: { type: "string", default: "10000" }, profile: { type: "string" } } });
const rows = Number(values.rows);

const receiver = createServer((request, response) => request.resume().on("end", () => response.end()));
await new Promise((resolve) => receiver.listen(0, "127.0.0.1", resolve));
const server = await start(["--allow-network", "127.0.0.0/8"]);
const executablePath = ["chromium", "chromium-browser", "google-chrome"].flatMap((name) => process.env.PATH.split(":").map((folder) => `${folder}/${name}`)).find((file) => existsSync(file));
const browser = await chromium.launch({ executablePath, args: process.getuid() === 0 ? ["--no-sandbox"] : [] });
try {
  await seed();
  for (const [name, viewport] of [["desk", { width: 1440, height: 900 }], ["phone", { width: 390, height: 844 }]]) await measure(name, viewport);
} finally {
  await browser.close();
  await server.stop();
  receiver.close();
}

async function call(method, path, body) {
  const answer = await fetch(`${server.url}/api/v1${path}`, { method, headers: { Authorization: `Bearer ${server.key}`, "Content-Type": "application/json" }, ...(body ? { body: JSON.stringify(body) } : {}) });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return answer;
}

async function seed() {
  await call("PUT", "/event-types/payment.completed", {});
  await call("POST", "/tenants", { id: "acme", name: "Acme Ltd" });
  await call("POST", "/tenants/acme/endpoints", { url: `http://127.0.0.1:${receiver.address().port}/`, description: "Ledger", events: ["*"] });
  for (let made = 0; made < rows; made += 1000) {
    const events = Array.from({ length: Math.min(1000, rows - made) }, (_, i) => ({ type: "payment.completed", data: { order: made + i } }));
    await call("POST", "/tenants/acme/events/batch", { events });
  }
}

async function measure(name, viewport) {
  const session = await call("POST", "/console-sessions");
  const [, cookie, value] = /^([^=]+)=([^;]+)/.exec(session.headers.get("Set-Cookie"));
  const context = await browser.newContext({ viewport });
  await context.addCookies([{ name: cookie, value, url: server.url, httpOnly: true, sameSite: "Strict" }]);
  const page = await context.newPage();
  await page.goto(`${server.url}/console/deliveries`);
  await page.locator("[data-row]").first().waitFor();
  await page.evaluate(async () => {
    const pane = document.querySelector("main [data-scroll]");
    while (!pane.textContent.includes("That is all")) {
      pane.scrollTop = pane.scrollHeight;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    pane.scrollTop = 0;
  });
  await page.getByRole("button", { name: "Live", exact: true }).click(); // refreshes are not what is measured
  await page.waitForTimeout(1000);
  const cdp = await context.newCDPSession(page);
  if (values.profile) {
    await cdp.send("Profiler.enable");
    await cdp.send("Profiler.setSamplingInterval", { interval: 200 });
    await cdp.send("Profiler.start");
  }
  await cdp.send("Performance.enable");
  const spent = async () => Object.fromEntries((await cdp.send("Performance.getMetrics")).metrics.map(({ name, value }) => [name, value * 1000]));
  const before = await spent();
  const jumps = await page.evaluate(scroll, { screens: 5, times: 40, frames: 2 });
  const after = await spent();
  const frames = await page.evaluate(scroll, { screens: 0.25, times: 200, frames: 1 });
  if (values.profile) {
    const { profile } = await cdp.send("Profiler.stop");
    writeFileSync(join(values.profile, `${name}.cpuprofile`), JSON.stringify(profile));
  }
  console.log(`${name}: jump ${figures(jumps)}, frame ${figures(frames)}; a jump's processor time ${["ScriptDuration", "LayoutDuration", "RecalcStyleDuration", "TaskDuration"].map((part) => `${part.replace("Duration", "").toLowerCase()} ${((after[part] - before[part]) / jumps.length).toFixed(1)}`).join(", ")}`);
  await context.close();
}

/** scroll scrolls down the list step by step, up again at its end, and returns how long each took until it was drawn. */
async function scroll({ screens, times, frames }) {
  const pane = document.querySelector("main [data-scroll]");
  const took = [];
  let direction = 1;
  for (let i = 0; i < times; i++) {
    const end = pane.scrollHeight - pane.clientHeight;
    if (pane.scrollTop >= end) direction = -1;
    await new Promise(requestAnimationFrame);
    const begun = performance.now();
    pane.scrollTop += direction * screens * pane.clientHeight;
    for (let frame = 0; frame < frames; frame++) await new Promise(requestAnimationFrame);
    if (frames === 1) await new Promise((resolve) => setTimeout(resolve)); // the frame's own work is done
    took.push(performance.now() - begun);
    const { top, height, left } = pane.getBoundingClientRect();
    if (frames > 1 && !document.elementFromPoint(left + 100, top + height / 2)?.closest("[data-row]")) throw new Error("the list is not drawn where it was scrolled to");
  }
  return took;
}

function figures(took) {
  const sorted = took.toSorted((a, b) => a - b);
  return `${sorted[Math.floor(sorted.length / 2)].toFixed(0)} and ${sorted.at(-1).toFixed(0)}`;
}
