import { Building2, CircleAlert, Plus } from "lucide-react";
import { useCallback, useMemo, useState } from "react";
import { useNavigate } from "react-router";
import { api, call, type Schemas } from "@/api/client";
import { useAction, useList, useLiveQuery } from "@/api/hooks";
import { useEndpoints } from "@/api/names";
import { type Activity, activityBy } from "@/lib/series";
import { visible } from "@/lib/text";
import { Button } from "@/parts/Button";
import { type Column, DataTable } from "@/parts/DataTable";
import { Dialog } from "@/parts/Dialog";
import { Field, FormError } from "@/parts/Form";
import { useNow } from "@/parts/Live";
import { PageHeader } from "@/parts/Page";
import { useScope } from "@/parts/Scope";
import { LastDay } from "@/parts/Sparkline";
import { EmptyState, Skeleton } from "@/parts/States";
import { StatusBadge } from "@/parts/Status";
import { Num, Time } from "@/parts/Time";

type Row = Schemas["Tenant"];

const id = (row: Row) => row.id;

/** Tenants lists the platform's customers, and adds one. */
export default function Tenants() {
  const { link } = useScope();
  const fetch = useCallback((cursor: string | undefined, signal: AbortSignal) => call(api.GET("/api/v1/tenants", { params: { query: { limit: 100, ...(cursor ? { cursor } : {}) } }, signal })), []);
  const list = useList(["tenants"], fetch, id);
  const [adding, setAdding] = useState(false);
  const health = useHealth();
  const traffic = useTraffic();
  const columns = useMemo<Column<Row>[]>(
    () => [
      { key: "status", title: "State", width: "96px", narrow: "side", cell: (row) => <StatusBadge of="tenant" state={row.status} title={visible(row.status_reason)} /> },
      {
        key: "id",
        title: "Tenant",
        width: "minmax(160px, 3fr)",
        narrow: "title",
        cell: (row) => (
          <span className="flex min-w-0 items-baseline gap-2">
            <span className="shrink-0 font-medium">{row.id}</span>
            <span className="truncate text-sm text-muted">{visible([row.name, row.status_reason].filter(Boolean).join(" · "))}</span>
          </span>
        ),
      },
      { key: "health", title: "Endpoints", width: "minmax(110px, 1.2fr)", cell: (row) => <Health counted={health?.get(row.id)} /> },
      { key: "waiting", title: "Waiting", width: "76px", align: "right", cell: (row) => <Waiting counted={health?.get(row.id)} /> },
      { key: "published", title: "Published", width: "84px", align: "right", narrow: "hidden", cell: (row) => <Published activity={traffic?.(row.id)} /> },
      { key: "spark", title: "Last 24 hours", width: "128px", narrow: "hidden", cell: (row) => <LastDay label={row.id} activity={traffic?.(row.id)} /> },
      { key: "created", title: "Created", width: "96px", align: "right", wide: true, narrow: "hidden", cell: (row) => <Time at={row.created_at} className="text-muted" /> },
    ],
    [health, traffic],
  );
  const add = (
    <Button look="primary" icon={Plus} onClick={() => setAdding(true)}>
      Add tenant
    </Button>
  );
  return (
    <>
      <PageHeader title="Tenants" sentence="The customers of your platform. Each sees its own endpoints, events and deliveries only." action={list.loading || list.rows.length > 0 ? add : undefined} />
      <DataTable
        label="Tenants"
        columns={columns}
        list={list}
        id={id}
        href={(row) => link.tenant(row.id)}
        empty={
          <EmptyState icon={Building2} title="There is no tenant yet" action={add} command="bellwire tenants create acme --name 'Acme Ltd'">
            Add one for each of your customers, with the id that you know it by.
          </EmptyState>
        }
      />
      {adding && <NewTenant close={() => setAdding(false)} />}
    </>
  );
}

/** What the page knows of a tenant's endpoints. With more, there are others that were not looked at. */
type Counted = { endpoints: number; failing: number; waiting: number; more: boolean };

