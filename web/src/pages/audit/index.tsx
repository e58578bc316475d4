import { History } from "lucide-react";
import { useCallback, useMemo, useState } from "react";
import { useSearchParams } from "react-router";
import { api, call, type Schemas } from "@/api/client";
import { useList } from "@/api/hooks";
import { visible } from "@/lib/text";
import { Button } from "@/parts/Button";
import { Id } from "@/parts/Copy";
import { type Column, DataTable } from "@/parts/DataTable";
import { Dialog } from "@/parts/Dialog";
import { Diff } from "@/parts/Diff";
import { Facts, PageHeader } from "@/parts/Page";
import { useScope } from "@/parts/Scope";
import { EmptyState } from "@/parts/States";
import { Num, Time } from "@/parts/Time";
import { useRange } from "@/parts/TimeRange";
import { TokenSearch } from "@/parts/TokenSearch";

type Entry = Schemas["AuditEntry"];

const tokens = [
  { key: "tenant", hint: "of one tenant" },
  { key: "key", hint: "done with one key" },
];

const id = (entry: Entry) => entry.id;

/** Audit lists who changed what, and who read what where a dialect keeps a record of that. */
export default function Audit() {
  const [params, setParams] = useSearchParams();
  const range = useRange();
  const tenant = params.get("tenant") ?? undefined;
  const key = params.get("key") ?? undefined;
  const { since, until } = range.query;
  const fetch = useCallback(
    (cursor: string | undefined, signal: AbortSignal) => {
      const query = { ...(tenant ? { tenant } : {}), ...(key ? { key } : {}), ...(since ? { since } : {}), ...(until ? { until } : {}), ...(cursor ? { cursor } : {}) };
      return call(api.GET("/api/v1/audit", { params: { query }, signal }));
    },
    [tenant, key, since, until],
  );
  const list = useList(["audit", tenant, key, range.since, range.until], fetch, id);
  const [open, setOpen] = useState<Entry>();
  const columns = useMemo<Column<Entry>[]>(
    () => [
      { key: "at", title: "When", width: "96px", narrow: "side", cell: (entry) => <Time at={entry.at} className="text-muted" /> },
      { key: "what", title: "What", width: "minmax(160px, 2fr)", narrow: "title", cell: (entry) => <span className="font-medium">{done(entry)}</span> },
      { key: "subject", title: "On", width: "minmax(140px, 2fr)", cell: (entry) => (entry.subject ? <Id value={entry.subject} /> : <span className="text-faint">–</span>) },
      { key: "tenant", title: "Tenant", width: "minmax(88px, 1fr)", cell: (entry) => entry.tenant || <span className="text-faint">–</span> },
      { key: "who", title: "Who", width: "minmax(180px, 3fr)", cell: (entry) => <Who entry={entry} /> },
      { key: "count", title: "Times", width: "60px", align: "right", wide: true, narrow: "hidden", cell: (entry) => <Num value={entry.count} className={entry.count > 1 ? "" : "text-faint"} /> },
    ],
    [],
  );
  return (
    <>
      <PageHeader title="Audit log" sentence="Who changed what, with what was before and after. It is kept apart from events." />
      <div className="px-4 pb-3 sm:px-6">
        <TokenSearch keys={tokens} placeholder="Filter: tenant:acme" />
      </div>
      <DataTable
        label="Audit log"
        columns={columns}
        list={list}
        id={id}
        onOpen={setOpen}
        openId={open?.id}
        empty={
          tenant || key || range.since || range.until ? (
            <EmptyState icon={History} title="No entry matches" action={<Button onClick={() => setParams({})}>Remove the filter</Button>} />
          ) : (
            <EmptyState icon={History} title="Nothing was changed yet">
              Every management call is recorded here, whichever API it used.
            </EmptyState>
          )
        }
      />
      {open && <EntryDialog entry={open} close={() => setOpen(undefined)} />}
    </>
  );
}

/** done returns what happened: an action, or the request to a dialect's API. */
function done(entry: Entry): string {
  return visible(entry.action || `${entry.method} ${entry.path}`);
}

function Who({ entry }: { entry: Entry }) {
  const { by } = entry;
  const name = { key: by.key ?? entry.key, configured: "the configured admin key", vouched: "a dialect's caller", bellwire: "Bellwire", unknown: "unknown" }[by.kind];
  return (
    <span className="flex min-w-0 items-baseline gap-2">
      {by.key_name && <span className="truncate" title={visible(by.key_name)}>{visible(by.key_name)}</span>}
      {by.kind === "key" && name ? <Id value={name} className={by.key_name ? "text-muted" : ""} /> : <span className="truncate">{name}</span>}
      {entry.principal && <span className="truncate text-muted">for {visible(entry.principal)}</span>}
    </span>
  );
}

function EntryDialog({ entry, close }: { entry: Entry; close: () => void }) {
  const { link } = useScope();
  const { by } = entry;
  const endpoint = entry.subject.startsWith("ep_") && entry.tenant;
  return (
    <Dialog open onClose={close} title={done(entry)} width="max-w-2xl" sentence={<Time at={entry.at} as="clock" />}>
      <Facts
        facts={[
          entry.subject !== "" && ["On", <Id key="s" value={entry.subject} full {...(endpoint ? { to: link.endpoint(entry.tenant, entry.subject) } : {})} />],
          entry.tenant !== "" && ["Tenant", <Id key="t" value={entry.tenant} full to={link.tenant(entry.tenant)} />],
          ["By", <Who key="w" entry={entry} />],
          by.role !== undefined && ["Role", by.role],
          Boolean(by.address) && ["From", <code key="a">{by.address}</code>],
          Boolean(by.reason) && ["Reason", visible(by.reason ?? "")],
          entry.justification !== "" && ["Justification", visible(entry.justification)],
          Boolean(by.request_id) && ["Request", <Id key="r" value={by.request_id ?? ""} full />],
          entry.count > 1 && ["Times", <span key="c">{entry.count} equal requests until <Time at={entry.last_at} as="clock" /></span>],
          ["Entry", <Id key="i" value={entry.id} full />],
        ]}
      />
      {(Object.keys(entry.before).length > 0 || Object.keys(entry.after).length > 0) && <Diff before={entry.before} after={entry.after} className="mt-4 rounded-md border border-line" />}
    </Dialog>
  );
}
