import { useVirtualizer } from "@tanstack/react-virtual";
import { ArrowUp } from "lucide-react";
import { type ReactNode, useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";
import { useNavigate } from "react-router";
import { cx } from "@/lib/text";
import { Button } from "./Button";
import { useKeys } from "./Keys";
import { useMedia, useNarrow } from "./Live";
import { ErrorState, Skeleton } from "./States";

export type Column<T> = {
  key: string;
  title: string;
  cell: (row: T) => ReactNode;
  /** A track of CSS grid, such as 120px or minmax(160px, 2fr). */
  width: string;
  align?: "right";
  /** Where it stands on a phone: first line left or right, second line, or not at all. Default: second line. */
  narrow?: "title" | "side" | "line" | "hidden";
  /** Hidden below the width of a laptop. */
  wide?: boolean;
};

export type Table<T> = {
  rows: T[];
  loading?: boolean;
  error?: unknown;
  retry?: () => unknown;
  more?: boolean;
  loadingMore?: boolean;
  loadMore?: () => unknown;
  fresh?: number;
  refresh?: () => unknown;
};

type Props<T> = {
  /** What the rows are, for those who do not see them: "Endpoints". */
  label: string;
  columns: readonly Column<T>[];
  list: Table<T>;
  id: (row: T) => string;
  /** Where a row leads to. */
  href?: (row: T) => string;
  /** What opening a row does instead. */
  onOpen?: (row: T) => void;
  /** The row that is open beside the table. */
  openId?: string | undefined;
  /** How high a row is, about: 40 unless its cells have two lines. */
  rowHeight?: number;
  empty: ReactNode;
};

/**
 * DataTable lists rows, of which only those in sight are elements. j, k and Enter walk it; it loads more near its end,
 * and says how many rows are new instead of moving. On a phone a row is two lines.
 */
export function DataTable<T>({ label, columns: all, list, id, href, onOpen, openId, rowHeight = 40, empty }: Props<T>) {
  const narrow = useNarrow();
  const laptop = useMedia("(min-width: 1280px)");
  const columns = all.filter((column) => laptop || !column.wide);
  const grid = columns.map((column) => column.width).join(" ");
  const body = useRef<HTMLDivElement>(null);
  const [scroller, setScroller] = useState<HTMLElement | null>(null);
  const [margin, setMargin] = useState(0);
  const [at, setAt] = useState<string>();
  const navigate = useNavigate();
  const { rows } = list;
  // Where few match, a page may be empty although the list goes on.
  const loading = list.loading || (rows.length === 0 && list.more && !list.error);

  useLayoutEffect(() => {
    const element = body.current;
    const parent = element?.closest<HTMLElement>("[data-scroll]") ?? null;
    setScroller(parent);
    if (!element || !parent) return;
    const measure = () => setMargin(element.getBoundingClientRect().top - parent.getBoundingClientRect().top + parent.scrollTop);
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(parent);
    if (element.parentElement) observer.observe(element.parentElement);
    return () => observer.disconnect();
  }, [rows.length === 0]);

  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller,
    estimateSize: () => (narrow ? 64 : rowHeight),
    getItemKey: (i) => {
      const row = rows[i];
      return row ? id(row) : i;
    },
    overscan: 12,
    scrollMargin: margin,
    scrollPaddingStart: 40,
  });
  const visible = virtual.getVirtualItems();
  const last = visible.at(-1)?.index ?? 0;
  const { more, loadingMore, loadMore } = list;
  useEffect(() => {
    if (more && !loadingMore && !list.error && last >= rows.length - 15) void loadMore?.();
  }, [more, loadingMore, loadMore, last, rows.length, list.error]);

  const open = useCallback(
    (row: T | undefined) => {
      if (!row) return;
      setAt(id(row));
      if (onOpen) onOpen(row);
      else if (href) void navigate(href(row));
    },
    [onOpen, href, navigate, id],
  );
  const current = rows.findIndex((row) => id(row) === (at ?? openId));
  const step = (by: number) => {
    const next = Math.min(rows.length - 1, Math.max(0, current + by));
    const row = rows[next];
    if (!row) return;
    setAt(id(row));
    virtual.scrollToIndex(next, { align: "auto" });
  };
  useKeys({
    j: () => step(1),
    k: () => step(current < 0 ? 1 : -1),
    Enter: (event) => {
      if (event.target instanceof HTMLElement && event.target.closest("a, button, summary")) return;
      open(rows[current]);
    },
    r: () => void list.refresh?.(),
  });

  if (list.error && rows.length === 0) {
    return <ErrorState error={list.error} what={`${label} could not be loaded`} {...(list.retry ? { retry: list.retry } : {})} />;
  }
  if (!loading && rows.length === 0) {
    return (
      <>
        <Fresh list={list} />
        {empty}
      </>
    );
  }
  const openable = Boolean(onOpen ?? href);
  return (
    <div className="relative min-w-0">
      <Fresh list={list} />
      <div role="table" aria-label={label} aria-rowcount={more ? -1 : rows.length + (narrow ? 0 : 1)} aria-busy={loading || undefined}>
      {!narrow && (
        <div role="rowgroup" className="sticky top-0 z-10 border-b border-line bg-bg">
          <div role="row" className="grid h-8 items-center gap-x-4 px-4 sm:px-6" style={{ gridTemplateColumns: grid }}>
            {columns.map((column) => (
              <div key={column.key} role="columnheader" className={cx("truncate text-xs font-medium text-muted", column.align === "right" && "text-right")}>
                {column.title}
              </div>
            ))}
          </div>
        </div>
      )}
      <div ref={body} role="rowgroup" className="relative" style={loading ? {} : { height: virtual.getTotalSize() }}>
        {loading
          ? Array.from({ length: 8 }, (_, i) => <SkeletonRow key={i} columns={columns} grid={grid} narrow={narrow} seed={i} height={rowHeight} />)
          : visible.map((item) => {
              const row = rows[item.index];
              if (!row) return null;
              const key = id(row);
              return (
                <div
                  key={key}
                  role="row"
                  data-index={item.index}
                  data-row={key}
                  ref={virtual.measureElement}
                  aria-rowindex={item.index + (narrow ? 1 : 2)}
                  aria-current={key === openId || undefined}
                  onClick={(event) => {
                    if (!openable || (event.target instanceof HTMLElement && event.target.closest("a, button, input"))) return;
                    if (getSelection()?.toString()) return; // somebody selects text
                    open(row);
                  }}
                  className={cx(
                    "absolute top-0 left-0 w-full border-b border-line",
                    openable && "cursor-pointer hover:bg-hover",
                    key === openId && "bg-selected hover:bg-selected",
                    key === at && "shadow-[inset_2px_0_0_var(--accent)]",
                  )}
                  style={{ transform: `translateY(${item.start - margin}px)` }}
                >
                  {narrow ? <NarrowRow columns={all} row={row} /> : <WideRow columns={columns} row={row} grid={grid} />}
                </div>
              );
            })}
      </div>
      </div>
      <div className="flex h-12 items-center justify-center text-sm text-faint" aria-live="polite">
        {list.error && rows.length > 0 ? (
          <Button size="sm" onClick={() => void loadMore?.()}>
            More could not be loaded. Try again
          </Button>
        ) : loadingMore ? (
          "Loading more…"
        ) : list.loading || more ? (
          ""
        ) : rows.length > 8 ? (
          "That is all"
        ) : (
          ""
        )}
      </div>
    </div>
  );
}

