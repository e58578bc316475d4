import {
  Activity,
  ArrowLeftRight,
  Boxes,
  Building2,
  Gauge,
  History,
  KeyRound,
  LogOut,
  Radio,
  Send,
  Server,
  Settings2,
  Shapes,
  Stethoscope,
  Webhook,
} from "lucide-react";
import { useEffect, useMemo, useRef } from "react";
import { Navigate, Route, Routes, useNavigate } from "react-router";
import { useFindEndpoints } from "@/api/names";
import { part } from "@/lib/part";
import { middle, visible } from "@/lib/text";
import { exact } from "@/lib/time";
import { Button, IconButton } from "@/parts/Button";
import { useKeys } from "@/parts/Keys";
import { useLive } from "@/parts/Live";
import { type Command, PaletteProvider } from "@/parts/Palette";
import { type NavGroup, Shell } from "@/parts/Shell";
import { Of, useScope } from "@/parts/Scope";
import { EmptyState } from "@/parts/States";
import { useToast } from "@/parts/Toast";
import { useConsoleSession } from "./Console";
import { find } from "./find";

const Overview = part(() => import("@/pages/overview"));
const Endpoints = part(() => import("@/pages/endpoints"));
const Endpoint = part(() => import("@/pages/endpoint"));
const NewEndpoint = part(() => import("@/pages/endpoint-new"));
const Deliveries = part(() => import("@/pages/deliveries"));
const Delivery = part(() => import("@/pages/delivery"));
const Events = part(() => import("@/pages/events"));
const Event = part(() => import("@/pages/event"));
const EventTypes = part(() => import("@/pages/event-types"));
const Live = part(() => import("@/pages/live"));
const Tenants = part(() => import("@/pages/tenants"));
const Tenant = part(() => import("@/pages/tenant"));
const Jobs = part(() => import("@/pages/jobs"));
const Job = part(() => import("@/pages/job"));
const BulkJobs = part(() => import("@/pages/bulk-jobs"));
const BulkJob = part(() => import("@/pages/bulk-job"));
const Audit = part(() => import("@/pages/audit"));
const Nodes = part(() => import("@/pages/nodes"));
const Doctor = part(() => import("@/pages/doctor"));
const Settings = part(() => import("@/pages/settings"));

const nav: readonly NavGroup[] = [
  {
    items: [
      { to: "/", label: "Overview", icon: Gauge, match: /^\/$/ },
      { to: "/live", label: "Live", icon: Radio, match: /^\/live/ },
    ],
  },
  {
    title: "Traffic",
    items: [
      { to: "/deliveries", label: "Deliveries", icon: Send, match: /\/deliveries(\/|$)/ },
      { to: "/events", label: "Events", icon: Activity, match: /\/events(\/|$)/ },
      { to: "/endpoints", label: "Endpoints", icon: Webhook, match: /\/endpoints(\/|$)/ },
      { to: "/jobs", label: "Jobs", icon: Boxes, match: /\/(bulk-)?jobs(\/|$)/ },
    ],
  },
  {
    title: "Platform",
    items: [
      { to: "/tenants", label: "Tenants", icon: Building2, match: /^\/tenants(\/[^/]+(\/(?!deliveries|events|endpoints|jobs).*)?)?$/ },
      { to: "/event-types", label: "Event types", icon: Shapes, match: /^\/event-types/ },
      { to: "/audit", label: "Audit log", icon: History, match: /^\/audit/ },
      { to: "/nodes", label: "Nodes", icon: Server, match: /^\/nodes/ },
      { to: "/doctor", label: "Doctor", icon: Stethoscope, match: /^\/doctor/ },
      { to: "/settings", label: "Settings", icon: Settings2, match: /^\/settings/ },
    ],
  },
];

/** What a publisher's key leads to. */
const publishing: readonly NavGroup[] = [{ items: nav.flatMap((group) => group.items).filter((item) => item.to === "/event-types") }];

