import { Activity, Send, Webhook } from "lucide-react";
import { lazy, useEffect, useMemo, useState } from "react";
import { Route, Routes } from "react-router";
import { access } from "@/api/client";
import { exchangePortal, type PortalSession, takeCode } from "@/api/session";
import { PaletteProvider } from "@/parts/Palette";
import { portalScope, ScopeProvider } from "@/parts/Scope";
import { type NavGroup, PageSkeleton, Shell } from "@/parts/Shell";
import { EmptyState, ErrorState } from "@/parts/States";

const Endpoints = lazy(() => import("@/pages/endpoints"));
const Endpoint = lazy(() => import("@/pages/endpoint"));
const NewEndpoint = lazy(() => import("@/pages/endpoint-new"));
const Deliveries = lazy(() => import("@/pages/deliveries"));
const Delivery = lazy(() => import("@/pages/delivery"));
const Event = lazy(() => import("@/pages/event"));

const nav: readonly NavGroup[] = [
  {
    items: [
      { to: "/", label: "Endpoints", icon: Webhook, match: /^\/($|endpoints)/ },
      { to: "/deliveries", label: "Deliveries", icon: Send, match: /^\/(deliveries|events)/ },
    ],
  },
];

/** The code can be exchanged once, so that happens once, however often React mounts the portal. */
const code = takeCode();
let exchanged: Promise<PortalSession> | undefined;

/** Portal shows a customer's own endpoints and deliveries, to whoever has the one-time code of a session. */
export function Portal() {
  const [session, setSession] = useState<PortalSession>();
  const [error, setError] = useState<unknown>();
  const [ended, setEnded] = useState(false);
  useEffect(() => {
    access.ended = () => setEnded(true);
    if (!code) return setEnded(true);
    exchanged ??= exchangePortal(code);
    exchanged.then((begun) => {
      access.bearer = begun.token;
      setSession(begun);
    }, setError);
  }, []);
  const scope = useMemo(() => session && portalScope(session.tenant, session.capabilities), [session]);

  if (error) return <ErrorState error={error} what="This link does not work any more" />;
  if (ended) {
    return (
      <EmptyState icon={Activity} title="Your session has ended">
        Open this page again from where you came.
      </EmptyState>
    );
  }
  if (!scope) return <PageSkeleton />;
  return (
    <ScopeProvider value={scope}>
      <PaletteProvider commands={[]}>
        <Shell brand={<span className="font-semibold">Webhooks</span>} nav={nav}>
          <Routes>
            <Route path="/" element={<Endpoints />} />
            <Route path="/endpoints/new" element={<NewEndpoint />} />
            <Route path="/endpoints/:id/*" element={<Endpoint />} />
            <Route path="/deliveries" element={<Deliveries />} />
            <Route path="/deliveries/:id" element={<Delivery />} />
            <Route path="/events/:id" element={<Event />} />
            <Route path="*" element={<EmptyState title="This page does not exist" />} />
          </Routes>
        </Shell>
      </PaletteProvider>
    </ScopeProvider>
  );
}
