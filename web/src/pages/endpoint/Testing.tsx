import { useQuery } from "@tanstack/react-query";
import { CircleCheck, ListRestart, Play, RotateCw, Send } from "lucide-react";
import { useEffect, useState } from "react";
import { Link, useLocation, useNavigate } from "react-router";
import { eventTypes } from "@/api/names";
import { plural } from "@/lib/numbers";
import { AttemptDetails } from "@/parts/Exchange";
import { Button } from "@/parts/Button";
import { Field, FormError } from "@/parts/Form";
import { JsonView } from "@/parts/JsonView";
import { Pane, Panel } from "@/parts/Page";
import { useScope } from "@/parts/Scope";
import { Skeleton } from "@/parts/States";
import { Notice, StatusBadge } from "@/parts/Status";
import { Time } from "@/parts/Time";
import { covers } from "../endpoint-new/tree";
import { useType } from "../event-types/data";
import type { Asked, Endpoint } from "./index";
import { useTest } from "./test";

/** Testing sends an example to the endpoint, now and once, and shows what came back. */
export function Testing({ endpoint, ask }: { endpoint: Endpoint; ask: (asked: Asked) => void }) {
  const { can, link } = useScope();
  const [chosen, setChosen] = useState<string>();
  const { subscribed, others } = useTypes(endpoint);
  const type = chosen ?? subscribed[0] ?? "";
  const { send, pending, error, found } = useTest(endpoint);
  const navigate = useNavigate();
  const { state, pathname, search } = useLocation();
  const asked = (state as { test?: boolean } | null)?.test === true;
  useEffect(() => {
    if (!asked) return;
    void navigate(pathname + search, { replace: true, state: null }); // a reload must not send it again
    send("");
  }, [asked, navigate, pathname, search, send]);
  return (
    <Pane className="flex-1 px-4 py-4 sm:px-6">
      <div className="grid max-w-6xl items-start gap-4 lg:grid-cols-[minmax(280px,1fr)_minmax(0,2fr)]">
        <Panel title="Send a test">
          <form
            className="space-y-4"
            onSubmit={(event) => {
              event.preventDefault();
              send(type);
            }}
          >
            <Field label="Event type" name="type" error={error}>
              {(field) => (
                <select {...field} className="field font-mono" value={type} onChange={(event) => setChosen(event.target.value)}>
                  {type === "" && <option value="">any</option>}
                  <Types label="It subscribes to" names={subscribed} />
                  <Types label="Others" names={others} />
                </select>
              )}
            </Field>
            <Example type={type} />
            <FormError error={error} fields={["type"]} />
            {can("test") && (
              <Button type="submit" look="primary" icon={Send} busy={pending}>
                Send a test
              </Button>
            )}
            <p className="text-sm text-muted">
              One request, signed like that of any event, now and to this endpoint only. It is not tried again.
              {endpoint.status !== "enabled" && ` The endpoint is ${endpoint.status}, and stays so: a test is sent all the same.`}
            </p>
          </form>
        </Panel>
        <Panel
          title="What came back"
          aside={
            found && !pending ? (
              <span className="flex flex-wrap items-center justify-end gap-x-3 gap-y-1 text-sm">
                <StatusBadge of="attempt" state={found.outcome} />
                <Time at={found.started_at} className="text-muted" />
                <Link to={link.delivery(endpoint.tenant, found.delivery)} className="text-accent underline">
                  Its delivery
                </Link>
              </span>
            ) : undefined
          }
        >
          {pending ? (
            <div className="space-y-3" aria-busy="true">
              <p className="text-muted">Waiting for the answer, {endpoint.timeout} at most.</p>
              <Skeleton />
              <Skeleton className="w-2/3" />
              <Skeleton className="w-1/2" />
            </div>
          ) : found ? (
            <div className="space-y-4">
              {found.outcome === "ok" && <Works endpoint={endpoint} ask={ask} />}
              <AttemptDetails tenant={endpoint.tenant} delivery={found.delivery} attempt={found} />
            </div>
          ) : (
            <p className="py-6 text-center text-muted">Send a test to see what the receiver answers, and where the time goes.</p>
          )}
        </Panel>
      </div>
    </Pane>
  );
}

/** useTypes returns the names of the types that can be sent: those that the endpoint subscribes to, and the others. */
function useTypes({ events }: Endpoint): { subscribed: string[]; others: string[] } {
  const { data = [] } = useQuery(eventTypes());
  const names = data.filter((type) => !type.archived).map((type) => type.name);
  const subscribes = (name: string) => events.some((pattern) => covers(pattern, name));
  return { subscribed: names.filter(subscribes), others: names.filter((name) => !subscribes(name)) };
}

function Types({ label, names }: { label: string; names: readonly string[] }) {
  if (names.length === 0) return null;
  return (
    <optgroup label={label}>
      {names.map((name) => (
        <option key={name}>{name}</option>
      ))}
    </optgroup>
  );
}

/** Example shows the data that will be sent. */
function Example({ type }: { type: string }) {
  const { data, isPending } = useType(type || undefined);
  if (type === "") return null;
  if (isPending) return <Skeleton className="h-24" />;
  return <JsonView text={data?.example || "null"} title={data?.example ? "Its example" : "It has no example"} maxHeight={240} />;
}

/** Works says that the receiver acknowledges again, and offers what it has not got meanwhile. */
function Works({ endpoint, ask }: { endpoint: Endpoint; ask: (asked: Asked) => void }) {
  const { can } = useScope();
  const { health, status } = endpoint;
  if (status !== "enabled") {
    return (
      <Notice
        tone="good"
        icon={CircleCheck}
        action={
          can("manage") && (
            <Button size="sm" look="primary" icon={Play} onClick={() => ask("enable")}>
              Enable
            </Button>
          )
        }
      >
        It works. The endpoint is still {status}.
      </Notice>
    );
  }
  if (health.last_failure_at === null || !can("replay")) return null;
  return (
    <Notice
      tone="good"
      icon={CircleCheck}
      action={
        <span className="flex flex-wrap gap-2">
          {health.waiting > 0 && (
            <Button size="sm" icon={RotateCw} onClick={() => ask("retry")}>
              Retry what waits
            </Button>
          )}
          <Button size="sm" look="primary" icon={ListRestart} onClick={() => ask("replay")}>
            Replay what was missed
          </Button>
        </span>
      }
    >
      It works again.{" "}
      {health.waiting > 0 && `${health.waiting_capped ? "More than " : ""}${plural(health.waiting, "delivery waits", "deliveries wait")} for the next attempt. `}
      What it has missed is not sent by itself.
    </Notice>
  );
}
