import { ArrowRight, CircleCheck, Stethoscope, Webhook } from "lucide-react";
import { useMemo } from "react";
import { Link } from "react-router";
import { api, call, type Schemas } from "@/api/client";
import { useLiveQuery } from "@/api/hooks";
import { exactNumber, human, percent, plural } from "@/lib/numbers";
import { latency, series, totals } from "@/lib/series";
import { cx } from "@/lib/text";
import { duration, rfc3339 } from "@/lib/time";
import { ButtonLink } from "@/parts/Button";
import { Chart } from "@/parts/Chart";
import { endpointName, HealthSentence, shortUrl } from "@/parts/Health";
import { PageHeader, Panel } from "@/parts/Page";
import { useScope } from "@/parts/Scope";
import { EmptyState, ErrorState, Skeleton } from "@/parts/States";
import { EndpointStatus, givenUp, statusLook } from "@/parts/Status";
import { Num, Time } from "@/parts/Time";
import { rangeName, useRange } from "@/parts/TimeRange";
import { sum, useExamination } from "@/pages/doctor";

type Endpoint = Schemas["EndpointWithHealth"];

/** How many endpoints the overview looks at. The list of endpoints has the others. */
const most = 250;

/** How late the numbers can be, in milliseconds. What is later than that looks like a fall. */
const late = 15_000;

/** How many of them it shows. */
const shown = 6;

export default function Overview() {
  const failing = useLiveQuery(["overview", "failing"], (signal) => call(api.GET("/api/v1/endpoints", { params: { query: { health: "failing", limit: most } }, signal })));
  const paused = useLiveQuery(["overview", "paused"], (signal) => call(api.GET("/api/v1/endpoints", { params: { query: { status: "paused", limit: most } }, signal })), { every: 15_000 });
  useStatistics("outcome"); // asked for now, and shown below
  const needy = useMemo(() => ranked(failing.data?.data, paused.data?.data), [failing.data, paused.data]);
  return (
    <>
      <PageHeader title="Overview" sentence={<Summary endpoints={needy} more={Boolean(failing.data?.next_cursor)} />} action={<Examination />} />
      <div className="grid gap-4 px-4 pb-8 sm:px-6">
        <Totals />
        <NeedsYou endpoints={needy} more={Boolean(failing.data?.next_cursor)} error={failing.error} retry={failing.refetch} />
        {/* What is below a list of unknown length comes with it, so that it does not move. */}
        {(needy || failing.error) && (
          <div className="grid gap-4 lg:grid-cols-[minmax(0,2fr)_minmax(280px,1fr)]">
            <Traffic />
            <Causes />
          </div>
        )}
      </div>
    </>
  );
}

/** Examination leads to what is wrong with the server itself. */
function Examination() {
  const { data } = useExamination();
  const found = data && sum(data.data);
  return found ? (
    <ButtonLink size="sm" icon={Stethoscope} to="/doctor">
      {found} about the server
    </ButtonLink>
  ) : undefined;
}

/** ranked returns endpoints that fail, and paused ones for which something waits: first those disabled because they failed, then by how much waits. */
function ranked(failing: Endpoint[] | undefined, paused: Endpoint[] | undefined): Endpoint[] | undefined {
  if (!failing) return undefined;
  const known = new Set(failing.map((endpoint) => endpoint.id));
  const held = (paused ?? []).filter((endpoint) => endpoint.health.waiting > 0 && !known.has(endpoint.id));
  return [...failing, ...held].sort((a, b) => Number(givenUp(b)) - Number(givenUp(a)) || b.health.waiting - a.health.waiting || Date.parse(a.health.since ?? "") - Date.parse(b.health.since ?? ""));
}

function Summary({ endpoints, more }: { endpoints: Endpoint[] | undefined; more: boolean }) {
  if (!endpoints) return <Skeleton className="my-1 w-80 max-w-full" />;
  if (endpoints.length === 0) return <>No endpoint fails.</>;
  const waiting = endpoints.reduce((sum, endpoint) => sum + endpoint.health.waiting, 0);
  const oldest = endpoints
    .map((endpoint) => endpoint.health.oldest_waiting_at)
    .filter((at) => at !== null)
    .sort()[0];
  return (
    <>
      {more && "More than "}
      {plural(endpoints.length, "endpoint needs", "endpoints need")} you.
      {waiting > 0 && (
        <>
          {" "}
          {plural(waiting, "delivery waits", "deliveries wait")} for {endpoints.length === 1 ? "it" : "them"}, the oldest accepted <Time at={oldest} />.
        </>
      )}
    </>
  );
}

