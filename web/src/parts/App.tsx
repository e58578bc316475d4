import { CSPProvider } from "@base-ui/react/csp-provider";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { type ReactNode, StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { BrowserRouter } from "react-router";
import { ApiError, shellPath } from "@/api/client";
import { LiveProvider } from "./Live";
import { ToastProvider } from "./Toast";

const queries = new QueryClient({
  defaultOptions: {
    mutations: { networkMode: "always" }, // without a network, a request fails and says so; it does not wait in silence
    queries: {
      networkMode: "always",
      staleTime: 2000,
      refetchIntervalInBackground: false,
      refetchOnWindowFocus: true,
      retry: (count, error) => count < 2 && error instanceof ApiError && error.code !== "unanswered" && (error.status === 0 || error.status >= 502),
    },
  },
});

/** mount shows a shell, with what both shells share around it. */
export function mount(shell: ReactNode): void {
  const root = document.getElementById("root");
  if (!root) throw new Error("the page has no root");
  createRoot(root).render(
    <StrictMode>
      <CSPProvider disableStyleElements>
        <QueryClientProvider client={queries}>
          <LiveProvider>
            <ToastProvider>
              <BrowserRouter basename={shellPath || "/"}>{shell}</BrowserRouter>
            </ToastProvider>
          </LiveProvider>
        </QueryClientProvider>
      </CSPProvider>
    </StrictMode>,
  );
}
