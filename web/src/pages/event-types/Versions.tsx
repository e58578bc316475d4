import { ChevronDown, Pencil, Plus } from "lucide-react";
import { useState } from "react";
import type { Schemas } from "@/api/client";
import { useAction } from "@/api/hooks";
import { prettyText } from "@/lib/json";
import { exactNumber, plural } from "@/lib/numbers";
import { cx } from "@/lib/text";
import { Button } from "@/parts/Button";
import { CodeBlock, CodeEditor } from "@/parts/Code";
import { Dialog } from "@/parts/Dialog";
import { Field, FormError } from "@/parts/Form";
import { JsonView } from "@/parts/JsonView";
import { Panel } from "@/parts/Page";
import { useScope } from "@/parts/Scope";
import { Time } from "@/parts/Time";
import { addVersion, type EventType, type Older, putConverter, useReaders } from "./data";
import { fault } from "./Edit";

/** Versions lists the versions of a type's data, newest first, and adds one. */
export function Versions({ type }: { type: EventType }) {
  const { can } = useScope();
  const [adding, setAdding] = useState(false);
  const [changing, setChanging] = useState<Older>();
  const readers = useReaders(type);
  return (
    <Panel
      title="Versions"
      flush
      aside={
        can("operate") && (
          <Button size="sm" icon={Plus} onClick={() => setAdding(true)}>
            Add a version
          </Button>
        )
      }
    >
      <ul className="divide-y divide-line">
        <li className="flex min-h-11 flex-wrap items-center gap-x-3 px-4 py-2">
          <span className="font-medium">Version {type.version}</span>
          <span className="text-sm text-muted">
            Published<Since at={type.older.at(-1)?.until ?? (type.version === 1 ? type.created_at : null)} />. Its schema and example are those of this page.
          </span>
          <Readers of={readers?.get(type.version)} />
        </li>
        {type.older.toReversed().map((version) => (
          <Row key={version.version} version={version} readers={readers?.get(version.version)} {...(can("operate") ? { change: () => setChanging(version) } : {})} />
        ))}
      </ul>
      <p className="border-t border-line px-4 py-2.5 text-sm text-muted">
        {type.older.length > 0
          ? "Endpoints get the version that was the newest when they were created, until they are moved. Converters make it of what is published."
          : "A change that breaks receivers belongs in a new version: endpoints that exist keep what they have."}
      </p>
      {adding && <Add type={type} close={() => setAdding(false)} />}
      {changing && <Converter type={type} version={changing} close={() => setChanging(undefined)} />}
    </Panel>
  );
}

function Since({ at }: { at: string | null | undefined }) {
  if (!at) return null;
  return (
    <>
      {" "}
      since <Time at={at} />
    </>
  );
}

/** Readers says how many endpoints get a version. */
function Readers({ of: count }: { of: Schemas["VersionCount"] | undefined }) {
  if (!count) return null;
  const { endpoints, disabled } = count;
  return (
    <span className="text-sm text-muted">
      {endpoints === 0 ? "No endpoint gets it" : `${plural(endpoints, "endpoint gets", "endpoints get")} it`}
      {disabled > 0 && `, ${exactNumber(disabled)} of them disabled`}
    </span>
  );
}

/** Row is an older version, whose parts are shown when one asks. */
function Row({ version: it, readers, change }: { version: Older; readers: Schemas["VersionCount"] | undefined; change?: () => void }) {
  const [open, setOpen] = useState(false);
  return (
    <li>
      <div className="flex min-h-11 flex-wrap items-center gap-x-3 gap-y-1 px-4 py-2">
        <button type="button" aria-expanded={open} onClick={() => setOpen(!open)} className="flex min-w-0 flex-1 flex-wrap items-center gap-x-3 text-left">
          <span className="flex items-center gap-1.5 font-medium">
            Version {it.version}
            <ChevronDown size={14} className={cx("text-muted transition-transform", open && "rotate-180")} aria-hidden />
          </span>
          <span className="text-sm text-muted">
            made by a converter
            <Since at={it.until} />
          </span>
        </button>
        <Readers of={readers} />
        {change && (
          <Button size="sm" icon={Pencil} onClick={change}>
            Change the converter
          </Button>
        )}
      </div>
      {open && (
        <div className="space-y-3 px-4 pb-4">
          <CodeBlock code={it.converter} title={`Converter from version ${it.version + 1}`} className="[&_pre]:whitespace-pre-wrap [&_pre]:wrap-anywhere" />
          {it.schema && <JsonView text={it.schema} title={`Schema of version ${it.version}`} maxHeight={320} />}
          {it.example && <JsonView text={it.example} title={`Example of version ${it.version}`} maxHeight={240} />}
        </div>
      )}
    </li>
  );
}