function useStatistics(by?: string) {
  const range = useRange();
  const query = { ...range.period, ...(by ? { by } : {}) };
  // A span ends now, and is the same one all the same.
  return useLiveQuery(["statistics", by, range.since, range.until], (signal) => call(api.GET("/api/v1/statistics", { params: { query }, signal })), { every: 10_000, keep: true });
}

/** useSeries returns what the charts show of the statistics. What stands above them comes from there too. */
function useSeries(data: Schemas["Statistics"] | undefined) {
  return useMemo(() => data && series(data.data, Date.parse(data.since), Math.min(Date.parse(data.until), Date.now() - late), data.interval), [data]);
}

function Totals() {
  const range = useRange();
  const statistics = useStatistics();
  const sum = statistics.data && totals(statistics.data.data);
  const failed = statistics.error !== null;
  const lines = useSeries(statistics.data);
  const last = lines && latency(lines);
  return (
    <dl className="panel grid grid-cols-2 divide-line overflow-hidden max-lg:[&>*:nth-child(n+3)]:border-t max-lg:[&>*:nth-child(even)]:border-l lg:grid-cols-5 lg:divide-x">
      <Total name="Published" value={sum?.published} about={`events, ${rangeName(range).toLowerCase()}`} unknown={failed} />
      <Total name="Delivered" value={sum?.succeeded} about={shareOf(sum?.succeeded, sum?.attempts)} unknown={failed} />
      <Total name="Failed attempts" value={sum?.failed} about={shareOf(sum?.failed, sum?.attempts)} unknown={failed} {...(sum && sum.failed > 0 ? { bad: true } : {})} />
      <Waiting />
      <div className="min-w-0 px-4 py-3 max-lg:col-span-2">
        <dt className="label truncate">Answered in, p50 / p99</dt>
        <dd className="num mt-1 truncate text-xl font-semibold">
          {lines || failed ? last ? `${duration(last.p50)} / ${duration(last.p99)}` : "–" : <Skeleton className="my-1.5 h-4 w-24" />}
        </dd>
        <dd className="text-xs text-muted">
          {last ? (
            <>
              in the {statistics.data?.interval} from <Time at={last.at} as="clock" />; p99 at worst {duration(last.worst)}
            </>
          ) : sum?.attempts && statistics.data ? (
            `known after a whole ${statistics.data.interval}`
          ) : (
            " "
          )}
        </dd>
      </div>
    </dl>
  );
}

/** shareOf says how many of the attempts these are. */
function shareOf(count: number | undefined, attempts: number | undefined): string {
  if (count === undefined || attempts === undefined) return "";
  return attempts > 0 ? `${percent(count, attempts)} of attempts` : "no attempt";
}

/** Waiting says how much is not delivered yet, of all tenants, and since when. */
function Waiting() {
  const { link } = useScope();
  const { data, error } = useLiveQuery(["backlog"], (signal) => call(api.GET("/api/v1/backlog", { signal })), { every: 5_000 });
  const parts = data && [
    data.oldest_due_at ? (
      <span key="due">
        oldest due <Time at={data.oldest_due_at} />
      </span>
    ) : (
      <span key="due">{data.waiting > 0 ? "none is due yet" : "nothing waits"}</span>
    ),
    data.deferred > 0 && <span key="deferred">{human(data.deferred)} still being stored</span>,
    data.unmatched > 0 && (
      <span key="unmatched">
        {plural(data.unmatched, "event")} not matched since <Time at={data.oldest_unmatched_at} />
      </span>
    ),
    Date.now() - Date.parse(data.counted_at) > 30_000 && (
      <span key="counted">
        counted <Time at={data.counted_at} />
      </span>
    ),
  ];
  return (
    <div className="min-w-0 px-4 py-3">
      <dt className="label">
        <Link to={`${link.endpoints()}?waiting=true`} className="hover:text-accent hover:underline">
          Waiting now
        </Link>
      </dt>
      <dd className="mt-1 text-xl font-semibold">{data ? <Num value={data.waiting} /> : error ? "–" : <Skeleton className="my-1.5 h-4 w-16" />}</dd>
      <dd className="flex flex-wrap gap-x-2 text-xs text-muted">{parts ?? " "}</dd>
    </div>
  );
}

