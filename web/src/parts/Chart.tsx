import { Suspense } from "react";
import { part } from "@/lib/part";
import type { Series } from "./Plot";

const Plot = part(() => import("./Plot"));

export type { Series };

/** Chart draws lines over time. Brushing selects a time, for the whole application if onBrush sets it there. */
export function Chart(props: { label: string; times: readonly number[]; series: readonly Series[]; height?: number; format?: (value: number) => string; whole?: boolean; onBrush?: (since: number, until: number) => void }) {
  return (
    <div role="img" aria-label={props.label} style={{ height: props.height ?? 180 }} className="min-w-0">
      <Suspense fallback={<div className="skeleton size-full" />}>
        <Plot {...props} />
      </Suspense>
    </div>
  );
}
