import { Activity, Radio, Send, Shapes, Webhook } from "lucide-react";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { Navigate, Route, Routes, useLocation, useNavigate } from "react-router";
import { access, ApiError } from "@/api/client";
import { useFindEndpoints } from "@/api/names";
import { refused } from "@/api/problem";
import { exchangePortal, type PortalSession, takeCode } from "@/api/session";
import { part } from "@/lib/part";
import { useLive } from "@/parts/Live";
import { type Command, PaletteProvider } from "@/parts/Palette";
import { Of, portalScope, ScopeProvider, useScope } from "@/parts/Scope";
import { type NavGroup, PageSkeleton, Shell } from "@/parts/Shell";
import { EmptyState, ErrorState } from "@/parts/States";
import { properties } from "./accent";
import { find } from "./find";
import { embedded, isColor, type Look, onLook, tell } from "@/parts/host";

const Endpoints = part(() => import("@/pages/endpoints"));
const Endpoint = part(() => import("@/pages/endpoint"));
const NewEndpoint = part(() => import("@/pages/endpoint-new"));
const Deliveries = part(() => import("@/pages/deliveries"));
const Delivery = part(() => import("@/pages/delivery"));
const Events = part(() => import("@/pages/events"));
const Event = part(() => import("@/pages/event"));
const EventTypes = part(() => import("@/pages/event-types"));
const Job = part(() => import("@/pages/job"));
const Live = part(() => import("@/pages/live"));

const nav: readonly NavGroup[] = [
  {
    items: [
      { to: "/", label: "Endpoints", icon: Webhook, match: /^\/($|endpoints)/ },
      { to: "/deliveries", label: "Deliveries", icon: Send, match: /^\/deliveries/ },
      { to: "/events", label: "Events", icon: Activity, match: /^\/events/ },
      { to: "/event-types", label: "Event types", icon: Shapes, match: /^\/event-types/ },
      { to: "/live", label: "Live", icon: Radio, match: /^\/live/ },
    ],
  },
];

/** The code can be exchanged once, so it is sent once unless that failed, however often React mounts the portal. */
const code = takeCode();
let exchanged: Promise<PortalSession> | undefined;

/** Portal shows a customer's own endpoints and deliveries, to whoever has the one-time code of a session. */
export function Portal() {
  const [session, setSession] = useState<PortalSession>();
  const [error, setError] = useState<unknown>();
  const [ended, setEnded] = useState(false);
  const begin = useCallback(() => {
    if (!code) return setEnded(true);
    exchanged ??= exchangePortal(code);
    exchanged.then((begun) => {
      access.bearer = begun.token;
      setSession(begun);
      tell({ bellwire: "ready" });
    }, setError);
  }, []);
  useEffect(() => {
    tell({ bellwire: "loaded" });
    access.ended = () => setEnded(true);
    begin();
  }, [begin]);
  useLook(session);
  useEnd(session, setEnded);
  const over = ended || (error instanceof ApiError && error.status === 401);
  useEffect(() => {
    if (!over) return;
    access.bearer = undefined;
    tell({ bellwire: "session-ended" });
  }, [over]);
  const scope = useMemo(() => session && portalScope(session.tenant, session.capabilities), [session]);

  if (refused(error)) return <ErrorState error={error} what="This link does not work any more" />;
  if (error) {
    const retry = () => {
      exchanged = undefined;
      setError(undefined);
      begin();
    };
    return <ErrorState error={error} what="Your webhooks could not be opened" retry={retry} />;
  }
  if (ended) {
    return (
      <EmptyState icon={Activity} title="Your session has ended">
        It ends after a while, and when the page is loaded again. Open it again from where you came.
      </EmptyState>
    );
  }
  if (!scope) return <PageSkeleton />;
  return (
    <ScopeProvider value={scope}>
      <Frame />
    </ScopeProvider>
  );
}

