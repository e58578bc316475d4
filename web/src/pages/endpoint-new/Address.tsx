import { ArrowRight } from "lucide-react";
import type { ApiError } from "@/api/client";
import { Button } from "@/parts/Button";
import { Field } from "@/parts/Form";
import { Panel } from "@/parts/Page";
import { useScope } from "@/parts/Scope";
import type { Draft } from ".";
import type { Check } from "./urlcheck";
import { Reached } from "./Reached";

type Props = { draft: Draft; set: (change: Partial<Draft>) => void; check: Check; error: ApiError | null; next: () => void };

/** Address asks where events are sent, and says whether that is reached. Only an address that no endpoint may have is in the way. */
export function Address({ draft, set, check, error, next }: Props) {
  const { shell } = useScope();
  const typed = draft.url.trim();
  const wrong = typed && !/^https?:\/\/[^/\s]+/i.test(typed) ? "must begin with https:// or http://" : check.error?.fault("url");
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (!wrong) next();
      }}
    >
      <Panel>
        <div className="space-y-4">
          <Field label="URL" name="url" error={error} problem={wrong}>
            {(field) => (
              <input {...field} className="field font-mono" required autoFocus inputMode="url" autoComplete="off" spellCheck={false} value={draft.url} placeholder="https://example.com/webhooks" onChange={(event) => set({ url: event.target.value })} />
            )}
          </Field>
          {!wrong && <Reached check={check}>{`It must be reachable from ${shell === "console" ? "this server" : "the internet"}, and answer with a 2xx status within 15 seconds.`}</Reached>}
          <Field label="Description" name="description" error={error} optional hint="What people call it, such as Order service.">
            {(field) => <input {...field} className="field" value={draft.description} onChange={(event) => set({ description: event.target.value })} />}
          </Field>
        </div>
      </Panel>
      <div className="mt-4 flex justify-end">
        <Button look="primary" type="submit" disabled={!typed}>
          Choose events
          <ArrowRight size={14} aria-hidden />
        </Button>
      </div>
    </form>
  );
}
