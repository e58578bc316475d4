import { Check, Copy as CopyIcon } from "lucide-react";
import { useEffect, useState } from "react";
import { Link } from "react-router";
import { cx, middle } from "@/lib/text";
import { useToast } from "./Toast";

/** useCopy returns whether a text was just copied, and what copies it. */
export function useCopy(): [boolean, (text: string) => void] {
  const [copied, setCopied] = useState(false);
  const toast = useToast();
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 1500);
    return () => clearTimeout(timer);
  }, [copied]);
  return [
    copied,
    (text) => {
      copy(text).then(
        () => setCopied(true),
        (error: unknown) => toast.failed(error, "The browser did not allow to copy"),
      );
    },
  ];
}

async function copy(text: string): Promise<void> {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text);
    return;
  }
  // Pages without TLS have no clipboard interface.
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "fixed -top-full";
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (!done) throw new Error("select the text and copy it by hand");
}

/** CopyButton copies a text by one click. */
export function CopyButton({ text, label = "Copy", className }: { text: string | (() => string); label?: string; className?: string }) {
  const [copied, start] = useCopy();
  const Icon = copied ? Check : CopyIcon;
  return (
    <button
      type="button"
      aria-label={label}
      title={copied ? "Copied" : label}
      onClick={(event) => {
        event.stopPropagation();
        event.preventDefault();
        start(typeof text === "string" ? text : text());
      }}
      className={cx("inline-flex size-6 shrink-0 items-center justify-center rounded-sm text-faint transition-colors hover:bg-hover hover:text-text", className)}
    >
      <Icon size={13} className={copied ? "text-good" : ""} aria-hidden />
      <span className="sr-only" aria-live="polite">
        {copied ? "Copied" : ""}
      </span>
    </button>
  );
}

/** Id shows an id with its middle left out. One click copies it, or follows it where it leads to a page. */
export function Id({ value, to, full, className }: { value: string; to?: string; full?: boolean; className?: string }) {
  const [copied, start] = useCopy();
  const shown = full ? value : middle(value);
  const look = "font-mono text-[12.5px] leading-5 wrap-anywhere";
  if (to) {
    return (
      <span className={cx("group/id inline-flex min-w-0 items-center", className)}>
        <Link to={to} title={value} className={cx(look, "hover:text-accent hover:underline")}>
          {shown}
        </Link>
        <CopyButton text={value} label={`Copy ${value}`} className="opacity-0 group-hover/id:opacity-100 focus-visible:opacity-100" />
      </span>
    );
  }
  return (
    <button
      type="button"
      title={copied ? "Copied" : `${value} (click to copy)`}
      onClick={(event) => {
        event.stopPropagation();
        event.preventDefault();
        start(value);
      }}
      className={cx("group/id inline-flex min-w-0 items-center gap-1 rounded-sm text-left hover:text-accent", look, className)}
    >
      {shown}
      {copied ? (
        <Check size={12} className="shrink-0 text-good" aria-label="Copied" />
      ) : (
        <CopyIcon size={12} className="shrink-0 opacity-0 group-hover/id:opacity-60" aria-hidden />
      )}
    </button>
  );
}
