import { Settings2 } from "lucide-react";
import { PageHeader } from "@/parts/Page";
import { EmptyState } from "@/parts/States";

export default function Settings() {
  return (
    <>
      <PageHeader title="Settings" />
      <EmptyState icon={Settings2} title="Settings are options of the server" command="bellwire serve --help" />
    </>
  );
}
