import { ExternalLink, Trash2 } from "lucide-react";
import { useCallback, useMemo, useState } from "react";
import { api, call, publicBase, type Schemas } from "@/api/client";
import { useAction, useList } from "@/api/hooks";
import { Button, IconButton } from "@/parts/Button";
import { CodeBlock } from "@/parts/Code";
import { Id } from "@/parts/Copy";
import { type Column, DataTable } from "@/parts/DataTable";
import { ConfirmDialog, Dialog } from "@/parts/Dialog";
import { Choice, Field, FormError, Switch } from "@/parts/Form";
import type { Capability as Any } from "@/parts/Scope";
import { EmptyState } from "@/parts/States";
import { Time } from "@/parts/Time";

type Session = Schemas["PortalSession"];

const id = (session: Session) => session.id;

type Capability = Exclude<Any, "operate">;

const capabilities: readonly (readonly [Capability, string, string])[] = [
  ["view", "See", "endpoints, events, deliveries"],
  ["manage", "Manage", "add, change and delete endpoints"],
  ["view_secret", "See secrets", "of endpoints, on demand"],
  ["replay", "Send again", "retry, replay and cancel"],
  ["test", "Test", "send tests"],
];

const spans = [
  ["1h", "An hour"],
  ["8h", "8 hours"],
  ["24h", "A day"],
] as const;

/** PortalSessions lists who has access to the tenant's portal, and ends it. */
export function PortalSessions({ tenant, create }: { tenant: string; create: () => void }) {
  const fetch = useCallback(
    (cursor: string | undefined, signal: AbortSignal) => call(api.GET("/api/v1/tenants/{tenant}/portal-sessions", { params: { path: { tenant }, query: cursor ? { cursor } : {} }, signal })),
    [tenant],
  );
  const list = useList(["portal-sessions", tenant], fetch, id);
  const [ending, setEnding] = useState<Session>();
  const end = useAction((session: Session) => call(api.DELETE("/api/v1/tenants/{tenant}/portal-sessions/{id}", { params: { path: { tenant, id: session.id } } })), {
    done: "The session was ended",
    failed: "The session was not ended",
    changes: [["portal-sessions", tenant]],
    onDone: () => {
      setEnding(undefined);
      void list.refresh();
    },
  });
  const columns = useMemo<Column<Session>[]>(
    () => [
      { key: "id", title: "Session", width: "150px", narrow: "title", cell: (session) => <Id value={session.id} /> },
      { key: "may", title: "May", width: "minmax(160px, 2fr)", cell: (session) => <span title={session.capabilities.join(", ")}>{session.capabilities.join(", ").replaceAll("_", " ")}</span> },
      { key: "used", title: "Last used", width: "100px", cell: (session) => (session.exchanged ? <Time at={session.last_used_at} none="never" /> : <span className="text-muted">not opened</span>) },
      { key: "from", title: "From", width: "minmax(100px, 1fr)", wide: true, cell: (session) => <span title={session.user_agent}>{session.address || <span className="text-faint">–</span>}</span> },
      { key: "ends", title: "Ends", width: "100px", align: "right", cell: (session) => <Time at={session.expires_at} className="text-muted" /> },
      { key: "end", title: "", width: "32px", narrow: "side", cell: (session) => <IconButton label={`End ${session.id}`} icon={Trash2} onClick={() => setEnding(session)} /> },
    ],
    [],
  );
  const make = (
    <Button icon={ExternalLink} onClick={create}>
      Create a link
    </Button>
  );
  return (
    <>
      <div className="flex flex-wrap items-center justify-between gap-3 px-4 py-3 sm:px-6 min-h-14">
        <p className="text-muted">People who can see this tenant's webhooks in a browser now.</p>
        {(list.loading || list.rows.length > 0) && make}
      </div>
      <DataTable
        label="Portal sessions"
        columns={columns}
        list={list}
        id={id}
        empty={
          <EmptyState icon={ExternalLink} title="Nobody is in the portal" action={make} command={`bellwire portal ${tenant}`}>
            The portal shows a customer its own endpoints and deliveries. Your platform makes a session for each visit.
          </EmptyState>
        }
      />
      <ConfirmDialog open={ending !== undefined} onClose={() => setEnding(undefined)} title="End this session?" action="End it" busy={end.isPending} onConfirm={() => ending && end.mutate(ending)}>
        <p>Whoever has it open is signed out within a second, and must come back from where they came.</p>
      </ConfirmDialog>
    </>
  );
}

