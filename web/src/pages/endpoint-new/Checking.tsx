import { CircleCheck, LoaderCircle, Radar, Send } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { Link } from "react-router";
import { api, call, type Schemas } from "@/api/client";
import { useAction, useLiveQuery } from "@/api/hooks";
import { sentence, visible } from "@/lib/text";
import { AttemptDetails } from "@/parts/Exchange";
import { Button, ButtonLink } from "@/parts/Button";
import { CodeBlock } from "@/parts/Code";
import { Choice } from "@/parts/Form";
import { Panel } from "@/parts/Page";
import { useScope } from "@/parts/Scope";
import { Skeleton } from "@/parts/States";
import { DeliveryStatus, Notice, StatusBadge } from "@/parts/Status";
import { Took } from "@/parts/Time";
import { samples } from "./samples";

type Endpoint = Schemas["CreatedEndpoint"];

/** Checking sends a probe to the new endpoint at once, shows how to verify, and sends a test event that is seen arriving. */
export function Checking({ tenant, endpoint }: { tenant: string; endpoint: Endpoint }) {
  const { link, can } = useScope();
  const path = { tenant, id: endpoint.id };
  const probe = useAction(() => call(api.POST("/api/v1/tenants/{tenant}/endpoints/{id}/probe", { params: { path }, body: {} })), { failed: "The probe could not be sent" });
  const { mutate } = probe;
  const begun = useRef(false);
  useEffect(() => {
    if (begun.current || !can("test")) return;
    begun.current = true;
    mutate(undefined);
  }, [mutate, can]);
  const good = probe.data?.outcome === "ok";
  return (
    <div className="space-y-4">
      <Notice tone="good" icon={CircleCheck} action={<ButtonLink size="sm" to={link.endpoint(tenant, endpoint.id)}>Show the endpoint</ButtonLink>}>
        The endpoint was added. Events are sent to it from now on.
      </Notice>
      {can("test") && (
        <Panel
          title="Does it answer?"
          aside={
            <Button size="sm" icon={Radar} busy={probe.isPending} onClick={() => mutate(undefined)}>
              Send a probe again
            </Button>
          }
        >
          {probe.isPending ? (
            <div aria-busy="true" className="space-y-3">
              <p className="text-muted">A signed request is under way.</p>
              <Skeleton className="w-2/3" />
            </div>
          ) : probe.data ? (
            <>
              <p className="mb-3 flex flex-wrap items-center gap-3">
                <StatusBadge of="attempt" state={probe.data.outcome} soft />
                <span>
                  {good ? (
                    <>
                      It answered {probe.data.response?.status} in <Took ms={probe.data.timings.total} />.
                    </>
                  ) : (
                    "It did not acknowledge. Events are kept and tried again."
                  )}
                </span>
              </p>
              <AttemptDetails tenant={tenant} delivery={probe.data.delivery} attempt={probe.data} />
            </>
          ) : (
            <p className="text-muted">No probe was sent yet.</p>
          )}
        </Panel>
      )}
      {endpoint.dialect === "standard" && <Verify {...(endpoint.secret ? { secret: endpoint.secret } : {})} />}
      {can("test") && <Arrival tenant={tenant} endpoint={endpoint} />}
      <div className="flex justify-end">
        <ButtonLink look="primary" to={link.endpoint(tenant, endpoint.id)}>
          Done
        </ButtonLink>
      </div>
    </div>
  );
}

function Verify({ secret }: { secret?: string }) {
  const { can } = useScope();
  const [language, setLanguage] = useState<string>("JavaScript");
  const [shown, setShown] = useState(false);
  const sample = samples.find((each) => each.language === language) ?? samples[0];
  return (
    <Panel title="Verify what arrives">
      <div className="space-y-3">
        <p className="text-muted">Each request is signed with the endpoint's secret. Check the signature: anybody can send requests to your URL.</p>
        {secret && can("view_secret") && (
          <div>
            {shown ? (
              <CodeBlock title="WEBHOOK_SECRET" code={secret} />
            ) : (
              <Button size="sm" onClick={() => setShown(true)}>
                Show the secret
              </Button>
            )}
          </div>
        )}
        <Choice label="Language" value={language} values={samples.map((each) => [each.language, each.language] as const)} onChange={setLanguage} />
        {sample && (
          <>
            <CodeBlock code={sample.install} title="Library" />
            <CodeBlock code={sample.code} title="Code" />
          </>
        )}
      </div>
    </Panel>
  );
}

function Arrival({ tenant, endpoint }: { tenant: string; endpoint: Endpoint }) {
  const { link } = useScope();
  const [sent, setSent] = useState<string>();
  const test = useAction(() => call(api.POST("/api/v1/tenants/{tenant}/endpoints/{id}/test", { params: { path: { tenant, id: endpoint.id } }, body: {} })), {
    failed: "The test event could not be sent",
    onDone: ({ delivery }) => setSent(delivery),
  });
  const delivery = useLiveQuery(["delivery", tenant, sent], (signal) => call(api.GET("/api/v1/tenants/{tenant}/deliveries/{id}", { params: { path: { tenant, id: sent ?? "" } }, signal })), {
    enabled: sent !== undefined,
    every: 1000,
  });
  const it = delivery.data;
  return (
    <Panel
      title="See a test event arrive"
      aside={
        <Button size="sm" icon={Send} busy={test.isPending} onClick={() => test.mutate(undefined)}>
          Send a test event
        </Button>
      }
    >
      {!sent ? (
        <p className="text-muted">A test event is signed and delivered as any other, but in one attempt only: it is not tried again.</p>
      ) : !it || it.attempt_count === 0 ? (
        <p role="status" className="flex items-center gap-2 text-muted">
          <LoaderCircle size={14} className="animate-spin" aria-hidden /> Under way
        </p>
      ) : (
        <p role="status" className="flex flex-wrap items-center gap-3">
          <DeliveryStatus delivery={it} soft />
          <span>{it.status === "succeeded" ? "The test event arrived and was acknowledged." : sentence(visible(it.attempts.at(-1)?.error ?? "") || "it was not acknowledged yet")}</span>
          <Link to={link.delivery(tenant, it.id)} className="text-accent underline">
            Show the delivery
          </Link>
        </p>
      )}
    </Panel>
  );
}
