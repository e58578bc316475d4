import { api, call, publicBase } from "./client";
import { fromResponse, unreachable } from "./problem";

/** Signing in and out. See docs/security.md for what a session is. */

export type ConsoleSession = { id: string; role?: string; created_at?: string; expires_at?: string };

export type PortalSession = {
  token: string;
  tenant: string;
  capabilities: string[];
  expires_at: string;
  theme?: { accent?: string; mode?: string } | null;
};

async function send<T>(method: string, path: string, body?: unknown, key?: string): Promise<T> {
  let response: Response;
  try {
    response = await fetch(new URL(path, publicBase), {
      method,
      credentials: "same-origin",
      cache: "no-store",
      headers: { ...(body === undefined ? {} : { "Content-Type": "application/json" }), ...(key ? { Authorization: `Bearer ${key}` } : {}) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch {
    throw unreachable();
  }
  const text = await response.text();
  const data: unknown = text && response.headers.get("Content-Type")?.includes("json") ? JSON.parse(text) : undefined;
  if (!response.ok) throw fromResponse(response, data);
  return data as T;
}

/** current returns the session of the cookie. It fails with status 401 if there is none. */
export const current = () => send<ConsoleSession>("GET", "api/v1/console-sessions/current");

/** signIn exchanges an operator's key for a session. The key is sent once and kept nowhere. */
export const signIn = (key: string) => send<ConsoleSession>("POST", "api/v1/console-sessions", {}, key);

export const signOut = () => send<void>("DELETE", "api/v1/console-sessions/current");

export const exchangeConsole = (code: string) => send<ConsoleSession>("POST", "api/v1/console-sessions/exchange", { code });

export const exchangePortal = (code: string) => send<PortalSession>("POST", "api/v1/portal-sessions/exchange", { code });

/** takeCode returns the one-time code of the address's fragment, and removes it from the address at once. */
export function takeCode(): string | undefined {
  const code = new URLSearchParams(location.hash.slice(1)).get("code");
  if (!code) return undefined;
  history.replaceState(history.state, "", location.pathname + location.search);
  return code;
}

export { api, call };
