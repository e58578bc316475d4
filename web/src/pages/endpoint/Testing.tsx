import { CircleCheck, ListRestart, Radar, RotateCw, Send } from "lucide-react";
import { useEffect, useState } from "react";
import { Link, useLocation, useNavigate } from "react-router";
import { api, call, type Schemas } from "@/api/client";
import { useAction, useLiveQuery } from "@/api/hooks";
import { plural } from "@/lib/numbers";
import { AttemptDetails } from "@/parts/Exchange";
import { Button } from "@/parts/Button";
import { Field, FormError } from "@/parts/Form";
import { Pane, Panel } from "@/parts/Page";
import { useScope } from "@/parts/Scope";
import { Skeleton } from "@/parts/States";
import { Notice, StatusBadge } from "@/parts/Status";
import { Time } from "@/parts/Time";
import type { Asked, Endpoint } from "./index";

/** Testing sends a probe and waits for its answer, and sends a test event as a delivery of its own. */
export function Testing({ endpoint, ask }: { endpoint: Endpoint; ask: (asked: Asked) => void }) {
  const { can } = useScope();
  const [type, setType] = useState("");
  const path = { tenant: endpoint.tenant, id: endpoint.id };
  const body = type.trim() ? { type: type.trim() } : {};
  const probe = useAction(() => call(api.POST("/api/v1/tenants/{tenant}/endpoints/{id}/probe", { params: { path }, body })), { quiet: true, changes: [["endpoint", endpoint.tenant, endpoint.id], ["endpoint-deliveries", endpoint.id]] });
  const test = useAction(() => call(api.POST("/api/v1/tenants/{tenant}/endpoints/{id}/test", { params: { path }, body })), { quiet: true, changes: [["endpoint-deliveries", endpoint.id]] });
  const navigate = useNavigate();
  const { state, pathname, search } = useLocation();
  const asked = (state as { probe?: boolean } | null)?.probe === true;
  const { mutate, reset } = probe;
  useEffect(() => {
    if (!asked) return;
    void navigate(pathname + search, { replace: true, state: null }); // a reload must not send it again
    reset();
    mutate(undefined);
  }, [asked, navigate, pathname, search, mutate, reset]);
  const error = probe.error ?? test.error;
  const off = endpoint.status === "disabled";
  return (
    <Pane className="flex-1 px-4 py-4 sm:px-6">
      <div className="grid max-w-6xl items-start gap-4 lg:grid-cols-[minmax(280px,1fr)_minmax(0,2fr)]">
        <Panel title="Send something now">
          <div className="space-y-4">
            <Field label="Event type" name="type" error={error} optional hint="Its example is sent, or a made-up event.">
              {(field) => <input {...field} className="field font-mono" value={type} placeholder={endpoint.events.find((each) => !each.includes("*")) ?? "any"} onChange={(event) => setType(event.target.value)} />}
            </Field>
            <FormError error={error} fields={["type"]} />
            {can("test") && (
              <div className="flex flex-wrap gap-2">
                <Button look="primary" icon={Radar} busy={probe.isPending} disabled={off} onClick={() => (test.reset(), probe.mutate(undefined))}>
                  Send a probe
                </Button>
                <Button icon={Send} busy={test.isPending} disabled={off} onClick={() => (probe.reset(), test.mutate(undefined))}>
                  Send a test event
                </Button>
              </div>
            )}
            <p className="text-sm text-muted">
              {off
                ? "A disabled endpoint gets nothing. Enable it first."
                : "Both are signed like any other event, and are one attempt only. A probe waits for the answer and shows it here; a test event is sent without waiting, and its delivery shows the answer."}
            </p>
          </div>
        </Panel>
        <Panel
          title="What came back"
          aside={
            probe.data ? (
              <span className="flex items-center gap-3 text-sm">
                <StatusBadge of="attempt" state={probe.data.outcome} />
                <Time at={probe.data.started_at} className="text-muted" />
              </span>
            ) : undefined
          }
        >
          {probe.isPending ? (
            <div className="space-y-3" aria-busy="true">
              <p className="text-muted">Waiting for the answer, {endpoint.timeout} at most.</p>
              <Skeleton />
              <Skeleton className="w-2/3" />
              <Skeleton className="w-1/2" />
            </div>
          ) : probe.data ? (
            <div className="space-y-4">
              {probe.data.outcome === "ok" && <Works endpoint={endpoint} ask={ask} />}
              <AttemptDetails tenant={endpoint.tenant} delivery={probe.data.delivery} attempt={probe.data} />
            </div>
          ) : test.data ? (
            <TestResult endpoint={endpoint} receipt={test.data} />
          ) : (
            <p className="py-6 text-center text-muted">Send a probe to see where its time goes, and what the receiver answers.</p>
          )}
        </Panel>
      </div>
    </Pane>
  );
}

/** Works says that the receiver acknowledges again, and offers what it has not got meanwhile. */
function Works({ endpoint, ask }: { endpoint: Endpoint; ask: (asked: Asked) => void }) {
  const { can } = useScope();
  const { health, status } = endpoint;
  if (status !== "enabled") {
    return (
      <Notice tone="good" icon={CircleCheck}>
        It works. The endpoint is {status}{can("manage") ? ": enable it to send what waits." : "."}
      </Notice>
    );
  }
  if (health.last_failure_at === null || !can("replay")) return null;
  return (
    <Notice
      tone="good"
      icon={CircleCheck}
      action={
        <span className="flex flex-wrap gap-2">
          {health.waiting > 0 && (
            <Button size="sm" icon={RotateCw} onClick={() => ask("retry")}>
              Retry what waits
            </Button>
          )}
          <Button size="sm" look="primary" icon={ListRestart} onClick={() => ask("replay")}>
            Replay what was missed
          </Button>
        </span>
      }
    >
      It works again.{" "}
      {health.waiting > 0 && `${health.waiting_capped ? "More than " : ""}${plural(health.waiting, "delivery waits", "deliveries wait")} for the next attempt. `}
      What it has missed is not sent by itself.
    </Notice>
  );
}

function TestResult({ endpoint, receipt }: { endpoint: Endpoint; receipt: Schemas["TestReceipt"] }) {
  const { link } = useScope();
  const path = { tenant: endpoint.tenant, id: receipt.delivery };
  const delivery = useLiveQuery(["delivery", path.tenant, path.id], (signal) => call(api.GET("/api/v1/tenants/{tenant}/deliveries/{id}", { params: { path }, signal })), { every: 1000 });
  const last = delivery.data?.attempts.at(-1);
  return (
    <div className="space-y-4">
      <p className="flex flex-wrap items-center gap-3">
        {delivery.data ? <StatusBadge of="delivery" state={delivery.data.status} /> : <Skeleton className="w-24" />}
        <span className="text-muted">{receipt.type}</span>
        <Link to={link.delivery(endpoint.tenant, receipt.delivery)} className="text-accent underline">
          Open the delivery
        </Link>
      </p>
      {last && <AttemptDetails tenant={endpoint.tenant} delivery={receipt.delivery} attempt={last} />}
    </div>
  );
}
