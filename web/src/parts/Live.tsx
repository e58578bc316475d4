import { createContext, type ReactNode, useContext, useEffect, useMemo, useState, useSyncExternalStore } from "react";

/** What the whole application shares: whether it refreshes, in which zone times are, and how it looks. */

export type Theme = "system" | "light" | "dark";

type Settings = {
  paused: boolean;
  setPaused: (paused: boolean) => void;
  /** Milliseconds between two refreshes; false while paused. */
  refetchInterval: number | false;
  zone: "local" | "utc";
  setZone: (zone: "local" | "utc") => void;
  theme: Theme;
  setTheme: (theme: Theme) => void;
  /** What "system" means: the theme of the page around the portal, or that of the computer. */
  hostTheme: Theme;
  setHostTheme: (theme: Theme) => void;
};

const Context = createContext<Settings | undefined>(undefined);

const every = 5000;

export function LiveProvider({ children }: { children: ReactNode }) {
  const [paused, setPaused] = useState(false);
  const [zone, setZone] = useStored<"local" | "utc">("zone", ["local", "utc"]);
  const [theme, setTheme] = useStored<Theme>("theme", ["system", "light", "dark"]);
  const [hostTheme, setHostTheme] = useState<Theme>("system");
  useEffect(() => {
    const shown = theme === "system" ? hostTheme : theme;
    if (shown === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = shown;
  }, [theme, hostTheme]);
  const value = useMemo(
    () => ({ paused, setPaused, refetchInterval: paused ? (false as const) : every, zone, setZone, theme, setTheme, hostTheme, setHostTheme }),
    [paused, zone, setZone, theme, setTheme, hostTheme],
  );
  return <Context value={value}>{children}</Context>;
}

export function useLive(): Settings {
  const settings = useContext(Context);
  if (!settings) throw new Error("useLive outside of LiveProvider");
  return settings;
}

/** useStored keeps a preference in this browser. Where storage is blocked, as in some frames, it lasts as long as the page. */
function useStored<T extends string>(name: string, values: [T, ...T[]]): [T, (value: T) => void] {
  const key = `bellwire.${name}`;
  const [value, setValue] = useState<T>(() => {
    const stored = attempt(() => localStorage.getItem(key));
    return values.find((known) => known === stored) ?? values[0];
  });
  return useMemo(
    () => [
      value,
      (next: T) => {
        setValue(next);
        attempt(() => localStorage.setItem(key, next));
      },
    ],
    [value, key],
  );
}

function attempt<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch {
    return undefined;
  }
}

const ticks = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;
let now = Date.now();

function subscribe(tick: () => void): () => void {
  ticks.add(tick);
  timer ??= setInterval(() => {
    if (document.hidden) return;
    now = Date.now();
    for (const each of ticks) each();
  }, 5000);
  return () => {
    ticks.delete(tick);
    if (ticks.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

/** useNow returns the time, which moves on every few seconds for all who show it. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => {
    if (ticks.size === 0) now = Date.now();
    return now;
  });
}

/** useNarrow reports whether the page is as narrow as a phone. */
export function useNarrow(): boolean {
  return useMedia("(max-width: 639.98px)");
}

export function useMedia(query: string): boolean {
  return useSyncExternalStore(
    (changed) => {
      const media = matchMedia(query);
      media.addEventListener("change", changed);
      return () => media.removeEventListener("change", changed);
    },
    () => matchMedia(query).matches,
  );
}

/** useDark reports whether the dark theme is shown. */
export function useDark(): boolean {
  const { theme, hostTheme } = useLive();
  const system = useMedia("(prefers-color-scheme: dark)");
  const shown = theme === "system" ? hostTheme : theme;
  return shown === "system" ? system : shown === "dark";
}