/** PortalLink makes a session, and shows its link and how to embed it. */
export function PortalLink({ tenant, close }: { tenant: string; close: () => void }) {
  const [may, setMay] = useState<readonly Capability[]>(capabilities.map(([capability]) => capability));
  const [span, setSpan] = useState<(typeof spans)[number][0]>("1h");
  const [origin, setOrigin] = useState("");
  const create = useAction(
    () =>
      call(
        api.POST("/api/v1/tenants/{tenant}/portal-sessions", {
          params: { path: { tenant } },
          body: { capabilities: [...may], expires_in: span, ...(origin.trim() ? { origins: [origin.trim()] } : {}) },
        }),
      ),
    { changes: [["portal-sessions", tenant]], quiet: true },
  );
  if (create.data) {
    return (
      <Dialog
        open
        onClose={close}
        title="The link is ready"
        sentence="It can be opened once, within ten minutes. Send it to nobody whom you do not trust with this tenant."
        width="max-w-xl"
        footer={
          <>
            <Button onClick={close}>Close</Button>
            <a href={create.data.url} target="_blank" rel="noreferrer" className="inline-flex h-8 items-center gap-1.5 rounded-md bg-accent-solid px-3 font-medium text-on-accent hover:bg-accent-hover">
              <ExternalLink size={14} aria-hidden />
              Open the portal
            </a>
          </>
        }
      >
        <div className="space-y-3">
          <CodeBlock title="Link" code={create.data.url} />
          {origin.trim() && <CodeBlock title="In your page" code={`<script src="${new URL("portal.js", publicBase).href}"></script>\n<bellwire-portal session-url="${create.data.url}"></bellwire-portal>`} />}
        </div>
      </Dialog>
    );
  }
  return (
    <Dialog
      open
      onClose={close}
      title="Create a portal link"
      sentence="Short-lived access to this tenant for a person in a browser."
      footer={
        <>
          <Button onClick={close}>Cancel</Button>
          <Button look="primary" type="submit" form="portal-link" busy={create.isPending} disabled={may.length === 0}>
            Create the link
          </Button>
        </>
      }
    >
      <form
        id="portal-link"
        className="space-y-4"
        onSubmit={(event) => {
          event.preventDefault();
          create.mutate(undefined);
        }}
      >
        <fieldset className="space-y-2.5">
          <legend className="mb-1.5 text-sm font-medium">The person may</legend>
          {capabilities.map(([capability, label, hint]) => (
            <Switch
              key={capability}
              label={label}
              hint={hint}
              checked={may.includes(capability)}
              onChange={(on) => setMay((old) => (on ? [...old, capability] : old.filter((each) => each !== capability)))}
            />
          ))}
        </fieldset>
        <div className="space-y-1.5">
          <p className="text-sm font-medium">For</p>
          <Choice label="For" value={span} values={spans} onChange={setSpan} />
        </div>
        <Field label="Embedded in" name="origins" error={create.error} optional hint="The origin of your page, if it shows the portal in a frame.">
          {(field) => <input {...field} className="field font-mono" value={origin} placeholder="https://app.example.com" onChange={(event) => setOrigin(event.target.value)} />}
        </Field>
        <FormError error={create.error} fields={["origins"]} />
      </form>
    </Dialog>
  );
}
