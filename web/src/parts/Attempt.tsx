import { ChevronRight } from "lucide-react";
import { useMemo } from "react";
import type { Schemas } from "@/api/client";
import { bytes } from "@/lib/numbers";
import { problem } from "@/lib/json";
import { cx, sentence, visible } from "@/lib/text";
import { CodeBlock } from "./Code";
import { JsonView } from "./JsonView";
import { StatusBadge } from "./Status";
import { Time, Took } from "./Time";
import { Waterfall } from "./Waterfall";

type AttemptOf = Schemas["Attempt"] | Schemas["Probe"];

const triggers: Record<AttemptOf["trigger"], string> = { schedule: "", manual: "sent by hand", test: "test" };

/** Attempt shows one request and what came back, closed to a line until it is opened. */
export function Attempt({ attempt, open }: { attempt: AttemptOf; open?: boolean }) {
  return (
    <details open={open} className="group overflow-hidden rounded-lg border border-line">
      <summary className="flex list-none flex-wrap items-center gap-x-3 gap-y-1 px-3 py-2 select-none hover:bg-hover">
        <ChevronRight size={14} className="shrink-0 text-faint transition-transform group-open:rotate-90" aria-hidden />
        <span className="num text-muted">#{attempt.number}</span>
        <StatusBadge of="attempt" state={attempt.outcome} />
        {attempt.response && <span className="num rounded-sm bg-calm-soft px-1.5 text-[12.5px]">{attempt.response.status}</span>}
        {triggers[attempt.trigger] && <span className="text-xs text-muted">{triggers[attempt.trigger]}</span>}
        <span className="ml-auto flex items-center gap-3 text-sm text-muted">
          <Took ms={attempt.timings.total} />
          <Time at={attempt.started_at} />
        </span>
      </summary>
      <div className="border-t border-line p-3">
        <AttemptDetails attempt={attempt} />
      </div>
    </details>
  );
}

/** AttemptDetails shows the error in words, where the time went, and both messages. */
export function AttemptDetails({ attempt, className }: { attempt: AttemptOf; className?: string }) {
  const { request, response } = attempt;
  return (
    <div className={cx("space-y-4", className)}>
      {attempt.error && <p className="wrap-anywhere text-bad">{sentence(visible(attempt.error))}</p>}
      <Waterfall timings={attempt.timings} />
      {attempt.details_dropped && <p className="text-sm text-muted">Request and response of this attempt are not kept any more.</p>}
      {response && (
        <section className="space-y-2">
          <h4 className="label">
            Response <span className="num text-text">{response.status}</span>
          </h4>
          <Headers headers={response.headers} truncated={response.headers_truncated} />
          <Body text={response.body} encoding={response.encoding} truncated={response.truncated} {...(response.note ? { note: response.note } : {})} />
        </section>
      )}
      {request && (
        <section className="space-y-2">
          <h4 className="label">
            Request <span className="text-faint">{bytes(request.body_bytes)}</span>
          </h4>
          <p className="font-mono text-[12.5px] wrap-anywhere">
            {request.method} {visible(request.url)}
          </p>
          <Headers headers={request.headers} truncated={request.headers_truncated} />
        </section>
      )}
    </div>
  );
}

/** Headers lists the fields of a message. */
export function Headers({ headers, truncated }: { headers: Record<string, string>; truncated: boolean }) {
  const all = Object.entries(headers);
  if (all.length === 0) return null;
  return (
    <dl className="grid grid-cols-[minmax(90px,max-content)_1fr] gap-x-4 gap-y-0.5 rounded-md bg-sunk px-3 py-2 font-mono text-[12.5px]">
      {all.map(([name, value]) => (
        <div key={name} className="contents">
          <dt className="text-muted">{visible(name)}</dt>
          <dd className="min-w-0 wrap-anywhere">{visible(value)}</dd>
        </div>
      ))}
      {truncated && <dt className="col-span-2 text-faint">… and more, which was not kept</dt>}
    </dl>
  );
}

function Body({ text, encoding, truncated, note }: { text: string; encoding: "text" | "base64"; truncated: boolean; note?: string }) {
  const json = useMemo(() => encoding === "text" && /^\s*[[{]/.test(text) && (truncated || !problem(text)), [text, encoding, truncated]);
  if (note && !text) return <p className="text-sm text-muted">{sentence(visible(note))}</p>;
  if (!text) return <p className="text-sm text-muted">The body is empty.</p>;
  return (
    <>
      {json ? <JsonView text={text} title="Body" maxHeight={280} /> : <CodeBlock code={visible(text)} title={encoding === "base64" ? "Body, in base64" : "Body"} />}
      {truncated && <p className="text-xs text-muted">Only the beginning was kept.</p>}
    </>
  );
}
