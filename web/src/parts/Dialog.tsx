import { AlertDialog } from "@base-ui/react/alert-dialog";
import { Dialog as Base } from "@base-ui/react/dialog";
import { X } from "lucide-react";
import { type ReactNode, useState } from "react";
import { cx, visible } from "@/lib/text";
import { Button, IconButton } from "./Button";
import { Field } from "./Form";

const backdrop = "fixed inset-0 z-30 bg-[rgb(10_12_16/45%)] transition-opacity data-[ending-style]:opacity-0 data-[starting-style]:opacity-0";
const box =
  "fixed z-40 flex max-h-[calc(100dvh-24px)] w-[calc(100vw-24px)] flex-col overflow-hidden rounded-lg border border-line-strong bg-raised shadow-pop outline-none transition-[opacity,transform] left-1/2 top-1/2 -translate-1/2 data-[ending-style]:opacity-0 data-[starting-style]:opacity-0 data-[starting-style]:scale-[0.985]";

/** Dialog asks for something over the page. Its footer holds the action last. */
export function Dialog({
  open,
  onClose,
  title,
  sentence,
  children,
  footer,
  width = "max-w-lg",
}: {
  open: boolean;
  onClose: () => void;
  title: string;
  sentence?: ReactNode;
  children: ReactNode;
  footer?: ReactNode;
  width?: string;
}) {
  return (
    <Base.Root open={open} onOpenChange={(next) => !next && onClose()}>
      <Base.Portal>
        <Base.Backdrop className={backdrop} />
        <Base.Popup className={cx(box, width)}>
          <header className="flex items-start gap-3 px-5 pt-4 pb-3">
            <div className="min-w-0 flex-1">
              <Base.Title className="text-lg font-semibold">{visible(title)}</Base.Title>
              {sentence && <Base.Description className="mt-1 text-muted">{sentence}</Base.Description>}
            </div>
            <Base.Close render={<IconButton label="Close" icon={X} className="-mr-2" />} />
          </header>
          <div className="min-h-0 flex-1 overflow-y-auto px-5 pb-5">{children}</div>
          {footer && <footer className="flex flex-wrap justify-end gap-2 border-t border-line bg-sunk px-5 py-3">{footer}</footer>}
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  );
}

/**
 * ConfirmDialog asks before something is lost, and names it. With name, what is lost for ever must be typed.
 */
export function ConfirmDialog({
  open,
  onClose,
  title,
  children,
  action,
  keep = "Keep it",
  onConfirm,
  busy,
  name,
  reason = false,
  danger = true,
}: {
  open: boolean;
  onClose: () => void;
  title: string;
  children: ReactNode;
  action: string;
  /** What the other button says. */
  keep?: string;
  onConfirm: (reason: string) => void;
  busy?: boolean;
  name?: string;
  /** Whether a reason can be given. */
  reason?: boolean;
  danger?: boolean;
}) {
  const [typed, setTyped] = useState("");
  const [why, setWhy] = useState("");
  return (
    <AlertDialog.Root
      open={open}
      onOpenChange={(next) => {
        setTyped("");
        setWhy("");
        if (!next) onClose();
      }}
    >
      <AlertDialog.Portal>
        <AlertDialog.Backdrop className={backdrop} />
        <AlertDialog.Popup className={cx(box, "max-w-md")}>
          <div className="overflow-y-auto px-5 pt-4 pb-5">
            <AlertDialog.Title className="text-lg font-semibold">{visible(title)}</AlertDialog.Title>
            <AlertDialog.Description render={<div />} className="mt-2 space-y-2 wrap-anywhere text-muted">
              {children}
            </AlertDialog.Description>
            {name !== undefined && (
              <div className="mt-4">
                <Field label={`Type ${name} to confirm`}>
                  {(field) => <input {...field} className="field font-mono" value={typed} autoComplete="off" onChange={(event) => setTyped(event.target.value)} />}
                </Field>
              </div>
            )}
            {reason && (
              <div className="mt-4">
                <Field label="Reason" name="status_reason" optional>
                  {(field) => <input {...field} className="field" value={why} maxLength={256} onChange={(event) => setWhy(event.target.value)} />}
                </Field>
              </div>
            )}
          </div>
          <footer className="flex justify-end gap-2 border-t border-line bg-sunk px-5 py-3">
            <AlertDialog.Close render={<Button>{keep}</Button>} />
            <Button look={danger ? "danger" : "primary"} {...(busy ? { busy } : {})} disabled={name !== undefined && typed !== name} onClick={() => onConfirm(why.trim())}>
              {action}
            </Button>
          </footer>
        </AlertDialog.Popup>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}
