import { PageHeader } from "@/parts/Page";

export default function Endpoint() {
  return <PageHeader title="Endpoint" />;
}
