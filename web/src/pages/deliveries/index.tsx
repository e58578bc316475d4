import { Send } from "lucide-react";
import { useCallback } from "react";
import { useSearchParams } from "react-router";
import { api, call, type Schemas } from "@/api/client";
import { useList } from "@/api/hooks";
import { Id } from "@/parts/Copy";
import { type Column, DataTable } from "@/parts/DataTable";
import { PageHeader } from "@/parts/Page";
import { useScope } from "@/parts/Scope";
import { EmptyState } from "@/parts/States";
import { StatusBadge } from "@/parts/Status";
import { Time } from "@/parts/Time";
import { useRange } from "@/parts/TimeRange";
import { TokenSearch, times } from "@/parts/TokenSearch";

type Row = Schemas["TenantDelivery"];

const states = ["pending", "retrying", "succeeded", "exhausted", "canceled"] as const;

const keys = [
  { key: "status", hint: "state", values: states },
  { key: "endpoint", hint: "endpoint's id" },
  { key: "type", hint: "event type" },
  { key: "tenant", hint: "tenant's id" },
  { key: "since", hint: "how far back", values: times },
];

const id = (row: Row) => row.id;

export default function Deliveries() {
  const { link } = useScope();
  const [params] = useSearchParams();
  const { query } = useRange();
  const status = states.find((state) => state === params.get("status"));
  const filter = {
    ...query,
    ...(status ? { status } : {}),
    ...Object.fromEntries(["endpoint", "type", "tenant"].flatMap((key) => (params.get(key) ? [[key, params.get(key) ?? ""]] : []))),
  };
  const list = useList(
    ["deliveries", filter],
    useCallback((cursor: string | undefined, signal: AbortSignal) => call(api.GET("/api/v1/deliveries", { params: { query: { ...filter, ...(cursor ? { cursor } : {}) } }, signal })), [JSON.stringify(filter)]),
    id,
  );
  const columns: Column<Row>[] = [
    { key: "status", title: "State", width: "110px", narrow: "side", cell: (row) => <StatusBadge of="delivery" state={row.status} /> },
    { key: "type", title: "Event type", width: "minmax(140px, 2fr)", narrow: "title", cell: (row) => row.event_type },
    { key: "endpoint", title: "Endpoint", width: "160px", cell: (row) => <Id value={row.endpoint} to={link.endpoint(row.tenant, row.endpoint)} /> },
    { key: "tenant", title: "Tenant", width: "minmax(100px, 1fr)", cell: (row) => row.tenant },
    { key: "attempts", title: "Attempts", width: "72px", align: "right", cell: (row) => <span className="num">{row.attempt_count}</span> },
    { key: "created", title: "Created", width: "96px", align: "right", cell: (row) => <Time at={row.created_at} /> },
  ];
  return (
    <>
      <PageHeader title="Deliveries" />
      <div className="px-4 pb-3 sm:px-6">
        <TokenSearch keys={keys} placeholder="Filter: status:exhausted endpoint:ep_…" />
      </div>
      <DataTable label="Deliveries" columns={columns} list={list} id={id} href={(row) => link.delivery(row.tenant, row.id)} empty={<EmptyState icon={Send} title="No delivery matches" />} />
    </>
  );
}
