import { ArrowRight, Eye, TriangleAlert } from "lucide-react";
import { useState } from "react";
import { Link } from "react-router";
import { api, call, type Schemas } from "@/api/client";
import { useAction, useLiveQuery } from "@/api/hooks";
import { plural } from "@/lib/numbers";
import { sentence, visible } from "@/lib/text";
import { Button } from "@/parts/Button";
import { Id } from "@/parts/Copy";
import { FormError } from "@/parts/Form";
import { JsonView } from "@/parts/JsonView";
import { Pane, Panel } from "@/parts/Page";
import { useScope } from "@/parts/Scope";
import { EmptyState, ErrorState, Skeleton } from "@/parts/States";
import { Notice } from "@/parts/Status";
import type { Endpoint } from "./index";

type Version = Schemas["TypeVersion"];

/** useVersions fetches the versions that an endpoint gets of the event types that have several. */
export function useVersions(endpoint: Endpoint) {
  const path = { tenant: endpoint.tenant, id: endpoint.id };
  return useLiveQuery(["versions", path.tenant, path.id, endpoint.updated_at], (signal) => call(api.GET("/api/v1/tenants/{tenant}/endpoints/{id}/versions", { params: { path }, signal })), { every: 60_000, keep: true });
}

/** Versions shows which versions of its events an endpoint gets, what others would change on its last events, and moves it. */
export function Versions({ endpoint, versions }: { endpoint: Endpoint; versions: ReturnType<typeof useVersions> }) {
  const { can } = useScope();
  const [chosen, setChosen] = useState<Record<string, number>>({});
  const all = versions.data?.data ?? [];
  const moves = Object.fromEntries(all.filter((v) => (chosen[v.event_type] ?? v.version) !== v.version).map((v) => [v.event_type, chosen[v.event_type] as number]));
  const changed = Object.keys(moves).length > 0;
  const path = { tenant: endpoint.tenant, id: endpoint.id };
  const preview = useAction((versions: Record<string, number>) => call(api.POST("/api/v1/tenants/{tenant}/endpoints/{id}/versions/preview", { params: { path }, body: { versions } })), { quiet: true });
  const move = useAction((versions: Record<string, number>) => call(api.PATCH("/api/v1/tenants/{tenant}/endpoints/{id}", { params: { path }, body: { versions } })), {
    quiet: true,
    done: "Moved. It counts from the next attempt on.",
    changes: [["endpoint", path.tenant, path.id], ["versions", path.tenant, path.id], ["changes", path.id]],
    onDone: () => (setChosen({}), preview.reset()),
  });
  if (!versions.data) {
    return versions.error ? <ErrorState error={versions.error} what="The versions could not be loaded" retry={versions.refetch} /> : <Skeleton className="m-6 h-24" />;
  }
  if (all.length === 0) return <EmptyState title="Its events have one version only">A version to choose is here once an event type that it subscribes to has several.</EmptyState>;
  return (
    <Pane className="flex-1 px-4 py-4 sm:px-6">
      <div className="max-w-6xl space-y-4">
        <Panel title="Versions of its events" flush>
          <ul className="divide-y divide-line">
            {all.map((v) => (
              <Row key={v.event_type} version={v} chosen={chosen[v.event_type] ?? v.version} choose={(n) => (preview.reset(), move.reset(), setChosen((old) => ({ ...old, [v.event_type]: n })))} />
            ))}
          </ul>
          <div className="space-y-3 border-t border-line p-4">
            <p className="text-sm text-muted">Publishers send the newest version, and the endpoint gets the one that it is at. A move counts from the next attempt on, also for retries, and can be taken back.</p>
            <div className="flex flex-wrap gap-2">
              <Button icon={Eye} busy={preview.isPending} disabled={!changed} onClick={() => preview.mutate(moves)}>
                Preview on its last events
              </Button>
              {can("manage") && (
                <Button look="primary" icon={ArrowRight} busy={move.isPending} disabled={!changed} onClick={() => move.mutate(moves)}>
                  Move it
                </Button>
              )}
            </div>
            <FormError error={move.error ?? preview.error} />
          </div>
        </Panel>
        {preview.data && <Previews endpoint={endpoint} previews={preview.data.data} />}
      </div>
    </Pane>
  );
}

function Row({ version: v, chosen, choose }: { version: Version; chosen: number; choose: (number: number) => void }) {
  const { link } = useScope();
  return (
    <li className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2 px-4 py-2.5">
      <span className="min-w-0">
        <Link to={link.eventType(v.event_type)} className="block truncate font-medium hover:text-accent hover:underline">
          {visible(v.event_type)}
        </Link>
        <span className="block text-xs text-muted">
          {v.version === v.newest ? "It gets the newest version" : `It gets version ${v.version} of ${v.newest}`}
          {v.chosen ? ", which was chosen." : ", by the time of its creation."}
        </span>
      </span>
      <select aria-label={`Version of ${v.event_type}`} className="field !w-auto" value={chosen} onChange={(event) => choose(Number(event.target.value))}>
        {Array.from({ length: v.newest }, (_, i) => v.newest - i).map((n) => (
          <option key={n} value={n}>
            Version {n}
            {n === v.newest ? ", the newest" : ""}
          </option>
        ))}
      </select>
    </li>
  );
}

function Previews({ endpoint, previews }: { endpoint: Endpoint; previews: readonly Schemas["VersionPreview"][] }) {
  const { link } = useScope();
  if (previews.length === 0) return <Panel title="Preview">It has got no event of these types yet.</Panel>;
  const faults = previews.filter((p) => p.after.problem).length;
  return (
    <section aria-label="Preview" className="space-y-4">
      <Notice tone={faults > 0 ? "warn" : "good"} icon={faults > 0 ? TriangleAlert : Eye}>
        {faults > 0 ? `${plural(faults, "event")} of its last ${previews.length} would not be as the version says.` : `Its last ${plural(previews.length, "event")}, as sent and as they would be.`} Nothing was sent or changed.
      </Notice>
      {previews.map((p) => (
        <Panel key={p.delivery} title={visible(p.event_type)} aside={<Id value={p.event} to={link.event(endpoint.tenant, p.event)} />}>
          <div className="grid gap-4 lg:grid-cols-2">
            <Side title="Before" of={p.before} />
            <Side title="After" of={p.after} />
          </div>
        </Panel>
      ))}
    </section>
  );
}

function Side({ title, of }: { title: string; of: Schemas["PreviewBody"] }) {
  return (
    <div className="min-w-0 space-y-2">
      {of.body !== undefined && <JsonView text={of.body} title={`${title}, version ${of.version}`} maxHeight={320} />}
      {of.problem && (
        <p className="text-sm wrap-anywhere text-warn">
          {of.body === undefined && `${title}: `}
          {sentence(visible(of.problem))}
        </p>
      )}
    </div>
  );
}
