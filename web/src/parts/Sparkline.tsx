import { exactNumber } from "@/lib/numbers";
import type { Bar, Activity } from "@/lib/series";

/** LastDay shows what is known of the last 24 hours of an endpoint or a tenant, once there is an answer. */
export function LastDay({ activity, label }: { activity: Activity | undefined; label: string }) {
  if (!activity) return null;
  if (activity === "others") {
    return (
      <span className="text-faint" title="Only the busiest are counted one by one. What this one did, if anything, is counted with the others.">
        –
      </span>
    );
  }
  return <Sparkline label={label} bars={activity.bars} least={activity.least} />;
}

/** Sparkline shows outcomes over time as bars: what succeeded, and above it what failed. */
export function Sparkline({ bars, label, least = false, width = 120, height = 24 }: { bars: readonly Bar[]; label: string; least?: boolean; width?: number; height?: number }) {
  const most = Math.max(1, ...bars.map((bar) => bar.succeeded + bar.failed));
  const step = width / Math.max(1, bars.length);
  const size = (n: number) => (n === 0 ? 0 : Math.max(1.5, (n / most) * (height - 2)));
  const failed = bars.reduce((sum, bar) => sum + bar.failed, 0);
  const all = bars.reduce((sum, bar) => sum + bar.failed + bar.succeeded, 0);
  return (
    <svg role="img" aria-label={`${label}: ${least ? "at least " : ""}${exactNumber(all)} attempts, ${exactNumber(failed)} failed`} width={width} height={height} viewBox={`0 0 ${width} ${height}`} className="block max-w-full">
      {least && <title>Only the busiest are counted one by one. In some hours, this one is counted with the others.</title>}
      <line x1={0} x2={width} y1={height - 0.5} y2={height - 0.5} stroke="var(--line-strong)" strokeWidth={1} />
      {bars.map((bar, i) => {
        const good = size(bar.succeeded);
        const bad = size(bar.failed);
        const x = i * step + 0.5;
        const w = Math.max(1, step - 1);
        return (
          <g key={i}>
            {good > 0 && <rect x={x} y={height - 1 - good} width={w} height={good} fill="var(--good-solid)" opacity={0.75} />}
            {bad > 0 && <rect x={x} y={Math.max(0, height - 1 - good - bad)} width={w} height={bad} fill="var(--bad-solid)" />}
          </g>
        );
      })}
    </svg>
  );
}
