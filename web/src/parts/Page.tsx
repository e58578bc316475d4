import { ChevronRight } from "lucide-react";
import { Fragment, type ReactNode, useLayoutEffect } from "react";
import { Link } from "react-router";
import { cx, visible } from "@/lib/text";
import { useMedia } from "./Live";

/** PageHeader says where one is, in a sentence what there is to know, and offers the best action. */
export function PageHeader({
  title,
  heading,
  sentence,
  action,
  back,
  children,
}: {
  /** Of the document, and the heading unless there is one. */
  title: string;
  heading?: ReactNode;
  sentence?: ReactNode;
  action?: ReactNode;
  /** The pages above this one. */
  back?: readonly { to: string; label: string }[];
  children?: ReactNode;
}) {
  useTitle(title);
  return (
    <header className="px-4 pt-5 pb-4 sm:px-6">
      {back && (
        <nav aria-label="Above" className="mb-1.5 flex items-center gap-1 text-sm text-muted">
          {back.map(({ to, label }, i) => (
            <span key={to} className="flex min-w-0 items-center gap-1">
              {i > 0 && <ChevronRight size={13} className="shrink-0 text-faint" aria-hidden />}
              <Link to={to} className="truncate hover:text-text hover:underline">
                {label}
              </Link>
            </span>
          ))}
        </nav>
      )}
      <div className="flex flex-wrap items-start justify-between gap-x-6 gap-y-3">
        <div className="min-w-0 flex-1 basis-72">
          <h1 className="text-xl wrap-anywhere">{heading ?? title}</h1>
          {sentence && <div className="mt-1 max-w-3xl text-muted">{sentence}</div>}
        </div>
        {action && <div className="flex flex-wrap items-center gap-2 max-sm:[&>[data-look=primary]]:-order-1">{action}</div>}
      </div>
      {children}
    </header>
  );
}

/** Breakable shows a name such as card.payment_captured, which a narrow page breaks after a dot or an underscore, not inside a word. What is after it stays beside its last word. */
export function Breakable({ name, after }: { name: string; after?: ReactNode }) {
  const parts = name.split(/(?<=[._])/);
  const last = parts.pop();
  return (
    <span>
      {parts.map((part, i) => (
        <Fragment key={i}>
          {part}
          <wbr />
        </Fragment>
      ))}
      {after ? (
        <span className="whitespace-nowrap">
          {last} {after}
        </span>
      ) : (
        last
      )}
    </span>
  );
}

/** useTitle names the document, as soon as the page is shown. */
export function useTitle(title: string): void {
  useLayoutEffect(() => {
    document.title = `${visible(title)} · ${document.title.split(" · ").at(-1)}`;
  }, [title]);
}

/** Panel is a framed part of a page, with a heading. */
export function Panel({ title, aside, children, className, flush }: { title?: ReactNode; aside?: ReactNode; children: ReactNode; className?: string; flush?: boolean }) {
  return (
    <section className={cx("panel min-w-0", className)}>
      {title && (
        <div className="flex min-h-11 flex-wrap items-center justify-between gap-x-3 gap-y-1 border-b border-line px-4 py-2">
          <h2 className="text-sm font-semibold">{title}</h2>
          {aside}
        </div>
      )}
      <div className={flush ? "" : "p-4"}>{children}</div>
    </section>
  );
}

/** Pane scrolls by itself where the page is large, so that what is above it stays. On a phone the page scrolls as a whole. */
export function Pane({ children, className, label }: { children: ReactNode; className?: string; label?: string }) {
  const large = useMedia("(min-width: 820px)");
  const Element = label ? "aside" : "div";
  return (
    <Element aria-label={label} {...(large ? { "data-scroll": true, tabIndex: -1 } : {})} className={cx(large && "relative min-h-0 overflow-x-hidden overflow-y-auto outline-none", className)}>
      {children}
    </Element>
  );
}

/** Facts lists names and values side by side. */
export function Facts({ facts, className }: { facts: readonly (readonly [ReactNode, ReactNode] | false | null | undefined)[]; className?: string }) {
  return (
    <dl className={cx("grid grid-cols-[minmax(96px,max-content)_1fr] gap-x-6 gap-y-2", className)}>
      {facts.map((fact, i) =>
        fact ? (
          <div key={i} className="contents">
            <dt className="text-muted">{fact[0]}</dt>
            <dd className="min-w-0 wrap-anywhere">{fact[1]}</dd>
          </div>
        ) : null,
      )}
    </dl>
  );
}
