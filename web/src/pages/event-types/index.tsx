import { useQuery } from "@tanstack/react-query";
import { Archive, ArchiveRestore, FlaskConical, Pencil, Plus, Search, Send, Shapes } from "lucide-react";
import { useMemo, useRef, useState } from "react";
import { Link, useNavigate, useParams } from "react-router";
import { api, call, type Schemas } from "@/api/client";
import { useAction, useLiveQuery } from "@/api/hooks";
import { eventTypes, useSubscriptions } from "@/api/names";
import { exactNumber, human, plural } from "@/lib/numbers";
import { cx, sentence, visible } from "@/lib/text";
import { useAddress } from "@/parts/Address";
import { Button } from "@/parts/Button";
import { CopyButton } from "@/parts/Copy";
import { ConfirmDialog } from "@/parts/Dialog";
import { endpointName } from "@/parts/Health";
import { JsonView } from "@/parts/JsonView";
import { useKeys } from "@/parts/Keys";
import { useMedia } from "@/parts/Live";
import { Breakable, PageHeader, Panel, useTitle } from "@/parts/Page";
import { useScope } from "@/parts/Scope";
import { EmptyState, ErrorState, Skeleton } from "@/parts/States";
import { EndpointStatus } from "@/parts/Status";
import { Time } from "@/parts/Time";
import { type EventType, save, useType } from "./data";
import { Change, Make } from "./Edit";
import { SchemaTree } from "./SchemaTree";
import { TryPublish, TryTest } from "./Try";
import { Versions } from "./Versions";

type Entry = Schemas["EventType"];

/** EventTypes is the catalogue, and the form of a new type, which stays whatever becomes of the catalogue below it. */
export default function EventTypes() {
  const { link } = useScope();
  const navigate = useNavigate();
  const [making, setMaking] = useState(false);
  return (
    <>
      <Catalogue make={() => setMaking(true)} />
      {making && <Make close={() => setMaking(false)} made={(made) => (setMaking(false), void navigate(link.eventType(made)))} />}
    </>
  );
}

