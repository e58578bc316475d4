import { useQuery } from "@tanstack/react-query";
import { api, call, type Schemas } from "@/api/client";
import type { ApiError } from "@/api/problem";
import { member } from "@/lib/json";

export type EventType = Omit<Schemas["EventType"], "schema" | "example"> & {
  /** As they were written; empty if there is none. */
  schema: string;
  example: string;
};

/** read takes an event type apart as text, so that schema and example stay as they were written. */
export function read(text: string): EventType {
  const raw = (name: string) => {
    const value = member(text, name) ?? "null";
    return value.trim() === "null" ? "" : value;
  };
  const value = JSON.parse(text) as Schemas["EventType"];
  return { ...value, schema: raw("schema"), example: raw("example") };
}

export const fetchType = async (name: string, signal?: AbortSignal): Promise<EventType> =>
  read((await call(api.GET("/api/v1/event-types/{name}", { params: { path: { name } }, parseAs: "text", ...(signal ? { signal } : {}) }))) as string);

export function useType(name: string | undefined) {
  return useQuery<EventType, ApiError>({ queryKey: ["event-type", name], queryFn: ({ signal }) => fetchType(name ?? "", signal), enabled: name !== undefined, refetchOnWindowFocus: false });
}

export type Draft = Pick<EventType, "description" | "group" | "archived" | "schema" | "example">;

/** save writes a type. Schema and example are sent as they were typed, and not as JavaScript would write them. */
export function save(name: string, draft: Draft): Promise<unknown> {
  const text =
    `{"description":${JSON.stringify(draft.description)},"group":${JSON.stringify(draft.group)},"archived":${draft.archived}` +
    `,"schema":${draft.schema.trim() || "null"},"example":${draft.example.trim() || "null"}}`;
  return call(api.PUT("/api/v1/event-types/{name}", { params: { path: { name } }, body: {}, bodySerializer: () => text, parseAs: "text" }));
}
