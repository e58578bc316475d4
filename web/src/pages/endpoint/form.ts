import type { Schemas } from "@/api/client";
import { changed } from "@/lib/merge";
import { headerLines, headersOf } from "./headerlines";
import { withNumbers } from "./retries";

type Endpoint = Schemas["EndpointWithHealth"];
type Patch = Schemas["Patch"];

/** The texts of the form's inputs, and its choices. */
export type Draft = {
  url: string;
  description: string;
  events: string;
  filter: string;
  on_error: "deliver" | "skip";
  timeout: string;
  rate_limit: string;
  max_in_flight: string;
  ordering: "none" | "fifo" | "key";
  auto_disable_after: string;
  retry: string;
  signing: "hmac" | "ed25519" | "both";
  headers: string;
};

export type Name = keyof Draft;

/** draftOf returns the form of an endpoint as it is. */
export function draftOf(endpoint: Endpoint): Draft {
  return {
    url: endpoint.url,
    description: endpoint.description,
    events: endpoint.events.join("\n"),
    filter: endpoint.filter ?? "",
    on_error: endpoint.on_error,
    timeout: endpoint.timeout,
    rate_limit: endpoint.rate_limit === null ? "" : String(endpoint.rate_limit),
    max_in_flight: String(endpoint.max_in_flight),
    ordering: endpoint.ordering,
    auto_disable_after: endpoint.auto_disable_after,
    retry: JSON.stringify(endpoint.retry, null, 2),
    signing: endpoint.signing,
    headers: headerLines(Object.entries(endpoint.headers).map(([name, value]) => ({ name, value }))),
  };
}

/** A mistake that is found before anything is sent. Whatever else is wrong, the API says. */
export type Mistake = { field: Name; message: string };

/** patchOf returns the change that a form is: only what it changes, so that what others changed meanwhile stays. */
export function patchOf(base: Draft, draft: Draft): { patch: Patch; mistakes: Mistake[] } {
  const patch: Patch = {};
  const mistakes: Mistake[] = [];
  const number = (field: Name, text: string): number | undefined => {
    const value = Number(text);
    if (text.trim() !== "" && Number.isFinite(value)) return value;
    mistakes.push({ field, message: "must be a number" });
    return undefined;
  };
  for (const name of changed(base, draft)) {
    switch (name) {
      case "url":
        patch.url = draft.url.trim();
        break;
      case "description":
        patch.description = draft.description;
        break;
      case "events":
        patch.events = draft.events.split(/[\s,]+/).filter(Boolean);
        break;
      case "filter":
        patch.filter = draft.filter.trim() || null;
        break;
      case "on_error":
        patch.on_error = draft.on_error;
        break;
      case "timeout":
        patch.timeout = draft.timeout.trim();
        break;
      case "auto_disable_after":
        patch.auto_disable_after = draft.auto_disable_after.trim();
        break;
      case "ordering":
        patch.ordering = draft.ordering;
        break;
      case "signing":
        patch.signing = draft.signing;
        break;
      case "rate_limit": {
        if (draft.rate_limit.trim() === "") {
          patch.rate_limit = null;
          break;
        }
        const value = number(name, draft.rate_limit);
        if (value !== undefined) patch.rate_limit = value;
        break;
      }
      case "max_in_flight": {
        const value = number(name, draft.max_in_flight);
        if (value !== undefined) patch.max_in_flight = value;
        break;
      }
      case "retry":
        try {
          patch.retry = withNumbers(JSON.parse(draft.retry) as NonNullable<Patch["retry"]>);
        } catch {
          mistakes.push({ field: name, message: "must be JSON" });
        }
        break;
      case "headers":
        patch.headers = headersPatch(draft.headers, mistakes);
        break;
      default:
        name satisfies never;
    }
  }
  return { patch, mistakes };
}

/** headersPatch returns all headers by name. Rows in which nothing was typed are none. */
function headersPatch(text: string, mistakes: Mistake[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const header of headersOf(text)) {
    const [name, value] = [header.name.trim(), header.value.trim()];
    if (name === "" && value === "") continue;
    if (name === "") mistakes.push({ field: "headers", message: "must have a name beside each value" });
    else if (Object.hasOwn(headers, name)) mistakes.push({ field: "headers", message: `must not have ${name} twice` });
    else headers[name] = value;
  }
  return headers;
}