/** The count of what is new lies on the header: over a row it would take the row's clicks. */
function Fresh<T>({ list }: { list: Table<T> }) {
  if (!list.fresh || !list.refresh) return null;
  return (
    <div className="pointer-events-none sticky top-0 z-20 h-0">
      <button
        type="button"
        onClick={() => void list.refresh?.()}
        className="num pointer-events-auto absolute top-1.5 left-1/2 inline-flex h-6 -translate-x-1/2 animate-rise items-center gap-1 rounded-full bg-accent-solid px-2.5 text-xs font-medium text-on-accent shadow-pop hover:bg-accent-hover"
      >
        <ArrowUp size={12} aria-hidden />
        {list.fresh} new
      </button>
    </div>
  );
}

function WideRow<T>({ columns, row, grid }: { columns: readonly Column<T>[]; row: T; grid: string }) {
  return (
    <div className="grid min-h-10 items-center gap-x-4 px-4 py-1 sm:px-6" style={{ gridTemplateColumns: grid }}>
      {columns.map((column) => (
        <div key={column.key} role="cell" className={cx("min-w-0", column.align === "right" ? "text-right" : "truncate")}>
          {column.cell(row)}
        </div>
      ))}
    </div>
  );
}

function NarrowRow<T>({ columns, row }: { columns: readonly Column<T>[]; row: T }) {
  const at = (place: NonNullable<Column<T>["narrow"]>) => columns.filter((column) => (column.narrow ?? "line") === place);
  return (
    <div className="px-4 py-2.5">
      <div className="flex items-center justify-between gap-3">
        <div className="min-w-0 flex-1 truncate">
          {at("title").map((column) => (
            <span key={column.key} role="cell">
              {column.cell(row)}
            </span>
          ))}
        </div>
        {at("side").map((column) => (
          <span key={column.key} role="cell" className="shrink-0 text-sm">
            {column.cell(row)}
          </span>
        ))}
      </div>
      <div className="mt-1 flex flex-wrap gap-x-3 gap-y-0.5 text-sm text-muted">
        {at("line").map((column) => {
          const value = column.cell(row);
          if (!value) return null;
          return (
            <span key={column.key} role="cell" className="inline-flex min-w-0 max-w-full items-baseline gap-1 truncate">
              <span className="text-xs text-faint">{column.title}</span>
              <span className="min-w-0 truncate">{value}</span>
            </span>
          );
        })}
      </div>
    </div>
  );
}

function SkeletonRow<T>({ columns, grid, narrow, seed, height }: { columns: readonly Column<T>[]; grid: string; narrow: boolean; seed: number; height: number }) {
  const width = (i: number) => `${45 + ((seed * 7 + i * 13) % 45)}%`;
  if (narrow) {
    return (
      <div className="h-15 space-y-2.5 border-b border-line px-4 py-3">
        <span className="skeleton block h-3" style={{ width: width(0) }} />
        <span className="skeleton block h-2.5" style={{ width: width(1) }} />
      </div>
    );
  }
  return (
    <div className="grid items-center gap-x-4 border-b border-line px-4 sm:px-6" style={{ gridTemplateColumns: grid, height }}>
      {columns.map((column, i) => (
        <span key={column.key} style={{ width: width(i) }} className={column.align === "right" ? "ml-auto" : ""}>
          <Skeleton className="h-3" />
        </span>
      ))}
    </div>
  );
}
