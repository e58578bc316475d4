import { TriangleAlert } from "lucide-react";
import { type Draft, pick } from "@/lib/merge";
import { Button } from "./Button";
import { Diff } from "./Diff";
import { Notice } from "./Status";

/** Conflict shows both sides of what two people changed, and lets one choose. It shows nothing if there is none. */
export function Conflict<D extends Draft>({ what, edit }: { what: string; edit: { draft: D; theirs: D; clashing: (keyof D & string)[]; resolve: (keep: "mine" | "theirs") => void } }) {
  const { draft, theirs, clashing, resolve } = edit;
  if (clashing.length === 0) return null;
  return (
    <div className="overflow-hidden rounded-lg border border-warn-solid">
      <Notice tone="warn" icon={TriangleAlert}>
        Somebody else changed {what} while you did. Theirs is above (−), yours below (+).
      </Notice>
      <Diff before={pick(theirs, clashing)} after={pick(draft, clashing)} />
      <div className="flex justify-end gap-2 border-t border-line px-4 py-2.5">
        <Button size="sm" onClick={() => resolve("theirs")}>
          Take theirs
        </Button>
        <Button size="sm" look="primary" onClick={() => resolve("mine")}>
          Keep mine
        </Button>
      </div>
    </div>
  );
}
