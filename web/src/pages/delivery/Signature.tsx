import { CircleAlert, CircleCheck, KeyRound, ShieldCheck } from "lucide-react";
import { type FormEvent, useState } from "react";
import { api, call } from "@/api/client";
import { useAction } from "@/api/hooks";
import { available, diagnose, expected, type Finding, schemes, unsigned } from "@/lib/signature";
import { Button } from "@/parts/Button";
import { CopyButton } from "@/parts/Copy";
import { Field } from "@/parts/Form";
import { useScope } from "@/parts/Scope";
import { Notice } from "@/parts/Status";
import { CodeEditor } from "@/parts/Code";
import type { Attempt } from "./data";

/** The headers that are part of a signature, by dialect. */
const asked: Record<string, readonly string[]> = {
  standard: ["webhook-id", "webhook-timestamp", "webhook-signature"],
  atelio: ["bond-signature"],
  lemon: ["lmg-signature"],
};

/**
 * Signature explains what is signed, and checks in the browser what somebody's code has: a secret, headers and a body.
 * Nothing of it is sent.
 */
export function Signature({ tenant, endpoint, dialect, attempt, body }: { tenant: string; endpoint: string; dialect: string; attempt: Attempt | undefined; body: string | undefined }) {
  const scheme = schemes[dialect];
  if (!scheme) {
    return <p className="max-w-3xl text-muted">{unsigned[dialect] ?? "It is not known how deliveries to this endpoint are signed."}</p>;
  }
  return (
    <div className="space-y-4">
      <dl className="grid max-w-4xl grid-cols-[max-content_1fr] gap-x-5 gap-y-1.5">
        <dt className="text-muted">Header</dt>
        <dd className="font-mono text-[12.5px] leading-5">{scheme.header}</dd>
        <dt className="text-muted">Signed</dt>
        <dd>{scheme.signed}</dd>
        <dt className="text-muted">Key</dt>
        <dd>{scheme.key}</dd>
        <dt className="text-muted">Form</dt>
        <dd>{scheme.form}</dd>
      </dl>
      {available() ? (
        <Check tenant={tenant} endpoint={endpoint} dialect={dialect} attempt={attempt} sent={body} />
      ) : (
        <Notice tone="calm" icon={CircleAlert}>
          This browser computes signatures on pages with https only. Open this page by https, or on the machine of the server, to check one.
        </Notice>
      )}
    </div>
  );
}

function Check({ tenant, endpoint, dialect, attempt, sent }: { tenant: string; endpoint: string; dialect: string; attempt: Attempt | undefined; sent: string | undefined }) {
  const { can } = useScope();
  const names = asked[dialect] ?? [];
  const [typed, setTyped] = useState<Record<string, string>>({}); // stays when another attempt is shown
  const headers = Object.fromEntries(names.map((name) => [name, typed[name] ?? attempt?.request?.headers[name] ?? ""]));
  const [secret, setSecret] = useState("");
  const [body, setBody] = useState<string>();
  const [result, setResult] = useState<{ of: string | undefined; findings: Finding[]; right: string | undefined }>();
  const { findings, right } = result && result.of === attempt?.id ? result : {};
  const shown = body ?? sent ?? "";
  const read = useAction(() => call(api.GET("/api/v1/tenants/{tenant}/endpoints/{id}/secret", { params: { path: { tenant, id: endpoint } } })), {
    failed: "The secret was not read",
    onDone: (secrets) => setSecret(secrets.secret ?? secrets.public_key ?? ""),
  });
  const check = async (event: FormEvent) => {
    event.preventDefault();
    const given = { dialect, secret, headers, body: shown, bodyBytes: attempt?.request?.body_bytes, now: Date.now() };
    setResult({ of: attempt?.id, findings: await diagnose(given), right: await expected(given) });
  };
  const change = (then: () => void) => {
    setResult(undefined);
    then();
  };
  return (
    <form onSubmit={(event) => void check(event)} className="space-y-3">
      <div className="grid gap-x-5 gap-y-3 lg:grid-cols-2">
        <div className="space-y-3">
          <Field label="Secret" hint={dialect === "standard" ? "whsec_… for hmac, whpk_… for ed25519. It stays in this page." : "It stays in this page."}>
            {(field) => (
              <div className="flex gap-2">
                <input {...field} className="field font-mono text-[12.5px]" value={secret} autoComplete="off" spellCheck={false} onChange={(event) => change(() => setSecret(event.target.value))} />
                {can("view_secret") && (
                  <Button icon={KeyRound} busy={read.isPending} onClick={() => read.mutate(undefined)} title="Reading a secret is recorded">
                    Use this endpoint's
                  </Button>
                )}
              </div>
            )}
          </Field>
          {names.map((name) => (
            <Field key={name} label={<span className="font-mono text-[12.5px]">{name}</span>} {...(name === names.at(-1) ? { hint: "As it was sent, or what your own code computes." } : {})}>
              {(field) => (
                <input
                  {...field}
                  className="field font-mono text-[12.5px]"
                  value={headers[name] ?? ""}
                  autoComplete="off"
                  spellCheck={false}
                  onChange={(event) => change(() => setTyped({ ...typed, [name]: event.target.value }))}
                />
              )}
            </Field>
          ))}
        </div>
        <Field label="Body that your code has" hint={sent === undefined ? "Paste the bytes that arrived, before anything parses them." : "Filled in as it was sent. Paste what your code has instead."}>
          {(field) => (
            <div id={field.id}>
              <CodeEditor value={shown} onChange={(value) => change(() => setBody(value))} label="Body that your code has" rows={dialect === "standard" ? 11 : 6} />
            </div>
          )}
        </Field>
      </div>
      <Button type="submit" look="primary" icon={ShieldCheck} disabled={!secret.trim()}>
        Check in this browser
      </Button>
      <div aria-live="polite" className="space-y-2">
        {findings?.map((finding) => (
          <Notice key={finding.title} tone={finding.ok ? (finding === findings[0] ? "good" : "calm") : "bad"} icon={finding.ok ? CircleCheck : CircleAlert}>
            <span className="font-medium">{finding.title}.</span> {finding.detail}
          </Notice>
        ))}
        {findings && right && !findings[0]?.ok && (
          <p className="flex flex-wrap items-center gap-2 text-sm">
            <span className="text-muted">This secret, body and headers give</span>
            <code className="font-mono text-[12.5px] wrap-anywhere">{right}</code>
            <CopyButton text={right} label="Copy the signature" />
          </p>
        )}
      </div>
    </form>
  );
}
