/** How long a frame that was loaded may say nothing, in milliseconds. */
const patience = 10_000;

/**
 * <bellwire-portal session-url="…"> shows the portal in a frame that grows with its content.
 *
 * Attributes: session-url, the url of a portal session; mode (light, dark or system) and accent (#rrggbb), how it looks.
 * Events, none of which bubble: ready; endpoint-created, with detail.endpoint; session-ended, with detail.renew(url), which
 * goes on in a new session.
 */
class BellwirePortal extends HTMLElement {
  static readonly observedAttributes = ["session-url", "mode", "accent"];

  private frame: HTMLIFrameElement | undefined;

  /** Runs from when a frame was loaded until it says something. */
  private silence: ReturnType<typeof setTimeout> | undefined;

  /** Whether the portal has said that it was loaded before the browser did. */
  private early = false;

  connectedCallback(): void {
    this.frame ??= this.appendChild(document.createElement("iframe"));
    this.frame.title = this.title || "Webhooks";
    this.frame.referrerPolicy = "no-referrer";
    this.frame.allow = "clipboard-write";
    Object.assign(this.frame.style, { border: "0", width: "100%", height: "480px", display: "block" });
    addEventListener("message", this.hear);
    this.show();
  }

  disconnectedCallback(): void {
    removeEventListener("message", this.hear);
    this.hush();
  }

  attributeChangedCallback(name: string, old: string | null, value: string | null): void {
    if (old === value) return;
    if (name === "session-url") this.show();
    else this.look();
  }

  private show(): void {
    const url = this.getAttribute("session-url");
    if (!this.frame || !url || this.frame.src === url) return;
    // A new element, because the address of a frame that was shown counts as a step back in the browser's history.
    const next = this.frame.cloneNode() as HTMLIFrameElement;
    next.src = url;
    next.addEventListener("load", () => this.frame === next && this.listen());
    this.hush();
    this.frame.replaceWith(next);
    this.frame = next;
  }

  /** The portal says that it was loaded. Where its session is over, the browser shows an error in its place, which says nothing. */
  private listen(): void {
    const { early } = this;
    this.hush();
    if (!early) this.silence = setTimeout(() => this.ended(), patience);
  }

  private hush(): void {
    clearTimeout(this.silence);
    this.silence = undefined;
    this.early = false;
  }

  private ended(): void {
    this.hush();
    this.dispatchEvent(new CustomEvent("session-ended", { detail: { renew: (url: string) => this.setAttribute("session-url", url) } }));
  }

  private look(): void {
    const mode = this.getAttribute("mode");
    const accent = this.getAttribute("accent");
    if (!this.frame?.src || (!mode && !accent)) return;
    this.frame.contentWindow?.postMessage({ bellwire: "look", ...(mode ? { mode } : {}), ...(accent ? { accent } : {}) }, new URL(this.frame.src).origin);
  }

  private readonly hear = (event: MessageEvent): void => {
    const { frame } = this;
    const message = event.data as { bellwire?: unknown; height?: unknown; endpoint?: unknown } | null;
    if (!frame?.src || event.source !== frame.contentWindow || event.origin !== new URL(frame.src).origin || typeof message !== "object" || !message) return;
    const loading = this.silence === undefined;
    this.hush();
    if (loading && message.bellwire === "loaded") this.early = true;
    switch (message.bellwire) {
      case "ready":
        this.look();
        this.dispatchEvent(new CustomEvent("ready"));
        break;
      case "height":
        if (typeof message.height === "number") frame.style.height = `${Math.max(320, message.height)}px`;
        break;
      case "endpoint-created":
        this.dispatchEvent(new CustomEvent("endpoint-created", { detail: { endpoint: message.endpoint } }));
        break;
      case "session-ended":
        this.ended();
        break;
    }
  };
}

if (!customElements.get("bellwire-portal")) customElements.define("bellwire-portal", BellwirePortal);