/** Catalogue has the types by their groups, and beside them the one that is open. */
function Catalogue({ make }: { make: () => void }) {
  const { name } = useParams();
  const { can, link } = useScope();
  const operate = can("operate");
  const wide = useMedia("(min-width: 820px)");
  const [params, change] = useAddress();
  const navigate = useNavigate();
  const all = useQuery(eventTypes());
  const subscriptions = useSubscriptions();
  const words = params.get("q") ?? "";
  const groups = useMemo(() => grouped(all.data ?? [], words), [all.data, words]);
  const flat = useMemo(() => groups.flatMap(([, types]) => types), [groups]);
  const open = name ?? (wide ? flat[0]?.name : undefined);
  useTitle(open ?? "Event types");
  const step = (by: number) => {
    const at = flat.findIndex((type) => type.name === open);
    const next = flat[Math.min(flat.length - 1, Math.max(0, at + by))];
    if (next) void navigate(`${link.eventType(next.name)}?${params}`, { replace: true });
  };
  useKeys({ j: () => step(1), k: () => step(-1) });

  if (!all.data && all.error) return <ErrorState error={all.error} what="The event types could not be loaded" retry={all.refetch} />;
  if (all.data?.length === 0) {
    return (
      <>
        <PageHeader title="Event types" />
        <EmptyState
          icon={Shapes}
          title="There is no event type yet"
          {...(operate
            ? {
                action: (
                  <Button look="primary" icon={Plus} onClick={make}>
                    New event type
                  </Button>
                ),
                command: "bellwire event-types put invoice.paid --description 'An invoice was paid in full.'",
              }
            : {})}
        >
          Events can be published once their type is in the catalogue.
        </EmptyState>
      </>
    );
  }
  return (
    <div className="flex h-full min-h-0">
      {(wide || !name) && (
        <nav aria-label="Event types" data-scroll className={cx("relative shrink-0 overflow-y-auto border-line", wide ? "w-72 border-r" : "w-full")}>
          <div className="sticky top-0 z-10 space-y-2.5 bg-bg px-4 pt-4 pb-2">
            <div className="flex items-center justify-between gap-2">
              <h1 className={cx("text-lg", wide && "text-base")}>Event types</h1>
              {operate && (
                <Button size="sm" icon={Plus} onClick={make}>
                  New
                </Button>
              )}
            </div>
            <Find words={words} change={(q) => change((now) => (q ? now.set("q", q) : now.delete("q")), { replace: true })} />
          </div>
          <div className="px-2 pb-6">
            {all.isPending && Array.from({ length: 8 }, (_, i) => <Skeleton key={i} className="mx-2 my-3" />)}
            {groups.map(([group, types]) => (
              <section key={group} className="mt-2.5">
                <h2 className="px-2 pb-0.5 text-xs font-medium text-muted">{visible(group)}</h2>
                <ul>
                  {types.map((type) => (
                    <li key={type.name}>
                      <Link
                        to={`${link.eventType(type.name)}${params.size > 0 ? `?${params}` : ""}`}
                        aria-current={type.name === open ? "page" : undefined}
                        className={cx("flex min-h-8 items-center gap-2 rounded-md px-2 py-1", type.name === open ? "bg-selected font-medium" : "hover:bg-hover")}
                      >
                        <span className={cx("min-w-0 flex-1 truncate", type.archived && "text-muted line-through")}>{visible(type.name)}</span>
                        {type.archived && <Archive size={13} className="shrink-0 text-faint" aria-label="archived" />}
                        <Listeners count={type.archived ? undefined : subscriptions?.counts.get(type.name)} />
                      </Link>
                    </li>
                  ))}
                </ul>
              </section>
            ))}
            {all.data && groups.length === 0 && <p className="px-2 py-4 text-muted">No type has this name or description.</p>}
          </div>
        </nav>
      )}
      {open && (
        <div data-scroll className="relative min-w-0 flex-1 overflow-x-hidden overflow-y-auto">
          <Detail key={open} name={open} back={!wide} />
        </div>
      )}
    </div>
  );
}

/** Listeners says beside a type how many endpoints subscribe to it. */
function Listeners({ count }: { count: number | undefined }) {
  if (count === undefined) return null;
  return (
    <span className="num shrink-0 text-xs font-normal text-faint" title={count === 0 ? "No endpoint subscribes to it" : `${plural(count, "endpoint subscribes", "endpoints subscribe")} to it`}>
      {human(count)}
      <span className="sr-only"> {count === 1 ? "endpoint" : "endpoints"}</span>
    </span>
  );
}

function Find({ words, change }: { words: string; change: (words: string) => void }) {
  const input = useRef<HTMLInputElement>(null);
  useKeys({
    "/": (event) => {
      event.preventDefault();
      input.current?.focus();
    },
  });
  return (
    <div className="relative">
      <Search size={14} className="absolute top-2.25 left-2.5 text-faint" aria-hidden />
      <input ref={input} type="search" aria-label="Find an event type" placeholder="Find" className="field !pl-8" value={words} onChange={(event) => change(event.target.value)} onKeyDown={(event) => event.key === "Escape" && input.current?.blur()} />
    </div>
  );
}

/** grouped returns the types whose name, group or description has the words, by their groups: that of the catalogue, or the first part of the name. */
function grouped(types: readonly Entry[], words: string): [string, Entry[]][] {
  const wanted = words.trim().toLowerCase();
  const groups = new Map<string, Entry[]>();
  for (const type of types.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    if (wanted && !`${type.name} ${type.group} ${type.description}`.toLowerCase().includes(wanted)) continue;
    const group = type.group || type.name.split(/[._]/)[0] || "others";
    groups.set(group, [...(groups.get(group) ?? []), type]);
  }
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1));
}

