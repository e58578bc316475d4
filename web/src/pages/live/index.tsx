import { Radio } from "lucide-react";
import { PageHeader } from "@/parts/Page";
import { EmptyState } from "@/parts/States";

export default function Live() {
  return (
    <>
      <PageHeader title="Live" />
      <EmptyState icon={Radio} title="Watch attempts as they happen" command="bellwire tail" />
    </>
  );
}
