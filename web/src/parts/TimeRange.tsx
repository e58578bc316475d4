import { Popover } from "@base-ui/react/popover";
import { CalendarClock, ChevronDown } from "lucide-react";
import { useCallback, useMemo, useState } from "react";
import { clock, forAddress, isTime, parseSpan, parseTime, resolved, rfc3339, timeFault } from "@/lib/time";
import { cx } from "@/lib/text";
import { useAddress } from "./Address";
import { Button } from "./Button";
import { Field } from "./Form";
import { useLive, useNow } from "./Live";

const ranges: [string, string][] = [
  ["15m", "Last 15 minutes"],
  ["1h", "Last hour"],
  ["24h", "Last 24 hours"],
  ["7d", "Last 7 days"],
  ["30d", "Last 30 days"],
];

/** What the time range is until somebody chooses one. */
const usual = "1h";

export type Range = {
  /** As in the URL: 24h, or a time; undefined if none was chosen. */
  since: string | undefined;
  until: string | undefined;
  /** Where the time begins, for charts: the last hour if none was chosen. Moves on in steps of a few seconds. */
  from: number;
  to: number;
  /** From and to as the API takes them. */
  period: { since: string; until: string };
  /** The query parameters of the API: what was chosen and nothing else. What is no time is as it was written, so that the API refuses it. */
  query: { since?: string; until?: string };
  set: (since: string | undefined, until?: string) => void;
};

/** useRange returns the time range of the whole application. The URL holds it, as since and until. */
export function useRange(): Range {
  const [params, change] = useAddress();
  const now = useNow();
  const { zone } = useLive();
  const since = params.get("since") || undefined;
  const until = params.get("until") || undefined;
  const set = useCallback(
    (nextSince: string | undefined, nextUntil?: string) =>
      change((now) => {
        now.delete("until");
        now.delete("since");
        if (nextSince) now.set("since", nextSince);
        if (nextUntil) now.set("until", nextUntil);
      }),
    [change],
  );
  return useMemo(() => {
    // A span ends now. Its beginning moves by a hundredth of it, so that equal questions stay equal for a while.
    const step = Math.max(5000, (parseSpan(since ?? usual) ?? 0) / 100);
    const here = Math.floor(now / step) * step;
    const to = (until && parseTime(until, here, zone)) || here + step;
    const from = parseTime(since ?? usual, since || !until ? here : to, zone) ?? here - 3_600_000;
    const asked = (text: string) => {
      const at = parseTime(text, here, zone);
      return at === undefined ? text : rfc3339(at);
    };
    return {
      since,
      until,
      from: Math.min(from, to - 1000),
      to,
      period: { since: since ? asked(since) : rfc3339(from), until: until ? asked(until) : rfc3339(to) },
      query: { ...(since ? { since: asked(since) } : {}), ...(until ? { until: asked(until) } : {}) },
      set,
    };
  }, [since, until, now, zone, set]);
}

/** rangeName returns what a range is called where something needs one: the usual one, if none was chosen. */
export function rangeName(range: Range): string {
  if (range.until) return "chosen time";
  const since = range.since ?? usual;
  return ranges.find(([key]) => key === since)?.[1] ?? (parseSpan(since) ? `Last ${since}` : "chosen time");
}

/** rangeOf returns what a range that ends now is called; undefined for any other. */
function rangeOf({ since, until }: Range): string | undefined {
  if (until || (since && parseSpan(since) === undefined)) return undefined;
  return ranges.find(([key]) => key === since)?.[1] ?? (since ? `Last ${since}` : "Any time");
}

/** TimeRange chooses the time that lists and charts are about. */
export function TimeRange() {
  const range = useRange();
  const now = useNow();
  const { zone } = useLive();
  const [open, setOpen] = useState(false);
  const wrong = [range.since, range.until].find((text) => text && !isTime(text));
  const name = wrong ?? rangeOf(range);
  return (
    <Popover.Root open={open} onOpenChange={setOpen}>
      <Popover.Trigger render={<Button size="sm" look="quiet" icon={CalendarClock} aria-label={`Time: ${name ?? "chosen"}`} />}>
        <span className="num max-w-60 truncate max-sm:hidden">{name ?? `${clock(range.from, now, zone)} – ${range.until ? clock(range.to, now, zone) : "now"}`}</span>
        <ChevronDown size={13} className="text-faint" aria-hidden />
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Positioner sideOffset={6} align="end" className="z-40">
          <Popover.Popup aria-label="Time range" className="w-72 rounded-lg border border-line-strong bg-raised p-1 shadow-pop outline-none">
            {[[undefined, "Any time"] as const, ...ranges].map(([key, label]) => (
              <button
                key={label}
                type="button"
                aria-pressed={!range.until && range.since === key}
                onClick={() => {
                  range.set(key);
                  setOpen(false);
                }}
                className={cx("flex h-8 w-full items-center rounded-sm px-2.5 text-left hover:bg-hover", !range.until && range.since === key && "font-medium text-accent")}
              >
                {label}
              </button>
            ))}
            <Between range={range} close={() => setOpen(false)} />
          </Popover.Popup>
        </Popover.Positioner>
      </Popover.Portal>
    </Popover.Root>
  );
}

function Between({ range, close }: { range: Range; close: () => void }) {
  const now = useNow();
  const { zone } = useLive();
  const [from, setFrom] = useState(range.since ?? "");
  const [to, setTo] = useState(range.until ?? "");
  const faultFrom = timeFault(from);
  const reversed = from && to && !faultFrom && !timeFault(to) && (parseTime(from, now, zone) ?? 0) >= (parseTime(to, now, zone) ?? 0);
  const faultTo = timeFault(to) ?? (reversed ? "must be after the beginning" : undefined);
  return (
    <form
      className="mt-1 space-y-2.5 border-t border-line p-2.5"
      onSubmit={(event) => {
        event.preventDefault();
        if (faultFrom || faultTo) return;
        range.set(forAddress(from, now, zone), forAddress(to, now, zone));
        close();
      }}
    >
      <Field label="From" problem={faultFrom} hint={resolved(from, now, zone)}>
        {(field) => <input {...field} className="field num" value={from} placeholder="24h, or 2026-01-31 12:30" onChange={(event) => setFrom(event.target.value)} />}
      </Field>
      <Field label="To" problem={faultTo} hint={resolved(to, now, zone)}>
        {(field) => <input {...field} className="field num" value={to} placeholder="now" onChange={(event) => setTo(event.target.value)} />}
      </Field>
      <Button type="submit" size="sm" look="primary" className="w-full">
        Apply
      </Button>
    </form>
  );
}
