// The links of the language switch lead to the page as it stands now: the question may have changed
// since the page was made.
import { Island } from "./island";

class LanguageSwitch extends Island {
  override connectedCallback(): void {
    super.connectedCallback();
    this.addEventListener("toggle", this.onToggle, true); // toggle does not bubble
  }

  private readonly onToggle = (): void => {
    for (const link of this.querySelectorAll<HTMLAnchorElement>("a[hreflang]")) {
      const address = new URL(location.href);
      address.searchParams.set("lang", link.hreflang);
      link.href = address.pathname + address.search;
    }
  };
}

customElements.define("language-switch", LanguageSwitch);
