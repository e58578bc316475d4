import { useLayoutEffect, useRef, useState } from "react";
import { Dialog } from "./Dialog";

/** useKeys runs functions on single keys, unless one types, a dialog is open or a modifier is held. What is shown has its keys at once. */
export function useKeys(keys: Record<string, (event: KeyboardEvent) => void>): void {
  const latest = useRef(keys);
  useLayoutEffect(() => {
    latest.current = keys;
  });
  useLayoutEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.metaKey || event.ctrlKey || event.altKey || isTyping(event.target)) return;
      if (document.querySelector("[role=dialog],[role=alertdialog]")) return;
      latest.current[event.key]?.(event);
    };
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, []);
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches("input:not([type=checkbox]), textarea, select, [contenteditable=true], [role=menuitem]");
}

const apple = /Mac|iPhone|iPad/.test(navigator.platform);

/** The modifier of shortcuts, as its key is named here. */
export const modifier = apple ? "⌘" : "Ctrl";

const groups: [string, [string, string][]][] = [
  [
    "Everywhere",
    [
      [`${modifier} K`, "Go to a page, an id or an action"],
      ["/", "Search on this page"],
      ["p", "Pause live data, or go on"],
      ["?", "This list"],
    ],
  ],
  [
    "Lists",
    [
      ["j", "Next row"],
      ["k", "Previous row"],
      ["Enter", "Open the row"],
      ["x", "Select the row; with shift, also those between"],
      ["r", "Show what is new"],
    ],
  ],
  [
    "Go to",
    [
      ["g o", "Overview"],
      ["g e", "Endpoints"],
      ["g d", "Deliveries"],
      ["g t", "Tenants"],
    ],
  ],
];

/** KeyboardHelp opens on ? and lists the keys. */
export function KeyboardHelp() {
  const [open, setOpen] = useState(false);
  useKeys({ "?": () => setOpen(true) });
  return (
    <Dialog open={open} onClose={() => setOpen(false)} title="Keys" width="max-w-md">
      <div className="space-y-5">
        {groups.map(([title, keys]) => (
          <section key={title}>
            <h3 className="label mb-1.5">{title}</h3>
            <dl className="divide-y divide-line">
              {keys.map(([key, what]) => (
                <div key={key} className="flex items-center justify-between py-1.5">
                  <dt>{what}</dt>
                  <dd className="flex gap-1">
                    {key.split(" ").map((part) => (
                      <Kbd key={part}>{part}</Kbd>
                    ))}
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}

export function Kbd({ children }: { children: string }) {
  return (
    <kbd className="inline-flex h-5 min-w-5 items-center justify-center rounded-sm border border-line-strong bg-sunk px-1 font-sans text-[11px] text-muted">{children}</kbd>
  );
}
