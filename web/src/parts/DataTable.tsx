import { useVirtualizer } from "@tanstack/react-virtual";
import { ArrowDown, ArrowUp, ChevronsUpDown, Search } from "lucide-react";
import { memo, type ReactNode, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { useNavigate } from "react-router";
import { cx } from "@/lib/text";
import { Button } from "./Button";
import { useKeys } from "./Keys";
import { useMedia, useNarrow } from "./Live";
import type { Selection } from "./Selection";
import { ErrorState, Skeleton } from "./States";
import { Time } from "./Time";

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
  /** Sorting by this column: by is true while the list is sorted by it; toggle turns that on and off. */
  sort?: { by: boolean; toggle: () => void };
};

export type Table<T> = {
  rows: T[];
  loading?: boolean;
  error?: unknown;
  retry?: () => unknown;
  more?: boolean;
  loadingMore?: boolean;
  loadMore?: () => unknown;
  /** How far back a list was searched in which few match. */
  searchedTo?: string | undefined;
  /** Whether more costs so much that each page is asked for. */
  costly?: boolean;
  /** How many rows have come that are not shown, and how many that are shown are no longer listed. */
  fresh?: number;
  gone?: number;
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
  /** Which rows are selected, if they can be: by their boxes, with shift those between, and by x. */
  select?: Selection<T> | undefined;
};

/** The number of pages that are loaded without a scroll or a click. */
const patience = 5;

/**
 * DataTable lists rows, of which only those in sight are elements. j, k and Enter walk it; it loads more near its end,
 * and says how many rows are new or no longer listed instead of moving. Where so few match that the screen does not fill, it stops after a few
 * pages and says how far back it has searched. On a phone a row is two lines.
 */
