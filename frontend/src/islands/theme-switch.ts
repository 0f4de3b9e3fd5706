// Light, dark, or as the system has it.
import { html, type TemplateResult } from "lit";
import { applyTheme, readChoice, THEME_KEY, writeChoice } from "./choices";
import { Island } from "./island";

const NEXT: Record<string, string> = { auto: "light", light: "dark", dark: "auto" };
const WORDS: Record<string, string> = { auto: "Light or dark", light: "Light", dark: "Dark" };

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
    const next = WORDS[NEXT[this.theme] ?? "auto"] ?? "";
    return html`<button class="plain" @click=${this.change} title="Change to: ${next.toLowerCase()}">
      <span class="hidden">Colours of the page: </span>${WORDS[this.theme]}
    </button>`;
  }
}

customElements.define("theme-switch", ThemeSwitch);
