import { useState } from "react";
import { useAction } from "@/api/hooks";
import { prettyText, problem } from "@/lib/json";
import { Button } from "@/parts/Button";
import { CodeEditor } from "@/parts/Code";
import { Dialog } from "@/parts/Dialog";
import { Diff } from "@/parts/Diff";
import { Field, FormError } from "@/parts/Form";
import { Notice } from "@/parts/Status";
import { type Draft, type EventType, fetchType, save } from "./data";

const shown = ["name", "description", "group", "schema", "example"];

/** Edit changes a type, or makes one. If somebody else changed it meanwhile, it shows both and writes nothing. */
export function Edit({ type, close, saved }: { type: EventType | undefined; close: () => void; saved: (name: string) => void }) {
  const [name, setName] = useState(type?.name ?? "");
  const [base, setBase] = useState(type);
  const [draft, setDraft] = useState<Draft>(() => ({ description: type?.description ?? "", group: type?.group ?? "", archived: type?.archived ?? false, schema: prettyText(type?.schema ?? ""), example: prettyText(type?.example ?? "") }));
  const [theirs, setTheirs] = useState<EventType>();
  const change = (next: Partial<Draft>) => setDraft((old) => ({ ...old, ...next }));
  const faults = { schema: fault(draft.schema), example: fault(draft.example) };
  const submit = useAction(
    async () => {
      if (base) {
        const now = await fetchType(base.name);
        if (now.updated_at !== base.updated_at) {
          setTheirs(now);
          return false;
        }
      }
      await save(name.trim(), draft);
      return true;
    },
    {
      quiet: true,
      done: (written) => (written ? (type ? "Saved" : "Created") : "Nothing was saved: somebody else changed it"),
      changes: [["event-type", name.trim()], ["names", "event-types"], ["event-types"]],
      onDone: (written) => {
        if (written) saved(name.trim());
      },
    },
  );
  return (
    <Dialog
      open
      onClose={close}
      title={type ? `Edit ${type.name}` : "New event type"}
      sentence={type ? "Events that are stored stay as they are. New ones are checked against the new schema." : "Publishers can use it at once, and endpoints subscribe to it by its name or a prefix."}
      width="max-w-3xl"
      footer={
        <>
          <Button onClick={close}>Leave it</Button>
          <Button
            look="primary"
            busy={submit.isPending}
            disabled={!name.trim() || Boolean(faults.schema ?? faults.example) || theirs !== undefined}
            onClick={() => submit.mutate(undefined)}
          >
            {type ? "Save" : "Create"}
          </Button>
        </>
      }
    >
      <div className="space-y-4">
        {theirs && base && (
          <div className="space-y-2">
            <Notice
              tone="warn"
              action={
                <span className="flex gap-2">
                  <Button
                    size="sm"
                    onClick={() => {
                      setBase(theirs);
                      setDraft({ description: theirs.description, group: theirs.group, archived: theirs.archived, schema: prettyText(theirs.schema), example: prettyText(theirs.example) });
                      setTheirs(undefined);
                    }}
                  >
                    Take theirs
                  </Button>
                  <Button
                    size="sm"
                    onClick={() => {
                      setBase(theirs);
                      setTheirs(undefined);
                    }}
                  >
                    Keep mine
                  </Button>
                </span>
              }
            >
              Somebody else changed it while you edited. Below: theirs before, yours after.
            </Notice>
            <div className="panel">
              <Diff before={parts({ ...theirs, schema: prettyText(theirs.schema), example: prettyText(theirs.example) })} after={parts(draft)} />
            </div>
          </div>
        )}
        <div className="grid gap-4 sm:grid-cols-2">
          {!type && (
            <Field label="Name" name="name" error={submit.error} hint="Words joined by full stops, such as invoice.paid.">
              {(field) => <input {...field} className="field font-mono" value={name} autoComplete="off" spellCheck={false} onChange={(event) => setName(event.target.value)} />}
            </Field>
          )}
          <Field label="Group" name="group" error={submit.error} optional>
            {(field) => <input {...field} className="field" value={draft.group} onChange={(event) => change({ group: event.target.value })} />}
          </Field>
          <Field label="Description" name="description" error={submit.error} optional className={type ? "" : "sm:col-span-2"}>
            {(field) => <input {...field} className="field" value={draft.description} onChange={(event) => change({ description: event.target.value })} />}
          </Field>
        </div>
        <Field label="Schema" name="schema" error={submit.error} problem={faults.schema} optional hint="A JSON Schema (2020-12). Events whose data does not fit are refused.">
          {(field) => (
            <CodeEditor value={draft.schema} onChange={(schema) => change({ schema })} label="Schema" rows={12} invalid={field["aria-invalid"] ?? false} {...(field["aria-describedby"] ? { describedBy: field["aria-describedby"] } : {})} placeholder='{"type": "object"}' />
          )}
        </Field>
        <Field label="Example" name="example" error={submit.error} problem={faults.example} optional hint="The data that tests of endpoints deliver.">
          {(field) => (
            <CodeEditor value={draft.example} onChange={(example) => change({ example })} label="Example" rows={6} invalid={field["aria-invalid"] ?? false} {...(field["aria-describedby"] ? { describedBy: field["aria-describedby"] } : {})} placeholder='{"invoice": "in_1"}' />
          )}
        </Field>
        <FormError error={submit.error} fields={shown} />
      </div>
    </Dialog>
  );
}

const parts = ({ description, group, archived, schema, example }: Draft) => ({ description, group, archived: archived ? "yes" : "", schema, example });

function fault(text: string): string | undefined {
  if (!text.trim()) return undefined;
  const found = problem(text);
  return found && `line ${found.line}, column ${found.column}: ${found.message}`;
}
