import { CircleCheck, CircleX, LoaderCircle, LockOpen, RotateCw } from "lucide-react";
import { visible } from "@/lib/text";
import { Button } from "@/parts/Button";
import { Took } from "@/parts/Time";
import type { Check } from "./urlcheck";

/** Reached says whether the host of an address is reached, in one place that is there from the beginning. */
export function Reached({ check, children }: { check: Check; children: string }) {
  const { data, isFetching, refetch } = check;
  return (
    <div role="status" className="-mt-2 min-h-10 text-sm">
      {isFetching ? (
        <p className="flex gap-2 text-muted">
          <LoaderCircle size={14} className="mt-0.75 shrink-0 animate-spin" aria-hidden />
          Connecting, to see whether it is reached…
        </p>
      ) : !data ? (
        <p className="text-muted">{children}</p>
      ) : data.outcome !== "ok" ? (
        <div className="flex flex-wrap items-start justify-between gap-x-3 gap-y-2">
          <p className="flex min-w-0 flex-1 basis-64 gap-2">
            <CircleX size={14} className="mt-0.75 shrink-0 text-bad" aria-hidden />
            <span className="wrap-anywhere">
              <span className="font-medium text-bad">Not reached:</span> {visible(data.error)}. <span className="text-muted">You can add it all the same: events are kept and tried again.</span>
            </span>
          </p>
          <Button size="sm" icon={RotateCw} onClick={() => void refetch()}>
            Check again
          </Button>
        </div>
      ) : data.url.startsWith("https:") ? (
        <p className="flex gap-2">
          <CircleCheck size={14} className="mt-0.75 shrink-0 text-good" aria-hidden />
          <span>
            <span className="font-medium text-good">Reached</span> in <Took ms={data.timings.total} />, and its certificate is valid. <span className="text-muted">Nothing was sent yet.</span>
          </span>
        </p>
      ) : (
        <p className="flex gap-2">
          <LockOpen size={14} className="mt-0.75 shrink-0 text-warn" aria-hidden />
          <span>
            <span className="font-medium text-warn">Reached</span> in <Took ms={data.timings.total} />, but not encrypted. <span className="text-muted">Anybody on the way can read the events; use https:// if you can.</span>
          </span>
        </p>
      )}
    </div>
  );
}
