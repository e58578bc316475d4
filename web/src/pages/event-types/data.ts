import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { api, call, ifMatch, type Schemas, type Versioned } from "@/api/client";
import type { ApiError } from "@/api/problem";
import { items, member } from "@/lib/json";
import { useScope } from "@/parts/Scope";

/** Text has what a version consists of, as it was written; empty if there is none. */
type Text = { schema: string; example: string };

/** Older is a version before the newest. */
export type Older = Omit<Schemas["Older"], keyof Text> & Text;

export type EventType = Versioned<Omit<Schemas["EventType"], keyof Text | "older_versions">> & Text & { older: Older[] };

const raw = (text: string, name: string) => {
  const value = member(text, name) ?? "null";
  return value.trim() === "null" ? "" : value;
};

const textOf = (text: string): Text => ({ schema: raw(text, "schema"), example: raw(text, "example") });

/** read takes an event type apart as text, so that schemas and examples stay as they were written. */
function read(text: string, etag: string): EventType {
  const { older_versions: older, ...value } = JSON.parse(text) as Schemas["EventType"];
  const texts = items(raw(text, "older_versions"));
  return { ...value, etag, ...textOf(text), older: (older ?? []).map((version, i) => ({ ...version, ...textOf(texts[i] ?? "") })) };
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

/** useReaders returns how many endpoints of all tenants get each version of a type. Only operators may know; undefined until it is there. */
export function useReaders(type: EventType): ReadonlyMap<number, Schemas["VersionCount"]> | undefined {
  const { can } = useScope();
  const { data } = useQuery({
    queryKey: ["versions", "readers", type.name],
    queryFn: ({ signal }) => call(api.GET("/api/v1/event-types/{name}/versions", { params: { path: { name: type.name } }, signal })),
    enabled: can("operate") && type.older.length > 0,
    refetchOnWindowFocus: false,
  });
  return useMemo(() => data && new Map(data.data.map((count) => [count.version, count])), [data]);
}

export type Draft = Pick<EventType, "description" | "group" | "archived" | "schema" | "example">;

/** save writes a type, and returns it. Schema and example are sent as they were typed, and not as JavaScript would write them. With an ETag, it is refused if somebody else changed the type since; unless forced, also if receivers rely on what it takes away. */
export function save(name: string, draft: Draft, etag?: string, force = false): Promise<EventType> {
  const text =
    `{"description":${JSON.stringify(draft.description)},"group":${JSON.stringify(draft.group)},"archived":${draft.archived}` +
    `,"schema":${draft.schema.trim() || "null"},"example":${draft.example.trim() || "null"}}`;
  return answered(api.PUT("/api/v1/event-types/{name}", { params: { path: { name }, ...(force ? { query: { force } } : {}), ...(etag ? ifMatch(etag) : {}) }, body: {}, bodySerializer: () => text, parseAs: "text" }));
}

/** addVersion adds a version to a type, which is published from then on. It is refused if somebody else changed the type since. */
export function addVersion(type: EventType, version: Text & { converter: string }): Promise<EventType> {
  const text = `{"schema":${version.schema.trim() || "null"},"example":${version.example.trim() || "null"},"converter":${JSON.stringify(version.converter)}}`;
  return answered(api.POST("/api/v1/event-types/{name}/versions", { params: { path: { name: type.name }, ...ifMatch(type.etag) }, body: { converter: "" }, bodySerializer: () => text, parseAs: "text" }));
}

/** putConverter replaces the converter to an older version. */
export function putConverter(type: EventType, version: number, converter: string): Promise<EventType> {
  return answered(api.PUT("/api/v1/event-types/{name}/versions/{version}/converter", { params: { path: { name: type.name, version }, ...ifMatch(type.etag) }, body: { converter }, parseAs: "text" }));
}
