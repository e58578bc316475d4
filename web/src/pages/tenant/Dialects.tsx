import { api, ifMatch, type Schemas, versioned } from "@/api/client";
import { useEdit } from "@/api/edit";
import { useAction } from "@/api/hooks";
import { problem } from "@/lib/json";
import { Button } from "@/parts/Button";
import { CodeEditor } from "@/parts/Code";
import { Conflict } from "@/parts/Conflict";
import { Field, FormError } from "@/parts/Form";
import { Panel } from "@/parts/Page";
import { fetchTenant, type Tenant } from ".";

type Settings = NonNullable<Schemas["TenantChange"]["dialects"]>;

/** DialectSettings changes a tenant's own settings of dialects. */
export function DialectSettings({ tenant }: { tenant: Tenant }) {
  const edit = useEdit(tenant, { queryKey: ["tenant", tenant.id], fetch: () => fetchTenant(tenant.id), draftOf });
  const { text } = edit.draft;
  const wrong = fault(text);
  const save = useAction(
    () => edit.save((draft, etag) => versioned(api.PATCH("/api/v1/tenants/{tenant}", { params: { path: { tenant: tenant.id }, ...ifMatch(etag) }, body: { dialects: changed(tenant, draft.text) } }))),
    { done: (saved) => (saved ? "The settings were changed" : undefined), changes: [["tenant", tenant.id]], quiet: true },
  );
  return (
    <Panel title="Settings of dialects">
      <form
        className="space-y-4"
        onSubmit={(event) => {
          event.preventDefault();
          if (!wrong) save.mutate(undefined);
        }}
      >
        <Field
          label="Settings of dialects"
          name="dialects"
          error={save.error}
          problem={wrong}
          optional
          hint={'By dialect, such as {"azakaw": {"timeout": "20s", "auth": {"type": "bearer", "token": "…"}}}. An auth that is shown without its secret stays; {"type": "none"} removes it.'}
        >
          {(field) => <CodeEditor value={text} onChange={(value) => edit.set({ text: value })} label="Settings of dialects" rows={Math.min(text.split("\n").length + 1, 16)} invalid={field["aria-invalid"] ?? false} {...(field["aria-describedby"] ? { describedBy: field["aria-describedby"] } : {})} />}
        </Field>
        <Conflict what="these settings" edit={edit} />
        <FormError error={save.error} fields={["dialects"]} />
        <Button look="primary" type="submit" busy={save.isPending} disabled={Boolean(wrong) || edit.changed.length === 0 || edit.clashing.length > 0}>
          Change them
        </Button>
      </form>
    </Panel>
  );
}

const draftOf = (tenant: Tenant) => ({ text: Object.keys(tenant.dialects).length > 0 ? JSON.stringify(tenant.dialects, null, 2) : "" });

function fault(text: string): string | undefined {
  if (!text.trim()) return undefined;
  const found = problem(text);
  if (found) return `line ${found.line}, column ${found.column}: ${found.message}`;
  return text.trim().startsWith("{") ? undefined : "must be an object with an entry for each dialect";
}

/** changed returns what to send: the settings that were typed, and null for those of dialects that were removed. */
function changed(tenant: Tenant, text: string): Settings {
  const typed = (text.trim() ? JSON.parse(text) : {}) as Settings;
  return { ...Object.fromEntries(Object.keys(tenant.dialects).map((name) => [name, null])), ...typed } as Settings;
}
