import { useQuery } from "@tanstack/react-query";
import { api, call, ifMatch, type Schemas, type Versioned } from "@/api/client";
import type { ApiError } from "@/api/problem";
import { member } from "@/lib/json";

export type EventType = Versioned<Omit<Schemas["EventType"], "schema" | "example">> & {
  /** As they were written; empty if there is none. */
  schema: string;
  example: string;
};

/** read takes an event type apart as text, so that schema and example stay as they were written. */
function read(text: string, etag: string): EventType {
  const raw = (name: string) => {
    const value = member(text, name) ?? "null";
    return value.trim() === "null" ? "" : value;
  };
  const value = JSON.parse(text) as Schemas["EventType"];
  return { ...value, etag, schema: raw("schema"), example: raw("example") };
}

/** answered reads a type and its version from an answer. */
async function answered(request: Promise<{ data?: unknown; response: Response }>): Promise<EventType> {
  const text = (await call(request)) as string;
  return read(text, (await request).response.headers.get("ETag") ?? "");
}

export const fetchType = (name: string, signal?: AbortSignal): Promise<EventType> =>
  answered(api.GET("/api/v1/event-types/{name}", { params: { path: { name } }, parseAs: "text", ...(signal ? { signal } : {}) }));

export function useType(name: string | undefined) {
  return useQuery<EventType, ApiError>({ queryKey: ["event-type", name], queryFn: ({ signal }) => fetchType(name ?? "", signal), enabled: name !== undefined, refetchOnWindowFocus: false });
}

export type Draft = Pick<EventType, "description" | "group" | "archived" | "schema" | "example">;

/** save writes a type, and returns it. Schema and example are sent as they were typed, and not as JavaScript would write them. With an ETag, it is refused if somebody else changed the type since; unless forced, also if receivers rely on what it takes away. */
export function save(name: string, draft: Draft, etag?: string, force = false): Promise<EventType> {
  const text =
    `{"description":${JSON.stringify(draft.description)},"group":${JSON.stringify(draft.group)},"archived":${draft.archived}` +
    `,"schema":${draft.schema.trim() || "null"},"example":${draft.example.trim() || "null"}}`;
  return answered(api.PUT("/api/v1/event-types/{name}", { params: { path: { name }, ...(force ? { query: { force } } : {}), ...(etag ? ifMatch(etag) : {}) }, body: {}, bodySerializer: () => text, parseAs: "text" }));
}
