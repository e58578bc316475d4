import createClient, { type Client } from "openapi-fetch";
import { Once } from "@/lib/once";
import { ApiError, fromResponse, unanswered, unreachable } from "./problem";
import type { components, paths } from "./schema";

export type Schemas = components["schemas"];

/** The address below which the server serves everything: the public URL's path, such as / or /webhooks/. */
export const publicBase = new URL("../", document.baseURI);

/** The path of this shell, such as /console or /webhooks/portal. */
export const shellPath = new URL(".", document.baseURI).pathname.replace(/\/$/, "");

/** How the shell that runs is allowed to call the API. A shell sets it once, before it renders. */
export const access = {
  /** Of the portal's session; it lives in memory only. The console has a cookie instead. */
  bearer: undefined as string | undefined,
  /** Called when a session has ended. */
  ended: (() => {}) as () => void,
};

/** The public API, with the types of its own description. Use it through call, which turns refusals into errors. */
export const api: Client<paths> = createClient<paths>({
  baseUrl: publicBase.href.replace(/\/$/, ""),
  credentials: "same-origin",
  cache: "no-store",
  fetch: patient,
});

/** How long a question waits for an answer to begin, in milliseconds. */
const patience = 30_000;

/** patient is fetch, but a question without an answer fails after a while: where a network is gone, nobody may ever say so. */
async function patient(request: Request): Promise<Response> {
  if (request.method !== "GET") return fetch(request);
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(unanswered()), patience);
  try {
    return await fetch(request, { signal: AbortSignal.any([request.signal, late.signal]) });
  } finally {
    clearTimeout(timer);
  }
}

api.use({
  onRequest({ request }) {
    if (access.bearer) request.headers.set("Authorization", `Bearer ${access.bearer}`);
    return request;
  },
});

const header = "Idempotency-Key";
const once = new Once();

/** Requests that change nothing, and those for sessions, whose answers are not kept. */
const unkept = /\/(check|try|preview|exchange|console-sessions|portal-sessions)$/;

/** What got no answer may be asked for again: each POST that changes something carries a key, so that it is carried out once. */
api.use({
  async onRequest({ request }) {
    if (request.method !== "POST" || unkept.test(new URL(request.url).pathname)) return;
    const body = await request.clone().text();
    if (body.endsWith('"dry_run":true}')) return;
    request.headers.set(header, once.key(`${request.url}\n${body}`, performance.now()));
  },
  onResponse({ request, response }) {
    if (response.ok && request.method !== "GET") once.done(request.url, request.headers.get(header));
  },
});

type Answer<T> = { data?: T; error?: unknown; response: Response };

/** call returns the data of an answer, or throws an ApiError. A session that has ended leads to signing in. */
export async function call<T>(request: Promise<Answer<T>>): Promise<T> {
  try {
    return await answered(request);
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) access.ended();
    throw error;
  }
}

/** Something that others may change, with the ETag of its version for If-Match. */
export type Versioned<T> = T & { readonly etag: string };

/** versioned is call for something that has a version. */
export async function versioned<T extends object>(request: Promise<Answer<T>>): Promise<Versioned<T>> {
  const data = await call(request);
  return { ...data, etag: (await request).response.headers.get("ETag") ?? "" };
}

/**
 * asked returns what the address asks for by a parameter. A value that the API does not have is passed on all the same, so that it
 * is refused: without it, a list would show everything and look filtered.
 */
export const asked = <T = string>(params: URLSearchParams, name: string): T | undefined => (params.get(name) || undefined) as T | undefined;

/** ifMatch is the header of a change that is refused if somebody else changed it since. */
export const ifMatch = (etag: string) => ({ header: { "If-Match": etag } });

/** answered is call for what begins a session: its refusal is not the end of one. */
export async function answered<T>(request: Promise<Answer<T>>): Promise<T> {
  let answer: Answer<T>;
  try {
    answer = await request;
  } catch (error) {
    if (error instanceof ApiError || (error instanceof DOMException && error.name === "AbortError")) throw error;
    throw unreachable();
  }
  if (answer.response.ok) return answer.data as T;
  throw fromResponse(answer.response, parsed(answer.error));
}

/** With parseAs "text", an error is a text as well. */
function parsed(error: unknown): unknown {
  if (typeof error !== "string") return error;
  try {
    return JSON.parse(error) as unknown;
  } catch {
    return error;
  }
}

export { ApiError };
