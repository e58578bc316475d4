/** <bellwire-portal session-url="…"> shows the portal in a frame that fills the element. */
class BellwirePortal extends HTMLElement {
  static readonly observedAttributes = ["session-url"];

  private frame: HTMLIFrameElement | undefined;

  connectedCallback(): void {
    this.frame ??= this.appendChild(document.createElement("iframe"));
    this.frame.title = "Webhooks";
    this.frame.referrerPolicy = "no-referrer";
    Object.assign(this.frame.style, { border: "0", width: "100%", height: "100%", minHeight: "600px", display: "block" });
    this.show();
  }

  attributeChangedCallback(): void {
    this.show();
  }

  private show(): void {
    const url = this.getAttribute("session-url");
    if (this.frame && url) this.frame.src = url;
  }
}

if (!customElements.get("bellwire-portal")) customElements.define("bellwire-portal", BellwirePortal);
