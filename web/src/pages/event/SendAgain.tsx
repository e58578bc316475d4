import { useQueryClient } from "@tanstack/react-query";
import { RotateCw } from "lucide-react";
import { useState } from "react";
import { api, call, type Schemas } from "@/api/client";
import { type Endpoint } from "@/api/names";
import { plural } from "@/lib/numbers";
import { middle } from "@/lib/text";
import { Button } from "@/parts/Button";
import { Dialog } from "@/parts/Dialog";
import { Choice } from "@/parts/Form";
import { endpointName } from "@/parts/Health";
import { type Outcome, outcome, OutcomeDialog, useBatch } from "@/parts/Selection";
import { useToast } from "@/parts/Toast";
import { type Fate, sendable } from "./fates";

/** SendAgain sends the same event once more: to the endpoints that have not acknowledged it, or to all that have a delivery of it, as far as they are loaded. */
export function SendAgain({ tenant, event, fates, more, endpoints, close }: { tenant: string; event: Pick<Schemas["ExplainedEvent"], "id">; fates: readonly Fate[]; more: boolean; endpoints: ReadonlyMap<string, Endpoint>; close: () => void }) {
  const queries = useQueryClient();
  const toast = useToast();
  const { missing, all } = sendable(fates);
  const [which, setWhich] = useState<"missing" | "all">(missing.length > 0 ? "missing" : "all");
  const [result, setResult] = useState<Outcome>();
  const retry = useBatch<Fate>(({ delivery }) => call(api.POST("/api/v1/tenants/{tenant}/deliveries/{id}/retry", { params: { path: { tenant, id: delivery ?? "" } }, body: {} })));
  const chosen = which === "missing" ? missing : all;
  const name = ({ endpoint }: Fate) => {
    const known = endpoints.get(endpoint);
    return known ? endpointName(known) : middle(endpoint);
  };
  const send = async () => {
    const failures = await retry.run(chosen);
    for (const queryKey of [["event", tenant, event.id], ["events"], ["deliveries"]]) void queries.invalidateQueries({ queryKey });
    const done = (count: number) => `It is sent again to ${plural(count, "endpoint")}.`;
    if (failures.length > 0) return setResult(outcome("Not all were sent again", done(chosen.length - failures.length), failures, name));
    toast.done(done(chosen.length));
    close();
  };
  if (result) return <OutcomeDialog outcome={result} close={close} />;
  return (
    <Dialog
      open
      onClose={close}
      title="Send again"
      sentence="The same event with the same id, in one attempt to each endpoint at once. Nothing new is published."
      footer={
        <>
          <Button onClick={close}>Leave it</Button>
          <Button look="primary" icon={RotateCw} busy={retry.progress !== undefined} disabled={chosen.length === 0} onClick={() => void send()}>
            Send to {plural(chosen.length, "endpoint")}
          </Button>
        </>
      }
    >
      <div className="space-y-3">
        {missing.length > 0 && missing.length < all.length && (
          <Choice
            label="Which endpoints"
            value={which}
            values={[
              ["missing", `${missing.length} that did not acknowledge it`],
              ["all", more ? `All ${all.length} that are shown` : `All ${all.length}`],
            ]}
            onChange={setWhich}
          />
        )}
        {more && <p className="text-sm">The tenant has more endpoints than are shown. Choose &quot;Show more endpoints&quot; first to send it to those, too.</p>}
        <ul className="max-h-60 space-y-0.5 overflow-y-auto text-sm text-muted">
          {chosen.map((fate) => (
            <li key={fate.endpoint} className="truncate">
              {name(fate)}
            </li>
          ))}
        </ul>
      </div>
    </Dialog>
  );
}
