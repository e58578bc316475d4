import { CirclePause, CirclePlay, ExternalLink, Plus } from "lucide-react";
import { useState } from "react";
import { Navigate, Route, Routes } from "react-router";
import { api, call, type Schemas, type Versioned, versioned } from "@/api/client";
import { useAction, useLiveQuery } from "@/api/hooks";
import { sentence, visible } from "@/lib/text";
import { Button, ButtonLink } from "@/parts/Button";
import { Dialog } from "@/parts/Dialog";
import { Field, FormError } from "@/parts/Form";
import { PageHeader } from "@/parts/Page";
import { useScope, useTenant } from "@/parts/Scope";
import { PageSkeleton } from "@/parts/Shell";
import { ErrorState } from "@/parts/States";
import { Notice, StatusBadge } from "@/parts/Status";
import { Tabs } from "@/parts/Tabs";
import { Time } from "@/parts/Time";
import { Keys } from "./Keys";
import { Limits } from "./Limits";
import { Overview } from "./Overview";
import { PortalLink, PortalSessions } from "./Portal";
import { TenantSettings } from "./Settings";

export type Tenant = Versioned<Schemas["Tenant"]>;

/** fetchTenant is what the query with the key ["tenant", id] fetches. */
export const fetchTenant = (tenant: string, signal?: AbortSignal): Promise<Tenant> =>
  versioned(api.GET("/api/v1/tenants/{tenant}", { params: { path: { tenant } }, ...(signal ? { signal } : {}) }));

/** TenantPage is all about one customer: how its endpoints are, its keys, limits and portal. */
export default function TenantPage() {
  const id = useTenant();
  const { link } = useScope();
  const tenant = useLiveQuery(["tenant", id], (signal) => fetchTenant(id, signal));
  const [dialog, setDialog] = useState<"pause" | "portal">();
  const resume = useAction(() => call(api.PATCH("/api/v1/tenants/{tenant}", { params: { path: { tenant: id } }, body: { status: "active" } })), {
    done: "The tenant was resumed. What waited is sent now",
    failed: "The tenant was not resumed",
    changes: [["tenant", id], ["tenants"]],
  });
  if (tenant.isPending) return <PageSkeleton />;
  if (!tenant.data) return <ErrorState error={tenant.error} what="The tenant could not be loaded" retry={tenant.refetch} />;
  const it = tenant.data;
  const at = link.tenant(id);
  const paused = it.status === "paused";
  return (
    <>
      <PageHeader
        title={visible(it.name) || it.id}
        heading={
          <span className="flex flex-wrap items-center gap-x-3 gap-y-1">
            {visible(it.name) || it.id}
            <StatusBadge of="tenant" state={it.status} soft />
          </span>
        }
        back={[{ to: "/tenants", label: "Tenants" }]}
        sentence={
          <>
            {it.name && <code className="mr-2 text-text">{it.id}</code>}
            Created <Time at={it.created_at} />.
          </>
        }
        action={
          <>
            {!paused && (
              <Button icon={CirclePause} onClick={() => setDialog("pause")}>
                Pause
              </Button>
            )}
            <Button icon={ExternalLink} onClick={() => setDialog("portal")}>
              Portal link
            </Button>
            <ButtonLink look="primary" icon={Plus} to={link.newEndpoint(id)}>
              Add endpoint
            </ButtonLink>
          </>
        }
      >
        {paused && (
          <div className="mt-3">
            <Notice
              tone="warn"
              icon={CirclePause}
              action={
                <Button size="sm" look="primary" icon={CirclePlay} busy={resume.isPending} onClick={() => resume.mutate(undefined)}>
                  Resume
                </Button>
              }
            >
              Paused since <Time at={it.status_since} as="clock" />: events are taken, and nothing is sent. {it.status_reason && sentence(visible(it.status_reason))}
            </Notice>
          </div>
        )}
      </PageHeader>
      <Tabs
        label="Tenant"
        tabs={[
          { to: at, label: "Overview", end: true },
          { to: `${at}/keys`, label: "Keys" },
          { to: `${at}/portal`, label: "Portal sessions" },
          { to: `${at}/limits`, label: "Limits" },
          { to: `${at}/settings`, label: "Settings" },
        ]}
      />
      <Routes>
        <Route index element={<Overview tenant={it} />} />
        <Route path="keys" element={<Keys tenant={id} />} />
        <Route path="portal" element={<PortalSessions tenant={id} create={() => setDialog("portal")} />} />
        <Route path="limits" element={<Limits key={id} tenant={it} />} />
        <Route path="settings" element={<TenantSettings key={id} tenant={it} />} />
        <Route path="*" element={<Navigate to={at} replace />} />
      </Routes>
      {dialog === "pause" && <PauseDialog tenant={id} close={() => setDialog(undefined)} />}
      {dialog === "portal" && <PortalLink tenant={id} close={() => setDialog(undefined)} />}
    </>
  );
}

function PauseDialog({ tenant, close }: { tenant: string; close: () => void }) {
  const [reason, setReason] = useState("");
  const pause = useAction(
    () => call(api.PATCH("/api/v1/tenants/{tenant}", { params: { path: { tenant } }, body: { status: "paused", ...(reason.trim() ? { status_reason: reason.trim() } : {}) } })),
    { done: "The tenant was paused", changes: [["tenant", tenant], ["tenants"]], onDone: close, quiet: true },
  );
  return (
    <Dialog
      open
      onClose={close}
      title="Pause this tenant?"
      sentence="Nothing is sent to any of its endpoints until you resume it. Events are still taken, and wait."
      footer={
        <>
          <Button onClick={close}>Keep it active</Button>
          <Button look="primary" type="submit" form="pause" busy={pause.isPending}>
            Pause
          </Button>
        </>
      }
    >
      <form
        id="pause"
        className="space-y-3"
        onSubmit={(event) => {
          event.preventDefault();
          pause.mutate(undefined);
        }}
      >
        <Field label="Reason" name="status_reason" error={pause.error} optional hint="The tenant sees it.">
          {(field) => <input {...field} className="field" autoFocus value={reason} placeholder="the invoice is overdue" onChange={(event) => setReason(event.target.value)} />}
        </Field>
        <FormError error={pause.error} fields={["status_reason"]} />
      </form>
    </Dialog>
  );
}
