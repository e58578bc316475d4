import { useParams } from "react-router";
import { api, call } from "@/api/client";
import { useLiveQuery } from "@/api/hooks";
import { Id } from "@/parts/Copy";
import { Facts, PageHeader, Panel } from "@/parts/Page";
import { PageSkeleton } from "@/parts/Shell";
import { useScope, useTenant } from "@/parts/Scope";
import { ErrorState } from "@/parts/States";
import { StatusBadge } from "@/parts/Status";
import { Time, Took } from "@/parts/Time";

export default function Delivery() {
  const tenant = useTenant();
  const { id = "" } = useParams();
  const { link } = useScope();
  const delivery = useLiveQuery(["delivery", tenant, id], (signal) => call(api.GET("/api/v1/tenants/{tenant}/deliveries/{id}", { params: { path: { tenant, id } }, signal })));
  if (delivery.isPending) return <PageSkeleton />;
  if (!delivery.data) return <ErrorState error={delivery.error} what="The delivery could not be loaded" retry={delivery.refetch} />;
  const it = delivery.data;
  return (
    <>
      <PageHeader title={`Delivery of ${it.event_type}`} sentence={it.reason} back={[{ to: link.deliveries(), label: "Deliveries" }]} />
      <div className="space-y-4 px-4 pb-8 sm:px-6">
        <Panel>
          <Facts
            facts={[
              ["State", <StatusBadge key="s" of="delivery" state={it.status} />],
              ["Event", <Id key="e" value={it.event} to={link.event(tenant, it.event)} full />],
              ["Endpoint", <Id key="p" value={it.endpoint} to={link.endpoint(tenant, it.endpoint)} full />],
            ]}
          />
        </Panel>
        {it.attempts.map((attempt) => (
          <Panel key={attempt.id} title={`Attempt ${attempt.number}`} aside={<Time at={attempt.started_at} className="text-sm text-muted" />}>
            <Facts
              facts={[
                ["Outcome", <StatusBadge key="o" of="attempt" state={attempt.outcome} />],
                ["Took", <Took key="t" ms={attempt.timings.total} />],
                attempt.error !== "" && ["Error", attempt.error],
              ]}
            />
          </Panel>
        ))}
      </div>
    </>
  );
}