function Total({ name, value, about, unknown, bad }: { name: string; value: number | undefined; about: string; unknown: boolean; bad?: boolean }) {
  return (
    <div className="min-w-0 px-4 py-3">
      <dt className="label">{name}</dt>
      <dd className={cx("mt-1 text-xl font-semibold", bad && "text-bad")}>{value === undefined && !unknown ? <Skeleton className="my-1.5 h-4 w-16" /> : <Num value={value} />}</dd>
      <dd className="truncate text-xs text-muted">{about || " "}</dd>
    </div>
  );
}

function NeedsYou({ endpoints, more, error, retry }: { endpoints: Endpoint[] | undefined; more: boolean; error: unknown; retry: () => unknown }) {
  const { link } = useScope();
  const all = (
    <Link to={`${link.endpoints()}?health=failing`} className="inline-flex items-center gap-1 text-sm text-muted hover:text-text">
      All that fail <ArrowRight size={13} aria-hidden />
    </Link>
  );
  return (
    <Panel title="Needs you now" aside={endpoints && endpoints.length > 0 ? all : undefined} flush>
      {!endpoints && error ? (
        <ErrorState error={error} what="Endpoints could not be loaded" retry={retry} />
      ) : !endpoints ? (
        <div className="space-y-3 p-4">
          <Skeleton />
          <Skeleton className="w-2/3" />
        </div>
      ) : endpoints.length === 0 ? (
        <Healthy />
      ) : (
        <ul className="divide-y divide-line">
          {endpoints.slice(0, shown).map((endpoint) => (
            <li key={endpoint.id} className="grid items-center gap-x-6 gap-y-1.5 px-4 py-3 sm:grid-cols-[minmax(0,1fr)_max-content]">
              <div className="min-w-0">
                <div className="flex flex-wrap items-center gap-x-3 gap-y-0.5">
                  <EndpointStatus endpoint={endpoint} />
                  <Link to={link.endpoint(endpoint.tenant, endpoint.id)} className="min-w-0 truncate font-medium hover:text-accent hover:underline">
                    {endpointName(endpoint)}
                  </Link>
                  <span className="min-w-0 truncate text-sm text-muted">
                    {endpoint.tenant} · {shortUrl(endpoint.url)}
                  </span>
                </div>
                <p className="mt-0.5 text-sm wrap-anywhere text-muted">
                  <HealthSentence endpoint={endpoint} brief />
                </p>
              </div>
              <div className="flex items-center gap-2">
                <ButtonLink size="sm" to={`${link.endpoint(endpoint.tenant, endpoint.id)}${endpoint.status === "enabled" ? failed(endpoint) : ""}`}>
                  {endpoint.status === "enabled" ? "Find out why" : "Review and enable"}
                </ButtonLink>
              </div>
            </li>
          ))}
          {(endpoints.length > shown || more) && (
            <li className="px-4 py-2.5 text-sm text-muted">
              {more ? "And more: " : `And ${plural(endpoints.length - shown, "other")}: `}
              {all}
            </li>
          )}
        </ul>
      )}
    </Panel>
  );
}

/** failed returns the filter of the endpoint's deliveries that ended as its last attempt did; none if that is not known. */
function failed({ health }: Endpoint): string {
  return health.last_outcome && health.last_outcome !== "ok" ? `?outcome=${health.last_outcome}` : "";
}

/** Healthy says that nothing needs to be done, or what to do first. */
function Healthy() {
  const any = useLiveQuery(["overview", "any"], (signal) => call(api.GET("/api/v1/endpoints", { params: { query: { limit: 1 } }, signal })), { every: 30_000 });
  if (any.data?.data.length === 0) {
    return (
      <EmptyState
        icon={Webhook}
        title="There is no endpoint yet"
        action={
          <ButtonLink look="primary" to="/tenants">
            Add a tenant
          </ButtonLink>
        }
        command={"bellwire tenants create acme\nbellwire endpoints create --tenant acme --url https://example.com/hooks --events '*'"}
      >
        Create a tenant, which is a customer of yours, and its first endpoint: here or on the command line.
      </EmptyState>
    );
  }
  return (
    <p className="flex items-center gap-2.5 px-4 py-6 text-muted">
      <CircleCheck size={16} className="shrink-0 text-good" aria-hidden />
      Nothing. Every endpoint that is enabled acknowledges its deliveries, or has had none for a day.
    </p>
  );
}

