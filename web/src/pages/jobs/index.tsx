import { useCallback } from "react";
import { api, call, type Schemas } from "@/api/client";
import { useList } from "@/api/hooks";
import { type Column, DataTable } from "@/parts/DataTable";
import { PageHeader } from "@/parts/Page";
import { EmptyState } from "@/parts/States";
import { StatusBadge } from "@/parts/Status";
import { Num } from "@/parts/Time";

type Row = Schemas["Job"];

const id = (row: Row) => row.id;

const columns: Column<Row>[] = [
  { key: "kind", title: "Kind", width: "100px", narrow: "title", cell: (row) => row.kind },
  { key: "state", title: "State", width: "110px", narrow: "side", cell: (row) => <StatusBadge of="job" state={row.state} /> },
  { key: "done", title: "Done", width: "minmax(80px, 1fr)", align: "right", cell: (row) => <Num value={row.done} /> },
  { key: "total", title: "Total", width: "minmax(80px, 1fr)", align: "right", cell: (row) => <Num value={row.total} /> },
];

export default function Jobs() {
  const list = useList(["jobs"], useCallback((cursor: string | undefined, signal: AbortSignal) => call(api.GET("/api/v1/jobs", { params: { query: cursor ? { cursor } : {} }, signal })), []), id);
  return (
    <>
      <PageHeader title="Jobs" />
      <DataTable label="Jobs" columns={columns} list={list} id={id}  empty={<EmptyState title="Nothing here yet" />} />
    </>
  );
}
