import { type ReactNode, useMemo, useState } from "react";
import { problem } from "@/lib/json";
import { bytes } from "@/lib/numbers";
import { cx, sentence, visible } from "@/lib/text";
import { CodeBlock } from "@/parts/Code";
import { JsonView } from "@/parts/JsonView";
import { Skeleton } from "@/parts/States";
import { type Attempt, bodyOf, dialectOf, type Endpoint, usePayload } from "./data";

/** Exchange shows what was sent and what came back, side by side where there is room. */
export function Exchange({ tenant, event, endpoint, attempt, stacked }: { tenant: string; event: string; endpoint: Endpoint | undefined; attempt: Attempt; stacked?: boolean }) {
  const payload = usePayload(tenant, attempt.request ? event : undefined);
  const { request, response } = attempt;
  const dialect = dialectOf(endpoint, attempt);
  const body = useMemo(() => bodyOf(payload.data, dialect, attempt), [payload.data, dialect, attempt]);
  if (attempt.details_dropped) {
    return <p className="text-muted">Request and response of this attempt are no longer stored: of a delivery with many attempts, only the first and the last keep them.</p>;
  }
  return (
    <div className={cx("grid gap-4", !stacked && "xl:grid-cols-2")}>
      <Message title="Request" line={request && `${request.method} ${visible(request.url)}`} aside={request && bytes(request.body_bytes)}>
        {!request ? (
          <p className="text-muted">Nothing was sent.</p>
        ) : (
          <>
            <HeaderList headers={request.headers} truncated={request.headers_truncated} />
            {payload.isPending ? (
              <Skeleton className="h-24" />
            ) : payload.data?.erased ? (
              <p className="text-muted">The body cannot be shown: the event's data was erased.</p>
            ) : body !== undefined ? (
              <JsonView text={body} title="Body" maxHeight={320} />
            ) : payload.data ? (
              <>
                <JsonView text={payload.data.data} title="Data of the event" maxHeight={320} />
                <p className="text-xs text-muted">The body is formed from this data as {dialect ? `the dialect ${dialect}` : "the endpoint's dialect"} wants it.</p>
              </>
            ) : (
              <p className="text-muted">The event of this delivery could not be loaded: {payload.error?.detail}.</p>
            )}
          </>
        )}
      </Message>
      <Message
        title="Response"
        line={response ? `Status ${response.status}` : undefined}
        bad={response !== null && (response.status < 200 || response.status > 299)}
      >
        {!response ? (
          <p className="text-muted">There was no answer.{attempt.error && ` ${sentence(visible(attempt.error))}`}</p>
        ) : (
          <>
            <HeaderList headers={response.headers} truncated={response.headers_truncated} />
            {response.note && <p className="text-sm text-warn">{sentence(visible(response.note))}</p>}
            <ResponseBody text={response.body} base64={response.encoding === "base64"} truncated={response.truncated} />
          </>
        )}
      </Message>
    </div>
  );
}

function Message({ title, line, aside, bad, children }: { title: string; line?: string | null | undefined; aside?: ReactNode; bad?: boolean; children: ReactNode }) {
  return (
    <section aria-label={title} className="min-w-0 space-y-2.5">
      <div className="flex items-baseline gap-3">
        <h4 className="text-sm font-semibold">{title}</h4>
        {line && <p className={cx("min-w-0 flex-1 truncate font-mono text-[12.5px]", bad ? "text-bad" : "text-muted")} title={line}>{line}</p>}
        {aside && <span className="num text-xs text-faint">{aside}</span>}
      </div>
      {children}
    </section>
  );
}

/** How many headers are shown before one asks for the rest. */
const few = 6;

function HeaderList({ headers, truncated }: { headers: Record<string, string>; truncated: boolean }) {
  const [open, setOpen] = useState(false);
  const all = Object.entries(headers);
  if (all.length === 0) return <p className="text-sm text-muted">No headers.</p>;
  const shown = open ? all : all.slice(0, few);
  return (
    <div className="rounded-lg border border-line bg-panel">
      <dl className="grid grid-cols-[minmax(90px,max-content)_1fr] gap-x-4 gap-y-1 px-3 py-2 font-mono text-[12.5px] leading-5">
        {shown.map(([name, value]) => (
          <div key={name} className="contents">
            <dt className="text-muted">{visible(name)}</dt>
            <dd className="min-w-0 wrap-anywhere">{visible(value)}</dd>
          </div>
        ))}
      </dl>
      {all.length > few && (
        <button type="button" onClick={() => setOpen(!open)} className="w-full border-t border-line px-3 py-1 text-left text-xs text-muted hover:text-text">
          {open ? "Show fewer" : `Show ${all.length - few} more`}
        </button>
      )}
      {truncated && <p className="border-t border-line px-3 py-1 text-xs text-muted">There were more headers, which are not stored.</p>}
    </div>
  );
}

function ResponseBody({ text, base64, truncated }: { text: string; base64: boolean; truncated: boolean }) {
  const json = useMemo(() => !base64 && /^\s*[[{]/.test(text) && problem(text) === undefined, [text, base64]);
  if (!text) return <p className="text-sm text-muted">The body is empty.</p>;
  return (
    <>
      {json ? <JsonView text={text} title="Body" maxHeight={320} /> : <CodeBlock code={visible(text)} title={base64 ? "Body, in base64" : "Body"} className="[&_pre]:max-h-80 [&_pre]:overflow-y-auto [&_pre]:whitespace-pre-wrap [&_pre]:wrap-anywhere" />}
      {truncated && <p className="text-xs text-muted">Only the first 4 KiB are stored.</p>}
    </>
  );
}