function Detail({ name, back }: { name: string; back: boolean }) {
  const { shell, can } = useScope();
  const found = useType(name);
  const listeners = useSubscribers(name);
  const subscribers = listeners.data?.data ?? [];
  const loading = listeners.isPending;
  const counted = useSubscriptions()?.counts.get(name);
  const count = Math.max(counted ?? 0, subscribers.length);
  const [asked, setAsked] = useState<"edit" | "archive" | "test" | "publish">();
  const close = () => setAsked(undefined);
  const type = found.data;
  const archive = useAction((archived: boolean) => save(name, { ...(type as EventType), archived }, type?.etag), {
    done: (_out, archived) => (archived ? "Archived" : "It can be published again"),
    failed: "It was not changed",
    changes: [["event-type", name], ["names", "event-types"]],
    onDone: close,
  });
  if (!type && found.error) return <ErrorState error={found.error} what="The event type could not be loaded" retry={found.refetch} />;
  if (!type) {
    return (
      <div className="space-y-3 px-4 pt-6 sm:px-6" aria-busy>
        <Skeleton className="h-5 w-48" />
        <Skeleton className="w-80 max-w-full" />
        <Skeleton className="h-40" />
      </div>
    );
  }
  const operator = shell === "console";
  return (
    <>
      <PageHeader
        title={visible(type.name)}
        heading={
          <span className="flex flex-wrap items-center gap-2">
            <Breakable name={visible(type.name)} after={<CopyButton text={type.name} label="Copy the name" />} />
            {type.archived && (
              <span className="inline-flex h-6 items-center gap-1.5 rounded-full bg-calm-soft px-2.5 text-sm font-medium text-muted">
                <Archive size={13} aria-hidden /> Archived
              </span>
            )}
          </span>
        }
        sentence={
          <>
            {type.description && `${sentence(visible(type.description))} `}
            {type.archived ? "It cannot be published, and endpoints can no longer subscribe to it." : !loading && (count === 0 ? "No endpoint subscribes to it." : `${plural(count, "endpoint subscribes", "endpoints subscribe")} to it.`)}
          </>
        }
        {...(back ? { back: [{ to: "/event-types", label: "Event types" }] } : {})}
        action={
          <>
            {can("operate") && (
              <>
                <Button icon={Pencil} onClick={() => setAsked("edit")}>
                  Edit
                </Button>
                {type.archived ? (
                  <Button icon={ArchiveRestore} busy={archive.isPending} onClick={() => archive.mutate(false)}>
                    Restore
                  </Button>
                ) : (
                  <Button icon={Archive} onClick={() => setAsked("archive")}>
                    Archive
                  </Button>
                )}
              </>
            )}
            {operator && !type.archived && (
              <Button icon={Send} onClick={() => setAsked("publish")}>
                Publish
              </Button>
            )}
            {can("test") && !type.archived && (
              <Button look="primary" icon={FlaskConical} onClick={() => setAsked("test")}>
                Send a test
              </Button>
            )}
          </>
        }
      />
      <div className="grid items-start gap-4 px-4 pb-8 sm:px-6 xl:grid-cols-[minmax(0,1.3fr)_minmax(0,1fr)]">
        <div className="min-w-0 space-y-4">
          <SchemaPanel type={type} />
          {(operator || type.older.length > 0) && <Versions type={type} />}
        </div>
        <div className="min-w-0 space-y-4">
          {type.example ? (
            <JsonView text={type.example} title="Example" maxHeight={320} />
          ) : (
            <Panel title="Example">
              <p className="text-muted">There is none. Tests send the data null{can("operate") ? "; edit the type to add one" : ""}.</p>
            </Panel>
          )}
          {can("view") && <Subscribers name={name} listeners={listeners} count={count} />}
          {operator && (
            <p className="px-1 text-sm text-muted">
              Changed <Time at={type.updated_at} />, created <Time at={type.created_at} />
            </p>
          )}
        </div>
      </div>
      {asked === "edit" && <Change type={type} close={close} />}
      {asked === "test" && <TryTest type={type} subscribers={subscribers} close={close} />}
      {asked === "publish" && <TryPublish type={type} close={close} />}
      <ConfirmDialog open={asked === "archive"} onClose={close} title={`Archive ${type.name}?`} action="Archive it" busy={archive.isPending} onConfirm={() => archive.mutate(true)}>
        <p>
          Publishing it is refused from then on{count > 0 ? `, and the ${plural(count, "endpoint that subscribes", "endpoints that subscribe")} to it get${count === 1 ? "s" : ""} no new ones` : ""}. What is stored is still delivered. It can be restored.
        </p>
      </ConfirmDialog>
    </>
  );
}

