import { type LucideIcon, X } from "lucide-react";
import { type ReactNode, useCallback, useMemo, useRef, useState } from "react";
import { type ApiError, asError } from "@/api/problem";
import { plural } from "@/lib/numbers";
import { Button } from "./Button";
import { Dialog } from "./Dialog";
import { words } from "./Toast";

/** Which rows of a table are selected, and what changes that. DataTable shows it. */
export type Selection<T> = {
  ids: ReadonlySet<string>;
  rows: readonly T[];
  /** toggle selects a row, or not any more. With range, all rows between it and the last one that was chosen become as it. */
  toggle: (id: string, range?: boolean) => void;
  /** all selects every row that is shown, or none. */
  all: (selected: boolean) => void;
  clear: () => void;
};

/** How many rows can be selected. What is more is a job's. */
const most = 250;

/** useSelection holds the selection of a list. Another key, such as that of another filter, begins with none. */
export function useSelection<T>(rows: readonly T[], id: (row: T) => string, key: string): Selection<T> {
  const [chosen, setChosen] = useState<{ key: string; ids: ReadonlySet<string> }>({ key, ids: new Set() });
  const last = useRef<string>(undefined);
  const ids = useMemo<ReadonlySet<string>>(() => (chosen.key === key ? chosen.ids : new Set()), [chosen, key]);
  const set = useCallback((change: (old: ReadonlySet<string>) => Iterable<string>) => setChosen((old) => ({ key, ids: new Set([...change(old.key === key ? old.ids : new Set<string>())].slice(0, most)) })), [key]);
  const toggle = useCallback(
    (one: string, range = false) => {
      const all = rows.map(id);
      const [from, to] = [all.indexOf(last.current ?? one), all.indexOf(one)].sort((a, b) => a - b) as [number, number];
      const meant = range && from >= 0 ? all.slice(from, to + 1) : [one];
      last.current = one;
      set((old) => (old.has(one) ? [...old].filter((each) => !meant.includes(each)) : [...old, ...meant]));
    },
    [rows, id, set],
  );
  const all = useCallback((selected: boolean) => set(() => (selected ? rows.map(id) : [])), [rows, id, set]);
  const clear = useCallback(() => set(() => []), [set]);
  const selected = useMemo(() => rows.filter((row) => ids.has(id(row))), [rows, ids, id]);
  return useMemo(() => ({ ids, rows: selected, toggle, all, clear }), [ids, selected, toggle, all, clear]);
}

/** A row for which an action failed, and why. */
export type Failure<T> = { row: T; error: ApiError };

export type Batch<T> = {
  /** How far it is; undefined if nothing runs. */
  progress: { done: number; total: number } | undefined;
  run: (rows: readonly T[]) => Promise<Failure<T>[]>;
};

/** How many requests are under way at once. */
const atOnce = 4;

/** How often a request that is refused for its rate is sent again. */
const patience = 5;

/** useBatch runs an action for one row after the other. It waits where the API says that it is asked too often. */
export function useBatch<T>(action: (row: T) => Promise<unknown>): Batch<T> {
  const [progress, setProgress] = useState<Batch<T>["progress"]>();
  const run = async (rows: readonly T[]) => {
    const failures: Failure<T>[] = [];
    const left = [...rows];
    let done = 0;
    setProgress({ done, total: rows.length });
    const work = async () => {
      for (let row = left.shift(); row !== undefined; row = left.shift()) {
        const error = await attempt(action, row);
        if (error) failures.push({ row, error });
        setProgress({ done: ++done, total: rows.length });
      }
    };
    await Promise.all(Array.from({ length: Math.min(atOnce, rows.length) }, work));
    setProgress(undefined);
    return failures;
  };
  return { progress, run };
}

async function attempt<T>(action: (row: T) => Promise<unknown>, row: T): Promise<ApiError | undefined> {
  for (let tries = 1; ; tries++) {
    try {
      await action(row);
      return undefined;
    } catch (thrown) {
      const error = asError(thrown);
      if (error.status !== 429 || tries === patience) return error;
      await new Promise((resolve) => setTimeout(resolve, (error.retryAfter ?? 1) * 1000));
    }
  }
}

/** An action on what is selected: on as many of the rows as it fits. */
export type BulkAction = { label: string; icon: LucideIcon; count: number; run: () => void };

/** SelectionBar counts what is selected, and offers what can be done with it. It lies over the end of the list, which does not move. */
export function SelectionBar({ count, actions, progress, clear, hint }: { count: number; actions: readonly BulkAction[]; progress: Batch<unknown>["progress"]; clear: () => void; hint?: ReactNode }) {
  if (count === 0) return null;
  return (
    <div role="region" aria-label="Selected rows" data-bar className="sticky bottom-0 z-20 border-t border-line-strong bg-raised px-4 py-2.5 shadow-pop sm:px-6">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-2">
        <p className="num min-w-0 flex-1 basis-40" aria-live="polite">
          <span className="font-medium">{count} selected</span>
          {progress ? (
            <span className="text-muted">
              , {progress.done} of {progress.total} done
            </span>
          ) : (
            hint && <span className="text-muted">. {hint}</span>
          )}
        </p>
        {actions.map(({ label, icon, count: affected, run }) => (
          <Button key={label} icon={icon} disabled={affected === 0} busy={progress !== undefined} onClick={run}>
            {label} {affected}
          </Button>
        ))}
        <Button look="quiet" icon={X} disabled={progress !== undefined} onClick={clear}>
          Select none
        </Button>
      </div>
    </div>
  );
}

/** What a batch came to. */
export type Outcome = { title: string; done: string; failures: readonly { name: string; why: string }[] };

/** outcome puts the result of a batch into words. */
export function outcome<T>(title: string, done: string, failures: readonly Failure<T>[], name: (row: T) => string): Outcome {
  return { title, done, failures: failures.map(({ row, error }) => ({ name: name(row), why: words(error) })) };
}

/** OutcomeDialog says how many were done, and of the others which failed and why. */
export function OutcomeDialog({ outcome: it, close }: { outcome: Outcome; close: () => void }) {
  const groups = Map.groupBy(it.failures, ({ why }) => why);
  return (
    <Dialog
      open
      onClose={close}
      title={it.title}
      sentence={`${it.done} ${plural(it.failures.length, "other")} ${it.failures.length === 1 ? "was" : "were"} not:`}
      footer={
        <Button look="primary" onClick={close}>
          Close
        </Button>
      }
    >
      <ul className="space-y-3">
        {[...groups].map(([why, failures]) => (
          <li key={why} className="rounded-lg bg-bad-soft px-3 py-2.5">
            <p className="wrap-anywhere">{why}</p>
            <ul className="mt-1.5 space-y-0.5 text-sm text-muted">
              {failures.map(({ name }, i) => (
                <li key={i} className="truncate" title={name}>
                  {name}
                </li>
              ))}
            </ul>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
