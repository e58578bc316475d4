import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { start } from "../scripts/server.mjs";
import { open, requests } from "./harness";

test("all of it works below a path, behind a proxy", async () => {
  let upstream = "";
  const proxy = createServer((incoming, outgoing) => {
    const forwarded = request(`${upstream}${incoming.url}`, { method: incoming.method, headers: incoming.headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    forwarded.on("error", () => outgoing.destroy());
    incoming.pipe(forwarded);
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const base = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}/hooks/v2`;
  const server = await start(["--public-url", base]);
  upstream = server.url;
  try {
    const page = await open(`${base}/console/endpoints?health=failing`, { signedIn: false, expect: /401/ });
    const seen = requests(page);
    await page.getByLabel("Key").fill(server.key);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("No endpoint matches").waitFor();
    await page.getByRole("link", { name: "Overview" }).click(); // the chart's code and style are loaded now
    await page.getByText("There is no endpoint yet").waitFor();
    await page.locator(".u-over").first().waitFor();
    await page.reload();
    await page.getByRole("heading", { name: "Overview" }).waitFor();
    await page.waitForURL(new RegExp(`^${base}/console/?$`));
    expect(seen.every((each) => each.includes(" /hooks/v2/api/v1/"))).toBe(true);
    const cookies = await page.context().cookies();
    expect(cookies.map((cookie) => cookie.path)).toEqual(["/hooks/v2"]);
    await page.context().close();
  } finally {
    await server.stop();
    proxy.closeAllConnections();
    proxy.close();
  }
});
