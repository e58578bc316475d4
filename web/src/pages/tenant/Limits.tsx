import { api, ifMatch, type Schemas, versioned } from "@/api/client";
import { useEdit } from "@/api/edit";
import { useAction } from "@/api/hooks";
import { exactNumber } from "@/lib/numbers";
import { sentence } from "@/lib/text";
import { Button } from "@/parts/Button";
import { Conflict } from "@/parts/Conflict";
import { FormError } from "@/parts/Form";
import { fetchTenant, type Tenant } from ".";
import { changed, type LimitName, names } from "./limits";

/** Limits shows a tenant's limits, and gives it values of its own. */
export function Limits({ tenant }: { tenant: Tenant }) {
  const edit = useEdit(tenant, { queryKey: ["tenant", tenant.id], fetch: () => fetchTenant(tenant.id), draftOf });
  const { limits, wrong } = changed(edit.base, edit.draft);
  const save = useAction(
    () =>
      edit.save((_draft, etag) =>
        versioned(api.PATCH("/api/v1/tenants/{tenant}", { params: { path: { tenant: tenant.id }, ...ifMatch(etag) }, body: { limits: limits as NonNullable<Schemas["TenantChange"]["limits"]> } })),
      ),
    { done: (saved) => (saved ? "The limits were changed" : undefined), changes: [["tenant", tenant.id]], quiet: true },
  );
  const dirty = Object.keys(limits).length > 0 || wrong.length > 0;
  return (
    <form
      className="px-4 py-4 pb-8 sm:px-6"
      onSubmit={(event) => {
        event.preventDefault();
        if (wrong.length === 0) save.mutate(undefined);
      }}
    >
      <p className="max-w-3xl text-muted">What this tenant may use. An empty field follows the server's value; 0 means no limit. Whoever exceeds a limit is told so, and nobody else notices.</p>
      <div className="panel mt-4 max-w-3xl divide-y divide-line">
        {(Object.keys(names) as LimitName[]).map((name) => {
          const [label, unit] = names[name];
          const effective = tenant.effective_limits[name];
          const fault = wrong.includes(name) ? "must be a number" : save.error?.fault(`limits.${name}`);
          return (
            <div key={name} className="grid items-center gap-x-4 gap-y-1 px-4 py-2 sm:grid-cols-[minmax(0,1fr)_180px]">
              <label htmlFor={`limit-${name}`} className="min-w-0">
                {label} {unit && <span className="text-muted">{unit}</span>}
              </label>
              <div>
                <input
                  id={`limit-${name}`}
                  className="field num text-right"
                  aria-invalid={fault ? true : undefined}
                  aria-describedby={fault ? `limit-${name}-fault` : undefined}
                  value={edit.draft[name]}
                  placeholder={shown(effective)}
                  onChange={(event) => edit.set({ [name]: event.target.value })}
                />
                {fault && (
                  <p id={`limit-${name}-fault`} className="mt-1 text-xs text-bad">
                    {sentence(fault)}
                  </p>
                )}
              </div>
            </div>
          );
        })}
      </div>
      <div className="mt-4 max-w-3xl space-y-3">
        <Conflict what="these limits" edit={edit} />
        <FormError error={save.error} fields={Object.keys(names).map((name) => `limits.${name}`)} />
        <Button look="primary" type="submit" disabled={!dirty || edit.clashing.length > 0} busy={save.isPending}>
          Save
        </Button>
      </div>
    </form>
  );
}

/** draftOf returns the tenant's own values as they are typed; empty for those that follow the server's. */
const draftOf = (tenant: Tenant) => Object.fromEntries((Object.keys(names) as LimitName[]).map((name) => [name, String(tenant.limits[name] ?? "")])) as Record<LimitName, string>;

function shown(value: number | string | undefined): string {
  if (value === undefined) return "";
  if (value === 0) return "no limit";
  return typeof value === "number" ? exactNumber(value) : value;
}
