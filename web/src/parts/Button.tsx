import type { LucideIcon } from "lucide-react";
import { LoaderCircle } from "lucide-react";
import type { ComponentProps, ReactNode } from "react";
import { Link } from "react-router";
import { cx } from "@/lib/text";

type Look = "primary" | "plain" | "quiet" | "danger";

const base =
  "inline-flex shrink-0 select-none items-center justify-center gap-1.5 whitespace-nowrap rounded-md font-medium transition-colors disabled:cursor-not-allowed disabled:opacity-50 aria-disabled:opacity-50";

const looks: Record<Look, string> = {
  primary: "bg-accent-solid text-on-accent hover:bg-accent-hover",
  plain: "border border-line-strong bg-panel hover:bg-hover",
  quiet: "text-muted hover:bg-hover hover:text-text",
  danger: "bg-bad-solid text-on-accent hover:bg-bad-hover",
};

const sizes = { sm: "h-7 px-2.5 text-sm", md: "h-8 px-3" };

type Own = { look?: Look; size?: keyof typeof sizes; icon?: LucideIcon; children?: ReactNode };

/** Button runs an action. With busy, it stays where it is and cannot be pressed twice. */
export function Button({ look = "plain", size = "md", icon: Icon, busy, children, className, ...rest }: Own & { busy?: boolean } & ComponentProps<"button">) {
  return (
    <button type="button" data-look={look} {...rest} disabled={rest.disabled || busy} aria-busy={busy || undefined} className={cx(base, looks[look], sizes[size], className)}>
      {busy ? <LoaderCircle size={14} className="animate-spin" aria-hidden /> : Icon && <Icon size={14} aria-hidden />}
      {children}
    </button>
  );
}

/** ButtonLink leads to another page. */
export function ButtonLink({ look = "plain", size = "md", icon: Icon, children, className, ...rest }: Own & ComponentProps<typeof Link>) {
  return (
    <Link data-look={look} {...rest} className={cx(base, looks[look], sizes[size], className)}>
      {Icon && <Icon size={14} aria-hidden />}
      {children}
    </Link>
  );
}

/** IconButton has a name for those who do not see its icon. */
export function IconButton({ label, icon: Icon, pressed, className, ...rest }: { label: string; icon: LucideIcon; pressed?: boolean } & ComponentProps<"button">) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      aria-pressed={pressed}
      {...rest}
      className={cx(
        "inline-flex size-7 shrink-0 items-center justify-center rounded-md transition-colors hover:bg-hover hover:text-text disabled:opacity-50",
        pressed ? "bg-accent-soft text-accent" : "text-muted",
        className,
      )}
    >
      <Icon size={15} aria-hidden />
    </button>
  );
}
