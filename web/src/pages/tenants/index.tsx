import { useCallback } from "react";
import { api, call, type Schemas } from "@/api/client";
import { useList } from "@/api/hooks";
import { type Column, DataTable } from "@/parts/DataTable";
import { PageHeader } from "@/parts/Page";
import { EmptyState } from "@/parts/States";
import { StatusBadge } from "@/parts/Status";

type Row = Schemas["Tenant"];

const id = (row: Row) => row.id;

const columns: Column<Row>[] = [
  { key: "id", title: "Tenant", width: "minmax(140px, 1fr)", narrow: "title", cell: (row) => row.id },
  { key: "name", title: "Name", width: "minmax(140px, 2fr)", cell: (row) => row.name },
  { key: "status", title: "State", width: "110px", narrow: "side", cell: (row) => <StatusBadge of="tenant" state={row.status} /> },
];

export default function Tenants() {
  const list = useList(["tenants"], useCallback((cursor: string | undefined, signal: AbortSignal) => call(api.GET("/api/v1/tenants", { params: { query: cursor ? { cursor } : {} }, signal })), []), id);
  return (
    <>
      <PageHeader title="Tenants" />
      <DataTable label="Tenants" columns={columns} list={list} id={id} href={(row) => `/tenants/${encodeURIComponent(row.id)}`} empty={<EmptyState title="Nothing here yet" />} />
    </>
  );
}
