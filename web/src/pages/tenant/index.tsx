import { api, call } from "@/api/client";
import { useLiveQuery } from "@/api/hooks";
import { Facts, PageHeader, Panel } from "@/parts/Page";
import { useTenant } from "@/parts/Scope";
import { PageSkeleton } from "@/parts/Shell";
import { ErrorState } from "@/parts/States";
import { StatusBadge } from "@/parts/Status";
import { Time } from "@/parts/Time";

export default function Tenant() {
  const tenant = useTenant();
  const it = useLiveQuery(["tenant", tenant], (signal) => call(api.GET("/api/v1/tenants/{tenant}", { params: { path: { tenant } }, signal })));
  if (it.isPending) return <PageSkeleton />;
  if (!it.data) return <ErrorState error={it.error} what="The tenant could not be loaded" retry={it.refetch} />;
  return (
    <>
      <PageHeader title={it.data.name || it.data.id} back={[{ to: "/tenants", label: "Tenants" }]} />
      <div className="px-4 pb-8 sm:px-6">
        <Panel>
          <Facts
            facts={[
              ["Id", it.data.id],
              ["State", <StatusBadge key="s" of="tenant" state={it.data.status} />],
              ["Created", <Time key="c" at={it.data.created_at} />],
            ]}
          />
        </Panel>
      </div>
    </>
  );
}
