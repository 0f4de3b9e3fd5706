// Wraps a link to a citation: a click copies its text instead of going there.
import { t } from "../words";
import { Island, tell } from "./island";

class CopyCitation extends Island {
  override connectedCallback(): void {
    super.connectedCallback();
    this.addEventListener("click", this.onClick);
  }

  private readonly onClick = (event: MouseEvent): void => {
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    if (!link || !navigator.clipboard || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    void this.copy(link.href);
  };

  private async copy(address: string): Promise<void> {
    try {
      const answer = await fetch(address);
      if (!answer.ok) throw new Error(String(answer.status));
      await navigator.clipboard.writeText((await answer.text()).trim());
      tell(t("Copied the citation."));
    } catch {
      location.assign(address); // it can be read and copied there
    }
  }
}

customElements.define("copy-citation", CopyCitation);
