import type { Schemas } from "@/api/client";
import type { Endpoint } from "@/api/names";
import { sentence, visible } from "@/lib/text";
import { relative } from "@/lib/time";
import { useNow } from "@/parts/Live";

/** Why says what a delivery waits for, or why it ended, as far as the list knows. */
export function Why({ row, endpoint }: { row: Schemas["Delivery"]; endpoint: Endpoint | undefined }) {
  const now = useNow();
  const text = why(row, endpoint, now);
  return (
    <span className="text-sm text-muted" title={text}>
      {text}
    </span>
  );
}

function why(row: Schemas["Delivery"], endpoint: Endpoint | undefined, now: number): string {
  if (row.status === "succeeded") {
    const attempts = row.attempt_count > 1 ? `after ${row.attempt_count} attempts` : "";
    return sentence([row.replay ? "replayed" : "", attempts].filter(Boolean).join(", ")).replace(/\.$/, "");
  }
  if (row.status === "exhausted" || row.status === "canceled") return sentence(visible(row.reason)).replace(/\.$/, "");
  const due = row.next_attempt_at ? Date.parse(row.next_attempt_at) : 0;
  if (endpoint?.status === "paused") return "Waits: the endpoint is paused";
  if (due > now) return `Next attempt ${relative(due, now)}`;
  if (endpoint?.health.breaker === "open") return "Waits: the endpoint keeps failing";
  if (now - due < 5000) return "Being sent";
  return endpoint?.ordering === "fifo" ? "Waits for its turn" : "Waits to be sent";
}
