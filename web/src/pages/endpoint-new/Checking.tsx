import { CircleCheck, Send } from "lucide-react";
import { useEffect, useRef } from "react";
import { api, call, type Schemas } from "@/api/client";
import { useAction } from "@/api/hooks";
import { AttemptDetails } from "@/parts/Exchange";
import { Button, ButtonLink } from "@/parts/Button";
import { Panel } from "@/parts/Page";
import { useScope } from "@/parts/Scope";
import { Skeleton } from "@/parts/States";
import { Notice, StatusBadge } from "@/parts/Status";
import { Took } from "@/parts/Time";
import { Verify } from "./Verify";

type Endpoint = Schemas["CreatedEndpoint"];

/** Checking sends a test to the new endpoint at once, shows how to verify what arrives, and sends another one when that is done. */
export function Checking({ tenant, endpoint }: { tenant: string; endpoint: Endpoint }) {
  const { link, can } = useScope();
  const path = { tenant, id: endpoint.id };
  const test = useAction(() => call(api.POST("/api/v1/tenants/{tenant}/endpoints/{id}/probe", { params: { path }, body: {} })), { failed: "The test could not be sent" });
  const { mutate } = test;
  const begun = useRef(false);
  useEffect(() => {
    if (begun.current || !can("test")) return;
    begun.current = true;
    mutate(undefined);
  }, [mutate, can]);
  const good = test.data?.outcome === "ok";
  return (
    <div className="space-y-4">
      <Notice tone="good" icon={CircleCheck} action={<ButtonLink size="sm" to={link.endpoint(tenant, endpoint.id)}>Show the endpoint</ButtonLink>}>
        The endpoint was added. Events are sent to it from now on.
      </Notice>
      {can("test") && (
        <Panel
          title="Does it answer?"
          aside={
            <Button size="sm" icon={Send} busy={test.isPending} onClick={() => mutate(undefined)}>
              Send another test
            </Button>
          }
        >
          {test.isPending ? (
            <div aria-busy="true" className="space-y-3">
              <p className="text-muted">A test, signed like any event, is under way.</p>
              <Skeleton className="w-2/3" />
            </div>
          ) : test.data ? (
            <>
              <p className="mb-3 flex flex-wrap items-center gap-3">
                <StatusBadge of="attempt" state={test.data.outcome} soft />
                <span>
                  {good ? (
                    <>
                      The test arrived and was acknowledged with {test.data.response?.status}, in <Took ms={test.data.timings.total} />.
                    </>
                  ) : (
                    "It did not acknowledge. Events are kept and tried again; a test is not."
                  )}
                </span>
              </p>
              <AttemptDetails tenant={tenant} delivery={test.data.delivery} attempt={test.data} />
            </>
          ) : (
            <p className="text-muted">No test was sent yet.</p>
          )}
        </Panel>
      )}
      {endpoint.dialect === "standard" && <Verify next="Then send another test, and see it accepted." {...(endpoint.secret ? { secret: endpoint.secret } : {})} />}
      <div className="flex justify-end">
        <ButtonLink look="primary" to={link.endpoint(tenant, endpoint.id)}>
          Done
        </ButtonLink>
      </div>
    </div>
  );
}
