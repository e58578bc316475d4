import { useQuery } from "@tanstack/react-query";
import { ListRestart, Play } from "lucide-react";
import { api, call } from "@/api/client";
import { asError } from "@/api/problem";
import { exactNumber, plural } from "@/lib/numbers";
import { sentence } from "@/lib/text";
import { Button } from "@/parts/Button";
import { Dialog } from "@/parts/Dialog";
import { endpointName } from "@/parts/Health";
import { useScope } from "@/parts/Scope";
import { Skeleton } from "@/parts/States";
import { Time } from "@/parts/Time";
import type { Endpoint } from "./index";

/** Enable says what the endpoint will get before it is enabled: what waits for it, and if that is wanted what it has missed. */
export function Enable({ endpoint, busy, enable, close }: { endpoint: Endpoint; busy: boolean; enable: (replay: boolean) => void; close: () => void }) {
  const { can } = useScope();
  const { tenant, id, health, status } = endpoint;
  const missed = useQuery({
    queryKey: ["missed", tenant, id],
    queryFn: ({ signal }) => call(api.GET("/api/v1/tenants/{tenant}/endpoints/{id}/missed", { params: { path: { tenant, id } }, signal })),
    enabled: can("replay"),
    gcTime: 0,
    refetchOnWindowFocus: false,
  });
  const count = missed.data;
  const offered = count && count.total > 0 ? count : undefined;
  return (
    <Dialog
      open
      onClose={close}
      title={`Enable ${endpointName(endpoint)}?`}
      footer={
        <>
          <Button onClick={close}>Leave it {status}</Button>
          <Button look={offered ? "plain" : "primary"} icon={Play} busy={busy} disabled={missed.isLoading} onClick={() => enable(false)}>
            {offered ? "Enable, and replay nothing" : "Enable"}
          </Button>
          {offered && (
            <Button look="primary" icon={ListRestart} busy={busy} onClick={() => enable(true)}>
              Enable and replay {exactNumber(offered.total)}
            </Button>
          )}
        </>
      }
    >
      <div className="space-y-2" aria-live="polite">
        <p>
          New events are sent to it from then on.
          {health.waiting > 0 && ` ${health.waiting_capped ? "More than " : ""}${plural(health.waiting, "delivery waits", "deliveries wait")} for it, and will be sent at once.`}
        </p>
        {missed.isLoading ? (
          <Skeleton className="w-3/4" />
        ) : count ? (
          <p>
            {count.total === 0 ? (
              <>It has missed nothing</>
            ) : (
              <>
                It has missed {count.total_is_bound && "at most "}
                <strong className="num font-semibold">{exactNumber(count.total)}</strong> {count.total === 1 ? "event" : "events"}, which failed or were never sent,
              </>
            )}{" "}
            since <Time at={count.since} as="clock" />.
          </p>
        ) : (
          missed.error && <p className="text-bad">What it has missed could not be counted. {sentence(asError(missed.error).detail)}</p>
        )}
      </div>
    </Dialog>
  );
}