/** useHealth counts the endpoints of each tenant that are known by their names; undefined until it is there. */
function useHealth(): { get: (tenant: string) => Counted } | undefined {
  const { endpoints, loading, more } = useEndpoints(undefined, 30_000);
  return useMemo(() => {
    if (loading) return undefined;
    const tenants = Map.groupBy(endpoints.values(), (endpoint) => endpoint.tenant);
    return {
      get: (tenant) => {
        const all = tenants.get(tenant) ?? [];
        return {
          endpoints: all.length,
          failing: all.filter((endpoint) => endpoint.health.state === "failing" && endpoint.status === "enabled").length,
          waiting: all.reduce((sum, endpoint) => sum + endpoint.health.waiting, 0),
          more: more || all.some((endpoint) => endpoint.health.waiting_capped),
        };
      },
    };
  }, [endpoints, loading, more]);
}

function Health({ counted }: { counted: Counted | undefined }) {
  if (!counted) return <Skeleton className="w-12" />;
  const { endpoints, failing, more } = counted;
  if (endpoints === 0) return <span className="text-faint">{more ? "–" : "none"}</span>;
  return (
    <span className="flex items-center gap-2 whitespace-nowrap">
      <Num value={endpoints} more={more} />
      {failing > 0 && (
        <span className="inline-flex items-center gap-1 text-sm text-bad">
          <CircleAlert size={13} aria-hidden /> {failing} failing
        </span>
      )}
    </span>
  );
}

function Waiting({ counted }: { counted: Counted | undefined }) {
  if (!counted) return <Skeleton className="w-8" />;
  return <Num value={counted.more && counted.waiting === 0 ? null : counted.waiting} more={counted.more && counted.waiting > 0} className={counted.waiting > 0 ? "font-medium" : "text-faint"} />;
}

function Published({ activity }: { activity: Activity | undefined }) {
  return <Num value={activity === "others" ? null : activity?.published} className="text-muted" />;
}

/** useTraffic returns what is known of the last 24 hours of each tenant: one question for all of them. */
function useTraffic() {
  const { data } = useLiveQuery(["statistics", "tenants"], (signal) => call(api.GET("/api/v1/statistics", { params: { query: { interval: "hour", by: "tenant" } }, signal })), { every: 30_000 });
  const hour = Math.floor(useNow() / 3_600_000) * 3_600_000;
  return useMemo(() => data && activityBy("tenant", data.data, hour), [data, hour]);
}

function NewTenant({ close }: { close: () => void }) {
  const { link } = useScope();
  const navigate = useNavigate();
  const [tenant, setTenant] = useState("");
  const [name, setName] = useState("");
  const create = useAction(() => call(api.POST("/api/v1/tenants", { body: { id: tenant.trim(), ...(name.trim() ? { name: name.trim() } : {}) } })), {
    done: (made) => `Tenant ${made.id} was added`,
    changes: [["tenants"]],
    onDone: (made) => void navigate(link.tenant(made.id)),
    quiet: true,
  });
  return (
    <Dialog
      open
      onClose={close}
      title="Add a tenant"
      footer={
        <>
          <Button onClick={close}>Cancel</Button>
          <Button look="primary" type="submit" form="new-tenant" busy={create.isPending}>
            Add tenant
          </Button>
        </>
      }
    >
      <form
        id="new-tenant"
        className="space-y-4"
        onSubmit={(event) => {
          event.preventDefault();
          create.mutate(undefined);
        }}
      >
        <Field label="Id" name="id" error={create.error} hint="Letters, digits, - and _. It cannot be changed later.">
          {(field) => <input {...field} className="field font-mono" required autoFocus autoComplete="off" spellCheck={false} value={tenant} placeholder="acme" onChange={(event) => setTenant(event.target.value)} />}
        </Field>
        <Field label="Name" name="name" error={create.error} optional hint="For people.">
          {(field) => <input {...field} className="field" value={name} placeholder="Acme Ltd" onChange={(event) => setName(event.target.value)} />}
        </Field>
        <FormError error={create.error} fields={["id", "name"]} />
      </form>
    </Dialog>
  );
}
