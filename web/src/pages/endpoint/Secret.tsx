import { Eye, EyeOff, RefreshCw } from "lucide-react";
import { useEffect, useState } from "react";
import { api, call, type Schemas } from "@/api/client";
import { useAction } from "@/api/hooks";
import { Button } from "@/parts/Button";
import { Id } from "@/parts/Copy";
import { Dialog } from "@/parts/Dialog";
import { Choice, FormError } from "@/parts/Form";
import { Time } from "@/parts/Time";
import type { Endpoint } from "./index";

/** How long a secret stays on the screen. */
const shownFor = 60_000;

/** Secret shows the endpoint's secrets when one asks. Each look is in the audit log, and nothing of it is kept here. */
export function Secret({ endpoint, onRotate }: { endpoint: Endpoint; onRotate?: () => void }) {
  const [secrets, setSecrets] = useState<Schemas["EndpointSecrets"]>();
  const show = useAction(() => call(api.GET("/api/v1/tenants/{tenant}/endpoints/{id}/secret", { params: { path: { tenant: endpoint.tenant, id: endpoint.id } } })), {
    failed: "The secret was not shown",
    onDone: setSecrets,
  });
  useEffect(() => {
    if (!secrets) return;
    const timer = setTimeout(() => setSecrets(undefined), shownFor);
    return () => clearTimeout(timer);
  }, [secrets]);
  return (
    <div className="space-y-2.5">
      {secrets ? (
        <ul className="space-y-1.5">
          {secrets.secrets.map((each, i) => (
            <li key={i} className="rounded-md bg-sunk px-3 py-2">
              {each.secret && <Id value={each.secret} full />}
              {each.public_key && (
                <p className="text-sm text-muted">
                  Public key <Id value={each.public_key} full />
                </p>
              )}
              {each.expires_at && (
                <p className="text-xs text-muted">
                  Signs until <Time at={each.expires_at} />
                </p>
              )}
            </li>
          ))}
        </ul>
      ) : (
        <p className="font-mono text-[12.5px] tracking-widest text-faint" aria-label="The secret is hidden">
          ••••••••••••••••••••••••
        </p>
      )}
      <div className="flex gap-2">
        {secrets ? (
          <Button size="sm" icon={EyeOff} onClick={() => setSecrets(undefined)}>
            Hide
          </Button>
        ) : (
          <Button size="sm" icon={Eye} busy={show.isPending} onClick={() => show.mutate(undefined)}>
            Show the secret
          </Button>
        )}
        {onRotate && (
          <Button size="sm" icon={RefreshCw} onClick={onRotate}>
            Rotate
          </Button>
        )}
      </div>
    </div>
  );
}

const overlaps = [
  ["0s", "At once"],
  ["1h", "1 hour"],
  ["24h", "1 day"],
  ["168h", "7 days"],
] as const;

/** Rotate makes a new secret. Both sign for a while, so that the receiver can change in time. */
export function Rotate({ endpoint, open, onClose }: { endpoint: Endpoint; open: boolean; onClose: () => void }) {
  const [overlap, setOverlap] = useState<(typeof overlaps)[number][0]>("24h");
  const rotate = useAction(
    () => call(api.POST("/api/v1/tenants/{tenant}/endpoints/{id}/secret/rotate", { params: { path: { tenant: endpoint.tenant, id: endpoint.id } }, body: { overlap } })),
    { quiet: true, changes: [["changes", endpoint.id]] },
  );
  const close = () => {
    rotate.reset();
    onClose();
  };
  const made = rotate.data;
  return (
    <Dialog
      open={open}
      onClose={close}
      title="Rotate the secret"
      sentence={made ? "Give the new secret to the receiver now." : "A new secret is made. The old one goes on to sign for as long as you choose."}
      footer={
        made ? (
          <Button look="primary" onClick={close}>
            Done
          </Button>
        ) : (
          <>
            <Button onClick={close}>Keep the secret</Button>
            <Button look={overlap === "0s" ? "danger" : "primary"} icon={RefreshCw} busy={rotate.isPending} onClick={() => rotate.mutate(undefined)}>
              Rotate
            </Button>
          </>
        )
      }
    >
      {made ? (
        <div className="space-y-2">
          {made.secret && (
            <p className="rounded-md bg-sunk px-3 py-2">
              <Id value={made.secret} full />
            </p>
          )}
          {made.public_key && (
            <p className="text-sm">
              Public key <Id value={made.public_key} full />
            </p>
          )}
          <p className="text-sm text-muted">
            {made.previous_expires_at ? (
              <>
                The old secret signs until <Time at={made.previous_expires_at} />.
              </>
            ) : (
              "The old secret does not sign any more."
            )}
          </p>
        </div>
      ) : (
        <div className="space-y-3">
          <div>
            <p className="label mb-1.5">The old secret signs for</p>
            <Choice label="The old secret signs for" value={overlap} values={overlaps} onChange={setOverlap} />
          </div>
          {overlap === "0s" && <p className="text-sm text-bad">The receiver refuses every delivery until it has the new secret.</p>}
          <FormError error={rotate.error} />
        </div>
      )}
    </Dialog>
  );
}
