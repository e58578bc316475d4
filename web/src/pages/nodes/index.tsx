import { Server } from "lucide-react";
import { api, call, type Schemas } from "@/api/client";
import { useLiveQuery } from "@/api/hooks";
import { visible } from "@/lib/text";
import { Id } from "@/parts/Copy";
import { type Column, DataTable } from "@/parts/DataTable";
import { PageHeader } from "@/parts/Page";
import { EmptyState } from "@/parts/States";
import { StatusBadge } from "@/parts/Status";
import { Num, Time } from "@/parts/Time";

type Row = Schemas["Node"];

const id = (row: Row) => row.id;

const state = (row: Row) => (!row.alive ? "dead" : row.leaving ? "leaving" : "alive");

const columns: Column<Row>[] = [
  { key: "state", title: "State", width: "96px", narrow: "side", cell: (row) => <StatusBadge of="node" state={state(row)} /> },
  {
    key: "id",
    title: "Node",
    width: "minmax(180px, 3fr)",
    narrow: "title",
    cell: (row) => (
      <span className="flex min-w-0 items-baseline gap-2">
        <Id value={row.id} full />
        {row.current && <span className="text-sm whitespace-nowrap text-muted">answers you</span>}
      </span>
    ),
  },
  { key: "shards", title: "Shards", width: "72px", align: "right", cell: (row) => <Num value={row.shards} /> },
  { key: "epoch", title: "Epoch", width: "72px", align: "right", narrow: "hidden", cell: (row) => <Num value={row.epoch} className="text-muted" /> },
  { key: "renewed", title: "Lease renewed", width: "110px", align: "right", cell: (row) => <Time at={row.lease_renewed_at} /> },
  { key: "ends", title: "Lease ends", width: "110px", align: "right", narrow: "hidden", cell: (row) => <Time at={row.lease_expires_at} none="never" className="text-muted" /> },
  { key: "version", title: "Version", width: "minmax(90px, 1fr)", narrow: "hidden", cell: (row) => (row.version ? visible(row.version) : <span className="text-faint">–</span>) },
  { key: "started", title: "Started", width: "96px", align: "right", wide: true, narrow: "hidden", cell: (row) => <Time at={row.started_at} className="text-muted" /> },
];

/** Nodes lists the processes that share the database, and what each of them sends for. */
export default function Nodes() {
  const nodes = useLiveQuery(["nodes"], (signal) => call(api.GET("/api/v1/nodes", { signal })));
  return (
    <>
      <PageHeader title="Nodes" sentence="The processes that share the database. Each endpoint belongs to one of 256 shards, and is sent for by the node that owns it." />
      <DataTable
        label="Nodes"
        columns={columns}
        list={{ rows: nodes.data?.data ?? [], loading: nodes.isPending, error: nodes.error, retry: nodes.refetch }}
        id={id}
        empty={<EmptyState icon={Server} title="No node is listed" command="bellwire nodes" />}
      />
    </>
  );
}
