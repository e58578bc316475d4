import { PageHeader } from "@/parts/Page";

export default function Overview() {
  return <PageHeader title="Overview" />;
}
