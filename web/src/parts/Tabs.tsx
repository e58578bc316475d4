import { NavLink, useSearchParams } from "react-router";
import { cx } from "@/lib/text";

/** Tabs leads to the parts of a page. Each has an address of its own, so that back, reload and a link to it work. */
export function Tabs({ tabs, label }: { tabs: readonly { to: string; label: string; count?: number | undefined; end?: boolean }[]; label: string }) {
  const [params] = useSearchParams();
  const kept = new URLSearchParams();
  for (const key of ["since", "until"]) {
    const value = params.get(key);
    if (value) kept.set(key, value);
  }
  const search = kept.size > 0 ? `?${kept}` : "";
  return (
    <nav aria-label={label} className="flex gap-4 overflow-x-auto border-b border-line px-4 sm:gap-5 sm:px-6">
      {tabs.map((tab) => (
        <NavLink
          key={tab.to}
          to={tab.to + search}
          end={tab.end ?? false}
          className={({ isActive }) =>
            cx(
              "-mb-px flex h-9 items-center gap-1.5 border-b-2 whitespace-nowrap transition-colors",
              isActive ? "border-accent font-medium text-text" : "border-transparent text-muted hover:text-text",
            )
          }
        >
          {tab.label}
          {tab.count !== undefined && <span className="num text-xs text-faint">{tab.count}</span>}
        </NavLink>
      ))}
    </nav>
  );
}
