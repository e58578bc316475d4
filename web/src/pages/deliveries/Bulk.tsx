import { useQuery } from "@tanstack/react-query";
import { TriangleAlert } from "lucide-react";
import { useState } from "react";
import { Link, useNavigate } from "react-router";
import { api, call, type Schemas } from "@/api/client";
import { useAction } from "@/api/hooks";
import { tenants, useEndpoints } from "@/api/names";
import type { ApiError } from "@/api/problem";
import { plural } from "@/lib/numbers";
import { sentence, visible } from "@/lib/text";
import { Button } from "@/parts/Button";
import { Dialog } from "@/parts/Dialog";
import { Field, FormError } from "@/parts/Form";
import { endpointName } from "@/parts/Health";
import { useScope } from "@/parts/Scope";
import { Skeleton } from "@/parts/States";
import { Notice, statusLook } from "@/parts/Status";
import { words } from "@/parts/Toast";

export type Kind = "retry" | "cancel";

export type Filter = { tenant?: string; endpoint?: string; status?: string; type?: string; since?: string; until?: string; outcome?: string; dialect?: string; job?: string };

/** What a job of either kind can select by state. */
const states: Record<Kind, readonly string[]> = { retry: ["exhausted", "canceled", "retrying"], cancel: ["pending", "retrying"] };

/** refusal says why a filter cannot be made into a job; undefined if it can. */
export function refusal(kind: Kind, filter: Filter): string | undefined {
  if (filter.job) return "What another job was about cannot be selected. Remove the filter by job.";
  if (filter.status === "succeeded") return kind === "retry" ? "What has succeeded is not retried. Replay it to an endpoint to send it again." : "What has ended cannot be canceled.";
  if (filter.status && !states[kind].includes(filter.status)) return kind === "retry" ? "What waits for its first attempt is not retried: it is sent as soon as it can be." : "What has ended cannot be canceled.";
  return undefined;
}

/** everything reports whether a filter leaves nothing of a tenant out. */
export function everything({ tenant: _, ...rest }: Filter): boolean {
  return Object.values(rest).every((value) => value === undefined);
}

/** allTenants returns the address of a retry over all tenants that selects what a filter does, as far as it can. */
function allTenants({ type, dialect, since, until }: Filter): URLSearchParams {
  return new URLSearchParams({ start: "retry", ...(type ? { type } : {}), ...(dialect ? { dialect } : {}), ...(since ? { since } : {}), ...(until ? { until } : {}) });
}

/**
 * Bulk retries or cancels all deliveries that match the page's filter, also those that were not loaded, as a job. It
 * counts them before. What comes after the dialog was opened is left alone.
 */
