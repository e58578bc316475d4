import { Settings2 } from "lucide-react";
import { useSearchParams } from "react-router";
import { api, call, type Schemas } from "@/api/client";
import { useLiveQuery } from "@/api/hooks";
import { cx, visible } from "@/lib/text";
import { Button } from "@/parts/Button";
import { type Column, DataTable } from "@/parts/DataTable";
import { EmptyState } from "@/parts/States";

type Row = Schemas["Setting"];

const id = (row: Row) => row.name;

const columns: Column<Row>[] = [
  { key: "name", title: "Option", width: "minmax(150px, 2fr)", narrow: "title", cell: (row) => <code title={row.help}>--{row.name}</code> },
  {
    key: "value",
    title: "Value",
    width: "minmax(140px, 3fr)",
    cell: (row) =>
      row.value === null ? (
        <span className="text-faint">not set</span>
      ) : row.secret ? (
        <span className="text-muted" title="It is a secret, and shown to nobody">
          set, a secret
        </span>
      ) : (
        <code className="truncate" title={visible(row.value)}>
          {visible(row.value)}
        </code>
      ),
  },
  { key: "source", title: "From", width: "100px", narrow: "side", cell: (row) => <span className={row.source === "default" ? "text-faint" : "font-medium"}>{row.source}</span> },
  { key: "variable", title: "Environment", width: "minmax(160px, 2fr)", narrow: "hidden", cell: (row) => <code className="text-muted">{row.variables[0]}</code> },
  { key: "group", title: "Group", width: "130px", wide: true, narrow: "hidden", cell: (row) => <span className="text-muted">{row.group}</span> },
];

/** matches reports whether a setting has all words in its name, variables, value, source, group or help. */
function matches(row: Row, words: string): boolean {
  const text = [row.name, ...row.variables, row.value ?? "", row.source, row.group, row.help].join(" ").toLowerCase();
  return words
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

/** Options lists the options of the server with the values in force. */
export function Options() {
  const [params, setParams] = useSearchParams();
  const words = params.get("find") ?? "";
  const settings = useLiveQuery(["settings"], (signal) => call(api.GET("/api/v1/settings", { signal })));
  const rows = (settings.data?.data ?? []).filter((row) => matches(row, words));
  return (
    <>
      <div className={cx("px-4 py-3 sm:px-6", settings.data?.data.length === 0 && "hidden")}>
        <input
          type="search"
          className="field max-w-md"
          aria-label="Filter the options"
          placeholder="Filter: retention, environment"
          value={words}
          onChange={(event) => setParams(event.target.value ? { find: event.target.value } : {}, { replace: true })}
        />
      </div>
      <DataTable
        label="Options"
        columns={columns}
        list={{ rows, loading: settings.isPending, error: settings.error, retry: settings.refetch }}
        id={id}
        empty={
          words ? (
            <EmptyState icon={Settings2} title="No option matches" action={<Button onClick={() => setParams({})}>Remove the filter</Button>} />
          ) : (
            <EmptyState icon={Settings2} title="This server was started without options" command="bellwire serve --help" />
          )
        }
      />
    </>
  );
}
