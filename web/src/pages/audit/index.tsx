import { useCallback } from "react";
import { api, call, type Schemas } from "@/api/client";
import { useList } from "@/api/hooks";
import { type Column, DataTable } from "@/parts/DataTable";
import { PageHeader } from "@/parts/Page";
import { EmptyState } from "@/parts/States";
import { Time } from "@/parts/Time";

type Row = Schemas["AuditEntry"];

const id = (row: Row) => row.id;

const columns: Column<Row>[] = [
  { key: "at", title: "When", width: "96px", narrow: "side", cell: (row) => <Time at={row.at} /> },
  { key: "action", title: "Action", width: "minmax(140px, 1fr)", narrow: "title", cell: (row) => row.action },
  { key: "subject", title: "Subject", width: "minmax(140px, 1fr)", cell: (row) => row.subject },
  { key: "who", title: "Who", width: "minmax(120px, 1fr)", cell: (row) => row.principal },
];

export default function Audit() {
  const list = useList(["audit"], useCallback((cursor: string | undefined, signal: AbortSignal) => call(api.GET("/api/v1/audit", { params: { query: cursor ? { cursor } : {} }, signal })), []), id);
  return (
    <>
      <PageHeader title="Audit log" />
      <DataTable label="Audit log" columns={columns} list={list} id={id}  empty={<EmptyState title="Nothing here yet" />} />
    </>
  );
}
