import type { Schemas } from "@/api/client";
import { cx, sentence, visible } from "@/lib/text";
import { relative } from "@/lib/time";
import { waitsFor } from "@/lib/words";
import { useNow } from "@/parts/Live";
import { Timed, useTimed } from "@/parts/Time";

/** Why says what a delivery waits for, or how it ended. */
export function Why({ row }: { row: Schemas["ListedDelivery"] }) {
  const now = useNow();
  const timed = useTimed();
  const text = why(row, now);
  return (
    <span className={cx("text-sm", row.status === "succeeded" && !row.retry_requested ? "text-faint" : "text-muted")} title={timed(text)}>
      <Timed text={text} />
    </span>
  );
}

function why(row: Schemas["ListedDelivery"], now: number): string {
  if (row.retry_requested) return "Retry requested, and made as soon as there is room";
  if (row.status === "succeeded") {
    const answered = row.last_status !== null ? `answered ${row.last_status}` : "";
    const attempts = row.attempt_count > 1 ? `after ${row.attempt_count} attempts` : "";
    return clause([row.replay ? "replayed" : "", answered, attempts].filter(Boolean).join(", "));
  }
  if (row.status === "exhausted" || row.status === "canceled") {
    const answered = row.status === "exhausted" && row.last_status !== null && !row.reason.includes(`${row.last_status}`);
    return clause(visible(answered ? `answered ${row.last_status}; ${row.reason || "no retries are left"}` : row.reason));
  }
  const due = row.next_attempt_at ? Date.parse(row.next_attempt_at) : 0;
  if (due > now) return `Next attempt ${relative(due, now)}`;
  return row.waiting_for ? clause(waitsFor(row.waiting_for).replace(/^waits because /, "waits: ")) : "Waits to be sent";
}

/** clause returns a text as a sentence without its full stop. */
function clause(text: string): string {
  return sentence(text).replace(/\.$/, "");
}
