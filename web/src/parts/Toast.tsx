import { CircleAlert, CircleCheck, X } from "lucide-react";
import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useRef, useState } from "react";
import { type ApiError, asError } from "@/api/problem";
import { cx, sentence, visible } from "@/lib/text";
import { IconButton } from "./Button";

type Toast = { id: number; bad: boolean; title: string; body?: string; requestId?: string };

type Toasts = {
  /** done says that something succeeded. It goes by itself. */
  done: (title: string) => void;
  /** failed shows an error in the API's words. It stays until it is closed. */
  failed: (error: unknown, title?: string) => void;
};

const Context = createContext<Toasts | undefined>(undefined);

export function ToastProvider({ children }: { children: ReactNode }) {
  const [toasts, setToasts] = useState<Toast[]>([]);
  const last = useRef(0);
  const close = useCallback((id: number) => setToasts((all) => all.filter((toast) => toast.id !== id)), []);
  const value = useMemo(() => {
    const add = (toast: Omit<Toast, "id">) => setToasts((all) => [...all.slice(-3), { ...toast, id: ++last.current }]);
    return {
      done: (title: string) => add({ bad: false, title }),
      failed: (thrown: unknown, title?: string) => {
        const error = asError(thrown);
        add({ bad: true, title: title ?? "That did not work", body: words(error), requestId: error.requestId });
      },
    };
  }, []);
  return (
    <Context value={value}>
      {children}
      <div className="toasts pointer-events-none fixed inset-x-3 z-50 flex flex-col items-end gap-2" aria-live="polite">
        {toasts.map((toast) => (
          <Item key={toast.id} toast={toast} close={close} />
        ))}
      </div>
    </Context>
  );
}

/** words returns all that an error says: what is wrong, at which fields, and what to do. */
export function words(error: ApiError): string {
  const faults = error.faults.map((fault) => sentence(`${fault.field} ${fault.message}`));
  return visible([...(faults.length > 0 ? faults : [sentence(error.detail)]), error.hint && sentence(error.hint)].filter(Boolean).join(" "));
}

function Item({ toast, close }: { toast: Toast; close: (id: number) => void }) {
  useEffect(() => {
    if (toast.bad) return;
    const timer = setTimeout(() => close(toast.id), Math.max(5000, toast.title.length * 100)); // as long as it takes to read
    return () => clearTimeout(timer);
  }, [toast, close]);
  const Icon = toast.bad ? CircleAlert : CircleCheck;
  return (
    <div
      role={toast.bad ? "alert" : "status"}
      className="pointer-events-auto flex w-full max-w-96 animate-rise items-start gap-2.5 rounded-lg border border-line-strong bg-raised p-3 shadow-pop"
    >
      <Icon size={16} className={cx("mt-0.5 shrink-0", toast.bad ? "text-bad" : "text-good")} aria-hidden />
      <div className="min-w-0 flex-1">
        <p className="font-medium">{visible(toast.title)}</p>
        {toast.body && <p className="mt-0.5 text-sm wrap-anywhere text-muted">{toast.body}</p>}
        {toast.requestId && <p className="mt-1 font-mono text-xs wrap-anywhere text-faint">Request {toast.requestId}</p>}
      </div>
      <IconButton label="Close" icon={X} onClick={() => close(toast.id)} />
    </div>
  );
}

export function useToast(): Toasts {
  const toasts = useContext(Context);
  if (!toasts) throw new Error("useToast outside of ToastProvider");
  return toasts;
}
