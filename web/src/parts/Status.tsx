import {
  Activity,
  Ban,
  CircleCheck,
  CircleDashed,
  CircleHelp,
  CirclePause,
  CircleX,
  Clock,
  FilterX,
  FlaskConical,
  Hourglass,
  type LucideIcon,
  RotateCw,
  TriangleAlert,
  Zap,
} from "lucide-react";
import type { Schemas } from "@/api/client";
import { cx, visible } from "@/lib/text";
import { useTimed } from "./Time";

export type Tone = "good" | "warn" | "bad" | "busy" | "calm";

const tones: Record<Tone, string> = {
  good: "text-good",
  warn: "text-warn",
  bad: "text-bad",
  busy: "text-accent",
  calm: "text-muted",
};

const soft: Record<Tone, string> = {
  good: "bg-good-soft",
  warn: "bg-warn-soft",
  bad: "bg-bad-soft",
  busy: "bg-accent-soft",
  calm: "bg-calm-soft",
};

type Look = { tone: Tone; icon: LucideIcon; word: string };

const look = (tone: Tone, icon: LucideIcon, word: string): Look => ({ tone, icon, word });

/** Every state that the API knows, by what it is of. */
const looks = {
  delivery: {
    pending: look("calm", Clock, "Pending"),
    retrying: look("warn", RotateCw, "Retrying"),
    succeeded: look("good", CircleCheck, "Succeeded"),
    exhausted: look("bad", CircleX, "Exhausted"),
    canceled: look("calm", Ban, "Canceled"),
  } satisfies Record<Schemas["Delivery"]["status"], Look>,
  request: {
    requested: look("busy", RotateCw, "Retry requested"),
  },
  endpoint: {
    enabled: look("good", CircleCheck, "Enabled"),
    paused: look("warn", CirclePause, "Paused"),
    disabled: look("calm", Ban, "Disabled"),
  } satisfies Record<Schemas["EndpointWithHealth"]["status"], Look>,
  health: {
    healthy: look("good", CircleCheck, "Healthy"),
    failing: look("bad", TriangleAlert, "Failing"),
    recovering: look("busy", Activity, "Recovering"),
    idle: look("calm", CircleDashed, "Idle"),
  } satisfies Record<Schemas["Health"]["state"], Look>,
  job: {
    running: look("busy", RotateCw, "Running"),
    paused: look("warn", CirclePause, "Paused"),
    done: look("good", CircleCheck, "Done"),
    canceled: look("calm", Ban, "Canceled"),
    failed: look("bad", CircleX, "Failed"),
  } satisfies Record<Schemas["Job"]["state"], Look>,
  attempt: {
    ok: look("good", CircleCheck, "Acknowledged"),
    status: look("bad", CircleX, "Refused by status"),
    blocked: look("bad", Ban, "Blocked address"),
    dns: look("bad", CircleX, "DNS failed"),
    connect: look("bad", CircleX, "No connection"),
    tls: look("bad", CircleX, "TLS failed"),
    timeout: look("bad", Hourglass, "Timed out"),
    reset: look("bad", Zap, "Connection reset"),
    protocol: look("bad", CircleX, "Invalid HTTP"),
  } satisfies Record<Schemas["Attempt"]["outcome"], Look>,
  explanation: {
    delivered: look("good", CircleCheck, "Delivered"),
    pending: look("calm", Clock, "Pending"),
    retrying: look("warn", RotateCw, "Retrying"),
    exhausted: look("bad", CircleX, "Exhausted"),
    canceled: look("calm", Ban, "Canceled"),
    paused: look("warn", CirclePause, "Paused"),
    not_subscribed: look("calm", CircleDashed, "Not subscribed"),
    filtered: look("calm", FilterX, "Filtered out"),
    disabled: look("calm", Ban, "Was disabled"),
    created_later: look("calm", Clock, "Created later"),
    deleted: look("calm", Ban, "Deleted"),
    unknown: look("calm", CircleHelp, "Unknown"),
  } satisfies Record<Schemas["Explanation"]["outcome"], Look>,
  tenant: {
    active: look("good", CircleCheck, "Active"),
    paused: look("warn", CirclePause, "Paused"),
  } satisfies Record<Schemas["Tenant"]["status"], Look>,
  givenUp: {
    disabled: look("bad", CircleX, "Disabled"),
  },
  finding: {
    ok: look("good", CircleCheck, "OK"),
    note: look("calm", CircleHelp, "Note"),
    warning: look("warn", TriangleAlert, "Warning"),
    problem: look("bad", CircleX, "Problem"),
  } satisfies Record<Schemas["Finding"]["level"], Look>,
  node: {
    alive: look("good", CircleCheck, "Alive"),
    leaving: look("warn", Hourglass, "Leaving"),
    dead: look("bad", CircleX, "Dead"),
  },
} as const;

