import { useParams } from "react-router";
import { api, call } from "@/api/client";
import { useLiveQuery } from "@/api/hooks";
import { member } from "@/lib/json";
import { JsonView } from "@/parts/JsonView";
import { PageHeader } from "@/parts/Page";
import { useTenant } from "@/parts/Scope";
import { PageSkeleton } from "@/parts/Shell";
import { ErrorState } from "@/parts/States";

export default function Event() {
  const tenant = useTenant();
  const { id = "" } = useParams();
  const event = useLiveQuery(["event", tenant, id], (signal) => call(api.GET("/api/v1/tenants/{tenant}/events/{id}", { params: { path: { tenant, id } }, parseAs: "text", signal })));
  if (event.isPending) return <PageSkeleton />;
  if (event.data === undefined) return <ErrorState error={event.error} what="The event could not be loaded" retry={event.refetch} />;
  return (
    <>
      <PageHeader title={`Event ${id}`} />
      <div className="px-4 pb-8 sm:px-6">
        <JsonView title="data" text={member(event.data, "data") ?? ""} />
      </div>
    </>
  );
}
