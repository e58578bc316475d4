import { Menu } from "@base-ui/react/menu";
import { Ban, Ellipsis, History, ListRestart, Pause, Play, RefreshCw, Send, Trash2 } from "lucide-react";
import { useCallback, useMemo, useState } from "react";
import { Route, Routes, useNavigate, useParams } from "react-router";
import { api, call, type Schemas, type Versioned } from "@/api/client";
import { useAction, useLiveQuery } from "@/api/hooks";
import { fetchEndpoint } from "@/api/names";
import { plural } from "@/lib/numbers";
import { cx, visible } from "@/lib/text";
import { Button, ButtonLink, IconButton } from "@/parts/Button";
import { Id } from "@/parts/Copy";
import { ConfirmDialog } from "@/parts/Dialog";
import { endpointName, HealthSentence } from "@/parts/Health";
import { PageHeader } from "@/parts/Page";
import { type Command, useCommands } from "@/parts/Palette";
import { useScope, useTenant } from "@/parts/Scope";
import { PageSkeleton } from "@/parts/Shell";
import { EmptyState, ErrorState } from "@/parts/States";
import { EndpointStatus } from "@/parts/Status";
import { Tabs } from "@/parts/Tabs";
import { Bulk } from "../deliveries/Bulk";
import { Deliveries } from "./Deliveries";
import { Changes } from "./Changes";
import { Enable } from "./Enable";
import { useMissed } from "./missed";
import { Replay } from "./Replay";
import { Rotate } from "./Secret";
import { Settings } from "./Settings";
import { Testing } from "./Testing";
import { useVersions, Versions } from "./Versions";

export type Endpoint = Versioned<Schemas["EndpointWithHealth"]>;

/** What a part of the page asks to be done: a dialog opens before it is. */
export type Asked = "enable" | "pause" | "disable" | "delete" | "replay" | "retry" | "rotate";

/** EndpointPage says how an endpoint is and what to do about it, and has all that belongs to it. */
export default function EndpointPage() {
  const tenant = useTenant();
  const { id = "" } = useParams();
  const endpoint = useLiveQuery(["endpoint", tenant, id], (signal) => fetchEndpoint(tenant, id, signal));
  if (endpoint.isPending) return <PageSkeleton />;
  if (!endpoint.data) {
    if (endpoint.error?.status === 404) return <Gone tenant={tenant} id={id} />;
    return <ErrorState error={endpoint.error} what="The endpoint could not be loaded" retry={endpoint.refetch} />;
  }
  return <Loaded endpoint={endpoint.data} />;
}

function Gone({ tenant, id }: { tenant: string; id: string }) {
  const { link } = useScope();
  const navigate = useNavigate();
  return (
    <EmptyState title="This endpoint does not exist" action={<Button onClick={() => void navigate(link.endpoints(tenant))}>Go to the endpoints</Button>}>
      {tenant} has no endpoint {id}, or not any more.
    </EmptyState>
  );
}

function Loaded({ endpoint }: { endpoint: Endpoint }) {
  const { link, tenant: own } = useScope();
  const [asked, setAsked] = useState<Asked>();
  const status = useStatus(endpoint);
  const root = link.endpoint(endpoint.tenant, endpoint.id);
  const versions = useVersions(endpoint);
  const back = own ? [{ to: link.endpoints(), label: "Endpoints" }] : [{ to: link.endpoints(), label: "Endpoints" }, { to: link.endpoints(endpoint.tenant), label: endpoint.tenant }];
  return (
    <div className="flex min-h-full flex-col md:h-full md:min-h-0">
      <PageHeader
        title={endpointName(endpoint)}
        heading={
          <span className="flex flex-wrap items-center gap-x-3 gap-y-1">
            {endpointName(endpoint)}
            <EndpointStatus endpoint={endpoint} soft />
          </span>
        }
        back={back}
        sentence={
          <>
            <HealthSentence endpoint={endpoint} /> {endpoint.status !== "enabled" && <Missed endpoint={endpoint} />}
          </>
        }
        action={<Actions endpoint={endpoint} status={status} ask={setAsked} />}
      >
        <div className="mt-2.5 flex flex-wrap items-center gap-x-5 gap-y-1 text-sm text-muted">
          <span className="font-mono text-[12.5px] wrap-anywhere">{visible(endpoint.url)}</span>
          <Id value={endpoint.id} />
          <span>{endpoint.dialect}</span>
          {endpoint.ordering === "fifo" && <span>in order</span>}
          {endpoint.ordering === "key" && <span>in order for each ordering key</span>}
          {endpoint.rate_limit !== null && <span>at most {endpoint.rate_limit} a second</span>}
        </div>
      </PageHeader>
      <Tabs
        label="Parts of the endpoint"
        tabs={[
          { to: root, label: "Deliveries", end: true },
          { to: `${root}/settings`, label: "Settings" },
          { to: `${root}/testing`, label: "Testing" },
          ...(versions.data?.data.length ? [{ to: `${root}/versions`, label: "Versions" }] : []),
          { to: `${root}/history`, label: "History" },
        ]}
      />
      <Routes>
        <Route index element={<Deliveries endpoint={endpoint} ask={() => setAsked("replay")} />} />
        <Route path="settings" element={<Settings endpoint={endpoint} />} />
        <Route path="testing" element={<Testing endpoint={endpoint} ask={setAsked} />} />
        <Route path="versions" element={<Versions endpoint={endpoint} versions={versions} />} />
        <Route path="history" element={<Changes endpoint={endpoint} />} />
        <Route path="*" element={<EmptyState title="This page does not exist" />} />
      </Routes>
      <Dialogs endpoint={endpoint} status={status} asked={asked} close={() => setAsked(undefined)} />
    </div>
  );
}