/** Frame is the console of an operator who is signed in: its navigation and routes. */
export function Frame() {
  const navigate = useNavigate();
  const { paused, setPaused, setTheme, setZone, zone } = useLive();
  const { session, leave } = useConsoleSession();
  const toast = useToast();
  const { can } = useScope();
  const shown = can("operate") ? nav : publishing;
  const named = useFindEndpoints();
  useGoTo();

  const commands = useMemo<Command[]>(() => {
    const action = (id: string, label: string, icon: Command["icon"], run: () => void): Command => ({ id, label, group: "Action", ...(icon ? { icon } : {}), run });
    return [
      ...shown.flatMap((group) => group.items).map((item): Command => ({ id: item.to, label: item.label, group: "Page", icon: item.icon, run: () => void navigate(item.to) })),
      action("pause", paused ? "Go on with live data" : "Pause live data", undefined, () => setPaused(!paused)),
      action("zone", zone === "utc" ? "Show local times" : "Show times in UTC", undefined, () => setZone(zone === "utc" ? "local" : "utc")),
      action("light", "Light theme", undefined, () => setTheme("light")),
      action("dark", "Dark theme", undefined, () => setTheme("dark")),
      action("leave", "Sign out", LogOut, () => void leave().catch((error: unknown) => toast.failed(error, "You are still signed in"))),
    ];
  }, [navigate, shown, paused, setPaused, setTheme, setZone, zone, leave, toast]);
  const source = useMemo(() => (typed: string, signal: AbortSignal) => (can("operate") ? find(typed, signal, named, (to) => void navigate(to)) : Promise.resolve([])), [navigate, can, named]);

  return (
    <PaletteProvider commands={commands} source={source}>
      <Shell
        brand={<Brand />}
        nav={shown}
        foot={
          <div className="flex items-center gap-2 px-2 text-sm text-muted">
            <KeyRound size={14} className="shrink-0" aria-hidden />
            <span className="min-w-0 flex-1" title={`Signed in with ${session.key ? `the key ${session.key}` : "the configured admin key"}, until ${exact(Date.parse(session.expires_at), zone)}`}>
              <span className="block truncate text-text">{visible(session.key_name) || (session.key ? middle(session.key) : "Configured key")}</span>
              <span className="block text-xs capitalize">{session.role}</span>
            </span>
            <IconButton label="Sign out" icon={LogOut} onClick={() => void leave().catch((error: unknown) => toast.failed(error, "You are still signed in"))} />
          </div>
        }
      >
        {can("operate") ? <Pages /> : <Publishing />}
      </Shell>
    </PaletteProvider>
  );
}

/** Pages are all pages of an operator. */
function Pages() {
  const navigate = useNavigate();
  return (
    <Routes>
      <Route path="/" element={<Overview />} />
      <Route path="/live" element={<Live />} />
      <Route path="/deliveries" element={<Deliveries />} />
      <Route path="/tenants/:tenant/deliveries/:id" element={<Of page={Delivery} />} />
      <Route path="/events" element={<Events />} />
      <Route path="/tenants/:tenant/events/:id" element={<Of page={Event} />} />
      <Route path="/endpoints" element={<Endpoints />} />
      <Route path="/tenants/:tenant/endpoints/new" element={<Of page={NewEndpoint} />} />
      <Route path="/tenants/:tenant/endpoints/:id/*" element={<Of page={Endpoint} />} />
      <Route path="/jobs" element={<Jobs />} />
      <Route path="/tenants/:tenant/jobs/:id" element={<Of page={Job} />} />
      <Route path="/bulk-jobs" element={<BulkJobs />} />
      <Route path="/bulk-jobs/:id" element={<Of page={BulkJob} />} />
      <Route path="/tenants" element={<Tenants />} />
      <Route path="/tenants/:tenant/*" element={<Of page={Tenant} />} />
      <Route path="/event-types" element={<EventTypes />} />
      <Route path="/event-types/:name/*" element={<EventTypes />} />
      <Route path="/audit" element={<Audit />} />
      <Route path="/nodes" element={<Nodes />} />
      <Route path="/doctor" element={<Doctor />} />
      <Route path="/settings/*" element={<Settings />} />
      <Route path="/sign-in" element={<Navigate to="/" replace />} />
      <Route
        path="*"
        element={<EmptyState icon={ArrowLeftRight} title="This page does not exist" action={<Button onClick={() => void navigate("/")}>Go to the overview</Button>} />}
      />
    </Routes>
  );
}

/** Publishing is the one page of a publisher. */
function Publishing() {
  return (
    <Routes>
      <Route path="/event-types" element={<EventTypes />} />
      <Route path="/event-types/:name/*" element={<EventTypes />} />
      <Route path="/" element={<Navigate to="/event-types" replace />} />
      <Route path="*" element={<EmptyState icon={KeyRound} title="This page needs an admin key">You are signed in with a key of the role publisher, which reads event types and publishes.</EmptyState>} />
    </Routes>
  );
}

function Brand() {
  return (
    <span className="flex items-center gap-2 text-base font-semibold tracking-tight">
      <span className="inline-flex size-6 items-center justify-center rounded-md bg-accent-solid text-on-accent">
        <Webhook size={14} aria-hidden />
      </span>
      Bellwire
    </span>
  );
}

/** useGoTo leads to pages by two keys: g, then the page's. */
function useGoTo(): void {
  const navigate = useNavigate();
  const pressed = useRef(0);
  const to = (path: string) => () => {
    if (Date.now() - pressed.current < 1500) void navigate(path);
    pressed.current = 0;
  };
  useKeys({
    g: () => {
      pressed.current = Date.now();
    },
    o: to("/"),
    e: to("/endpoints"),
    d: to("/deliveries"),
    t: to("/tenants"),
  });
  useEffect(() => {
    if (!document.title.includes(" · ")) document.title = "Console · Bellwire";
  }, []);
}
