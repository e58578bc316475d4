import { useState } from "react";
import { useNavigate } from "react-router";
import { api, call, ifMatch, versioned } from "@/api/client";
import { useEdit } from "@/api/edit";
import { useAction } from "@/api/hooks";
import { clock } from "@/lib/time";
import { Button } from "@/parts/Button";
import { Conflict } from "@/parts/Conflict";
import { ConfirmDialog } from "@/parts/Dialog";
import { Field, FormError } from "@/parts/Form";
import { useLive } from "@/parts/Live";
import { Panel } from "@/parts/Page";
import { fetchTenant, type Tenant } from ".";
import { DialectSettings } from "./Dialects";

/** TenantSettings changes what a tenant is called, and deletes it. */
export function TenantSettings({ tenant }: { tenant: Tenant }) {
  const navigate = useNavigate();
  const { zone } = useLive();
  const path = { tenant: tenant.id };
  const edit = useEdit(tenant, { queryKey: ["tenant", tenant.id], fetch: () => fetchTenant(tenant.id), draftOf });
  const { name, metadata } = edit.draft;
  const [deleting, setDeleting] = useState(false);
  const parsed = read(metadata);
  const save = useAction(
    () =>
      edit.save((draft, etag) =>
        versioned(api.PATCH("/api/v1/tenants/{tenant}", { params: { path, ...ifMatch(etag) }, body: { name: draft.name.trim() || null, metadata: read(draft.metadata) ?? null } })),
      ),
    { done: (saved) => (saved ? "The tenant was changed" : undefined), changes: [["tenant", tenant.id], ["tenants"]], quiet: true },
  );
  const remove = useAction(() => goneBy(api.DELETE("/api/v1/tenants/{tenant}", { params: { path } })), {
    done: (gone) => `Tenant ${tenant.id} was deleted. ${gone ? `Its data will be gone from the database by about ${clock(gone, Date.now(), zone)}` : "Removing its data from the database takes a while"}`,
    failed: "The tenant was not deleted",
    changes: [["tenants"]],
    onDone: () => void navigate("/tenants"),
  });
  return (
    <div className="max-w-3xl space-y-4 px-4 py-4 pb-8 sm:px-6">
      <Panel title="Name and metadata">
        <form
          className="space-y-4"
          onSubmit={(event) => {
            event.preventDefault();
            if (parsed) save.mutate(undefined);
          }}
        >
          <Field label="Name" name="name" error={save.error} optional>
            {(field) => <input {...field} className="field" value={name} onChange={(event) => edit.set({ name: event.target.value })} />}
          </Field>
          <Field label="Metadata" name="metadata" error={save.error} problem={parsed ? undefined : "must have a line for each entry, such as plan=gold"} optional hint="Yours, one entry a line: plan=gold">
            {(field) => <textarea {...field} className="field font-mono text-[12.5px]" rows={4} spellCheck={false} value={metadata} onChange={(event) => edit.set({ metadata: event.target.value })} />}
          </Field>
          <Conflict what="this tenant" edit={edit} />
          <FormError error={save.error} fields={["name", "metadata"]} />
          <Button look="primary" type="submit" busy={save.isPending} disabled={edit.changed.length === 0 || edit.clashing.length > 0}>
            Save
          </Button>
        </form>
      </Panel>
      <DialectSettings tenant={tenant} />
      <Panel title="Delete this tenant">
        <div className="flex flex-wrap items-center justify-between gap-3">
          <p className="max-w-lg text-muted">Its endpoints, keys, events and deliveries go with it. What waits is not sent any more. Removing all of it from the database takes a few minutes, or longer if there is much.</p>
          <Button look="danger" onClick={() => setDeleting(true)}>
            Delete
          </Button>
        </div>
      </Panel>
      <ConfirmDialog open={deleting} onClose={() => setDeleting(false)} title={`Delete ${tenant.id}?`} action="Delete for ever" name={tenant.id} busy={remove.isPending} onConfirm={() => remove.mutate(undefined)}>
        <p>All endpoints, keys, events, deliveries and attempts of this tenant are lost. Deliveries that wait are canceled. The audit log keeps what was done.</p>
      </ConfirmDialog>
    </div>
  );
}

/** goneBy returns when the data of a tenant that is deleted will be gone; undefined if there is too much to say. */
async function goneBy(deletion: Promise<{ response: Response }>): Promise<number | undefined> {
  await call(deletion);
  return Date.parse((await deletion).response.headers.get("Bellwire-Gone-By") ?? "") || undefined;
}

const draftOf = (tenant: Tenant) => ({ name: tenant.name, metadata: written(tenant.metadata) });

function written(metadata: Readonly<Record<string, string>> | null): string {
  return Object.entries(metadata ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .join("\n");
}

/** read returns the entries of a text with one entry a line; undefined if a line is none. */
function read(text: string): Record<string, string> | undefined {
  const entries: Record<string, string> = {};
  for (const line of text.split("\n")) {
    if (!line.trim()) continue;
    const at = line.indexOf("=");
    if (at < 1) return undefined;
    entries[line.slice(0, at).trim()] = line.slice(at + 1).trim();
  }
  return entries;
}
