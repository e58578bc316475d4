import { Boxes } from "lucide-react";
import { useCallback, useMemo } from "react";
import { api, call } from "@/api/client";
import { useList } from "@/api/hooks";
import { useEndpoints } from "@/api/names";
import { middle, visible } from "@/lib/text";
import { type Column, DataTable } from "@/parts/DataTable";
import { endpointName } from "@/parts/Health";
import { PageHeader } from "@/parts/Page";
import { useScope } from "@/parts/Scope";
import { EmptyState } from "@/parts/States";
import { StatusBadge } from "@/parts/Status";
import { Tabs } from "@/parts/Tabs";
import { Time } from "@/parts/Time";
import { doneColumn, type Job, progressColumn, skippedColumn, what } from "./parts";

const id = (job: Job) => job.id;

/** JobTabs leads from the jobs of tenants to those over all tenants, and back. */
export function JobTabs() {
  return (
    <Tabs
      label="Jobs"
      tabs={[
        { to: "/jobs", label: "Of each tenant", end: true },
        { to: "/bulk-jobs", label: "Over all tenants" },
      ]}
    />
  );
}

/** Jobs lists replays, bulk retries and bulk cancellations: of all tenants, or of the portal's session. */
export default function Jobs() {
  const { link, tenant } = useScope();
  const fetch = useCallback(
    (cursor: string | undefined, signal: AbortSignal) => {
      const query = cursor ? { cursor } : {};
      if (tenant) return call(api.GET("/api/v1/tenants/{tenant}/jobs", { params: { path: { tenant }, query }, signal }));
      return call(api.GET("/api/v1/jobs", { params: { query }, signal }));
    },
    [tenant],
  );
  const list = useList(["jobs", tenant], fetch, id);
  const { endpoints } = useEndpoints();
  const columns = useMemo<Column<Job>[]>(
    () => [
      { key: "state", title: "State", width: "104px", narrow: "side", cell: (job) => <StatusBadge of="job" state={job.state} title={visible(job.error || job.waiting)} /> },
      {
        key: "what",
        title: "Job",
        width: "minmax(220px, 3fr)",
        narrow: "title",
        cell: (job) => {
          const known = job.params.endpoint ? endpoints.get(job.params.endpoint) : undefined;
          return (
            <span className="flex min-w-0 flex-col">
              <span className="truncate font-medium">{what(job, known && endpointName(known))}</span>
              {job.params.endpoint && (
                <span className="truncate font-mono text-xs text-muted" title={job.params.endpoint}>
                  {middle(job.params.endpoint)}
                </span>
              )}
            </span>
          );
        },
      },
      ...(tenant ? [] : [{ key: "tenant", title: "Tenant", width: "minmax(88px, 1fr)", cell: (job: Job) => job.tenant }]),
      progressColumn,
      doneColumn,
      skippedColumn,
      { key: "created", title: "Started", width: "96px", align: "right", cell: (job) => <Time at={job.created_at} className="text-muted" /> },
    ],
    [tenant, endpoints],
  );
  return (
    <>
      <PageHeader title="Jobs" sentence="Replays, retries and cancellations of many deliveries at once." />
      {!tenant && <JobTabs />}
      <DataTable
        label="Jobs"
        columns={columns}
        list={list}
        id={id}
        rowHeight={52}
        href={(job) => link.job(job.tenant, job.id)}
        empty={
          <EmptyState icon={Boxes} title="There was no job yet" {...(tenant ? {} : { command: "bellwire replay --tenant acme --endpoint ep_… --since 24h --dry-run" })}>
            Open an endpoint and replay what it missed, or select deliveries and retry them.
          </EmptyState>
        }
      />
    </>
  );
}
