/** Numbers for people: short, and never wrong about their size. */

const exactFormat = new Intl.NumberFormat("en-US", { maximumFractionDigits: 3 });

/** human returns a number in human units: 950, 12.4 k, 3.1 M. */
export function human(n: number): string {
  if (!Number.isFinite(n)) return "–";
  const size = Math.abs(n);
  if (size < 1000) return exactNumber(Math.round(n * 10) / 10);
  for (const [unit, name] of scales) {
    if (size < unit * 999.5) return `${shortDecimal(n / unit)} ${name}`;
  }
  return `${shortDecimal(n / 1e12)} T`;
}

const scales: [number, string][] = [
  [1e3, "k"],
  [1e6, "M"],
  [1e9, "G"],
];

/** bytes returns a size: 812 B, 3.4 KiB, 1 MiB. */
export function bytes(n: number): string {
  if (n < 1024) return `${n} B`;
  if (n < 1024 * 1024) return `${shortDecimal(n / 1024)} KiB`;
  return `${shortDecimal(n / 1024 / 1024)} MiB`;
}

/** exactNumber returns all digits, in groups of three. */
export function exactNumber(n: number): string {
  return exactFormat.format(n);
}

/** percent returns a share. What is not all never reads as 100 %, and what is not nothing never as 0 %. */
export function percent(part: number, whole: number): string {
  if (whole <= 0) return "–";
  const share = (part / whole) * 100;
  if (share > 0 && share < 0.1) return "<0.1 %";
  if (share < 100 && share > 99.9) return ">99.9 %";
  return `${shortDecimal(share)} %`;
}

/** plural returns "1 attempt" or "37 attempts". */
export function plural(n: number, one: string, many = `${one}s`): string {
  return `${exactNumber(n)} ${n === 1 ? one : many}`;
}

function shortDecimal(n: number): string {
  const text = Math.abs(n) < 100 ? n.toFixed(1) : n.toFixed(0);
  return text.replace(/\.0$/, "");
}
