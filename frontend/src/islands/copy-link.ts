// Wraps a link to this very answer: a click copies its address instead of going where one is.
import { t } from "../words";
import { Island, tell } from "./island";

class CopyLink extends Island {
  override connectedCallback(): void {
    super.connectedCallback();
    const link = this.querySelector("a");
    if (!link || !navigator.clipboard) return;
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      void this.copy(link.href);
    });
  }

  private async copy(address: string): Promise<void> {
    const version = this.dataset["version"] ?? "";
    try {
      await navigator.clipboard.writeText(address);
      tell(t("Copied: the link leads to this very question, and names version {version}.", { version }));
    } catch {
      location.assign(address); // without leave to copy, the address bar is the place to take it
    }
  }
}

customElements.define("copy-link", CopyLink);
