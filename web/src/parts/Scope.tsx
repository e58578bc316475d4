import { type ComponentType, createContext, useContext } from "react";
import { useParams } from "react-router";

/** What a person may do: the capabilities of a portal session, and operate, which is what admin keys are for. */
export type Capability = "view" | "view_secret" | "manage" | "replay" | "test" | "operate";

/** Where a page runs: what it is about, what its person may do, and where things are found. Pages serve both shells by it. */
export type Scope = {
  shell: "console" | "portal";
  /** The one tenant of a portal session; undefined in the console, which shows all. */
  tenant: string | undefined;
  /** Whether the session has a capability. What it may not do is not shown; the API refuses it besides. */
  can: (capability: Capability) => boolean;
  link: {
    tenant: (tenant: string) => string;
    endpoints: (tenant?: string) => string;
    newEndpoint: (tenant: string) => string;
    endpoint: (tenant: string, id: string) => string;
    deliveries: (query?: Record<string, string>) => string;
    delivery: (tenant: string, id: string) => string;
    event: (tenant: string, id: string) => string;
    eventType: (name: string) => string;
    job: (tenant: string, id: string) => string;
  };
};

const at = (...parts: string[]) => `/${parts.map(encodeURIComponent).join("/")}`;

const search = (query: Record<string, string | undefined> = {}) => {
  const params = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) if (value) params.set(key, value);
  return params.size > 0 ? `?${params}` : "";
};

/** bulkJob is where the console has a job over all tenants. */
export const bulkJob = (id: string) => at("bulk-jobs", id);

export const consoleScope: Scope = {
  shell: "console",
  tenant: undefined,
  can: () => true,
  link: {
    tenant: (tenant) => at("tenants", tenant),
    endpoints: (tenant) => `/endpoints${search({ tenant })}`,
    newEndpoint: (tenant) => at("tenants", tenant, "endpoints", "new"),
    endpoint: (tenant, id) => at("tenants", tenant, "endpoints", id),
    deliveries: (query) => `/deliveries${search(query)}`,
    delivery: (tenant, id) => at("tenants", tenant, "deliveries", id),
    event: (tenant, id) => at("tenants", tenant, "events", id),
    eventType: (name) => at("event-types", name),
    job: (tenant, id) => at("tenants", tenant, "jobs", id),
  },
};

/** publisherScope is the console of a publisher's key, which reads event types and publishes. */
export const publisherScope: Scope = { ...consoleScope, can: () => false };

/** portalScope has the same pages without the tenant in their addresses. */
export function portalScope(tenant: string, capabilities: readonly string[]): Scope {
  return {
    shell: "portal",
    tenant,
    can: (capability) => capabilities.includes(capability),
    link: {
      tenant: () => "/",
      endpoints: () => "/",
      newEndpoint: () => "/endpoints/new",
      endpoint: (_tenant, id) => at("endpoints", id),
      deliveries: (query) => `/deliveries${search({ ...query, tenant: undefined })}`,
      delivery: (_tenant, id) => at("deliveries", id),
      event: (_tenant, id) => at("events", id),
      eventType: (name) => at("event-types", name),
      job: (_tenant, id) => at("jobs", id),
    },
  };
}

const Context = createContext<Scope>(consoleScope);

export const ScopeProvider = Context.Provider;

export function useScope(): Scope {
  return useContext(Context);
}

/** useTenant returns the tenant that the page is about: that of the session, or of the address. */
export function useTenant(): string {
  const { tenant } = useScope();
  const params = useParams();
  return tenant ?? params.tenant ?? "";
}

/** Of shows a page that is about one thing, such as an event, with a state for each: what is open or typed for one is not there for the next. */
export function Of({ page: Page }: { page: ComponentType }) {
  const { tenant, id } = useParams();
  return <Page key={JSON.stringify([tenant, id])} />;
}
