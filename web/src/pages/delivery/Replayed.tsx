import { ListRestart } from "lucide-react";
import { Link } from "react-router";
import { useEndpoints } from "@/api/names";
import { endpointName } from "@/parts/Health";
import { useScope } from "@/parts/Scope";
import { Notice, statusLook } from "@/parts/Status";
import { Time } from "@/parts/Time";
import { Id } from "@/parts/Copy";
import { what } from "../jobs/parts";
import { type Delivery, useJob, useLater } from "./data";

/** Replayed says of a delivery that did not arrive what became of the event when it was replayed. */
export function Replayed({ tenant, delivery }: { tenant: string; delivery: Delivery }) {
  const { link } = useScope();
  const later = useLater(tenant, delivery);
  if (!later) return null;
  const { tone, word } = statusLook("delivery", later.status);
  return (
    <Notice
      tone={tone}
      icon={ListRestart}
      action={
        <Link to={link.delivery(tenant, later.id)} className="text-sm text-accent underline">
          Show the replay
        </Link>
      }
    >
      The event was replayed to this endpoint <Time at={later.created_at} />. That delivery: {word.toLowerCase()}.
    </Notice>
  );
}

/** JobLink leads to the job that a delivery has, by what the job is for. */
export function JobLink({ tenant, id }: { tenant: string; id: string }) {
  const { link } = useScope();
  const job = useJob(tenant, id);
  const { endpoints } = useEndpoints(tenant);
  if (!job) return <Id value={id} to={link.job(tenant, id)} />;
  const endpoint = job.params.endpoint ? endpoints.get(job.params.endpoint) : undefined;
  return (
    <Link to={link.job(tenant, id)} title={id} className="hover:text-accent hover:underline">
      {what(job, endpoint && endpointName(endpoint))}
    </Link>
  );
}