const changesOf = (type: EventType) => [["event-type", type.name], ["names", "event-types"], ["event-types"], ["versions"]];

function Add({ type, close }: { type: EventType; close: () => void }) {
  const [draft, setDraft] = useState({ schema: prettyText(type.schema), example: prettyText(type.example), converter: "" });
  const change = (next: Partial<typeof draft>) => setDraft((old) => ({ ...old, ...next }));
  const submit = useAction(() => addVersion(type, draft), { quiet: true, done: (made) => `Version ${made.version} is published from now on`, changes: changesOf(type), onDone: close });
  const wrong = Boolean(fault(draft.schema) ?? fault(draft.example));
  return (
    <Dialog
      open
      onClose={close}
      title={`Add version ${type.version + 1} of ${type.name}`}
      sentence={`It is published from then on. Endpoints that exist get version ${type.version} of it, which the converter makes.`}
      width="max-w-3xl"
      footer={
        <>
          <Button onClick={close}>Leave it</Button>
          <Button look="primary" busy={submit.isPending} disabled={wrong || !draft.converter.trim()} onClick={() => submit.mutate(undefined)}>
            Add it
          </Button>
        </>
      }
    >
      <div className="space-y-4">
        <Json label="Schema" name="schema" rows={10} value={draft.schema} change={(schema) => change({ schema })} error={submit.error} hint={`Of version ${type.version + 1}. Events whose data does not fit are refused.`} />
        <Json label="Example" name="example" rows={5} value={draft.example} change={(example) => change({ example })} error={submit.error} hint="The converter is tried on it." />
        <Expression version={type.version} value={draft.converter} change={(converter) => change({ converter })} error={submit.error} />
        <FormError error={submit.error} fields={["schema", "example", "converter"]} />
      </div>
    </Dialog>
  );
}

type Wire = Parameters<typeof Field>[0]["error"];

function Json({ label, name, rows, value, change, error, hint }: { label: string; name: string; rows: number; value: string; change: (value: string) => void; error: Wire; hint: string }) {
  return (
    <Field label={label} name={name} {...(error ? { error } : {})} problem={fault(value)} optional hint={hint}>
      {(field) => <CodeEditor value={value} onChange={change} label={label} rows={rows} invalid={field["aria-invalid"] ?? false} {...(field["aria-describedby"] ? { describedBy: field["aria-describedby"] } : {})} />}
    </Field>
  );
}

function Expression({ version, value, change, error }: { version: number; value: string; change: (value: string) => void; error: Wire }) {
  return (
    <Field label="Converter" name="converter" {...(error ? { error } : {})} hint={`A CEL expression that makes data of version ${version} of data of version ${version + 1}, such as data.without(["new"]) or {"amount": data.total}.`}>
      {(field) => <textarea {...field} rows={3} spellCheck={false} className="field !h-auto font-mono" value={value} onChange={(event) => change(event.target.value)} />}
    </Field>
  );
}

function Converter({ type, version, close }: { type: EventType; version: Older; close: () => void }) {
  const [converter, setConverter] = useState(version.converter);
  const submit = useAction(() => putConverter(type, version.version, converter), { quiet: true, done: "Changed", changes: changesOf(type), onDone: close });
  return (
    <Dialog
      open
      onClose={close}
      title={`Change the converter to version ${version.version}`}
      sentence="Deliveries that are attempted from then on are made with it. It is tried on the example first."
      width="max-w-2xl"
      footer={
        <>
          <Button onClick={close}>Leave it</Button>
          <Button look="primary" busy={submit.isPending} disabled={!converter.trim() || converter === version.converter} onClick={() => submit.mutate(undefined)}>
            Change it
          </Button>
        </>
      }
    >
      <div className="space-y-4">
        <Expression version={version.version} value={converter} change={setConverter} error={submit.error} />
        <FormError error={submit.error} fields={["converter"]} />
      </div>
    </Dialog>
  );
}
