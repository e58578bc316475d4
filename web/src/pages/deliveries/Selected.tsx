import { useQueryClient } from "@tanstack/react-query";
import { RotateCw, X } from "lucide-react";
import { useState } from "react";
import { api, call, type Schemas } from "@/api/client";
import { plural } from "@/lib/numbers";
import { middle, visible } from "@/lib/text";
import { ConfirmDialog } from "@/parts/Dialog";
import { type Outcome, outcome, OutcomeDialog, type Selection, SelectionBar, useBatch } from "@/parts/Selection";
import { useToast } from "@/parts/Toast";

type Row = Schemas["TenantDelivery"];

const isOpen = (row: Row) => row.status === "pending" || row.status === "retrying";

/** Selected retries or cancels the deliveries that are selected in the list, and says which could not be, and why. */
export function Selected({ selection }: { selection: Selection<Row> }) {
  const queries = useQueryClient();
  const toast = useToast();
  const [asking, setAsking] = useState(false);
  const [result, setResult] = useState<Outcome>();
  const retry = useBatch<Row>(({ tenant, id }) => call(api.POST("/api/v1/tenants/{tenant}/deliveries/{id}/retry", { params: { path: { tenant, id } }, body: {} })));
  const cancel = useBatch<Row>(({ tenant, id }) => call(api.POST("/api/v1/tenants/{tenant}/deliveries/{id}/cancel", { params: { path: { tenant, id } } })));
  const open = selection.rows.filter(isOpen);

  const run = async (batch: typeof retry, rows: readonly Row[], done: (count: number) => string, title: string) => {
    const failures = await batch.run(rows);
    void queries.invalidateQueries({ queryKey: ["deliveries"] });
    selection.clear();
    if (failures.length === 0) toast.done(done(rows.length));
    else setResult(outcome(title, done(rows.length - failures.length), failures, (row) => `${visible(row.event_type)} ${middle(row.id)}`));
  };
  return (
    <>
      <SelectionBar
        count={selection.rows.length}
        progress={retry.progress ?? cancel.progress}
        clear={selection.clear}
        actions={[
          { label: "Retry", icon: RotateCw, count: selection.rows.length, run: () => void run(retry, selection.rows, (count) => `${plural(count, "delivery is", "deliveries are")} sent again.`, "Not all were sent again") },
          { label: "Cancel", icon: X, count: open.length, run: () => setAsking(true) },
        ]}
      />
      <ConfirmDialog
        open={asking}
        onClose={() => setAsking(false)}
        title={`Cancel ${plural(open.length, "delivery", "deliveries")}?`}
        action={`Cancel ${open.length}`}
        keep="Leave them"
        onConfirm={() => {
          setAsking(false);
          void run(cancel, open, (count) => `${plural(count, "delivery was", "deliveries were")} canceled.`, "Not all were canceled");
        }}
      >
        <p>No more attempts are made. They can be retried later, as long as their events are stored.</p>
      </ConfirmDialog>
      {result && <OutcomeDialog outcome={result} close={() => setResult(undefined)} />}
    </>
  );
}
