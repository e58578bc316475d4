import { PageHeader } from "@/parts/Page";

export default function Endpoints() {
  return <PageHeader title="Endpoints" />;
}
