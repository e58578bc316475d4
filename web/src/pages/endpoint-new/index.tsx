import { PageHeader } from "@/parts/Page";
import { useScope, useTenant } from "@/parts/Scope";
import { EmptyState } from "@/parts/States";

export default function NewEndpoint() {
  const tenant = useTenant();
  const { link } = useScope();
  return (
    <>
      <PageHeader title="Add an endpoint" back={[{ to: link.endpoints(), label: "Endpoints" }]} />
      <EmptyState title="Create it on the command line" command={`bellwire endpoints create ${tenant} --url https://example.com/hooks --events '*'`} />
    </>
  );
}
