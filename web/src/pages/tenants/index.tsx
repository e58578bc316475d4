import { Building2, Plus } from "lucide-react";
import { useCallback, useState } from "react";
import { useNavigate } from "react-router";
import { api, call, type Schemas } from "@/api/client";
import { useAction, useList } from "@/api/hooks";
import { visible } from "@/lib/text";
import { Button } from "@/parts/Button";
import { type Column, DataTable } from "@/parts/DataTable";
import { Dialog } from "@/parts/Dialog";
import { Field, FormError } from "@/parts/Form";
import { PageHeader } from "@/parts/Page";
import { useScope } from "@/parts/Scope";
import { EmptyState } from "@/parts/States";
import { StatusBadge } from "@/parts/Status";
import { Time } from "@/parts/Time";

type Row = Schemas["Tenant"];

const id = (row: Row) => row.id;

const columns: Column<Row>[] = [
  { key: "status", title: "State", width: "96px", narrow: "side", cell: (row) => <StatusBadge of="tenant" state={row.status} title={row.status_reason} /> },
  { key: "id", title: "Tenant", width: "minmax(140px, 2fr)", narrow: "title", cell: (row) => <span className="font-medium">{row.id}</span> },
  { key: "name", title: "Name", width: "minmax(140px, 3fr)", cell: (row) => visible(row.name) || <span className="text-faint">–</span> },
  { key: "why", title: "Why it is paused", width: "minmax(140px, 2fr)", wide: true, narrow: "hidden", cell: (row) => <span className="text-muted">{visible(row.status_reason)}</span> },
  { key: "created", title: "Created", width: "96px", align: "right", cell: (row) => <Time at={row.created_at} className="text-muted" /> },
];

/** Tenants lists the platform's customers, and adds one. */
export default function Tenants() {
  const { link } = useScope();
  const fetch = useCallback((cursor: string | undefined, signal: AbortSignal) => call(api.GET("/api/v1/tenants", { params: { query: { limit: 100, ...(cursor ? { cursor } : {}) } }, signal })), []);
  const list = useList(["tenants"], fetch, id);
  const [adding, setAdding] = useState(false);
  const add = (
    <Button look="primary" icon={Plus} onClick={() => setAdding(true)}>
      Add tenant
    </Button>
  );
  return (
    <>
      <PageHeader title="Tenants" sentence="The customers of your platform. Each sees its own endpoints, events and deliveries only." action={add} />
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
