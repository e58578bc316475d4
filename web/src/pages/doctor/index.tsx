import { api, call, type Schemas } from "@/api/client";
import { useLiveQuery } from "@/api/hooks";
import { plural } from "@/lib/numbers";
import { cx, visible } from "@/lib/text";
import { Id } from "@/parts/Copy";
import { PageHeader } from "@/parts/Page";
import { ErrorState, Skeleton } from "@/parts/States";
import { StatusBadge } from "@/parts/Status";
import { Time } from "@/parts/Time";

type Finding = Schemas["Finding"];

/** How often a page asks again, in milliseconds. The server examines itself every five seconds at most. */
const every = 30_000;

/** useExamination asks the node that answers to examine itself. */
export function useExamination() {
  return useLiveQuery(["doctor"], (signal) => call(api.GET("/api/v1/doctor", { signal })), { every });
}

/** sum says how many problems and warnings there are; it is empty if there are none. */
export function sum(findings: readonly Finding[]): string {
  const count = (level: Finding["level"]) => findings.filter((finding) => finding.level === level).length;
  return [count("problem") && plural(count("problem"), "problem"), count("warning") && plural(count("warning"), "warning")].filter(Boolean).join(" and ");
}

/** Doctor shows what an examination of the server has found, and what to do about it. */
export default function Doctor() {
  const { data, error, refetch } = useExamination();
  return (
    <>
      <PageHeader
        title="Doctor"
        sentence={
          data ? (
            <>
              {sum(data.data) ? `${sum(data.data)} found.` : "No problem found."} The configuration, the machine, the keyset and the database of the node that answers you were examined <Time at={data.examined_at} />.
            </>
          ) : (
            "The configuration, the machine, the keyset and the database of the node that answers you."
          )
        }
      />
      {!data && error ? (
        <ErrorState error={error} what="The server could not be examined" retry={refetch} />
      ) : !data ? (
        <div className="space-y-3 px-4 sm:px-6">
          <Skeleton />
          <Skeleton className="w-2/3" />
        </div>
      ) : (
        <ul aria-label="Findings" className="divide-y divide-line border-y border-line">
          {data.data.map((finding) => (
            <li key={finding.id} className="grid gap-x-6 gap-y-1 px-4 py-3 sm:grid-cols-[110px_minmax(0,1fr)] sm:px-6">
              <StatusBadge of="finding" state={finding.level} className="self-start" />
              <div className="min-w-0">
                <p className={cx("wrap-anywhere", finding.level === "ok" && "text-muted")}>{visible(finding.found)}</p>
                {finding.do && <p className="mt-0.5 wrap-anywhere text-muted">{visible(finding.do)}</p>}
                <Id value={finding.id} full className="text-xs text-muted" />
              </div>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