export function DataTable<T>({ label, columns: all, list, id, href, onOpen, openId, rowHeight = 40, empty, select }: Props<T>) {
  const narrow = useNarrow();
  const laptop = useMedia("(min-width: 1280px)");
  const columns = useMemo(() => all.filter((column) => laptop || !column.wide), [all, laptop]);
  const grid = [...(select ? ["16px"] : []), ...columns.map((column) => column.width)].join(" ");
  const body = useRef<HTMLDivElement>(null);
  const [scroller, setScroller] = useState<HTMLElement | null>(null);
  const [margin, setMargin] = useState(0);
  const [at, setAt] = useState<string>();
  const navigate = useNavigate();
  const { rows } = list;
  const [unasked, setUnasked] = useState(0); // pages that were loaded since the reader did something
  const [asked, setAsked] = useState(false); // whether the reader has asked for more
  const waits = Boolean(list.more && (list.costly || unasked >= patience)); // until the reader asks for more
  // Where few match, a page may be empty although the list goes on.
  const loading = list.loading || (rows.length === 0 && list.more && !list.error && !waits && !asked);
  const searchOn = () => {
    setUnasked(0);
    setAsked(true);
    void list.loadMore?.();
  };

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

  const height = useRef(rowHeight); // of rows that were not measured yet
  // It must be the same function while the rows are the same: with another one, the places of all of them are calculated again.
  const getItemKey = useCallback(
    (i: number) => {
      const row = rows[i];
      return row ? id(row) : i;
    },
    [rows, id],
  );
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller,
    estimateSize: () => height.current,
    getItemKey,
    overscan: 4,
    scrollMargin: margin,
    scrollPaddingStart: 68, // what stays above the rows: the count of what is new, and the header
  });
  const visible = virtual.getVirtualItems();
  const last = visible.at(-1)?.index ?? 0;
  const drawn = visible.length > 0;
  useLayoutEffect(() => {
    height.current = rowHeight;
    if (!narrow || !drawn || !body.current) return;
    const heights = Array.from(body.current.querySelectorAll<HTMLElement>("[data-row]"), (row) => row.offsetHeight).sort((a, b) => a - b);
    height.current = heights[Math.floor(heights.length / 2)] ?? rowHeight; // a phone's rows have as many lines as their columns take
  }, [narrow, drawn, rowHeight]);
  const { more, loadingMore, loadMore } = list;
  useEffect(() => {
    if (!more || waits || loadingMore || list.error || last < rows.length - 15) return;
    setUnasked((pages) => pages + 1);
    void loadMore?.();
  }, [more, waits, loadingMore, loadMore, last, rows.length, list.error]);
  useEffect(() => {
    if (!list.loading) return;
    setUnasked(0); // another list
    setAsked(false);
  }, [list.loading]);
  useEffect(() => {
    const scrolled = () => setUnasked(0);
    scroller?.addEventListener("scroll", scrolled, { passive: true });
    return () => scroller?.removeEventListener("scroll", scrolled);
  }, [scroller]);

  const open = useCallback(
    (row: T | undefined) => {
      if (!row) return;
      setAt(id(row));
      if (onOpen) onOpen(row);
      else if (href) void navigate(href(row));
    },
    [onOpen, href, navigate, id],
  );
  const marked = at ?? openId;
  const current = useMemo(() => (marked === undefined ? -1 : rows.findIndex((row) => id(row) === marked)), [rows, id, marked]);
  const toggle = select?.toggle;
  const tick = useCallback(
    (key: string, range: boolean) => {
      setAt(key);
      toggle?.(key, range);
    },
    [toggle],
  );
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
    x: () => rows[current] && select?.toggle(id(rows[current])),
    X: () => rows[current] && select?.toggle(id(rows[current]), true),
  });

  if (list.error && rows.length === 0) {
    return <ErrorState error={list.error} what={`${label} could not be loaded`} {...(list.retry ? { retry: list.retry } : {})} />;
  }
  if (!loading && rows.length === 0) {
    return (
      <>
        <Fresh list={list} />
        {empty}
        {list.more && <Foot list={list} waits={waits} searching={unasked > 1 || asked} searchOn={searchOn} />}
      </>
    );
  }
  const openable = Boolean(onOpen ?? href);
  return (
    <div className="relative min-w-0">
      <Fresh list={list} />
      <div role="table" aria-label={label} aria-rowcount={more ? -1 : rows.length + (narrow ? 0 : 1)} aria-busy={loading || undefined}>
        {!narrow && (
          <div role="rowgroup" className={cx("sticky z-10 border-b border-line bg-bg", news(list) && list.refresh ? "top-7" : "top-0")}>
            <div role="row" className="grid h-8 items-center gap-x-4 px-4 sm:px-6" style={{ gridTemplateColumns: grid }}>
              {select && (
                <div role="columnheader" className="flex">
                  <Tick label="Select all that are shown" checked={rows.length > 0 && select.rows.length === rows.length} mixed={select.rows.length > 0} onChange={(checked) => select.all(checked)} />
                </div>
              )}
              {columns.map((column) => (
                <div
                  key={column.key}
                  role="columnheader"
                  {...(column.sort?.by ? { "aria-sort": "descending" as const } : {})}
                  className={cx("truncate text-xs font-medium text-muted", column.align === "right" && "text-right")}
                >
                  {column.sort ? <SortButton title={column.title} {...column.sort} /> : column.title}
                </div>
              ))}
            </div>
          </div>
        )}
        <div ref={body} role="rowgroup" className="relative [overflow-anchor:none]" style={loading ? {} : { height: virtual.getTotalSize() }}>
          {loading
            ? Array.from({ length: 8 }, (_, i) => <SkeletonRow key={i} columns={columns} grid={grid} narrow={narrow} seed={i} height={rowHeight} select={select !== undefined} />)
            : drawn && (
                // One box is moved, and not each row: the browser then has one thing to place when the list is scrolled.
                <div role="presentation" className="absolute top-0 left-0 w-full" style={{ transform: `translateY(${(visible[0]?.start ?? 0) - margin}px)` }}>
                  {visible.map((item) => {
                    const row = rows[item.index];
                    if (!row) return null;
                    const key = id(row);
                    return (
                      <Row
                        key={key}
                        row={row}
                        id={key}
                        index={item.index}
                        columns={narrow ? all : columns}
                        grid={narrow ? undefined : grid}
                        height={rowHeight}
                        measure={virtual.measureElement}
                        current={key === openId}
                        marked={key === at}
                        selected={select?.ids.has(key)}
                        tick={tick}
                        open={openable ? open : undefined}
                      />
                    );
                  })}
                </div>
              )}
        </div>
      </div>
      <Foot list={list} waits={waits} searching={unasked > 1 || asked} searchOn={searchOn} />
    </div>
  );
}

