import { Dialog } from "@base-ui/react/dialog";
import { Menu as BaseMenu } from "@base-ui/react/menu";
import { Check, type LucideIcon, Menu, Monitor, Moon, Pause, Play, Search, Sun } from "lucide-react";
import { type ReactNode, Suspense, useEffect, useState } from "react";
import { Link, useHref, useLocation, useSearchParams } from "react-router";
import { cx } from "@/lib/text";
import { Button, IconButton } from "./Button";
import { KeyboardHelp, Kbd, modifier, useKeys } from "./Keys";
import { Late, useLate } from "./Late";
import { type Theme, useLive } from "./Live";
import { usePalette } from "./Palette";
import { useScroll } from "./Scroll";
import { Boundary, Skeleton } from "./States";
import { TimeRange } from "./TimeRange";

export type NavItem = {
  to: string;
  label: string;
  icon: LucideIcon;
  /** The paths that belong to it. */
  match: RegExp;
};

export type NavGroup = { title?: string; items: readonly NavItem[] };

/** Shell is the frame around every page: navigation, the time range, the switches, and the page itself. */
export function Shell({ brand, nav, foot, children }: { brand: ReactNode; nav: readonly NavGroup[]; foot?: ReactNode; children: ReactNode }) {
  const { pathname, search } = useLocation();
  const address = useHref({ pathname, search }); // of the page that is shown, which follows the browser's once the code is there
  const [drawer, setDrawer] = useState(false);
  useEffect(() => setDrawer(false), [pathname]);
  const main = useScroll();
  return (
    <div className="flex h-full min-h-0">
      <a href="#main" onClick={skip} className="sr-only z-50 rounded-md bg-accent-solid px-3 py-2 text-on-accent focus:not-sr-only focus:fixed focus:top-2 focus:left-2">
        Skip to the page
      </a>
      <aside className="hidden w-54 shrink-0 flex-col border-r border-line bg-sunk md:flex">
        <Side brand={brand} nav={nav} foot={foot} />
      </aside>
      <div className="flex min-w-0 flex-1 flex-col">
        <header className="flex h-12 shrink-0 items-center gap-1 border-b border-line bg-bg px-2 sm:px-4">
          <Dialog.Root open={drawer} onOpenChange={setDrawer}>
            <Dialog.Trigger render={<IconButton label="Open the navigation" icon={Menu} className="md:hidden" />} />
            <Dialog.Portal>
              <Dialog.Backdrop className="fixed inset-0 z-30 bg-[rgb(10_12_16/45%)] transition-opacity data-[ending-style]:opacity-0 data-[starting-style]:opacity-0" />
              <Dialog.Popup className="fixed inset-y-0 left-0 z-40 flex w-64 flex-col border-r border-line bg-sunk shadow-pop outline-none transition-transform data-[ending-style]:-translate-x-full data-[starting-style]:-translate-x-full">
                <Dialog.Title className="sr-only">Navigation</Dialog.Title>
                <Side brand={brand} nav={nav} foot={foot} />
              </Dialog.Popup>
            </Dialog.Portal>
          </Dialog.Root>
          <SearchButton />
          <div className="ml-auto flex items-center gap-0.5">
            <TimeRange />
            <PauseSwitch />
            <LookMenu />
          </div>
        </header>
        <main ref={main} id="main" tabIndex={-1} data-address={address} data-scroll className="relative min-h-0 flex-1 overflow-x-hidden overflow-y-auto outline-none">
          <Boundary place={pathname}>
            <Suspense fallback={<PageSkeleton />}>{children}</Suspense>
          </Boundary>
        </main>
        <Late />
      </div>
      <KeyboardHelp />
    </div>
  );
}

/** A fragment would be resolved against the base, which is not this page. */
function skip(event: React.MouseEvent): void {
  event.preventDefault();
  document.getElementById("main")?.focus();
}

function Side({ brand, nav, foot }: { brand: ReactNode; nav: readonly NavGroup[]; foot: ReactNode }) {
  const { pathname } = useLocation();
  const [params] = useSearchParams();
  const kept = new URLSearchParams();
  for (const key of ["since", "until"]) {
    const value = params.get(key);
    if (value) kept.set(key, value);
  }
  const search = kept.size > 0 ? `?${kept}` : "";
  return (
    <>
      <div className="flex h-12 items-center px-4">{brand}</div>
      <nav aria-label="Pages" className="min-h-0 flex-1 space-y-4 overflow-y-auto px-2 py-2">
        {nav.map((group, i) => (
          <div key={group.title ?? i}>
            {group.title && <p className="px-2 pb-1 text-xs font-medium text-muted">{group.title}</p>}
            <ul className="space-y-px">
              {group.items.map((item) => (
                <li key={item.to}>
                  <Link
                    to={item.to + search}
                    aria-current={item.match.test(pathname) ? "page" : undefined}
                    className={cx(
                      "flex h-7.5 items-center gap-2.5 rounded-md px-2 transition-colors",
                      item.match.test(pathname) ? "bg-sunk-strong font-medium text-text" : "text-muted hover:bg-sunk-strong/60 hover:text-text",
                    )}
                  >
                    <item.icon size={15} className="shrink-0" aria-hidden />
                    {item.label}
                  </Link>
                </li>
              ))}
            </ul>
          </div>
        ))}
      </nav>
      {foot && <div className="border-t border-line p-2">{foot}</div>}
    </>
  );
}

