import { useQueryClient } from "@tanstack/react-query";
import { createContext, Suspense, useCallback, useContext, useEffect, useMemo, useState } from "react";
import { access, type ApiError } from "@/api/client";
import { asError, refused } from "@/api/problem";
import { type ConsoleSession, current, exchangeConsole, signOut, takeCode } from "@/api/session";
import { part } from "@/lib/part";
import { PageSkeleton } from "@/parts/Shell";
import { consoleScope, publisherScope, ScopeProvider } from "@/parts/Scope";
import { ErrorState } from "@/parts/States";
import { Frame } from "./Frame";

const SignIn = part(() => import("@/pages/sign-in"));

type State = { is: "unknown" } | { is: "out"; why?: ApiError } | { is: "in"; session: ConsoleSession } | { is: "failed"; error: unknown };

const Context = createContext<{ session: ConsoleSession; leave: () => Promise<void> } | undefined>(undefined);

/** useConsoleSession returns who is signed in, and what signs out. */
export function useConsoleSession() {
  const session = useContext(Context);
  if (!session) throw new Error("useConsoleSession outside of the console");
  return session;
}

/** The code can be exchanged once, so that happens once, however often React mounts the console. */
const code = takeCode();
let first: Promise<ConsoleSession> | undefined;

/** Console shows its pages to an operator, and to anybody else the way in, which returns to the same address. */
export function Console() {
  const [state, setState] = useState<State>({ is: "unknown" });
  const queries = useQueryClient();
  const begin = useCallback((session: ConsoleSession) => setState({ is: "in", session }), []);
  const load = useCallback(() => {
    first ??= code ? exchangeConsole(code) : current();
    first.then(begin, (error: unknown) => {
      if (refused(error)) setState({ is: "out", ...(code ? { why: asError(error) } : {}) });
      else setState({ is: "failed", error });
    });
  }, [begin]);
  useEffect(() => {
    access.ended = () => {
      queries.clear();
      setState({ is: "out" });
    };
    load();
  }, [load, queries]);

  const value = useMemo(
    () =>
      state.is === "in"
        ? {
            session: state.session,
            leave: async () => {
              await signOut();
              queries.clear();
              setState({ is: "out" });
            },
          }
        : undefined,
    [state, queries],
  );

  switch (state.is) {
    case "unknown":
      return <PageSkeleton />;
    case "failed":
      return (
        <ErrorState
          error={state.error}
          what="The console could not be loaded"
          retry={() => {
            first = undefined;
            load();
          }}
        />
      );
    case "out":
      return (
        <Suspense fallback={<PageSkeleton />}>
          <SignIn onSignedIn={begin} {...(state.why ? { why: state.why } : {})} />
        </Suspense>
      );
    case "in":
      return (
        <Context value={value}>
          <ScopeProvider value={state.session.role === "admin" ? consoleScope : publisherScope}>
            <Frame />
          </ScopeProvider>
        </Context>
      );
  }
}
