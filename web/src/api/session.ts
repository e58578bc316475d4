import { left } from "@/lib/time";
import { persist } from "@/lib/part";
import { answered, api, call, type Schemas } from "./client";
import { later } from "./problem";

/** Signing in and out. See docs/security.md for what a session is. */

export type ConsoleSession = Schemas["OwnSession"];

/** A session of the portal, and how many milliseconds are left of it; undefined if that is not known. */
export type PortalSession = Schemas["ExchangedSession"] & { left: number | undefined };

/** current returns the session of the cookie. It fails with a status below 500 if there is none. */
export const current = (): Promise<ConsoleSession> => answered(api.GET("/api/v1/console-sessions/current"));

/** signIn exchanges an operator's key for a session. The key is sent once and kept nowhere. */
export async function signIn(key: string): Promise<ConsoleSession> {
  await answered(api.POST("/api/v1/console-sessions", { headers: { Authorization: `Bearer ${key}` } }));
  return current();
}

export const signOut = () => call(api.DELETE("/api/v1/console-sessions/current"));

/** Milliseconds before a code is tried again that nobody has refused: it stays valid for a while. */
const pauses = [500, 1_000, 2_000, 4_000, 8_000];

export async function exchangeConsole(code: string): Promise<ConsoleSession> {
  await persist(() => answered(api.POST("/api/v1/console-sessions/exchange", { body: { code } })), pauses, later);
  return current();
}

export function exchangePortal(code: string): Promise<PortalSession> {
  const exchange = async () => {
    const request = api.POST("/api/v1/portal-sessions/exchange", { body: { code } });
    const session = await answered(request);
    return { ...session, left: left(session.expires_at, (await request).response.headers.get("Date")) };
  };
  return persist(exchange, pauses, later);
}

const fragmentCode = () => new URLSearchParams(location.hash.slice(1)).get("code");

/**
 * takeCode returns the one-time code of the address's fragment, and removes it from the address at once. A link with another code that
 * is opened in the same tab changes nothing but the fragment, so the page is loaded again.
 */
export function takeCode(): string | undefined {
  addEventListener("hashchange", () => fragmentCode() && location.reload());
  const code = fragmentCode();
  if (!code) return undefined;
  history.replaceState(history.state, "", location.pathname + location.search);
  return code;
}