/** Missed says how many events an endpoint that is off has missed. */
function Missed({ endpoint }: { endpoint: Endpoint }) {
  const { data } = useMissed(endpoint, true);
  if (!data) return null;
  if (data.total === 0) return "It has missed nothing.";
  return `It has missed ${data.total_is_bound ? "at most " : ""}${plural(data.total, "event")} so far.`;
}

function useStatus(endpoint: Endpoint) {
  return useAction(
    (change: Schemas["Patch"]) => call(api.PATCH("/api/v1/tenants/{tenant}/endpoints/{id}", { params: { path: { tenant: endpoint.tenant, id: endpoint.id } }, body: change })),
    {
      failed: "The endpoint was not changed",
      changes: [["endpoint", endpoint.tenant, endpoint.id], ["endpoints"], ["changes", endpoint.id], ["endpoint-deliveries", endpoint.id]],
      done: (out, change) =>
        out.replay ? `Enabled. ${plural(out.replay.total, "event")} that it missed will be sent.` : change.status === "enabled" ? "Enabled" : change.status === "paused" ? "Paused. Deliveries are kept." : "Disabled",
    },
  );
}

type Status = ReturnType<typeof useStatus>;

/** Actions offers the best action for the state that the endpoint is in, and the others in a menu. */
function Actions({ endpoint, status, ask }: { endpoint: Endpoint; status: Status; ask: (asked: Asked) => void }) {
  const { can, link } = useScope();
  const navigate = useNavigate();
  const manage = can("manage");
  const off = endpoint.status !== "enabled";
  const replay = status.data?.replay?.id; // that enabling it has begun
  const testing = `${link.endpoint(endpoint.tenant, endpoint.id)}/testing`;
  const test = useCallback(() => void navigate(testing, { state: { test: true } }), [navigate, testing]);
  const commands = useMemo<Command[]>(() => {
    const action = (id: string, label: string, run: () => void): Command => ({ id: `endpoint-${id}`, label, group: "This endpoint", run });
    return [
      ...(can("test") ? [action("test", "Send a test", test)] : []),
      ...(can("replay") ? [action("replay", "Replay events to it", () => ask("replay"))] : []),
      ...(manage ? [off ? action("enable", "Enable it", () => ask("enable")) : action("pause", "Pause it", () => ask("pause"))] : []),
    ];
  }, [can, manage, off, test, ask]);
  useCommands("endpoint", commands);

  return (
    <>
      {off && manage ? (
        <Button look="primary" icon={Play} busy={status.isPending} onClick={() => ask("enable")}>
          {can("replay") && endpoint.health.state !== "idle" ? "Enable and replay what was missed" : "Enable"}
        </Button>
      ) : replay ? (
        <ButtonLink icon={ListRestart} to={link.job(endpoint.tenant, replay)}>
          Follow the replay
        </ButtonLink>
      ) : endpoint.health.state === "recovering" && can("replay") ? (
        <Button look="primary" icon={ListRestart} onClick={() => ask("replay")}>
          Replay what was missed
        </Button>
      ) : null}
      {can("test") && (
        <Button look={!off && (endpoint.health.state === "failing" || endpoint.health.state === "idle") ? "primary" : "plain"} icon={Send} onClick={test}>
          Send a test
        </Button>
      )}
      {can("replay") && (off || endpoint.health.state !== "recovering") && (
        <Button icon={History} onClick={() => ask("replay")}>
          Replay
        </Button>
      )}
      {manage && (
        <Menu.Root>
          <Menu.Trigger render={<IconButton label="More actions" icon={Ellipsis} className="size-8 border border-line-strong" />} />
          <Menu.Portal>
            <Menu.Positioner sideOffset={6} align="end" className="z-40">
              <Menu.Popup className="w-56 rounded-lg border border-line-strong bg-raised p-1 shadow-pop outline-none">
                {!off && <Item icon={Pause} label="Pause" run={() => ask("pause")} />}
                {endpoint.status !== "disabled" && <Item icon={Ban} label="Disable" run={() => ask("disable")} />}
                <Item icon={RefreshCw} label="Rotate the secret" run={() => ask("rotate")} />
                <Menu.Separator className="my-1 h-px bg-line" />
                <Item icon={Trash2} label="Delete" run={() => ask("delete")} danger />
              </Menu.Popup>
            </Menu.Positioner>
          </Menu.Portal>
        </Menu.Root>
      )}
    </>
  );
}

