/** Statistics as series: one value for each interval of a time, also for those in which nothing happened. */

export type Interval = "minute" | "hour" | "day";

const lengths: Record<Interval, number> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

type Row = { at: string; attempts: number; succeeded: number; failed: number; published: number | null; p50_ms: number | null; p99_ms: number | null };

type GroupRow = Row & { endpoint?: string; tenant?: string; others?: boolean };

export type Series = {
  times: number[];
  /** Rates: so many a minute. */
  published: number[];
  succeeded: number[];
  failed: number[];
  p50: (number | null)[];
  p99: (number | null)[];
};

/**
 * series turns rows, one for each interval in which something happened, into rates. Of the interval that is still under
 * way only its past part counts; a part shorter than most of a minute says nothing yet, and is left out.
 */
export function series(rows: readonly Row[], since: number, until: number, interval: Interval): Series {
  const length = lengths[interval];
  const byTime = new Map(rows.map((row) => [Date.parse(row.at), row]));
  const result: Series = { times: [], published: [], succeeded: [], failed: [], p50: [], p99: [] };
  for (let at = Math.floor(since / length) * length; at < until; at += length) {
    const minutes = Math.min(length, until - at) / 60_000;
    if (minutes < 0.9 && result.times.length > 0) break;
    const row = byTime.get(at);
    result.times.push(at);
    result.published.push((row?.published ?? 0) / minutes);
    result.succeeded.push((row?.succeeded ?? 0) / minutes);
    result.failed.push((row?.failed ?? 0) / minutes);
    result.p50.push(row?.p50_ms ?? null);
    result.p99.push(row?.p99_ms ?? null);
  }
  return result;
}

/** latency returns the newest p50 and p99 of a series with the time at which their interval began, and the worst p99 of all; undefined if there is none. */
export function latency({ times, p50, p99 }: Series): { at: number; p50: number; p99: number; worst: number } | undefined {
  const last = p99.findLastIndex((value) => value !== null);
  const at = times[last];
  if (at === undefined) return undefined;
  return { at, p50: p50[last] ?? 0, p99: p99[last] ?? 0, worst: Math.max(...p99.map((value) => value ?? 0)) };
}

/** totals adds rows up. */
export function totals(rows: readonly Row[]): { published: number; attempts: number; succeeded: number; failed: number } {
  const sum = { published: 0, attempts: 0, succeeded: 0, failed: 0 };
  for (const row of rows) {
    sum.published += row.published ?? 0;
    sum.attempts += row.attempts;
    sum.succeeded += row.succeeded;
    sum.failed += row.failed;
  }
  return sum;
}

export type Bar = { succeeded: number; failed: number };

/** Activity is what is known of one group: "others" if nothing is, because it can only be among the others. It is the least if some of it can be. */
export type Activity = { bars: Bar[]; published: number; least: boolean } | "others";

/** activityBy returns what an answer by hour says of each group in the last 24 hours. Groups without a row of their own did nothing, or are among the others: endpoints hour by hour, tenants in all hours or in none. */
export function activityBy(by: "endpoint" | "tenant", rows: readonly GroupRow[], until: number): (name: string) => Activity {
  const groups = new Map<string, GroupRow[]>();
  for (const row of rows) {
    const name = row[by] ?? "";
    const own = groups.get(name);
    if (own) own.push(row);
    else groups.set(name, [row]);
  }
  const together = rows.filter((row) => row.others).map((row) => row.at);
  return (name) => {
    const own = groups.get(name) ?? [];
    if (own.length === 0 && together.length > 0) return "others";
    return {
      bars: bars(own, until, "hour", 24),
      published: totals(own).published,
      least: by === "endpoint" && together.some((at) => own.every((row) => row.at !== at)),
    };
  };
}

/** bars returns what succeeded and failed in each of the last intervals, for a sparkline. */
export function bars(rows: readonly Row[], until: number, interval: Interval, count: number): Bar[] {
  const length = lengths[interval];
  const last = Math.floor(until / length);
  const result = Array.from({ length: count }, () => ({ succeeded: 0, failed: 0 }));
  for (const row of rows) {
    const bar = result[count - 1 - (last - Math.floor(Date.parse(row.at) / length))];
    if (!bar) continue;
    bar.succeeded += row.succeeded;
    bar.failed += row.failed;
  }
  return result;
}