function SearchButton() {
  const show = usePalette();
  return (
    <button
      type="button"
      onClick={show}
      className="flex h-7.5 min-w-0 items-center gap-2 rounded-md border border-line bg-panel px-2.5 text-sm text-faint transition-colors hover:border-line-strong max-sm:size-7 max-sm:justify-center max-sm:border-0 max-sm:bg-transparent max-sm:p-0 sm:w-64"
    >
      <Search size={14} aria-hidden />
      <span className="flex-1 text-left max-sm:sr-only">
        Search or go to…<span className="sr-only"> a page, an id or an action</span>
      </span>
      <span aria-hidden className="flex gap-0.5 max-sm:hidden">
        <Kbd>{modifier}</Kbd>
        <Kbd>K</Kbd>
      </span>
    </button>
  );
}

/** PauseSwitch stops all live data. Paused means that the page asks the server for nothing. */
function PauseSwitch() {
  const { paused, setPaused } = useLive();
  const late = useLate() !== undefined;
  useKeys({ p: () => setPaused(!paused) });
  return (
    <Button size="sm" look="quiet" icon={paused ? Play : undefined} aria-pressed={paused} title={paused ? "Live data is paused (p)" : "Pause live data (p)"} onClick={() => setPaused(!paused)} className={paused ? "!text-warn" : ""}>
      {!paused && <Live late={late} />}
      {paused ? "Paused" : <span className="max-sm:sr-only">{late ? "Not live" : "Live"}</span>}
      {!paused && <Pause size={12} className="text-faint" aria-hidden />}
    </Button>
  );
}

function Live({ late }: { late: boolean }) {
  if (late) return <span className="size-2 rounded-full bg-warn-solid" aria-hidden />;
  return (
    <span className="relative flex size-2" aria-hidden>
      <span className="absolute inset-0 animate-ping rounded-full bg-good-solid opacity-50 [animation-duration:2.5s]" />
      <span className="relative size-2 rounded-full bg-good-solid" />
    </span>
  );
}

const themes: [Theme, string, LucideIcon][] = [
  ["system", "As the system", Monitor],
  ["light", "Light", Sun],
  ["dark", "Dark", Moon],
];

function LookMenu() {
  const { theme, setTheme, zone, setZone } = useLive();
  const Icon = themes.find(([key]) => key === theme)?.[2] ?? Monitor;
  const item = "flex h-8 cursor-default items-center gap-2.5 rounded-sm px-2 outline-none select-none data-[highlighted]:bg-hover";
  return (
    <BaseMenu.Root>
      <BaseMenu.Trigger render={<IconButton label="Theme and time zone" icon={Icon} />} />
      <BaseMenu.Portal>
        <BaseMenu.Positioner sideOffset={6} align="end" className="z-40">
          <BaseMenu.Popup className="w-52 rounded-lg border border-line-strong bg-raised p-1 shadow-pop outline-none">
            <BaseMenu.RadioGroup value={theme} onValueChange={setTheme} aria-label="Theme">
              {themes.map(([key, label, ThemeIcon]) => (
                <BaseMenu.RadioItem key={key} value={key} className={item}>
                  <ThemeIcon size={14} className="text-muted" aria-hidden />
                  <span className="flex-1">{label}</span>
                  <BaseMenu.RadioItemIndicator render={<Check size={14} className="text-accent" aria-hidden />} />
                </BaseMenu.RadioItem>
              ))}
            </BaseMenu.RadioGroup>
            <BaseMenu.Separator className="my-1 h-px bg-line" />
            <BaseMenu.RadioGroup value={zone} onValueChange={setZone} aria-label="Time zone">
              {(["local", "utc"] as const).map((key) => (
                <BaseMenu.RadioItem key={key} value={key} className={item}>
                  <span className="flex-1">{key === "utc" ? "Times in UTC" : "Local times"}</span>
                  <BaseMenu.RadioItemIndicator render={<Check size={14} className="text-accent" aria-hidden />} />
                </BaseMenu.RadioItem>
              ))}
            </BaseMenu.RadioGroup>
          </BaseMenu.Popup>
        </BaseMenu.Positioner>
      </BaseMenu.Portal>
    </BaseMenu.Root>
  );
}

/** PageSkeleton stands while the code of a page is loaded. */
export function PageSkeleton() {
  return (
    <div className="space-y-3 px-4 pt-6 sm:px-6" aria-busy="true">
      <Skeleton className="h-5 w-40" />
      <Skeleton className="w-72 max-w-full" />
      <div className="pt-4" />
      <Skeleton className="h-9" />
      <Skeleton className="h-9" />
      <Skeleton className="h-9" />
    </div>
  );
}
