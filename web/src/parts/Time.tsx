import { Fragment } from "react";
import { clock, duration, exact, relative, zoneName } from "@/lib/time";
import { exactNumber, human } from "@/lib/numbers";
import { cx } from "@/lib/text";
import { useLive, useNow } from "./Live";

/** Time shows how long ago something was, and exactly when on hover. With clock it shows the time of day, with both the one and the other. */
export function Time({ at, as = "relative", none = "–", className }: { at: string | number | null | undefined; as?: "relative" | "clock" | "both"; none?: string; className?: string }) {
  const now = useNow();
  const { zone } = useLive();
  if (at === null || at === undefined || at === "") return <span className="text-faint">{none}</span>;
  const ms = typeof at === "number" ? at : Date.parse(at);
  if (Number.isNaN(ms)) return <span>{String(at)}</span>;
  return (
    <time dateTime={new Date(ms).toISOString()} title={exact(ms, zone)} className={cx("num whitespace-nowrap", className)}>
      {as === "relative" ? relative(ms, now) : `${clock(ms, now, zone)} ${zoneName(ms, zone)}${as === "both" ? `, ${relative(ms, now)}` : ""}`}
    </time>
  );
}

const moment = /\b\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?Z/g;

/** Timed shows a text of the API with its times in the chosen zone. */
export function Timed({ text, as = "clock" }: { text: string; as?: "clock" | "both" }) {
  const times = text.match(moment) ?? [];
  return text.split(moment).map((part, i) => (
    <Fragment key={i}>
      {part}
      {times[i] && <Time at={times[i]} as={as} />}
    </Fragment>
  ));
}

/** useTimed returns what Timed shows as a text without elements, such as a title. */
export function useTimed(): (text: string) => string {
  const { zone } = useLive();
  return (text) => text.replace(moment, (at) => exact(Date.parse(at), zone));
}

/** Num shows a number in human units, exactly on hover. With more, it is at least that many. */
export function Num({ value, more, className }: { value: number | null | undefined; more?: boolean; className?: string }) {
  if (value === null || value === undefined) return <span className="text-faint">–</span>;
  return (
    <span title={more ? `more than ${exactNumber(value)}` : exactNumber(value)} className={cx("num", className)}>
      {human(value)}
      {more && "+"}
    </span>
  );
}

/** Took shows how long something took. */
export function Took({ ms, className }: { ms: number | null | undefined; className?: string }) {
  if (ms === null || ms === undefined) return <span className="text-faint">–</span>;
  return (
    <span title={`${exactNumber(ms)} ms`} className={cx("num whitespace-nowrap", className)}>
      {duration(ms)}
    </span>
  );
}
