/** Times: what is shown, and what people write for one. All functions are pure: now is an argument. */

export type Zone = "local" | "utc";

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

const units: Record<string, number> = { s: second, m: minute, h: hour, d: day, w: 7 * day };

/** relative returns how long ago a time was, or how soon it is. A clock that is a little ahead never makes "in 0 s". */
export function relative(at: number, now: number): string {
  const past = now - at;
  const length = Math.abs(past);
  if (length < 5 * second) return "now";
  const text = span(length);
  return past > 0 ? `${text} ago` : `in ${text}`;
}

/** span returns a length of time in its largest unit: 12 s, 3 min, 5 h, 2 d. */
export function span(ms: number): string {
  const length = Math.max(0, ms);
  if (length < minute) return `${Math.floor(length / second)} s`;
  if (length < hour) return `${Math.floor(length / minute)} min`;
  if (length < 2 * day) return `${Math.floor(length / hour)} h`;
  return `${Math.floor(length / day)} d`;
}

/** duration returns how long something took, as exactly as one reads it: 0.4 ms, 12 ms, 1.25 s, 2 min 5 s. */
export function duration(ms: number): string {
  if (ms < 0 || !Number.isFinite(ms)) return "0 ms";
  if (ms < 10) return `${trim(ms.toFixed(1))} ms`;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < minute) return `${trim((ms / second).toFixed(2))} s`;
  const whole = Math.round(ms / second);
  if (whole < 3600) return `${Math.floor(whole / 60)} min${whole % 60 ? ` ${whole % 60} s` : ""}`;
  const minutes = Math.round(whole / 60);
  return `${Math.floor(minutes / 60)} h${minutes % 60 ? ` ${minutes % 60} min` : ""}`;
}

function trim(decimal: string): string {
  return decimal.includes(".") ? decimal.replace(/\.?0+$/, "") : decimal;
}

/** exact returns date and time to the millisecond with the zone, for hovering and copying. */
export function exact(at: number, zone: Zone): string {
  const d = new Date(at);
  if (Number.isNaN(d.getTime())) return "unknown";
  if (zone === "utc") return d.toISOString().replace("T", " ").replace("Z", " UTC");
  return `${localDate(d)} ${localClock(d)}.${String(d.getMilliseconds()).padStart(3, "0")} ${offset(d)}`;
}

/** clock returns a short time: only the hour today, with the date on other days. */
export function clock(at: number, now: number, zone: Zone): string {
  const d = new Date(at);
  const shown = zone === "utc" ? d.toISOString().slice(0, 19).replace("T", " ") : `${localDate(d)} ${localClock(d)}`;
  const today = zone === "utc" ? new Date(now).toISOString().slice(0, 10) : localDate(new Date(now));
  return shown.startsWith(today) ? shown.slice(11) : shown.slice(0, 16);
}

/** zoneName returns what a time is in: UTC, or what the local zone adds to it, such as UTC+5:30. */
export function zoneName(at: number, zone: Zone): string {
  const minutes = zone === "utc" ? 0 : -new Date(at).getTimezoneOffset();
  if (!minutes) return "UTC"; // also for a time that is none
  const size = Math.abs(minutes);
  return `UTC${minutes < 0 ? "−" : "+"}${Math.floor(size / 60)}${size % 60 ? `:${two(size % 60)}` : ""}`;
}

function localDate(d: Date): string {
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}`;
}

function localClock(d: Date): string {
  return `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
}

function offset(d: Date): string {
  const minutes = -d.getTimezoneOffset();
  const size = Math.abs(minutes);
  return `${minutes < 0 ? "−" : "+"}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}

function two(n: number): string {
  return String(n).padStart(2, "0");
}

/** parseSpan reads 15m, 24h or 7d as milliseconds; undefined for anything else. */
export function parseSpan(text: string): number | undefined {
  const match = /^(\d{1,6})([smhdw])$/.exec(text.trim());
  if (!match) return undefined;
  const length = Number(match[1]) * (units[match[2] ?? ""] ?? 0);
  return length > 0 ? length : undefined;
}

const calendarDay = /^(\d{4})-(\d\d)-(\d\d)$/;
const moment = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?))?(Z| ?UTC(?:[+−-]\d{1,2}(?::\d\d)?)?| ?[+−-]\d\d:\d\d)?$/i;

/**
 * parseTime reads what since: and until: take: a span before now (24h), or a date, with a time or without. A date without a zone is
 * of the one that is switched on, in which times are shown.
 */
export function parseTime(text: string, now: number, zone: Zone): number | undefined {
  const length = parseSpan(text);
  if (length !== undefined) return now - length;
  const [, date = "", time = "00:00", written] = moment.exec(text.trim()) ?? [];
  const offset = written ? isoOffset(written) : zone === "utc" ? "Z" : "";
  const at = isDay(date) ? Date.parse(`${date}T${time}${offset}`) : Number.NaN;
  return Number.isNaN(at) ? undefined : at;
}

/** isoOffset returns a zone as ISO 8601 has it, which may be written as the pages show it: UTC, or UTC−5. */
function isoOffset(written: string): string {
  const [, sign, hours = "", minutes = "00"] = /([+−-])(\d+)(?::(\d\d))?$/.exec(written) ?? [];
  return sign ? `${sign === "+" ? "+" : "-"}${hours.padStart(2, "0")}:${minutes}` : "Z";
}

/** isDay reports whether there is such a day: Date takes the 31st of any month. */
function isDay(date: string): boolean {
  const [, year, month, dayOfMonth] = (calendarDay.exec(date) ?? []).map(Number);
  return dayOfMonth !== undefined && new Date(Date.UTC(year ?? 0, (month ?? 0) - 1, dayOfMonth)).getUTCDate() === dayOfMonth;
}

/** isTime reports whether parseTime reads a text. */
export function isTime(text: string): boolean {
  return parseTime(text, 0, "utc") !== undefined;
}

/** timeFault says what is wrong with a text that is to be a time; undefined if it is one, or empty. */
export function timeFault(text: string): string | undefined {
  return text && !isTime(text) ? "must be like 24h, or like 2026-01-31 12:30" : undefined;
}

/** forAddress returns a time that was typed as an address holds it, so that it is the same for whoever gets the link: a span, or a time in UTC. */
export function forAddress(text: string, now: number, zone: Zone): string {
  const at = parseSpan(text) === undefined ? parseTime(text, now, zone) : undefined;
  return at === undefined ? text.trim() : rfc3339(at);
}

/** resolved returns which time it is that was typed, to the second and with its zone; undefined for none. */
export function resolved(text: string, now: number, zone: Zone): string | undefined {
  const at = parseTime(text, now, zone);
  if (at === undefined) return undefined;
  const d = new Date(at);
  return `${zone === "utc" ? d.toISOString().slice(0, 19).replace("T", " ") : `${localDate(d)} ${localClock(d)}`} ${zoneName(at, zone)}`;
}

/**
 * left returns how long it is until a time by the clock of whoever said it, who dated an answer so; undefined without a date. The
 * clock of a customer's computer may be wrong.
 */
export function left(until: string, date: string | null): number | undefined {
  const length = Date.parse(until) - Date.parse(date ?? "");
  return Number.isNaN(length) ? undefined : Math.max(0, length);
}

/** rfc3339 returns a time as the API takes it, to the second below: the same query twice is the same request. */
export function rfc3339(at: number): string {
  return new Date(Math.floor(at / second) * second).toISOString().replace(".000Z", "Z");
}
