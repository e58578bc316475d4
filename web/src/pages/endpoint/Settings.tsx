import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useMemo, useState } from "react";
import { api, ifMatch, type Schemas, versioned } from "@/api/client";
import { useEdit } from "@/api/edit";
import { useAction } from "@/api/hooks";
import { eventTypes, fetchEndpoint } from "@/api/names";
import { visible } from "@/lib/text";
import { Button } from "@/parts/Button";
import { CodeEditor } from "@/parts/Code";
import { Conflict } from "@/parts/Conflict";
import { Choice, Field, FormError } from "@/parts/Form";
import { Facts, Pane, Panel } from "@/parts/Page";
import { useScope } from "@/parts/Scope";
import { type Draft, draftOf, type Mistake, type Name, patchOf } from "./form";
import { Headers } from "./Headers";
import type { Endpoint } from "./index";
import { Retries } from "./Retries";
import { Rotate, Secret } from "./Secret";
import { chosenTypes, Picker } from "../endpoint-new/Picker";
import { Verify } from "../endpoint-new/Verify";

/** Settings shows and changes what the endpoint is configured as. It sends only what was changed. */
export function Settings({ endpoint }: { endpoint: Endpoint }) {
  const { can } = useScope();
  const path = { tenant: endpoint.tenant, id: endpoint.id };
  const edit = useEdit(endpoint, { queryKey: ["endpoint", path.tenant, path.id], fetch: () => fetchEndpoint(path.tenant, path.id), draftOf });
  const { base, draft, changed, clashing } = edit;
  const types = useQuery(eventTypes());
  const names = useMemo(() => types.data?.filter((type) => !type.archived).map((type) => type.name) ?? [], [types.data]);
  const selection = draft.events.split(/[\s,]+/).filter(Boolean);
  const [mistakes, setMistakes] = useState<Mistake[]>([]);
  const [rotating, setRotating] = useState(false);
  const locked = !can("manage");

  const save = useAction(
    (patch: Schemas["Patch"]) =>
      edit.save(async (_draft, etag) => ({ ...endpoint, ...(await versioned(api.PATCH("/api/v1/tenants/{tenant}/endpoints/{id}", { params: { path, ...ifMatch(etag) }, body: patch }))) })),
    {
      quiet: true,
      done: (saved) => (saved ? "Saved" : undefined),
      changes: [["endpoint", endpoint.tenant, endpoint.id], ["endpoints"], ["changes", endpoint.id]],
    },
  );
  const submit = () => {
    const { patch, mistakes: found } = patchOf(base, draft);
    setMistakes(found);
    if (found.length === 0) save.mutate(patch);
  };
  const set = <K extends Name>(name: K, value: Draft[K]) => edit.set({ [name]: value });
  const wiring = (name: Name) => {
    const mistake = mistakes.find((each) => each.field === name)?.message;
    return { name, error: save.error, ...(mistake ? { problem: mistake } : {}) };
  };
  const text = (name: Name, label: string, options: { hint?: ReactNode; mono?: boolean; optional?: boolean; placeholder?: string } = {}) => (
    <Field label={label} {...wiring(name)} {...(options.hint ? { hint: options.hint } : {})} {...(options.optional ? { optional: true } : {})}>
      {(field) => (
        <input
          {...field}
          disabled={locked}
          className={options.mono ? "field font-mono" : "field"}
          value={draft[name]}
          placeholder={options.placeholder}
          autoComplete="off"
          spellCheck={false}
          onChange={(event) => set(name, event.target.value)}
        />
      )}
    </Field>
  );

  return (
    <form
      className="flex flex-1 flex-col md:min-h-0"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <Pane className="flex-1 px-4 py-4 sm:px-6">
        <div className="grid max-w-6xl items-start gap-4 lg:grid-cols-[minmax(0,3fr)_minmax(280px,2fr)]">
          <div className="min-w-0 space-y-4">
            <Conflict what="this endpoint" edit={edit} />
            <Panel title="Address">
              <div className="space-y-4">
                {text("url", "URL", { mono: true })}
                {text("description", "Description", { optional: true })}
              </div>
            </Panel>
            <Panel title="Which events">
              <div className="space-y-4">
                <Field label={<>Event types <span className="font-normal text-muted">{chosenTypes(names, selection)}</span></>} {...wiring("events")}>
                  {(field) => (
                    <div id={field.id} className="overflow-hidden rounded-lg border border-line" {...(field["aria-describedby"] ? { "aria-describedby": field["aria-describedby"] } : {})}>
                      <Picker names={names} selection={selection} locked={locked} onChange={(patterns) => set("events", patterns.join("\n"))} />
                    </div>
                  )}
                </Field>
                <Field label="Filter" {...wiring("filter")} optional hint="A CEL expression over type, data, id and occurred_at. Only events for which it is true are sent.">
                  {(field) => (
                    <CodeEditor
                      label="Filter"
                      rows={3}
                      readOnly={locked}
                      value={draft.filter}
                      placeholder="data.amount > 100"
                      invalid={field["aria-invalid"] ?? false}
                      {...(field["aria-describedby"] ? { describedBy: field["aria-describedby"] } : {})}
                      onChange={(value) => set("filter", value)}
                    />
                  )}
                </Field>
                {draft.filter.trim() && (
                  <div>
                    <p className="mb-1.5 text-sm font-medium">If the filter has no answer</p>
                    <Choice label="If the filter has no answer" value={draft.on_error} values={[["deliver", "Deliver"], ["skip", "Skip"]]} onChange={(value) => !locked && set("on_error", value)} />
                  </div>
                )}
              </div>
            </Panel>
            <Panel title="How it is sent">
              <div className="space-y-4">
                <div className="grid gap-4 sm:grid-cols-2">
                  {text("timeout", "Timeout", { hint: "Of each attempt, 1s to 60s" })}
                  {text("rate_limit", "Events a second", { optional: true, placeholder: "no limit" })}
                  {text("max_in_flight", "Requests at once")}
                  {text("auto_disable_after", "Disable it after failing for", { hint: "Once every attempt has failed for so long. 0s: never" })}
                </div>
                <div>
                  <p className="mb-1.5 text-sm font-medium">Order</p>
                  <Choice label="Order" value={draft.ordering} values={[["none", "As fast as possible"], ["fifo", "One after the other"], ["key", "One after the other for each ordering key"]]} onChange={(value) => !locked && set("ordering", value)} />
                </div>
                <Retries {...wiring("retry")} text={draft.retry} locked={locked} onChange={(value) => set("retry", value)} />
                <Headers {...wiring("headers")} text={draft.headers} base={base.headers} locked={locked} onChange={(value) => set("headers", value)} />
              </div>
            </Panel>
          </div>
          <div className="min-w-0 space-y-4">
            <Panel title="Signature">
              <div className="space-y-4">
                <Choice label="Signature" value={draft.signing} values={[["hmac", "HMAC"], ["ed25519", "Ed25519"], ["both", "Both"]]} onChange={(value) => !locked && set("signing", value)} />
                {can("view_secret") && <Secret endpoint={endpoint} {...(can("manage") ? { onRotate: () => setRotating(true) } : {})} />}
              </div>
            </Panel>
            {endpoint.dialect === "standard" && endpoint.signing !== "ed25519" && <Verify next="Then send a test, and see it accepted." />}
            <Panel title="About">
              <Facts
                facts={[
                  ["Dialect", endpoint.dialect],
                  ["Sign-in", endpoint.auth.type === "none" ? "none besides the signature" : `${endpoint.auth.type.replace("_", " ")}${endpoint.auth.username ? `, as ${visible(endpoint.auth.username)}` : ""}`],
                  ...Object.entries(endpoint.metadata).map(([name, value]) => [visible(name), visible(value)] as const),
                ]}
              />
            </Panel>
          </div>
        </div>
      </Pane>
      {!locked && (changed.length > 0 || save.error) && (
        <div data-bar className="sticky bottom-0 z-10 shrink-0 border-t border-line bg-sunk px-4 py-3 sm:px-6">
          <FormError error={save.error} fields={Object.keys(draft)} />
          <div className="mt-2 flex flex-wrap items-center gap-3 first:mt-0">
            <p className="min-w-0 flex-1 text-sm text-muted">Changed: {changed.map((name) => name.replaceAll("_", " ")).join(", ") || "nothing"}</p>
            <Button
              onClick={() => {
                edit.undo();
                setMistakes([]);
                save.reset();
              }}
            >
              Undo all
            </Button>
            <Button type="submit" look="primary" busy={save.isPending} disabled={changed.length === 0 || clashing.length > 0}>
              Save
            </Button>
          </div>
        </div>
      )}
      <Rotate endpoint={endpoint} open={rotating} onClose={() => setRotating(false)} />
    </form>
  );
}
