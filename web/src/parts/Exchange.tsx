import { ShieldCheck, TriangleAlert } from "lucide-react";
import { type ReactNode, useMemo, useState } from "react";
import { useRequestBody } from "@/api/body";
import type { Schemas } from "@/api/client";
import { problem } from "@/lib/json";
import { cx, sentence, visible } from "@/lib/text";
import { CodeBlock } from "./Code";
import { JsonView } from "./JsonView";
import { ErrorState, Skeleton } from "./States";
import { Timed } from "./Time";
import { Waterfall } from "./Waterfall";

type Attempt = Schemas["Attempt"] | Schemas["Probe"];

/** AttemptDetails shows what went wrong, where the time went, and both messages. */
export function AttemptDetails({ tenant, delivery, attempt }: { tenant: string; delivery: string; attempt: Attempt }) {
  return (
    <div className="space-y-4">
      {attempt.error && <p className="wrap-anywhere text-bad">{sentence(visible(attempt.error))}</p>}
      <Waterfall timings={attempt.timings} />
      <Exchange tenant={tenant} delivery={delivery} attempt={attempt} stacked />
    </div>
  );
}

/** Exchange shows what was sent and what came back: side by side where there is room, or stacked, what came back first. */
export function Exchange({ tenant, delivery, attempt, stacked }: { tenant: string; delivery: string; attempt: Attempt; stacked?: boolean }) {
  if (attempt.details_dropped) return <Dropped tenant={tenant} delivery={delivery} />;
  const request = <Request key="request" tenant={tenant} delivery={delivery} attempt={attempt} />;
  const response = <Response key="response" response={attempt.response} error={attempt.error} />;
  return <div className={cx("grid gap-4", !stacked && "xl:grid-cols-2")}>{stacked ? [response, request] : [request, response]}</div>;
}

/** Dropped says why an attempt has no messages: the event's data was erased, or the delivery had many attempts. */
function Dropped({ tenant, delivery }: { tenant: string; delivery: string }) {
  const body = useRequestBody(tenant, delivery);
  if (body.isPending) return <Skeleton className="w-2/3" />;
  if (body.error?.status === 404) return <p className="text-muted"><Timed text={`Request and response are no longer stored: ${body.error.detail}.`} /></p>;
  return <p className="text-muted">Request and response of this attempt are no longer stored: of a delivery with many attempts, only the first and the last keep them.</p>;
}

function Request({ tenant, delivery, attempt: { number, request } }: { tenant: string; delivery: string; attempt: Attempt }) {
  return (
    <Message title="Request" line={request && `${request.method} ${visible(request.url)}`}>
      {request ? (
        <>
          <HeaderList headers={request.headers} truncated={request.headers_truncated} />
          <RequestBody tenant={tenant} delivery={delivery} attempt={number} />
        </>
      ) : (
        <p className="text-muted">Nothing was sent.</p>
      )}
    </Message>
  );
}

/** RequestBody shows the body of a delivery's requests: of an attempt what it has sent, and otherwise what would be sent now. It says so if that is not known to be the same. */
export function RequestBody({ tenant, delivery, attempt, title = "Body" }: { tenant: string; delivery: string; attempt?: number; title?: string }) {
  const { data, error, isPending, refetch } = useRequestBody(tenant, delivery, attempt);
  if (isPending) return <Skeleton className="h-24" />;
  if (error?.status === 404) return <p className="text-muted"><Timed text={`The body cannot be shown: ${error.detail}.`} /></p>;
  if (!data) return <ErrorState error={error} what="The body could not be loaded" retry={refetch} />;
  return (
    <>
      <JsonView text={data.body} title={title} maxHeight={320} />
      {data.sent && <Sent version={data.version} sent={data.sent} />}
    </>
  );
}

/** Sent says whether the body is what was sent. */
function Sent({ version, sent: { same, reason, body_sha256: hash } }: { version: number; sent: NonNullable<Schemas["RequestBodyOf"]["sent"]> }) {
  if (same) {
    return (
      <p className="flex items-center gap-1.5 text-xs text-muted">
        <ShieldCheck size={13} className="text-good" aria-hidden /> Version {version} of the data, with the hash of what was sent.
      </p>
    );
  }
  return (
    <p className="flex gap-1.5 text-xs wrap-anywhere text-warn">
      <TriangleAlert size={13} className="mt-0.5 shrink-0" aria-hidden />
      <span>
        {hash ? "It is not what was sent" : "It may not be what was sent"}: <Timed text={`${visible(reason ?? "")}.`} />
      </span>
    </p>
  );
}

function Response({ response, error }: { response: Attempt["response"]; error: string }) {
  return (
    <Message title="Response" line={response ? `Status ${response.status}` : undefined} bad={response !== null && (response.status < 200 || response.status > 299)}>
      {response ? (
        <>
          <HeaderList headers={response.headers} truncated={response.headers_truncated} />
          {response.note && <p className="text-sm text-warn">{sentence(visible(response.note))}</p>}
          <ResponseBody text={response.body} base64={response.encoding === "base64"} truncated={response.truncated} />
        </>
      ) : (
        <p className="text-muted">There was no answer.{error && ` ${sentence(visible(error))}`}</p>
      )}
    </Message>
  );
}

function Message({ title, line, bad, children }: { title: string; line?: string | null | undefined; bad?: boolean; children: ReactNode }) {
  return (
    <section aria-label={title} className="min-w-0 space-y-2.5">
      <div className="flex items-baseline gap-3">
        <h4 className="text-sm font-semibold">{title}</h4>
        {line && <p className={cx("min-w-0 flex-1 truncate font-mono text-[12.5px]", bad ? "text-bad" : "text-muted")} title={line}>{line}</p>}
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
  const json = useMemo(() => !base64 && /^\s*[[{]/.test(text) && (truncated || problem(text) === undefined), [text, base64, truncated]);
  if (!text) return <p className="text-sm text-muted">The body is empty.</p>;
  return (
    <>
      {json ? <JsonView text={text} title="Body" maxHeight={320} /> : <CodeBlock code={visible(text)} title={base64 ? "Body, in base64" : "Body"} className="[&_pre]:max-h-80 [&_pre]:overflow-y-auto [&_pre]:whitespace-pre-wrap [&_pre]:wrap-anywhere" />}
      {truncated && <p className="text-xs text-muted">Only the first 4 KiB are stored.</p>}
    </>
  );
}