type RowProps<T> = {
  row: T;
  id: string;
  index: number;
  columns: readonly Column<T>[];
  /** The columns' widths; none on a phone. */
  grid: string | undefined;
  height: number;
  measure: (element: HTMLElement | null) => void;
  /** Whether it is open beside the table. */
  current: boolean;
  /** Whether the keys are at it. */
  marked: boolean;
  /** Whether it is selected; undefined if none can be. */
  selected: boolean | undefined;
  tick: (id: string, range: boolean) => void;
  open: ((row: T) => void) | undefined;
};

/** Row is drawn again only when something of it changed, and not whenever the list is scrolled. */
const Row = memo(drawRow) as typeof drawRow;

function drawRow<T>({ row, id, index, columns, grid, height, measure, current, marked, selected, tick, open }: RowProps<T>): ReactNode {
  const box = selected !== undefined && <Tick label={`Select ${id}`} checked={selected} onChange={(_checked, range) => tick(id, range)} />;
  return (
    <div
      role="row"
      data-index={index}
      data-row={id}
      ref={measure}
      aria-rowindex={index + (grid === undefined ? 1 : 2)}
      aria-current={current || undefined}
      onClick={(event) => {
        if (!open || (event.target instanceof HTMLElement && event.target.closest("a, button, input, label"))) return;
        if (getSelection()?.toString()) return; // somebody selects text
        open(row);
      }}
      className={cx(
        "border-b border-line [contain:layout_style]",
        grid !== undefined && "grid items-center gap-x-4 px-4 py-1 sm:px-6",
        open && "cursor-pointer hover:bg-hover",
        (current || selected) && "bg-selected [--faint:var(--muted)] hover:bg-selected",
        marked && "shadow-[inset_2px_0_0_var(--accent)]",
      )}
      style={grid === undefined ? {} : { minHeight: height, gridTemplateColumns: grid }}
    >
      {grid === undefined ? <NarrowRow columns={columns} row={row} tick={box} /> : <WideRow columns={columns} row={row} tick={box} />}
    </div>
  );
}

function SortButton({ title, by, toggle }: { title: string; by: boolean; toggle: () => void }) {
  return (
    <button type="button" onClick={toggle} title={by ? "Newest first" : "Most first"} className={cx("inline-flex items-center gap-0.5 rounded-sm hover:text-text", by && "text-text")}>
      {title}
      {by ? <ArrowDown size={12} aria-hidden /> : <ChevronsUpDown size={12} className="text-faint" aria-hidden />}
    </button>
  );
}

type FootProps<T> = { list: Table<T>; waits: boolean; searching: boolean; searchOn: () => void };

/** Foot says what there is below the rows. Under a few rows that are all there is, it takes no room. */
function Foot<T>({ list: { rows, error, retry, more, loadingMore, loadMore, searchedTo }, waits, searching, searchOn }: FootProps<T>) {
  if (!error && !more && rows.length <= 8) return null;
  const back = searchedTo && (
    <>
      {" "}
      back to <Time at={searchedTo} as="both" />
    </>
  );
  return (
    <div className="flex min-h-12 flex-wrap items-center justify-center gap-x-3 gap-y-2 px-4 py-2 text-center text-sm text-muted" aria-live="polite">
      {error && rows.length > 0 ? (
        <Button size="sm" onClick={() => void (more ? loadMore : retry)?.()}>
          {more ? "More could not be loaded" : "The list is not up to date"}. Try again
        </Button>
      ) : loadingMore && searching ? (
        <span>Searched{back}…</span>
      ) : loadingMore ? (
        "Loading more…"
      ) : waits ? (
        <>
          <span>
            {rows.length === 0 ? "Nothing found" : "Searched"}
            {back}.
          </span>
          <Button size="sm" icon={Search} onClick={searchOn}>
            Search further
          </Button>
        </>
      ) : (
        !more && <span className="text-faint">That is all</span>
      )}
    </div>
  );
}