export type StatusKind = keyof typeof looks;

/** statusLook returns icon, word and colour of a state. A state that this build does not know yet keeps its name. */
export function statusLook(of: StatusKind, state: string): Look {
  const known = looks[of] as Record<string, Look>;
  return known[state] ?? look("calm", CircleHelp, state);
}

/** StatusBadge shows a state as an icon, a word and a colour. With soft it has a coloured ground, as in a page's header. */
export function StatusBadge({ of, state, soft: filled, title, className }: { of: StatusKind; state: string; soft?: boolean; title?: string; className?: string }) {
  const { tone, icon: Icon, word } = statusLook(of, state);
  return (
    <span
      title={title}
      className={cx(
        "inline-flex items-center gap-1.5 font-medium whitespace-nowrap",
        tones[tone],
        filled && `${soft[tone]} h-6 rounded-full px-2.5 text-sm`,
        className,
      )}
    >
      <Icon size={14} className="shrink-0" aria-hidden />
      {word}
    </span>
  );
}

/** DeliveryStatus shows the state of a delivery, and beside it that a retry was requested, which changes the state when it ends. */
export function DeliveryStatus({ delivery, soft: filled }: { delivery: Schemas["Delivery"]; soft?: boolean }) {
  const status = <StatusBadge of="delivery" state={delivery.status} {...(filled ? { soft: filled } : {})} />;
  if (!delivery.retry_requested) return status;
  const requested = "Retry requested";
  return (
    <span className="inline-flex items-center gap-1.5">
      {status}
      {filled ? (
        <StatusBadge of="request" state="requested" soft />
      ) : (
        <span className="inline-flex text-accent" title={requested}>
          <RotateCw size={13} role="img" aria-label={requested} />
        </span>
      )}
    </span>
  );
}

/** TestMark marks what a test of an endpoint has made: it was not published. */
export function TestMark() {
  return (
    <span className="inline-flex h-5 shrink-0 items-center gap-1 rounded-full bg-calm-soft px-2 text-xs font-medium text-muted" title="Made by testing an endpoint, not published">
      <FlaskConical size={11} aria-hidden /> Test
    </span>
  );
}

/** givenUp reports whether an endpoint is disabled and fails, as one does that Bellwire has disabled. */
export function givenUp({ status, health }: Pick<Schemas["EndpointWithHealth"], "status" | "health">): boolean {
  return status === "disabled" && health.state === "failing";
}

/** EndpointStatus shows the one state of an endpoint that matters: that it is paused or disabled, or else its health. */
export function EndpointStatus({ endpoint, soft: filled }: { endpoint: Schemas["EndpointWithHealth"]; soft?: boolean }) {
  const timed = useTimed();
  if (endpoint.status !== "enabled") {
    return <StatusBadge of={givenUp(endpoint) ? "givenUp" : "endpoint"} state={endpoint.status} {...(filled ? { soft: filled } : {})} title={timed(visible(endpoint.status_reason))} />;
  }
  return <StatusBadge of="health" state={endpoint.health.state} {...(filled ? { soft: filled } : {})} title={timed(visible(endpoint.health.reason))} />;
}

/** Notice says a sentence about a state, with what to do about it. */
export function Notice({ tone, icon: Icon, children, action }: { tone: Tone; icon?: LucideIcon; children: React.ReactNode; action?: React.ReactNode }) {
  return (
    <div className={cx("flex flex-wrap items-center gap-x-3 gap-y-2 rounded-lg px-3 py-2.5", soft[tone])}>
      {Icon && <Icon size={16} className={cx("shrink-0", tones[tone])} aria-hidden />}
      <div className="min-w-48 flex-1 wrap-anywhere">{children}</div>
      {action}
    </div>
  );
}