function Item({ icon: Icon, label, run, danger }: { icon: typeof Play; label: string; run: () => void; danger?: boolean }) {
  return (
    <Menu.Item onClick={run} className={cx("flex h-8 cursor-default items-center gap-2.5 rounded-sm px-2 outline-none select-none data-[highlighted]:bg-hover", danger && "text-bad")}>
      <Icon size={14} className={danger ? "" : "text-muted"} aria-hidden />
      {label}
    </Menu.Item>
  );
}

/** because is the part of a change that says why, if somebody has said. */
function because(reason: string): Pick<Schemas["Patch"], "status_reason"> {
  return reason ? { status_reason: reason } : {};
}

/** Dialogs asks before something changes for the receiver. */
function Dialogs({ endpoint, status, asked, close }: { endpoint: Endpoint; status: Status; asked: Asked | undefined; close: () => void }) {
  const { link } = useScope();
  const navigate = useNavigate();
  const { health } = endpoint;
  const waiting = health.waiting > 0 ? `${health.waiting_capped ? "More than " : ""}${plural(health.waiting, "delivery", "deliveries")}` : "";
  const remove = useAction(() => call(api.DELETE("/api/v1/tenants/{tenant}/endpoints/{id}", { params: { path: { tenant: endpoint.tenant, id: endpoint.id } } })), {
    done: "Deleted",
    failed: "The endpoint was not deleted",
    changes: [["endpoints"]],
    onDone: () => void navigate(link.endpoints(endpoint.tenant)),
  });
  const name = endpointName(endpoint);
  return (
    <>
      {asked === "enable" && (
        <Enable endpoint={endpoint} busy={status.isPending} enable={(replay) => status.mutate({ status: "enabled", ...(replay ? { replay: "missed" } : {}) }, { onSettled: close })} close={close} />
      )}
      <ConfirmDialog
        open={asked === "pause"}
        onClose={close}
        title={`Pause ${name}?`}
        action="Pause"
        keep="Leave it enabled"
        reason
        danger={false}
        busy={status.isPending}
        onConfirm={(reason) => status.mutate({ status: "paused", ...because(reason) }, { onSettled: close })}
      >
        <p>Nothing is sent to it until it is enabled. New events are kept for it, and nothing is lost.</p>
        {waiting && <p>{waiting} that wait now will wait on.</p>}
      </ConfirmDialog>
      <ConfirmDialog open={asked === "disable"} onClose={close} title={`Disable ${name}?`} action="Disable" keep="Leave it as it is" reason busy={status.isPending} onConfirm={(reason) => status.mutate({ status: "disabled", ...because(reason) }, { onSettled: close })}>
        <p>New events are not delivered to it while it is disabled. Enabling it can replay them, as long as they are kept. Tests can be sent to it.</p>
        {waiting && <p>{waiting} that wait now will be canceled.</p>}
      </ConfirmDialog>
      <ConfirmDialog open={asked === "delete"} onClose={close} title={`Delete ${name}?`} action="Delete" name={endpoint.id} busy={remove.isPending} onConfirm={() => remove.mutate(undefined, { onSettled: close })}>
        <p>Its settings and its secret are deleted and cannot be restored. What was delivered stays in the log.</p>
        {waiting && <p>{waiting} that wait now will not be sent.</p>}
        <p>To stop for a while, pause it instead.</p>
      </ConfirmDialog>
      {asked === "retry" && <Bulk kind="retry" filter={{ tenant: endpoint.tenant, endpoint: endpoint.id, status: "retrying" }} close={close} />}
      <Replay endpoint={endpoint} open={asked === "replay"} onClose={close} />
      <Rotate endpoint={endpoint} open={asked === "rotate"} onClose={close} />
    </>
  );
}
