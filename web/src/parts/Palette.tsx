import { Dialog } from "@base-ui/react/dialog";
import { CornerDownLeft, type LucideIcon, Search } from "lucide-react";
import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useRef, useState } from "react";
import { cx } from "@/lib/text";
import { Kbd } from "./Keys";

export type Command = {
  id: string;
  label: string;
  /** What kind of thing it is: "Page", "Action", "Endpoint". */
  group: string;
  hint?: string;
  icon?: LucideIcon;
  /** Other words that find it. */
  words?: string;
  run: () => void;
};

/** A source finds commands for what was typed, such as the thing with that id. */
export type Source = (typed: string, signal: AbortSignal) => Promise<readonly Command[]>;

type Palette = { show: () => void; register: (id: string, commands: readonly Command[]) => () => void };

const Context = createContext<Palette>({ show: () => {}, register: () => () => {} });

/** useCommands adds a page's own actions to the palette while it is shown. */
export function useCommands(id: string, commands: readonly Command[]): void {
  const { register } = useContext(Context);
  useEffect(() => register(id, commands), [register, id, commands]);
}

export function usePalette(): () => void {
  return useContext(Context).show;
}

/** PaletteProvider opens the palette on ⌘K or Ctrl+K: pages, actions, and ids of any kind. */
export function PaletteProvider({ commands, source, children }: { commands: readonly Command[]; source?: Source; children: ReactNode }) {
  const [open, setOpen] = useState(false);
  const [registered, setRegistered] = useState<ReadonlyMap<string, readonly Command[]>>(new Map());
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== "k" || !(event.metaKey || event.ctrlKey) || event.shiftKey || event.altKey) return;
      event.preventDefault();
      setOpen((old) => !old);
    };
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, []);
  const register = useCallback((id: string, own: readonly Command[]) => {
    setRegistered((old) => new Map(old).set(id, own));
    return () =>
      setRegistered((old) => {
        const next = new Map(old);
        next.delete(id);
        return next;
      });
  }, []);
  const palette = useMemo(() => ({ show: () => setOpen(true), register }), [register]);
  const all = useMemo(() => [...[...registered.values()].flat(), ...commands], [registered, commands]);
  return (
    <Context value={palette}>
      {children}
      <Dialog.Root open={open} onOpenChange={setOpen}>
        <Dialog.Portal>
          <Dialog.Backdrop className="fixed inset-0 z-30 bg-[rgb(10_12_16/45%)]" />
          <Dialog.Popup className="fixed top-[12vh] left-1/2 z-40 w-[calc(100vw-24px)] max-w-xl -translate-x-1/2 animate-rise overflow-hidden rounded-lg border border-line-strong bg-raised shadow-pop outline-none">
            <Dialog.Title className="sr-only">Go to a page, an id or an action</Dialog.Title>
            <Body commands={all} {...(source ? { source } : {})} close={() => setOpen(false)} />
          </Dialog.Popup>
        </Dialog.Portal>
      </Dialog.Root>
    </Context>
  );
}

function Body({ commands, source, close }: { commands: readonly Command[]; source?: Source; close: () => void }) {
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const [found, setFound] = useState<{ typed: string; commands: readonly Command[] }>();
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => {
    const typed = text.trim();
    if (!source || typed.length < 2) return;
    const abort = new AbortController();
    const timer = setTimeout(() => {
      source(typed, abort.signal).then(
        (commands) => setFound({ typed, commands }),
        () => {}, // the pages remain
      );
    }, 120);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [source, text]);
  const shown = useMemo(() => {
    const own = found?.typed === text.trim() ? found.commands : []; // never what an earlier text found
    return [...own, ...commands.filter((command) => matches(command, text))].slice(0, 40);
  }, [found, commands, text]);
  useEffect(() => {
    list.current?.querySelector(`[data-at="${at}"]`)?.scrollIntoView({ block: "nearest" });
  }, [at]);
  const run = (command: Command | undefined) => {
    if (!command) return;
    close();
    command.run();
  };
  return (
    <>
      <div className="flex h-12 items-center gap-2.5 border-b border-line px-4">
        <Search size={16} className="text-faint" aria-hidden />
        <input
          role="combobox"
          aria-label="Go to"
          aria-expanded
          aria-controls="palette-list"
          aria-activedescendant={`palette-${at}`}
          autoComplete="off"
          autoCapitalize="off"
          spellCheck={false}
          value={text}
          placeholder={source ? "A page, an action or an id, such as order-1042" : "A page or an action"}
          onChange={(event) => {
            setText(event.target.value);
            setAt(0);
          }}
          onKeyDown={(event) => {
            if (event.key === "ArrowDown" || event.key === "ArrowUp") {
              event.preventDefault();
              const size = shown.length || 1;
              setAt((old) => (old + (event.key === "ArrowDown" ? 1 : size - 1)) % size);
            } else if (event.key === "Enter") {
              event.preventDefault();
              run(shown[at]);
            }
          }}
          className="h-full flex-1 bg-transparent text-lg outline-none placeholder:text-faint"
        />
        <Kbd>Esc</Kbd>
      </div>
      <ul ref={list} id="palette-list" role="listbox" aria-label="Commands" className="max-h-[52vh] overflow-y-auto p-1.5">
        {shown.map((command, i) => (
          <li
            key={command.id}
            id={`palette-${i}`}
            data-at={i}
            role="option"
            aria-selected={i === at}
            onMouseMove={() => setAt(i)}
            onClick={() => run(command)}
            className={cx("flex h-9 cursor-pointer items-center gap-2.5 rounded-md px-2.5", i === at && "bg-calm-soft")}
          >
            {command.icon && <command.icon size={15} className="shrink-0 text-muted" aria-hidden />}
            <span className="min-w-0 flex-1 truncate">{command.label}</span>
            {command.hint && <span className="truncate text-sm text-muted">{command.hint}</span>}
            <span className="text-xs text-faint">{command.group}</span>
            {i === at && <CornerDownLeft size={13} className="text-faint" aria-hidden />}
          </li>
        ))}
        {shown.length === 0 && <li className="px-3 py-6 text-center text-muted">Nothing has this name or id.</li>}
      </ul>
    </>
  );
}

function matches(command: Command, text: string): boolean {
  const name = `${command.group} ${command.label} ${command.words ?? ""}`.toLowerCase();
  return text
    .toLowerCase()
    .split(/\s+/)
    .every((word) => name.includes(word));
}
