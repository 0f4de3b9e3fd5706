// Light, dark, or as the system has it.
import { html, type TemplateResult } from "lit";
import { applyTheme, readChoice, THEME_KEY, writeChoice } from "./choices";
import { t } from "../words";
import { Island } from "./island";

const NEXT: Record<string, string> = { auto: "light", light: "dark", dark: "auto" };
const WORDS: Record<string, string> = {
  auto: t("Colours of the page: as the system has them"),
  light: t("Colours of the page: light"),
  dark: t("Colours of the page: dark"),
};
const HALVES: Record<string, string> = {
  auto: "M8 3a5 5 0 0 1 0 10z",
  light: "",
  dark: "M8 3a5 5 0 0 1 0 10a5 5 0 0 1 0-10z",
};

class ThemeSwitch extends Island {
  static override properties = { theme: { state: true } };
  declare theme: string;

  constructor() {
    super();
    this.theme = readChoice(THEME_KEY) ?? "auto";
    if (!(this.theme in NEXT)) this.theme = "auto";
  }

  private change(): void {
    this.theme = NEXT[this.theme] ?? "auto";
    writeChoice(THEME_KEY, this.theme);
    applyTheme(this.theme);
  }

  protected override render(): TemplateResult {
    return html`<button class="plain" @click=${this.change} title=${WORDS[this.theme] ?? ""}>
      <span class="hidden">${WORDS[this.theme]}</span>
      <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
        <circle cx="8" cy="8" r="6.5" fill="none" stroke="currentColor" stroke-width="1.5"></circle>
        <path d=${HALVES[this.theme] ?? ""} fill="currentColor"></path>
      </svg>
    </button>`;
  }
}

customElements.define("theme-switch", ThemeSwitch);
