import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import "./plot.css";
import { useEffect, useRef } from "react";
import { human } from "@/lib/numbers";
import { exact } from "@/lib/time";
import { useDark, useLive } from "./Live";

export type Series = {
  label: string;
  values: readonly (number | null)[];
  /** A token, such as --good-solid. */
  color: string;
  fill?: boolean;
};

type Props = {
  times: readonly number[];
  series: readonly Series[];
  height?: number;
  format?: (value: number) => string;
  /** Whether the axis has whole numbers only, as counts do. */
  whole?: boolean;
  onBrush?: (since: number, until: number) => void;
};

/** Plot is uPlot in the colours of the theme. It is loaded when the first chart is shown. */
export default function Plot({ times, series, height = 180, format = human, whole = false, onBrush }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const dark = useDark();
  const { zone } = useLive();
  const brush = useRef(onBrush);
  useEffect(() => {
    brush.current = onBrush;
  });
  const data: uPlot.AlignedData = [times.map((time) => time / 1000), ...series.map((each) => [...each.values])];
  const latest = useRef(data);
  latest.current = data;
  const shape = series.map((each) => `${each.label} ${each.color} ${each.fill}`).join();

  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const token = (name: string) => resolve(element, name);
    const axis = { stroke: token("--faint"), font: "11px Inter Variable", ticks: { show: false }, grid: { stroke: token("--line"), width: 1 } };
    const made = new uPlot(
      {
        width: element.clientWidth || 300,
        height: height - 24,
        padding: [8, 20, 0, 0], // half of a time's label to the right
        ...(zone === "utc" ? { tzDate: (ts: number) => uPlot.tzDate(new Date(ts * 1000), "Etc/UTC") } : {}),
        cursor: { y: false, points: { size: 6 }, drag: { x: Boolean(brush.current), y: false, setScale: false } },
        legend: { live: true },
        scales: { y: { range: (_u, _min, max) => [0, Math.max(whole ? fewest : 1, (max ?? 1) * 1.1)] } },
        axes: [
          { ...axis, size: 22, grid: { show: false }, values: (_u, splits) => splits.map((split) => tick(split * 1000, zone)) },
          { ...axis, size: 46, values: (_u, splits) => splits.map((split) => format(split)), ...(whole ? { incrs: steps } : {}) },
        ],
        series: [
          { label: "", value: (_u, value) => (value === null || value === undefined ? "" : exact(value * 1000, zone).slice(0, 16)) },
          ...series.map((each) => ({
            label: each.label,
            stroke: token(each.color),
            width: 1.5,
            ...(each.fill ? { fill: `color-mix(in srgb, ${token(each.color)} 14%, transparent)` } : {}),
            points: { show: true, size: 4, filter: alone },
            value: (_u: uPlot, value: number | null) => (value === null || value === undefined ? "–" : format(value)),
          })),
        ],
        hooks: {
          setSelect: [
            (u) => {
              if (u.select.width < 4) return;
              brush.current?.(u.posToVal(u.select.left, "x") * 1000, u.posToVal(u.select.left + u.select.width, "x") * 1000);
              u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
            },
          ],
        },
      },
      latest.current,
      element,
    );
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: height - 24 }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = undefined;
    };
  }, [shape, height, zone, dark, format, whole]);

  useEffect(() => {
    plot.current?.setData(latest.current);
  }, [times, series]);

  return <div ref={box} className="plot" />;
}

/** What an axis of whole numbers reaches to at least, and the steps between its labels. */
const fewest = 4;
const steps = Array.from({ length: 13 }, (_, i) => [1, 2, 5].map((digit) => digit * 10 ** i)).flat();

/** alone returns the values without neighbours, which no line shows. */
function alone(u: uPlot, index: number): number[] {
  const values = u.data[index] ?? [];
  const there = (i: number) => values[i] !== null && values[i] !== undefined;
  return Array.from(values.keys()).filter((i) => there(i) && !there(i - 1) && !there(i + 1));
}

/** resolve returns a token's colour as canvas takes it. */
function resolve(element: HTMLElement, token: string): string {
  const probe = document.createElement("span");
  probe.style.color = `var(${token})`;
  element.append(probe);
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour;
}

function tick(at: number, zone: "local" | "utc"): string {
  const text = exact(at, zone);
  return text.slice(11, 16) === "00:00" ? text.slice(5, 10) : text.slice(11, 16);
}
