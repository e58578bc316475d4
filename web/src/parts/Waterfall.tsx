import type { Schemas } from "@/api/client";
import { duration } from "@/lib/time";
import { cx } from "@/lib/text";

type Phase = { name: string; from: number; took: number; colour: string };

/** phases returns what an attempt's time was spent on, one after the other. Parts never exceed the whole or are negative. */
export function phases(timings: Schemas["Timings"]): Phase[] {
  const total = Math.max(0, timings.total);
  const steps: [string, number, string][] = [
    ["DNS", timings.dns, "bg-[var(--syntax-word)]"],
    ["Connect", timings.connect, "bg-warn-solid"],
    ["TLS", timings.tls, "bg-[var(--syntax-key)]"],
  ];
  let at = 0;
  const found = steps.map(([name, length, colour]): Phase => {
    const took = Math.min(Math.max(0, length), total - at);
    const phase = { name, from: at, took, colour };
    at += took;
    return phase;
  });
  const answered = timings.first_byte > 0 ? Math.min(Math.max(at, timings.first_byte), total) : total;
  found.push({ name: timings.first_byte > 0 ? "First byte" : "No answer", from: at, took: answered - at, colour: timings.first_byte > 0 ? "bg-good-solid" : "bg-bad-solid" });
  if (timings.first_byte > 0) found.push({ name: "Body", from: answered, took: total - answered, colour: "bg-accent-solid" });
  return found;
}

/** Waterfall shows what an attempt's time was spent on: DNS, connection, TLS, waiting for the first byte, body. */
export function Waterfall({ timings, className }: { timings: Schemas["Timings"]; className?: string }) {
  const total = Math.max(timings.total, 0.001);
  return (
    <dl className={cx("grid grid-cols-[80px_1fr_68px] items-center gap-x-3 gap-y-1 text-sm", className)}>
      {phases(timings).map((phase) => (
        <div key={phase.name} className="contents">
          <dt className="text-muted">{phase.name}</dt>
          <dd aria-hidden className="relative h-2.5 rounded-sm bg-sunk-strong/60">
            {phase.took > 0 && (
              <span
                className={cx("absolute inset-y-0 min-w-0.5 rounded-sm", phase.colour)}
                style={{ left: `${Math.min(99, (phase.from / total) * 100)}%`, width: `${(phase.took / total) * 100}%` }}
              />
            )}
          </dd>
          <dd className="num text-right">{phase.took > 0 ? duration(phase.took) : <span className="text-faint">–</span>}</dd>
        </div>
      ))}
      <dt className="border-t border-line pt-1 font-medium">Total</dt>
      <dd className="h-full border-t border-line" />
      <dd className="num border-t border-line pt-1 text-right font-medium">{duration(timings.total)}</dd>
    </dl>
  );
}