/** Frame is the portal of a session: its navigation and routes. */
function Frame() {
  const navigate = useNavigate();
  const scope = useScope();
  const { paused, setPaused } = useLive();
  const named = useFindEndpoints();
  const commands = useMemo<Command[]>(
    () => [
      ...nav.flatMap((group) => group.items).map((item): Command => ({ id: item.to, label: item.label, group: "Page", icon: item.icon, run: () => void navigate(item.to) })),
      ...(scope.can("manage") ? [{ id: "new", label: "Add endpoint", group: "Action", run: () => void navigate(scope.link.newEndpoint(scope.tenant ?? "")) }] : []),
      { id: "pause", label: paused ? "Go on with live data" : "Pause live data", group: "Action", run: () => setPaused(!paused) },
    ],
    [navigate, scope, paused, setPaused],
  );
  const source = useMemo(() => (typed: string, signal: AbortSignal) => find(scope, typed, signal, named, (to) => void navigate(to)), [scope, named, navigate]);
  return (
    <PaletteProvider commands={commands} source={source}>
      {embedded && <Height />}
      <Shell brand={<span className="font-semibold">Webhooks</span>} nav={nav}>
        <Routes>
          <Route path="/" element={<Endpoints />} />
          <Route path="/endpoints" element={<Navigate to="/" replace />} />
          <Route path="/endpoints/new" element={scope.can("manage") ? <NewEndpoint /> : <Navigate to="/" replace />} />
          <Route path="/endpoints/:id/*" element={<Of page={Endpoint} />} />
          <Route path="/deliveries" element={<Deliveries />} />
          <Route path="/deliveries/:id" element={<Of page={Delivery} />} />
          <Route path="/events" element={<Events />} />
          <Route path="/events/:id" element={<Of page={Event} />} />
          <Route path="/event-types" element={<EventTypes />} />
          <Route path="/event-types/:name/*" element={<EventTypes />} />
          <Route path="/live" element={<Live />} />
          <Route path="/jobs" element={<Navigate to="/" replace />} />
          <Route path="/jobs/:id" element={<Of page={Job} />} />
          <Route path="*" element={<EmptyState title="This page does not exist" />} />
        </Routes>
      </Shell>
    </PaletteProvider>
  );
}

/** useLook gives the portal the colour and theme of the session, or those that the page around it says later. */
function useLook(session: PortalSession | undefined): void {
  const { setHostTheme } = useLive();
  useEffect(() => {
    const apply = ({ mode, accent }: Look) => {
      if (mode) setHostTheme(mode);
      if (!accent || !isColor(accent)) return;
      for (const [name, value] of Object.entries(properties(accent))) document.documentElement.style.setProperty(name, value);
    };
    if (session?.theme) apply(session.theme as Look);
    return onLook(apply);
  }, [session, setHostTheme]);
}

/** useEnd ends what is shown when the session does. Where that is not known, the API says it at the next request. */
function useEnd(session: PortalSession | undefined, setEnded: (ended: boolean) => void): void {
  useEffect(() => {
    if (session?.left === undefined) return;
    const timer = setTimeout(() => setEnded(true), session.left);
    return () => clearTimeout(timer);
  }, [session, setEnded]);
}

/** The most that a frame grows to. Longer lists scroll in it. */
const tallest = 1600;

/** Height tells the page around the portal how high its frame should be, when the content grows or shrinks. */
function Height() {
  const { pathname } = useLocation();
  const last = useRef(0);
  useEffect(() => {
    const main = document.getElementById("main");
    if (!main) return;
    const measure = () => {
      const content = [...main.children].reduce((sum, child) => sum + child.getBoundingClientRect().height, 0);
      const height = Math.min(tallest, Math.ceil(content + main.getBoundingClientRect().top + 24));
      if (Math.abs(height - last.current) < 8) return;
      last.current = height;
      tell({ bellwire: "height", height });
    };
    const sizes = new ResizeObserver(measure);
    const nodes = new MutationObserver(() => {
      for (const child of main.children) sizes.observe(child);
      measure();
    });
    nodes.observe(main, { childList: true, subtree: true });
    for (const child of main.children) sizes.observe(child);
    measure();
    return () => {
      sizes.disconnect();
      nodes.disconnect();
    };
  }, [pathname]);
  return null;
}
