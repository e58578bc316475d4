import { LogOut, MonitorSmartphone } from "lucide-react";
import { useCallback, useMemo, useState } from "react";
import { api, call, type Schemas } from "@/api/client";
import { useAction, useList } from "@/api/hooks";
import { visible } from "@/lib/text";
import { IconButton } from "@/parts/Button";
import { Id } from "@/parts/Copy";
import { type Column, DataTable } from "@/parts/DataTable";
import { ConfirmDialog } from "@/parts/Dialog";
import { EmptyState } from "@/parts/States";
import { Time } from "@/parts/Time";

type Session = Schemas["ConsoleSession"];

const id = (session: Session) => session.id;

/** Sessions lists who is signed in to the console, and ends sessions. */
export function Sessions() {
  const fetch = useCallback((cursor: string | undefined, signal: AbortSignal) => call(api.GET("/api/v1/console-sessions", { params: { query: cursor ? { cursor } : {} }, signal })), []);
  const list = useList(["console-sessions"], fetch, id);
  const [ending, setEnding] = useState<Session>();
  const end = useAction((session: Session) => call(api.DELETE("/api/v1/console-sessions/{id}", { params: { path: { id: session.id } } })), {
    done: "The session was ended",
    failed: "The session was not ended",
    changes: [["console-sessions"]],
    onDone: () => {
      setEnding(undefined);
      void list.refresh();
    },
  });
  const columns = useMemo<Column<Session>[]>(
    () => [
      {
        key: "id",
        title: "Session",
        width: "minmax(190px, 2fr)",
        narrow: "title",
        cell: (session) => (
          <span className="flex min-w-0 items-baseline gap-2">
            <Id value={session.id} />
            {session.current && <span className="text-sm whitespace-nowrap text-muted">this one</span>}
          </span>
        ),
      },
      { key: "role", title: "Role", width: "90px", cell: (session) => session.role },
      { key: "key", title: "Key", width: "150px", narrow: "hidden", cell: (session) => (session.key ? <Id value={session.key} className="text-muted" /> : <span className="text-muted">configured</span>) },
      { key: "from", title: "From", width: "minmax(110px, 1fr)", cell: (session) => <span title={visible(session.user_agent)}>{session.address || <span className="text-faint">–</span>}</span> },
      { key: "used", title: "Last used", width: "100px", align: "right", cell: (session) => (session.exchanged ? <Time at={session.last_used_at} none="never" /> : <span className="text-muted">not opened</span>) },
      { key: "ends", title: "Ends", width: "100px", align: "right", narrow: "hidden", cell: (session) => <Time at={session.expires_at} className="text-muted" /> },
      { key: "end", title: "", width: "32px", narrow: "side", cell: (session) => !session.current && <IconButton label={`End ${session.id}`} icon={LogOut} onClick={() => setEnding(session)} /> },
    ],
    [],
  );
  return (
    <>
      <p className="px-4 py-3 text-muted sm:px-6">People who are signed in to this console. A session ends with the key that it was signed in with.</p>
      <DataTable label="Console sessions" columns={columns} list={list} id={id} empty={<EmptyState icon={MonitorSmartphone} title="Nobody is signed in" command="bellwire console" />} />
      <ConfirmDialog open={ending !== undefined} onClose={() => setEnding(undefined)} title="End this session?" action="End it" busy={end.isPending} onConfirm={() => ending && end.mutate(ending)}>
        <p>Whoever has it open must sign in again. Its next request is refused by all nodes.</p>
      </ConfirmDialog>
    </>
  );
}
