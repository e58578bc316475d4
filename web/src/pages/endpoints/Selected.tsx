import { useQueryClient } from "@tanstack/react-query";
import { Pause, Play } from "lucide-react";
import { useState } from "react";
import { api, call, type Schemas } from "@/api/client";
import { plural } from "@/lib/numbers";
import { ConfirmDialog } from "@/parts/Dialog";
import { endpointName } from "@/parts/Health";
import { useScope } from "@/parts/Scope";
import { type Outcome, outcome, OutcomeDialog, type Selection, SelectionBar, useBatch } from "@/parts/Selection";
import { useToast } from "@/parts/Toast";

type Row = Schemas["EndpointWithHealth"];

/** Selected pauses or enables the endpoints that are selected in the list, and says which could not be, and why. */
export function Selected({ selection }: { selection: Selection<Row> }) {
  const { shell } = useScope();
  const queries = useQueryClient();
  const toast = useToast();
  const [asking, setAsking] = useState<"paused" | "enabled">();
  const [result, setResult] = useState<Outcome>();
  const change = (status: "paused" | "enabled") => (row: Row) =>
    call(api.PATCH("/api/v1/tenants/{tenant}/endpoints/{id}", { params: { path: { tenant: row.tenant, id: row.id } }, body: { status } }));
  const pause = useBatch<Row>(change("paused"));
  const enable = useBatch<Row>(change("enabled"));
  const running = selection.rows.filter((row) => row.status === "enabled");
  const stopped = selection.rows.filter((row) => row.status !== "enabled");

  const run = async (status: "paused" | "enabled") => {
    setAsking(undefined);
    const rows = status === "paused" ? running : stopped;
    const failures = await (status === "paused" ? pause : enable).run(rows);
    void queries.invalidateQueries({ queryKey: ["endpoints"] });
    selection.clear();
    const done = (count: number) => `${plural(count, "endpoint was", "endpoints were")} ${status}.`;
    if (failures.length === 0) toast.done(done(rows.length));
    else setResult(outcome(`Not all were ${status}`, done(rows.length - failures.length), failures, (row) => `${endpointName(row)}${shell === "console" ? `, ${row.tenant}` : ""}`));
  };
  const waiting = (rows: readonly Row[]) => rows.reduce((sum, row) => sum + row.health.waiting, 0);
  return (
    <>
      <SelectionBar
        count={selection.rows.length}
        progress={pause.progress ?? enable.progress}
        clear={selection.clear}
        actions={[
          { label: "Pause", icon: Pause, count: running.length, run: () => setAsking("paused") },
          { label: "Enable", icon: Play, count: stopped.length, run: () => setAsking("enabled") },
        ]}
      />
      <ConfirmDialog
        open={asking === "paused"}
        onClose={() => setAsking(undefined)}
        title={`Pause ${plural(running.length, "endpoint")}?`}
        action={`Pause ${running.length}`}
        keep="Leave them enabled"
        danger={false}
        onConfirm={() => void run("paused")}
      >
        <p>Nothing is sent to them until they are enabled. New events are kept for them, and nothing is lost.</p>
        {waiting(running) > 0 && <p>{plural(waiting(running), "delivery waits", "deliveries wait")} for them now, and will wait on.</p>}
      </ConfirmDialog>
      <ConfirmDialog
        open={asking === "enabled"}
        onClose={() => setAsking(undefined)}
        title={`Enable ${plural(stopped.length, "endpoint")}?`}
        action={`Enable ${stopped.length}`}
        keep="Leave them as they are"
        danger={false}
        onConfirm={() => void run("enabled")}
      >
        <p>
          What waits for them is sent at once{waiting(stopped) > 0 && `: ${plural(waiting(stopped), "delivery", "deliveries")}`}. What they missed while they were disabled is not; replay it on their pages.
        </p>
      </ConfirmDialog>
      {result && <OutcomeDialog outcome={result} close={() => setResult(undefined)} />}
    </>
  );
}
