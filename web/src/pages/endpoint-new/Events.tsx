import { ArrowLeft, FlaskConical } from "lucide-react";
import { useMemo } from "react";
import { type ApiError, api, call } from "@/api/client";
import { useAction, useLiveQuery } from "@/api/hooks";
import { useSubscriptions } from "@/api/names";
import { plural } from "@/lib/numbers";
import { sentence } from "@/lib/text";
import { Button } from "@/parts/Button";
import { CodeEditor } from "@/parts/Code";
import { Field, FormError } from "@/parts/Form";
import { Panel } from "@/parts/Page";
import { ErrorState, Skeleton } from "@/parts/States";
import { Notice } from "@/parts/Status";
import type { Draft } from ".";
import { chosenTypes, Picker } from "./Picker";

/** Most event types that are asked for at once. */
const most = 250;

type Props = {
  tenant: string;
  draft: Draft;
  set: (change: Partial<Draft>) => void;
  error: ApiError | null;
  /** What is wrong at the step before. */
  misplaced: string | undefined;
  busy: boolean;
  back: () => void;
  next: () => void;
};

/** Events chooses types from a tree, and a filter that is tried on stored events. */
export function Events({ tenant, draft, set, error, misplaced, busy, back, next }: Props) {
  const types = useLiveQuery(["event-types", "names"], (signal) => call(api.GET("/api/v1/event-types", { params: { query: { limit: most } }, signal })), { every: 60_000 });
  const names = useMemo(() => types.data?.data.filter((type) => !type.archived).map((type) => type.name) ?? [], [types.data]);
  const subscriptions = useSubscriptions();
  const tried = useAction(() => call(api.POST("/api/v1/tenants/{tenant}/filters/try", { params: { path: { tenant } }, body: { filter: draft.filter.trim(), types: draft.events } })), { quiet: true });
  return (
    <form
      className="space-y-4"
      onSubmit={(event) => {
        event.preventDefault();
        next();
      }}
    >
      {misplaced && (
        <Notice tone="bad" action={<Button size="sm" onClick={back}>Change the address</Button>}>
          The address {misplaced}.
        </Notice>
      )}
      <Panel
        title="Which events"
        aside={<span className="text-sm text-muted">{chosenTypes(names, draft.events)}</span>}
        flush
      >
        {!types.data && types.error ? (
          <ErrorState error={types.error} what="Event types could not be loaded" retry={types.refetch} />
        ) : !types.data ? (
          <div className="space-y-3 p-4">
            <Skeleton />
            <Skeleton className="w-2/3" />
          </div>
        ) : (
          <Picker names={names} selection={draft.events} onChange={(events) => set({ events })} listeners={subscriptions?.counts} />
        )}
      </Panel>
      <Panel title="Filter">
        <Field label="Only events for which this is true" name="filter" error={error ?? tried.error} optional hint="A CEL expression over type, data, id and occurred_at, such as data.amount > 100.">
          {(field) => (
            <CodeEditor
              label="Filter"
              rows={2}
              value={draft.filter}
              placeholder="data.amount > 100"
              invalid={Boolean(field["aria-invalid"])}
              {...(field["aria-describedby"] ? { describedBy: field["aria-describedby"] } : {})}
              onChange={(filter) => {
                set({ filter });
                tried.reset();
              }}
            />
          )}
        </Field>
        <div className="mt-3 flex flex-wrap items-center gap-3">
          <Button size="sm" icon={FlaskConical} busy={tried.isPending} disabled={!draft.filter.trim() || draft.events.length === 0} onClick={() => tried.mutate(undefined)}>
            Try it on stored events
          </Button>
          {tried.data && (
            <p role="status" className="text-sm text-muted">
              Of the newest {plural(tried.data.matched + tried.data.unmatched + tried.data.errors, "event")}, {tried.data.matched} would be sent, {tried.data.unmatched} not
              {tried.data.errors > 0 ? `, and for ${tried.data.errors} it has no answer: they would be sent` : ""}.
            </p>
          )}
        </div>
      </Panel>
      <FormError error={error} fields={["url", "description", "filter"]} />
      {draft.events.length === 0 && <p className="text-sm text-muted">{sentence("choose at least one event type")}</p>}
      <div className="flex justify-between">
        <Button icon={ArrowLeft} onClick={back}>
          Back
        </Button>
        <Button look="primary" type="submit" busy={busy} disabled={draft.events.length === 0}>
          Add endpoint
        </Button>
      </div>
    </form>
  );
}
