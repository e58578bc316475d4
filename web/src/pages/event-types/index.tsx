import { useCallback } from "react";
import { api, call, type Schemas } from "@/api/client";
import { useList } from "@/api/hooks";
import { type Column, DataTable } from "@/parts/DataTable";
import { PageHeader } from "@/parts/Page";
import { EmptyState } from "@/parts/States";


type Row = Schemas["EventType"];

const id = (row: Row) => row.name;

const columns: Column<Row>[] = [
  { key: "name", title: "Name", width: "minmax(160px, 1fr)", narrow: "title", cell: (row) => row.name },
  { key: "description", title: "Description", width: "minmax(160px, 3fr)", cell: (row) => row.description },
];

export default function EventTypes() {
  const list = useList(["event-types"], useCallback((cursor: string | undefined, signal: AbortSignal) => call(api.GET("/api/v1/event-types", { params: { query: cursor ? { cursor } : {} }, signal })), []), id);
  return (
    <>
      <PageHeader title="Event types" />
      <DataTable label="Event types" columns={columns} list={list} id={id}  empty={<EmptyState title="Nothing here yet" />} />
    </>
  );
}
