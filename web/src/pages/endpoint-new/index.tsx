import { Check } from "lucide-react";
import { useLayoutEffect, useState } from "react";
import { api, call, type Schemas } from "@/api/client";
import { useAction } from "@/api/hooks";
import { cx } from "@/lib/text";
import { PageHeader } from "@/parts/Page";
import { useScope, useTenant } from "@/parts/Scope";
import { tell } from "@/parts/host";
import { Address } from "./Address";
import { Checking } from "./Checking";
import { useCheck } from "./urlcheck";
import { Events } from "./Events";

export type Draft = { url: string; description: string; events: string[]; filter: string };

const steps = ["Address", "Events", "Check"] as const;

/**
 * NewEndpoint adds an endpoint in three steps: where events go, which ones, and whether they arrive. The endpoint is
 * created after the second; what the API finds wrong is shown at the step that it belongs to.
 */
export default function NewEndpoint() {
  const tenant = useTenant();
  const { link, shell } = useScope();
  const [step, setStep] = useState(0);
  const [draft, setDraft] = useState<Draft>({ url: "", description: "", events: ["*"], filter: "" });
  const [made, setMade] = useState<Schemas["CreatedEndpoint"]>();
  const check = useCheck(tenant, draft.url);
  const create = useAction(
    () =>
      call(
        api.POST("/api/v1/tenants/{tenant}/endpoints", {
          params: { path: { tenant } },
          body: {
            url: draft.url.trim(),
            events: draft.events,
            ...(draft.description.trim() ? { description: draft.description.trim() } : {}),
            ...(draft.filter.trim() ? { filter: draft.filter.trim() } : {}),
          },
        }),
      ),
    {
      quiet: true,
      changes: [["endpoints"], ["tenant", tenant, "endpoints"]],
      onDone: (endpoint) => {
        setMade(endpoint);
        setStep(2);
        tell({ bellwire: "endpoint-created", endpoint: endpoint.id });
      },
    },
  );
  useLayoutEffect(() => {
    document.getElementById("main")?.scrollTo({ top: 0 }); // some browsers return a promise, which is no effect's end
  }, [step]);
  const set = (change: Partial<Draft>) => setDraft((old) => ({ ...old, ...change }));
  const misplaced = create.error && (create.error.fault("url") ?? create.error.fault("description"));
  return (
    <>
      <PageHeader
        title="Add an endpoint"
        back={[{ to: link.endpoints(shell === "console" ? tenant : undefined), label: "Endpoints" }]}
        sentence={shell === "console" ? <>For tenant {tenant}.</> : "An address of yours to which events are sent."}
      />
      <div className="max-w-3xl px-4 pb-10 sm:px-6">
        <ol aria-label="Steps" className="mb-5 flex flex-wrap gap-x-6 gap-y-2">
          {steps.map((name, i) => (
            <li key={name} aria-current={i === step ? "step" : undefined} className={cx("flex items-center gap-2", i === step ? "font-medium" : "text-muted")}>
              <span
                className={cx(
                  "num inline-flex size-5 items-center justify-center rounded-full text-xs font-medium",
                  i < step ? "bg-good-soft text-good" : i === step ? "bg-accent-solid text-on-accent" : "bg-sunk-strong",
                )}
              >
                {i < step ? <Check size={12} aria-label="Done" /> : i + 1}
              </span>
              {name}
            </li>
          ))}
        </ol>
        {step === 0 && <Address draft={draft} set={set} check={check} error={create.error} next={() => setStep(1)} />}
        {step === 1 && (
          <Events
            tenant={tenant}
            draft={draft}
            set={set}
            error={create.error}
            misplaced={misplaced ?? undefined}
            busy={create.isPending}
            back={() => setStep(0)}
            next={() => create.mutate(undefined)}
          />
        )}
        {step === 2 && made && <Checking tenant={tenant} endpoint={made} />}
      </div>
    </>
  );
}
