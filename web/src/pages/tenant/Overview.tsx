import { useMemo } from "react";
import { Link } from "react-router";
import { api, call, type Schemas } from "@/api/client";
import { useLiveQuery } from "@/api/hooks";
import { percent, plural } from "@/lib/numbers";
import { series, totals } from "@/lib/series";
import { rfc3339 } from "@/lib/time";
import { ButtonLink } from "@/parts/Button";
import { Chart } from "@/parts/Chart";
import { endpointName, HealthSentence } from "@/parts/Health";
import { Panel } from "@/parts/Page";
import { useScope } from "@/parts/Scope";
import { EmptyState, ErrorState, Skeleton } from "@/parts/States";
import { EndpointStatus } from "@/parts/Status";
import { Num } from "@/parts/Time";
import { useRange } from "@/parts/TimeRange";
import type { Tenant } from ".";

/** How many endpoints the page looks at; the list of endpoints has the others. */
const most = 250;

const order = ["failing", "recovering", "idle", "healthy"];

/** Overview says how a tenant's endpoints are, and what was published and delivered. */
export function Overview({ tenant }: { tenant: Tenant }) {
  const { link } = useScope();
  const path = { tenant: tenant.id };
  const endpoints = useLiveQuery(["tenant", tenant.id, "endpoints"], (signal) => call(api.GET("/api/v1/tenants/{tenant}/endpoints", { params: { path, query: { limit: most } }, signal })));
  const sorted = useMemo(() => endpoints.data && ranked(endpoints.data.data), [endpoints.data]);
  const more = Boolean(endpoints.data?.next_cursor);
  return (
    <div className="grid gap-4 px-4 py-4 pb-8 sm:px-6 lg:grid-cols-2">
      <Traffic tenant={tenant.id} />
      <Panel
        title={sorted ? `${more ? "More than " : ""}${plural(sorted.length, "endpoint")}` : "Endpoints"}
        aside={
          <Link to={link.endpoints(tenant.id)} className="text-sm text-muted hover:text-text hover:underline">
            Show all
          </Link>
        }
        flush
      >
        {!sorted && endpoints.error ? (
          <ErrorState error={endpoints.error} what="Endpoints could not be loaded" retry={endpoints.refetch} />
        ) : !sorted ? (
          <div className="space-y-3 p-4">
            <Skeleton />
            <Skeleton className="w-2/3" />
          </div>
        ) : sorted.length === 0 ? (
          <EmptyState title="No endpoint yet" action={<ButtonLink to={link.newEndpoint(tenant.id)}>Add endpoint</ButtonLink>}>
            Its customer can add one in the portal, too.
          </EmptyState>
        ) : (
          <ul className="divide-y divide-line">
            {sorted.slice(0, 8).map((endpoint) => (
              <li key={endpoint.id} className="px-4 py-2.5">
                <div className="flex flex-wrap items-center gap-x-3">
                  <EndpointStatus endpoint={endpoint} />
                  <Link to={link.endpoint(tenant.id, endpoint.id)} className="min-w-0 flex-1 truncate font-medium hover:text-accent hover:underline">
                    {endpointName(endpoint)}
                  </Link>
                  {endpoint.health.waiting > 0 && (
                    <span className="text-sm text-muted">
                      <Num value={endpoint.health.waiting} more={endpoint.health.waiting_capped} /> waiting
                    </span>
                  )}
                </div>
                <p className="mt-0.5 text-sm wrap-anywhere text-muted">
                  <HealthSentence endpoint={endpoint} brief />
                </p>
              </li>
            ))}
          </ul>
        )}
      </Panel>
    </div>
  );
}

function ranked(endpoints: Schemas["EndpointWithHealth"][]): Schemas["EndpointWithHealth"][] {
  return [...endpoints].sort((a, b) => order.indexOf(a.health.state) - order.indexOf(b.health.state) || b.health.waiting - a.health.waiting);
}

function Traffic({ tenant }: { tenant: string }) {
  const range = useRange();
  const query = range.period;
  const statistics = useLiveQuery(
    ["statistics", tenant, range.since, range.until], // a span ends now, and is the same one all the same
    (signal) => call(api.GET("/api/v1/tenants/{tenant}/statistics", { params: { path: { tenant }, query }, signal })),
    { every: 10_000, keep: true },
  );
  const data = statistics.data;
  const sum = data && totals(data.data);
  const lines = useMemo(() => data && series(data.data, range.from, range.to, data.interval), [data, range.from, range.to]);
  return (
    <Panel title="Events and attempts a minute">
      <dl className="mb-3 grid grid-cols-3 gap-4">
        {(
          [
            ["Published", sum?.published, ""],
            ["Delivered", sum?.succeeded, sum && percent(sum.succeeded, sum.attempts)],
            ["Failed", sum?.failed, sum && percent(sum.failed, sum.attempts)],
          ] as const
        ).map(([name, value, about]) => (
          <div key={name} className="min-w-0">
            <dt className="label">{name}</dt>
            <dd className="text-lg font-semibold">{value === undefined && !statistics.error ? <Skeleton className="my-1 w-12" /> : <Num value={value} />}</dd>
            <dd className="num text-xs text-muted">{about || " "}</dd>
          </div>
        ))}
      </dl>
      {lines ? (
        <Chart
          label="Events published, attempts that succeeded and that failed, a minute"
          times={lines.times}
          whole
          series={[
            { label: "Published", values: lines.published, color: "--accent" },
            { label: "Delivered", values: lines.succeeded, color: "--good-solid", fill: true },
            { label: "Failed", values: lines.failed, color: "--bad-solid", fill: true },
          ]}
          onBrush={(since, until) => range.set(rfc3339(since), rfc3339(until))}
        />
      ) : statistics.error ? (
        <ErrorState error={statistics.error} what="The statistics could not be loaded" retry={statistics.refetch} />
      ) : (
        <div className="skeleton h-[180px]" />
      )}
    </Panel>
  );
}
