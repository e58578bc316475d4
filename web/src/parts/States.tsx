import { CircleAlert, RotateCw } from "lucide-react";
import type { LucideIcon } from "lucide-react";
import { Component, type ReactNode } from "react";
import { asError } from "@/api/problem";
import { cx, sentence } from "@/lib/text";
import { Button } from "./Button";
import { CodeBlock } from "./Code";
import { embedded, tell } from "./host";
import { words } from "./Toast";

/** Skeleton stands where a text will be. */
export function Skeleton({ className }: { className?: string }) {
  return <span aria-hidden className={cx("skeleton block h-3.5", className)} />;
}

/** ErrorState says what failed, in the API's words, and tries it again. */
export function ErrorState({ error: thrown, what, retry }: { error: unknown; what: string; retry?: () => unknown }) {
  const error = asError(thrown);
  return (
    <div role="alert" className="flex flex-col items-center px-6 py-12 text-center">
      <CircleAlert size={20} className="text-bad" aria-hidden />
      <p className="mt-3 font-medium">{what}</p>
      <p className="mt-1 max-w-xl wrap-anywhere text-muted">{words(error)}</p>
      {error.requestId && <p className="mt-1 font-mono text-xs wrap-anywhere text-faint">Request {error.requestId}</p>}
      {retry && (
        <Button className="mt-4" icon={RotateCw} onClick={() => void retry()}>
          Try again
        </Button>
      )}
    </div>
  );
}

/** EmptyState says why there is nothing, and what to do next: an action, or a command to copy. */
export function EmptyState({ icon: Icon, title, children, action, command }: { icon?: LucideIcon; title: string; children?: ReactNode; action?: ReactNode; command?: string }) {
  return (
    <div className="flex flex-col items-center px-6 py-14 text-center">
      {Icon && (
        <span className="mb-3 inline-flex size-10 items-center justify-center rounded-lg border border-line bg-sunk text-muted">
          <Icon size={18} aria-hidden />
        </span>
      )}
      <p className="font-medium">{title}</p>
      {children && <div className="mt-1 max-w-lg text-muted">{children}</div>}
      {action && <div className="mt-4">{action}</div>}
      {command && (
        <div className="mt-4 w-full max-w-2xl text-left">
          <CodeBlock code={command} />
        </div>
      )}
    </div>
  );
}

/** again loads the page again. A frame cannot: its session would be over, so its page is asked for another one. */
function again(): void {
  if (embedded) tell({ bellwire: "session-ended" });
  else location.reload();
}

/**
 * Boundary shows an error of a page's code where the page would be. If a part of the application still cannot be loaded
 * after a few attempts, the server was mostly upgraded while this tab was open: the page has to be loaded again, once.
 */
export class Boundary extends Component<{ children: ReactNode; place: string }, { error?: unknown; place: string }> {
  override state: { error?: unknown; place: string } = { place: this.props.place };

  static getDerivedStateFromError(error: unknown) {
    return { error };
  }

  static getDerivedStateFromProps(props: { place: string }, state: { place: string }) {
    return props.place === state.place ? null : { place: props.place, error: undefined };
  }

  override render() {
    const { error } = this.state;
    if (error === undefined) return this.props.children;
    const message = error instanceof Error ? error.message : String(error);
    const missing = /dynamically imported module|Importing a module|Unable to preload/i.test(message);
    return (
      <div role="alert" className="flex flex-col items-center px-6 py-16 text-center">
        <CircleAlert size={20} className="text-bad" aria-hidden />
        <p className="mt-3 font-medium">{missing ? "This page could not be loaded" : "This page failed"}</p>
        <p className="mt-1 max-w-xl wrap-anywhere text-muted">
          {missing ? "The server has another version now, or cannot be reached. Load the page again to go on." : sentence(message)}
        </p>
        <Button className="mt-4" look="primary" icon={RotateCw} onClick={again}>
          Load the page again
        </Button>
      </div>
    );
  }
}