function SchemaPanel({ type }: { type: EventType }) {
  const [json, setJson] = useState(false);
  if (!type.schema) {
    return (
      <Panel title="Schema">
        <p className="text-muted">There is none: any data is accepted.</p>
      </Panel>
    );
  }
  return (
    <Panel
      title="Schema"
      flush
      aside={
        <div role="group" aria-label="Form" className="flex text-xs">
          {[false, true].map((mode) => (
            <button key={String(mode)} type="button" aria-pressed={json === mode} onClick={() => setJson(mode)} className={cx("h-6 rounded-sm px-2", json === mode ? "bg-calm-soft font-medium" : "text-muted hover:text-text")}>
              {mode ? "JSON" : "Fields"}
            </button>
          ))}
        </div>
      }
    >
      {json ? <JsonView text={type.schema} title="Schema" maxHeight={640} className="!rounded-t-none !border-0" /> : <SchemaTree text={type.schema} />}
    </Panel>
  );
}

/** How many subscribers are listed. */
const listed = 50;

/** useSubscribers fetches endpoints that subscribe to a type, whatever their filters say: of all tenants in the console. */
function useSubscribers(name: string) {
  const { tenant, can } = useScope();
  const query = { event_type: name, limit: listed };
  return useLiveQuery(
    ["subscribers", tenant ?? "", name],
    (signal) =>
      tenant
        ? call(api.GET("/api/v1/tenants/{tenant}/endpoints", { params: { path: { tenant }, query }, signal }))
        : call(api.GET("/api/v1/endpoints", { params: { query }, signal })),
    { every: 30_000, enabled: can("view") },
  );
}

function Subscribers({ name, listeners, count }: { name: string; listeners: ReturnType<typeof useSubscribers>; count: number }) {
  const { shell, link } = useScope();
  const { data, error, refetch } = listeners;
  const all = `${link.endpoints()}?type=${encodeURIComponent(name)}`;
  return (
    <Panel title="Who subscribes" flush aside={data && <span className="num text-sm text-muted">{exactNumber(count)}</span>}>
      {!data && error ? (
        <ErrorState error={error} what="The endpoints could not be loaded" retry={refetch} />
      ) : !data ? (
        <div className="space-y-3 p-4">
          <Skeleton />
          <Skeleton className="w-2/3" />
        </div>
      ) : data.data.length === 0 && !data.next_cursor ? (
        <p className="p-4 text-muted">No endpoint does. Endpoints subscribe by the type's name or by a prefix, such as invoice.*</p>
      ) : (
        <ul className="divide-y divide-line">
          {data.data.map((endpoint) => (
            <li key={endpoint.id}>
              <Link to={link.endpoint(endpoint.tenant, endpoint.id)} className="flex min-h-10 items-center justify-between gap-3 px-4 py-1.5 hover:bg-hover">
                <span className="min-w-0">
                  <span className="block truncate font-medium">{endpointName(endpoint)}</span>
                  {shell === "console" && <span className="block truncate text-xs text-muted">{endpoint.tenant}{endpoint.filter ? ", with a filter" : ""}</span>}
                </span>
                <EndpointStatus endpoint={endpoint} />
              </Link>
            </li>
          ))}
          {data.next_cursor && (
            <li className="px-4 py-2.5 text-sm">
              <Link to={all} className="text-accent hover:underline">
                Show all
              </Link>
            </li>
          )}
        </ul>
      )}
    </Panel>
  );
}
