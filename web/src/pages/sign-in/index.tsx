import { Webhook } from "lucide-react";
import { useState } from "react";
import type { ApiError } from "@/api/client";
import { asError } from "@/api/problem";
import { type ConsoleSession, signIn } from "@/api/session";
import { sentence } from "@/lib/text";
import { Button } from "@/parts/Button";
import { Field, FormError } from "@/parts/Form";
import { useTitle } from "@/parts/Page";

/** SignIn exchanges an operator's key for a session, and shows the page that one wanted. */
export default function SignIn({ onSignedIn, why }: { onSignedIn: (session: ConsoleSession) => void; why?: ApiError }) {
  const [key, setKey] = useState("");
  const [error, setError] = useState<ApiError | null>(null);
  const [busy, setBusy] = useState(false);
  useTitle("Sign in");
  const enter = async () => {
    setBusy(true);
    setError(null);
    try {
      onSignedIn(await signIn(key.trim()));
    } catch (thrown) {
      setError(asError(thrown));
    } finally {
      setBusy(false);
    }
  };
  return (
    <main className="flex min-h-full items-center justify-center bg-sunk p-4">
      <div className="w-full max-w-sm">
        <span className="inline-flex size-9 items-center justify-center rounded-lg bg-accent-solid text-on-accent">
          <Webhook size={20} aria-hidden />
        </span>
        <h1 className="mt-4 text-xl">Sign in to Bellwire</h1>
        <p className="mt-1 text-muted">With an operator's key. It is exchanged for a session and kept nowhere.</p>
        {why && <p className="mt-3 rounded-md bg-warn-soft px-3 py-2 text-sm">The link did not sign you in: {sentence(why.detail)}</p>}
        <form
          className="panel mt-5 space-y-4 p-4"
          onSubmit={(event) => {
            event.preventDefault();
            void enter();
          }}
        >
          <Field label="Key" hint={<>Make one with <code className="text-text">bellwire keys create --role admin</code></>}>
            {(field) => (
              <input {...field} type="password" required autoFocus autoComplete="off" className="field font-mono" value={key} onChange={(event) => setKey(event.target.value)} />
            )}
          </Field>
          <FormError error={error} />
          <Button type="submit" look="primary" className="w-full" busy={busy}>
            Sign in
          </Button>
        </form>
      </div>
    </main>
  );
}
