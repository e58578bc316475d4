import { Activity } from "lucide-react";
import { Link } from "react-router";
import { PageHeader } from "@/parts/Page";
import { EmptyState } from "@/parts/States";

export default function Events() {
  return (
    <>
      <PageHeader title="Events" />
      <EmptyState icon={Activity} title="Events are listed by tenant">
        Open a <Link to="/tenants" className="text-accent hover:underline">tenant</Link>, or a <Link to="/deliveries" className="text-accent hover:underline">delivery</Link> of the event.
      </EmptyState>
    </>
  );
}