export function Bulk({ kind, filter, close }: { kind: Kind; filter: Filter; close: () => void }) {
  const { link, shell } = useScope();
  const navigate = useNavigate();
  const [chosen, setChosen] = useState(filter.tenant ?? "");
  const [rate, setRate] = useState("");
  const [opened] = useState(() => new Date().toISOString()); // not to the second: what is listed may be younger
  const tenant = filter.tenant ?? chosen;
  const { endpoints } = useEndpoints(filter.tenant);
  const known = useQuery({ ...tenants(), enabled: filter.tenant === undefined });
  const selection: Schemas["BulkInput"] = {
    ...(filter.endpoint ? { endpoint: filter.endpoint } : {}),
    ...(filter.status ? { status: filter.status } : {}),
    ...(filter.type ? { types: [filter.type] } : {}),
    ...(filter.outcome ? { outcome: filter.outcome } : {}),
    ...(filter.dialect ? { dialect: filter.dialect } : {}),
    ...(filter.since ? { since: filter.since } : {}),
    until: filter.until ?? opened,
  };
  const send = (body: Schemas["BulkInput"]) => {
    const options = { params: { path: { tenant } }, body };
    return call<Schemas["Job"] | Schemas["JobCount"]>(
      kind === "retry" ? api.POST("/api/v1/tenants/{tenant}/deliveries/retry", options) : api.POST("/api/v1/tenants/{tenant}/deliveries/cancel", options),
    );
  };
  const count = useQuery<Schemas["JobCount"], ApiError>({
    queryKey: ["bulk-count", kind, tenant, selection],
    queryFn: async () => (await send({ ...selection, dry_run: true })) as Schemas["JobCount"],
    enabled: tenant !== "",
    staleTime: 0,
    gcTime: 0,
    retry: false,
    refetchOnWindowFocus: false,
  });
  const start = useAction(() => send({ ...selection, ...(Number(rate) > 0 ? { rate: Number(rate) } : {}) }), {
    done: "The job runs",
    quiet: true,
    changes: [["jobs"], ["deliveries"]],
    onDone: (job) => {
      close();
      if ("id" in job) void navigate(link.job(tenant, job.id));
    },
  });
  const total = count.data?.total;
  const endpoint = filter.endpoint ? endpoints.get(filter.endpoint) : undefined;
  const verb = kind === "retry" ? "Retry" : "Cancel";
  const what = count.data && `${count.data.total_is_bound ? "at most " : ""}${plural(count.data.total, "delivery", "deliveries")}`;
  return (
    <Dialog
      open
      onClose={close}
      title={`${verb} all that match`}
      sentence={kind === "retry" ? "Each begins its retry schedule again, with an attempt at once, or at the deliver_at of its event. Deliveries to disabled endpoints are left out." : "They end, and no more attempts are made. They can be retried as long as their events are stored."}
      footer={
        <>
          <Button onClick={close}>Leave them</Button>
          <Button
            look={kind === "cancel" ? "danger" : "primary"}
            disabled={!total || (rate !== "" && !(Number(rate) > 0))}
            busy={start.isPending}
            onClick={() => start.mutate(undefined)}
          >
            {what ? `${verb} ${what}` : verb}
          </Button>
        </>
      }
    >
      <div className="space-y-4">
        <dl className="grid grid-cols-[max-content_1fr] gap-x-5 gap-y-1.5 rounded-lg bg-sunk px-3 py-2.5">
          <dt className="text-muted">State</dt>
          <dd>{filter.status ?? (kind === "retry" ? "exhausted or canceled" : "pending or retrying")}</dd>
          {filter.tenant && shell === "console" && (
            <>
              <dt className="text-muted">Tenant</dt>
              <dd className="wrap-anywhere">{filter.tenant}</dd>
            </>
          )}
          <dt className="text-muted">Endpoint</dt>
          <dd className="wrap-anywhere">{filter.endpoint ? (endpoint ? endpointName(endpoint) : filter.endpoint) : "all"}</dd>
          <dt className="text-muted">Event type</dt>
          <dd className="wrap-anywhere">{filter.type ? visible(filter.type) : "all"}</dd>
          {filter.outcome && (
            <>
              <dt className="text-muted">Newest attempt</dt>
              <dd>{statusLook("attempt", filter.outcome).word}</dd>
            </>
          )}
          {filter.dialect && (
            <>
              <dt className="text-muted">Dialect</dt>
              <dd>{filter.dialect}</dd>
            </>
          )}
          <dt className="text-muted">Accepted</dt>
          <dd className="num">
            {filter.since ? `since ${filter.since.replace("T", " ").replace("Z", " UTC")}, ` : ""}before {(filter.until ?? opened).replace("T", " ").replace(/(\.\d+)?Z$/, " UTC")}
          </dd>
        </dl>
        {everything(filter) && (
          <Notice tone="warn" icon={TriangleAlert}>
            No filter is set: this is about {kind === "retry" ? "every delivery that is exhausted or canceled" : "every delivery that waits"}, for all endpoints{tenant ? ` of ${visible(tenant)}` : " of the tenant that you choose"}.
          </Notice>
        )}
        {filter.tenant === undefined && (
          <Field
            label="Tenant"
            hint={
              kind === "retry" ? (
                <>
                  This job is about one tenant.{" "}
                  <Link to={`/bulk-jobs?${allTenants(filter)}`} className="text-accent underline">
                    Retry for all tenants
                  </Link>
                </>
              ) : (
                "A job is about one tenant."
              )
            }
          >
            {(field) => (
              <select {...field} className="field" value={chosen} onChange={(event) => setChosen(event.target.value)}>
                <option value="">Choose one</option>
                {known.data?.map((each) => (
                  <option key={each.id} value={each.id}>
                    {each.name ? `${visible(each.name)} (${each.id})` : each.id}
                  </option>
                ))}
              </select>
            )}
          </Field>
        )}
        {tenant !== "" && (
          <div aria-live="polite" className="min-h-7">
            {count.data ? (
              <p>
                <span className="num text-xl font-semibold">{count.data.total_is_bound && "at most "}{count.data.total.toLocaleString("en-US")}</span>{" "}
                <span className="text-muted">{count.data.total === 1 ? "delivery matches" : "deliveries match"}{total === 0 ? ": there is nothing to do." : ", on all pages of the list."}</span>
              </p>
            ) : count.error ? (
              <p className="text-bad">{sentence(words(count.error))}</p>
            ) : (
              <Skeleton className="h-6 w-40" />
            )}
          </div>
        )}
        {kind === "retry" && (
          <Field label="Deliveries a second" name="rate" error={start.error} optional hint="As fast as there is room, if it is left out. It can be changed while the job runs.">
            {(field) => <input {...field} className="field num" inputMode="decimal" value={rate} placeholder="such as 50" onChange={(event) => setRate(event.target.value.trim())} />}
          </Field>
        )}
        <FormError error={start.error} fields={["rate"]} />
      </div>
    </Dialog>
  );
}
