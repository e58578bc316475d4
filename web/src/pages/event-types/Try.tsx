import { useQuery } from "@tanstack/react-query";
import { Send } from "lucide-react";
import { useMemo, useState } from "react";
import { Link } from "react-router";
import { api, call, type Schemas } from "@/api/client";
import { useAction, useLiveQuery } from "@/api/hooks";
import { type Endpoint, tenants } from "@/api/names";
import { plural } from "@/lib/numbers";
import { visible } from "@/lib/text";
import { failure } from "@/lib/words";
import { Button } from "@/parts/Button";
import { CodeEditor } from "@/parts/Code";
import { Dialog } from "@/parts/Dialog";
import { Field, FormError } from "@/parts/Form";
import { endpointName } from "@/parts/Health";
import { useScope } from "@/parts/Scope";
import { StatusBadge } from "@/parts/Status";
import { problem } from "@/lib/json";
import type { EventType } from "./data";

/** TryTest sends the type's example to one endpoint, and shows what it answers. */
export function TryTest({ type, subscribers, close }: { type: EventType; subscribers: readonly Endpoint[]; close: () => void }) {
  const { shell } = useScope();
  const ready = useMemo(() => subscribers.filter((endpoint) => endpoint.status !== "disabled"), [subscribers]);
  const [chosen, setChosen] = useState(ready[0]?.id ?? "");
  const endpoint = ready.find((each) => each.id === chosen);
  const send = useAction(
    (to: Endpoint) => call(api.POST("/api/v1/tenants/{tenant}/endpoints/{id}/test", { params: { path: { tenant: to.tenant, id: to.id } }, body: { type: type.name } })),
    { quiet: true },
  );
  return (
    <Dialog
      open
      onClose={close}
      title={`Send a test of ${type.name}`}
      sentence={type.example ? "The example is sent to one endpoint, signed like any event, in one attempt only." : "The type has no example, so an event with the data null is sent to one endpoint, signed like any other, in one attempt only."}
      footer={
        <>
          <Button onClick={close}>Close</Button>
          <Button look="primary" icon={Send} disabled={!endpoint} busy={send.isPending} onClick={() => endpoint && send.mutate(endpoint)}>
            Send
          </Button>
        </>
      }
    >
      <div className="space-y-4">
        <Field label="Endpoint" hint={ready.length === 0 ? "No endpoint that is enabled subscribes to this type." : undefined}>
          {(field) => (
            <select {...field} className="field" value={chosen} onChange={(event) => (send.reset(), setChosen(event.target.value))}>
              {ready.map((each) => (
                <option key={each.id} value={each.id}>
                  {endpointName(each)}
                  {shell === "console" ? ` (${each.tenant})` : ""}
                </option>
              ))}
            </select>
          )}
        </Field>
        {send.data && endpoint && <Arriving tenant={endpoint.tenant} receipt={send.data} />}
        <FormError error={send.error} />
      </div>
    </Dialog>
  );
}

function Arriving({ tenant, receipt }: { tenant: string; receipt: Schemas["TestReceipt"] }) {
  const { link } = useScope();
  const path = { tenant, id: receipt.delivery };
  const delivery = useLiveQuery(["delivery", tenant, receipt.delivery], (signal) => call(api.GET("/api/v1/tenants/{tenant}/deliveries/{id}", { params: { path }, signal })), { every: 1000 });
  const last = delivery.data?.attempts.at(-1);
  return (
    <p role="status" className="flex flex-wrap items-center gap-x-3 gap-y-1 rounded-lg bg-sunk px-3 py-2.5">
      {last ? <StatusBadge of="attempt" state={last.outcome} /> : <StatusBadge of="delivery" state={delivery.data?.status ?? "pending"} />}
      <span className="text-muted">{last ? `It ${failure(last)}.` : "On its way."}</span>
      <Link to={link.delivery(tenant, receipt.delivery)} className="text-accent underline">
        See the delivery
      </Link>
    </p>
  );
}

/** TryPublish publishes an event of the type for a tenant: to all of its endpoints that subscribe. */
export function TryPublish({ type, close }: { type: EventType; close: () => void }) {
  const { link, can } = useScope();
  const known = useQuery({ ...tenants(), enabled: can("operate") });
  const [tenant, setTenant] = useState("");
  const [data, setData] = useState(type.example || "{}");
  const fault = problem(data);
  const publish = useAction(
    () =>
      call(
        api.POST("/api/v1/tenants/{tenant}/events", {
          params: { path: { tenant } },
          body: { type: type.name, data: null },
          bodySerializer: () => `{"type":${JSON.stringify(type.name)},"data":${data}}`,
        }),
      ),
    { quiet: true },
  );
  return (
    <Dialog
      open
      onClose={close}
      title={`Publish ${type.name}`}
      sentence="A real event: it is checked against the schema, stored, and delivered to every endpoint of the tenant that subscribes."
      width="max-w-2xl"
      footer={
        <>
          <Button onClick={close}>Close</Button>
          <Button look="primary" icon={Send} disabled={!tenant || fault !== undefined} busy={publish.isPending} onClick={() => publish.mutate(undefined)}>
            Publish
          </Button>
        </>
      }
    >
      <div className="space-y-4">
        <Field label="Tenant" {...(can("operate") ? {} : { name: "tenant", error: publish.error, hint: "Its id." })}>
          {(field) => can("operate") ? (
            <select {...field} className="field" value={tenant} onChange={(event) => setTenant(event.target.value)}>
              <option value="">Choose one</option>
              {known.data?.map((each) => (
                <option key={each.id} value={each.id}>
                  {each.name ? `${visible(each.name)} (${each.id})` : each.id}
                </option>
              ))}
            </select>
          ) : (
            <input {...field} className="field font-mono" autoComplete="off" spellCheck={false} value={tenant} placeholder="acme" onChange={(event) => setTenant(event.target.value.trim())} />
          )}
        </Field>
        <Field label="Data" name="data" error={publish.error} {...(fault ? { problem: `line ${fault.line}, column ${fault.column}: ${fault.message}` } : {})}>
          {(field) => <CodeEditor value={data} onChange={setData} label="Data" rows={10} invalid={field["aria-invalid"] ?? false} {...(field["aria-describedby"] ? { describedBy: field["aria-describedby"] } : {})} />}
        </Field>
        {publish.data && (
          <p role="status" className="rounded-lg bg-good-soft px-3 py-2.5">
            {publish.data.deliveries === 0 ? "Published, but no endpoint of the tenant subscribes to it." : `Published to ${plural(publish.data.deliveries, "endpoint")}.`}{" "}
            {can("operate") && (
              <Link to={link.event(tenant, publish.data.id)} className="text-accent underline">
                See the event
              </Link>
            )}
          </p>
        )}
        <FormError error={publish.error} fields={["data"]} />
      </div>
    </Dialog>
  );
}