function Traffic() {
  const range = useRange();
  const statistics = useStatistics();
  const data = statistics.data;
  const lines = useSeries(data);
  const traffic = useMemo(
    () =>
      lines && [
        { label: "Published", values: lines.published, color: "--accent" },
        { label: "Delivered", values: lines.succeeded, color: "--good-solid", fill: true },
        { label: "Failed", values: lines.failed, color: "--bad-solid", fill: true },
      ],
    [lines],
  );
  const answers = useMemo(
    () =>
      lines && [
        { label: "p50", values: lines.p50, color: "--muted" },
        { label: "p99", values: lines.p99, color: "--warn-solid", fill: true },
      ],
    [lines],
  );
  const brush = (since: number, until: number) => range.set(rfc3339(since), rfc3339(until));
  return (
    <Panel title={`Traffic a minute, ${rangeName(range).toLowerCase()}`} aside={<span className="text-xs text-faint max-sm:hidden">Drag over a chart to choose its time everywhere</span>}>
      {statistics.error && !data ? (
        <ErrorState error={statistics.error} what="The statistics could not be loaded" retry={statistics.refetch} />
      ) : lines && traffic && answers ? (
        <div className="space-y-4">
          <Chart label={`Events published and attempts, a minute: ${lines.times.length} values, at most ${exactNumber(Math.round(Math.max(0, ...lines.published)))} published`} times={lines.times} series={traffic} format={human} whole onBrush={brush} height={200} />
          <Chart label="Time to answer, p50 and p99" times={lines.times} series={answers} format={duration} onBrush={brush} height={130} />
        </div>
      ) : (
        <div className="space-y-4">
          <div className="skeleton h-50" />
          <div className="skeleton h-32.5" />
        </div>
      )}
    </Panel>
  );
}

function Causes() {
  const { link } = useScope();
  const range = useRange();
  const statistics = useStatistics("outcome");
  const causes = useMemo(() => {
    const sums = new Map<string, number>();
    for (const row of statistics.data?.data ?? []) {
      if (row.failed > 0) sums.set(row.outcome ?? "", (sums.get(row.outcome ?? "") ?? 0) + row.failed);
    }
    return [...sums].sort((a, b) => b[1] - a[1]);
  }, [statistics.data]);
  const most = causes[0]?.[1] ?? 1;
  const all = causes.reduce((sum, [, count]) => sum + count, 0);
  const time: Record<string, string> = { ...(range.since ? { since: range.since } : {}), ...(range.until ? { until: range.until } : {}) };
  return (
    <Panel title="Failed attempts by cause" flush className="self-start">
      {statistics.error && !statistics.data ? (
        <ErrorState error={statistics.error} what="The statistics could not be loaded" retry={statistics.refetch} />
      ) : !statistics.data ? (
        <div className="space-y-4 p-4">
          <Skeleton />
          <Skeleton className="w-2/3" />
        </div>
      ) : causes.length === 0 ? (
        <p className="px-4 py-6 text-muted">No attempt failed in this time.</p>
      ) : (
        <ul className="py-1.5">
          {causes.map(([outcome, count]) => {
            const { word, icon: Icon } = statusLook("attempt", outcome);
            return (
              <li key={outcome}>
                <Link to={link.deliveries({ outcome, ...time })} className="group block px-4 py-2 hover:bg-hover">
                  <span className="flex items-center gap-2">
                    <Icon size={14} className="shrink-0 text-bad" aria-hidden />
                    <span className="min-w-0 flex-1 truncate group-hover:text-accent">{word}</span>
                    <span className="num text-xs text-muted">{percent(count, all)}</span>
                    <Num value={count} className="w-12 text-right font-medium" />
                  </span>
                  <span aria-hidden className="mt-1.5 block h-1 rounded-full bg-sunk-strong">
                    <span className="block h-1 rounded-full bg-bad-solid" style={{ width: `${Math.max(1, (count / most) * 100)}%` }} />
                  </span>
                </Link>
              </li>
            );
          })}
        </ul>
      )}
    </Panel>
  );
}