/** news says what a refresh would change; empty if there is nothing. */
function news<T>({ fresh = 0, gone = 0 }: Table<T>): string {
  return [fresh > 0 && `${fresh} new`, gone > 0 && `${gone} no longer listed`].filter(Boolean).join(", ");
}

/**
 * The count of what is new has room of its own above the header, also while there is none: over a row it would take the row's
 * clicks, and nothing moves when it comes. It stays in sight as one scrolls.
 */
function Fresh<T>({ list }: { list: Table<T> }) {
  if (!list.refresh) return null;
  const changed = news(list);
  if (!changed) return <div className="-mt-2 h-7" />;
  return (
    <div className="sticky top-0 z-20 -mt-2 flex h-7 items-center justify-center bg-bg">
      <button
        type="button"
        onClick={() => void list.refresh?.()}
        className="num inline-flex h-6 animate-rise items-center gap-1 rounded-full bg-accent-solid px-2.5 text-xs font-medium text-on-accent shadow-pop hover:bg-accent-hover"
      >
        <ArrowUp size={12} aria-hidden />
        {changed}
      </button>
    </div>
  );
}

/** Tick is the box that selects a row, or all of them. */
function Tick({ label, checked, mixed = false, onChange }: { label: string; checked: boolean; mixed?: boolean; onChange: (checked: boolean, range: boolean) => void }) {
  return (
    <label className="-m-2 inline-flex shrink-0 cursor-pointer p-2" onMouseDown={(event) => event.shiftKey && event.preventDefault() /* it would select text */}>
      <input
        type="checkbox"
        aria-label={label}
        checked={checked}
        ref={(input) => {
          if (input) input.indeterminate = mixed && !checked;
        }}
        onChange={(event) => onChange(event.target.checked, (event.nativeEvent as MouseEvent).shiftKey)}
        className="size-3.5 accent-[var(--accent-solid)]"
      />
    </label>
  );
}

function WideRow<T>({ columns, row, tick }: { columns: readonly Column<T>[]; row: T; tick: ReactNode }) {
  return (
    <>
      {tick && (
        <div role="cell" className="flex">
          {tick}
        </div>
      )}
      {columns.map((column) => (
        <div key={column.key} role="cell" className={cx("min-w-0", column.align === "right" ? "text-right" : "truncate")}>
          {column.cell(row)}
        </div>
      ))}
    </>
  );
}

function NarrowRow<T>({ columns, row, tick }: { columns: readonly Column<T>[]; row: T; tick: ReactNode }) {
  const at = (place: NonNullable<Column<T>["narrow"]>) => columns.filter((column) => (column.narrow ?? "line") === place);
  return (
    <div className="px-4 py-2.5">
      <div className="flex items-center justify-between gap-3">
        {tick && (
          <span role="cell" className="flex">
            {tick}
          </span>
        )}
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

function SkeletonRow<T>({ columns, grid, narrow, seed, height, select }: { columns: readonly Column<T>[]; grid: string; narrow: boolean; seed: number; height: number; select: boolean }) {
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
      {select && <Skeleton className="size-3.5" />}
      {columns.map((column, i) => (
        <span key={column.key} style={{ width: width(i) }} className={column.align === "right" ? "ml-auto" : ""}>
          <Skeleton className="h-3" />
        </span>
      ))}
    </div>
  );
}
