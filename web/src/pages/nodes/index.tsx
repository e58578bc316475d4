import { Server } from "lucide-react";
import { PageHeader } from "@/parts/Page";
import { EmptyState } from "@/parts/States";

export default function Nodes() {
  return (
    <>
      <PageHeader title="Nodes" />
      <EmptyState icon={Server} title="Ask a node how it is" command="bellwire status" />
    </>
  );
}
