/** How the portal talks to the page that shows it in a frame. portal.js is the other side. */

/** What the portal tells its page. */
export type Message = { bellwire: "loaded" } | { bellwire: "height"; height: number } | { bellwire: "ready" } | { bellwire: "session-ended" } | { bellwire: "endpoint-created"; endpoint: string };

/** What the page tells the portal: how it looks. */
export type Look = { mode?: "light" | "dark" | "system"; accent?: string };

export const embedded = window.parent !== window;

/**
 * tell sends a message to the page around the portal, if there is one. Any page may read it, because only those that the
 * session names can show the portal, and because there is no secret in it.
 */
export function tell(message: Message): void {
  if (embedded) window.parent.postMessage(message, "*");
}

/** onLook calls back when the page says how the portal is to look. It returns what ends that. */
export function onLook(look: (look: Look) => void): () => void {
  const hear = (event: MessageEvent) => {
    if (event.source !== window.parent || !isLook(event.data)) return;
    look({ ...(event.data.mode ? { mode: event.data.mode } : {}), ...(event.data.accent ? { accent: event.data.accent } : {}) });
  };
  addEventListener("message", hear);
  return () => removeEventListener("message", hear);
}

function isLook(data: unknown): data is Look & { bellwire: "look" } {
  if (typeof data !== "object" || data === null || !("bellwire" in data) || data.bellwire !== "look") return false;
  const { mode, accent } = data as { mode?: unknown; accent?: unknown };
  return (mode === undefined || mode === "light" || mode === "dark" || mode === "system") && (accent === undefined || (typeof accent === "string" && isColor(accent)));
}

/** isColor reports whether a text is a colour of six hex digits. */
export function isColor(text: string): boolean {
  return /^#[0-9a-f]{6}$/i.test(text);
}
