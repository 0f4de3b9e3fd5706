// Tells the library that a work was looked at: when its page has been before somebody's eyes for a
// moment. Later results mark such works, and can leave them out.
import { Island } from "./island";

const LOOK_MS = 1200;

class MarkSeen extends Island {
  private timer = 0;

  override connectedCallback(): void {
    super.connectedCallback();
    this.onVisible();
    document.addEventListener("visibilitychange", this.onVisible);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.timer);
    document.removeEventListener("visibilitychange", this.onVisible);
  }

  private readonly onVisible = (): void => {
    clearTimeout(this.timer);
    if (document.visibilityState === "visible") {
      this.timer = window.setTimeout(() => this.send(), LOOK_MS);
    }
  };

  private send(): void {
    document.removeEventListener("visibilitychange", this.onVisible);
    const body = new URLSearchParams({
      collection: this.dataset["collection"] ?? "",
      image_id: this.dataset["id"] ?? "",
    });
    void fetch("/seen", { method: "POST", body, keepalive: true }).catch(() => undefined);
  }
}

customElements.define("mark-seen", MarkSeen);
