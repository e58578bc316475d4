import { KeyRound, Plus, Trash2 } from "lucide-react";
import { useCallback, useMemo, useState } from "react";
import { api, call, type Schemas } from "@/api/client";
import { useAction, useList } from "@/api/hooks";
import { visible } from "@/lib/text";
import { parseSpan, rfc3339 } from "@/lib/time";
import { Button, IconButton } from "@/parts/Button";
import { CodeBlock } from "@/parts/Code";
import { Id } from "@/parts/Copy";
import { type Column, DataTable } from "@/parts/DataTable";
import { ConfirmDialog, Dialog } from "@/parts/Dialog";
import { Choice, Field, FormError, Switch } from "@/parts/Form";
import { EmptyState } from "@/parts/States";
import { Time } from "@/parts/Time";

type Key = Schemas["Key"];

const id = (key: Key) => key.id;

const roles: Record<string, string> = { tenant: "everything of the tenant", "tenant-read": "reading, without secrets" };

/** Keys lists a tenant's API keys, and makes and deletes them. */
export function Keys({ tenant }: { tenant: string }) {
  const fetch = useCallback(
    (cursor: string | undefined, signal: AbortSignal) => call(api.GET("/api/v1/tenants/{tenant}/keys", { params: { path: { tenant }, query: cursor ? { cursor } : {} }, signal })),
    [tenant],
  );
  const list = useList(["keys", tenant], fetch, id);
  const [dialog, setDialog] = useState<"new" | Key>();
  const remove = useAction((key: Key) => call(api.DELETE("/api/v1/tenants/{tenant}/keys/{id}", { params: { path: { tenant, id: key.id } } })), {
    done: "The key was deleted",
    failed: "The key was not deleted",
    changes: [["keys", tenant]],
    onDone: () => {
      setDialog(undefined);
      void list.refresh();
    },
  });
  const columns = useMemo<Column<Key>[]>(
    () => [
      { key: "name", title: "Name", width: "minmax(140px, 2fr)", narrow: "title", cell: (key) => <span className="font-medium">{visible(key.name) || "without a name"}</span> },
      { key: "id", title: "Id", width: "150px", cell: (key) => <Id value={key.id} className="text-muted" /> },
      { key: "role", title: "May", width: "minmax(150px, 2fr)", cell: (key) => (roles[key.role] ?? key.role) + (key.hmac ? ", signs requests" : "") },
      { key: "used", title: "Last used", width: "100px", align: "right", cell: (key) => <Time at={key.last_used_at} none="never" className="text-muted" /> },
      { key: "expires", title: "Expires", width: "100px", align: "right", cell: (key) => <Time at={key.expires_at} none="never" className="text-muted" /> },
      { key: "delete", title: "", width: "32px", narrow: "side", cell: (key) => <IconButton label={`Delete ${key.name || key.id}`} icon={Trash2} onClick={() => setDialog(key)} /> },
    ],
    [],
  );
  const add = (
    <Button icon={Plus} onClick={() => setDialog("new")}>
      Create key
    </Button>
  );
  return (
    <>
      <div className="flex flex-wrap items-center justify-between gap-3 px-4 py-3 sm:px-6 min-h-14">
        <p className="text-muted">Keys of this tenant. Your own keys, for all tenants, are in the command line: <code className="text-text">bellwire keys</code></p>
        {(list.loading || list.rows.length > 0) && add}
      </div>
      <DataTable label="Keys" columns={columns} list={list} id={id} empty={<EmptyState icon={KeyRound} title="No key yet" action={add}>A key lets the customer's programs use the API.</EmptyState>} />
      {dialog === "new" && <NewKey tenant={tenant} close={() => setDialog(undefined)} made={() => void list.refresh()} />}
      <ConfirmDialog
        open={typeof dialog === "object"}
        onClose={() => setDialog(undefined)}
        title="Delete this key?"
        action="Delete the key"
        busy={remove.isPending}
        onConfirm={() => typeof dialog === "object" && remove.mutate(dialog)}
      >
        <p>
          Requests with {typeof dialog === "object" ? <code className="text-text">{dialog.name || dialog.id}</code> : "it"} are refused from then on, and portal sessions that it made end.
          {typeof dialog === "object" && dialog.last_used_at !== null && (
            <>
              {" "}
              It was last used <Time at={dialog.last_used_at} />.
            </>
          )}
        </p>
      </ConfirmDialog>
    </>
  );
}

function NewKey({ tenant, close, made }: { tenant: string; close: () => void; made: () => void }) {
  const [name, setName] = useState("");
  const [role, setRole] = useState<"tenant" | "tenant-read">("tenant");
  const [hmac, setHmac] = useState(false);
  const [expires, setExpires] = useState("");
  const create = useAction(
    () =>
      call(
        api.POST("/api/v1/tenants/{tenant}/keys", {
          params: { path: { tenant } },
          body: { role, ...(name.trim() ? { name: name.trim() } : {}), ...(hmac ? { hmac } : {}), ...(expires.trim() ? { expires_at: rfc3339(Date.now() + (parseSpan(expires) ?? 0)) } : {}) },
        }),
      ),
    { changes: [["keys", tenant]], onDone: made, quiet: true },
  );
  const wrong = expires.trim() && parseSpan(expires) === undefined ? "must be like 90d or 12h" : undefined;
  if (create.data) {
    return (
      <Dialog
        open
        onClose={close}
        title="The key was created"
        sentence="Copy its secret now. It is shown this once, and Bellwire keeps no copy of it."
        footer={
          <Button look="primary" onClick={close}>
            Done
          </Button>
        }
      >
        <CodeBlock code={create.data.secret} title="Secret" />
        <p className="mt-3 text-sm text-muted">
          Id <Id value={create.data.id} full />
        </p>
      </Dialog>
    );
  }
  return (
    <Dialog
      open
      onClose={close}
      title="Create a key"
      footer={
        <>
          <Button onClick={close}>Cancel</Button>
          <Button look="primary" type="submit" form="new-key" busy={create.isPending}>
            Create key
          </Button>
        </>
      }
    >
      <form
        id="new-key"
        className="space-y-4"
        onSubmit={(event) => {
          event.preventDefault();
          if (!wrong) create.mutate(undefined);
        }}
      >
        <Field label="Name" name="name" error={create.error} optional>
          {(field) => <input {...field} className="field" autoFocus value={name} placeholder="billing service" onChange={(event) => setName(event.target.value)} />}
        </Field>
        <div className="space-y-1.5">
          <p className="text-sm font-medium">It may do</p>
          <Choice
            label="It may do"
            value={role}
            onChange={setRole}
            values={[
              ["tenant", "Everything of the tenant"],
              ["tenant-read", "Reading, without secrets"],
            ]}
          />
        </div>
        <Field label="Expires after" name="expires_at" error={create.error} problem={wrong || undefined} optional hint="Such as 90d. Empty: never.">
          {(field) => <input {...field} className="field num" value={expires} placeholder="90d" onChange={(event) => setExpires(event.target.value)} />}
        </Field>
        <Switch label="Signs requests" checked={hmac} onChange={setHmac} hint="For APIs whose requests are signed. The secret is then stored, encrypted." />
        <FormError error={create.error} fields={["name", "expires_at"]} />
      </form>
    </Dialog>
  );
}
