import { type ReactNode, useState } from "react";
import { ApiError } from "@/api/client";
import { useEdit } from "@/api/edit";
import { useAction } from "@/api/hooks";
import { prettyText, problem } from "@/lib/json";
import { Button } from "@/parts/Button";
import { CodeEditor } from "@/parts/Code";
import { Conflict } from "@/parts/Conflict";
import { Dialog } from "@/parts/Dialog";
import { Field, FormError } from "@/parts/Form";
import { type Draft, type EventType, fetchType, save } from "./data";

const shown = ["name", "description", "group", "schema", "example"];

const draftOf = ({ description, group, archived, schema, example }: EventType): Draft => ({ description, group, archived, schema: prettyText(schema), example: prettyText(example) });

/** Make adds a type to the catalogue. It does not write over one that is there. */
export function Make({ close, made }: { close: () => void; made: (name: string) => void }) {
  const [typed, setName] = useState("");
  const [draft, setDraft] = useState<Draft>({ description: "", group: "", archived: false, schema: "", example: "" });
  const [taken, setTaken] = useState("");
  const name = typed.trim();
  const submit = useAction(
    async () => {
      const there = await exists(name);
      setTaken(there ? name : "");
      if (!there) await save(name, draft);
      return !there;
    },
    { quiet: true, done: (written) => (written ? "Created" : undefined), changes: [["event-type", name], ["names", "event-types"], ["event-types"]], onDone: (written) => written && made(name) },
  );
  return (
    <Dialog
      open
      onClose={close}
      title="New event type"
      sentence="Publishers can use it at once, and endpoints subscribe to it by its name or a prefix."
      width="max-w-3xl"
      footer={
        <>
          <Button onClick={close}>Leave it</Button>
          <Button look="primary" busy={submit.isPending} disabled={!name || wrong(draft)} onClick={() => submit.mutate(undefined)}>
            Create
          </Button>
        </>
      }
    >
      <Fields draft={draft} change={(next) => setDraft((old) => ({ ...old, ...next }))} error={submit.error}>
        <Field
          label="Name"
          name="name"
          error={submit.error}
          problem={name !== "" && taken === name ? "is that of an event type already: close this, and edit that one" : undefined}
          hint="Words joined by full stops, such as invoice.paid."
        >
          {(field) => <input {...field} className="field font-mono" value={typed} autoComplete="off" spellCheck={false} onChange={(event) => setName(event.target.value)} />}
        </Field>
      </Fields>
    </Dialog>
  );
}

async function exists(name: string): Promise<boolean> {
  try {
    await fetchType(name);
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return false;
    throw error;
  }
}

/** Change edits a type. If somebody else changed the same meanwhile, it shows both sides and writes nothing. A schema that takes away what receivers rely on is written when that was confirmed. */
export function Change({ type, close }: { type: EventType; close: () => void }) {
  const queryKey = ["event-type", type.name];
  const edit = useEdit(type, { queryKey, fetch: () => fetchType(type.name), draftOf });
  const submit = useAction((force: boolean) => edit.save((draft, etag) => save(type.name, draft, etag, force)), {
    quiet: true,
    done: (saved) => (saved ? "Saved" : undefined),
    changes: [queryKey, ["names", "event-types"], ["event-types"]],
    onDone: (saved) => saved && close(),
  });
  return (
    <Dialog
      open
      onClose={close}
      title={`Edit ${type.name}`}
      sentence="Events that are stored stay as they are. New ones are checked against the new schema."
      width="max-w-3xl"
      footer={
        <>
          <Button onClick={close}>Leave it</Button>
          {submit.error?.code === "breaking_change" && (
            <Button look="danger" disabled={submit.isPending || wrong(edit.draft) || edit.clashing.length > 0} onClick={() => submit.mutate(true)}>
              Save it all the same
            </Button>
          )}
          <Button look="primary" busy={submit.isPending} disabled={wrong(edit.draft) || edit.clashing.length > 0} onClick={() => submit.mutate(false)}>
            Save
          </Button>
        </>
      }
    >
      <Fields draft={edit.draft} change={edit.set} error={submit.error} conflict={<Conflict what="it" edit={edit} />} />
    </Dialog>
  );
}

/** Fields are what both have. Children stand before the group. */
function Fields({ draft, change, error, conflict, children }: { draft: Draft; change: (next: Partial<Draft>) => void; error: ApiError | null; conflict?: ReactNode; children?: ReactNode }) {
  return (
    <div className="space-y-4">
      {conflict}
      <div className="grid gap-4 sm:grid-cols-2">
        {children}
        <Field label="Group" name="group" error={error} optional>
          {(field) => <input {...field} className="field" value={draft.group} onChange={(event) => change({ group: event.target.value })} />}
        </Field>
        <Field label="Description" name="description" error={error} optional {...(children ? { className: "sm:col-span-2" } : {})}>
          {(field) => <input {...field} className="field" value={draft.description} onChange={(event) => change({ description: event.target.value })} />}
        </Field>
      </div>
      <Field label="Schema" name="schema" error={error} problem={fault(draft.schema)} optional hint="A JSON Schema (2020-12). Events whose data does not fit are refused.">
        {(field) => (
          <CodeEditor value={draft.schema} onChange={(schema) => change({ schema })} label="Schema" rows={12} invalid={field["aria-invalid"] ?? false} {...(field["aria-describedby"] ? { describedBy: field["aria-describedby"] } : {})} placeholder='{"type": "object"}' />
        )}
      </Field>
      <Field label="Example" name="example" error={error} problem={fault(draft.example)} optional hint="The data that tests of endpoints deliver.">
        {(field) => (
          <CodeEditor value={draft.example} onChange={(example) => change({ example })} label="Example" rows={6} invalid={field["aria-invalid"] ?? false} {...(field["aria-describedby"] ? { describedBy: field["aria-describedby"] } : {})} placeholder='{"invoice": "in_1"}' />
        )}
      </Field>
      <FormError error={error} fields={shown} />
    </div>
  );
}

const wrong = (draft: Draft) => Boolean(fault(draft.schema) ?? fault(draft.example));

/** fault says where a text is not JSON; undefined if it is, or is empty. */
export function fault(text: string): string | undefined {
  if (!text.trim()) return undefined;
  const found = problem(text);
  return found && `line ${found.line}, column ${found.column}: ${found.message}`;
}
