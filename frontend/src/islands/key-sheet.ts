// The sheet of keys: `?` or the button under the pictures opens it; here single keys are switched
// off and on.
import { html, type TemplateResult } from "lit";
import { keysOn, SHEET } from "../desk/keys";
import { t } from "../words";
import { KEYS_KEY, writeChoice } from "./choices";
import { Island } from "./island";

class KeySheet extends Island {
  static override properties = { on: { state: true } };
  declare on: boolean;

  constructor() {
    super();
    this.on = keysOn();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener(SHEET, this.onSheet);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener(SHEET, this.onSheet);
  }

  private readonly onSheet = (): void => {
    const dialog = this.querySelector("dialog");
    if (dialog && !dialog.open) dialog.showModal();
  };

  private turn(): void {
    this.on = !this.on;
    writeChoice(KEYS_KEY, this.on ? "on" : "off");
  }

  private readonly close = (): void => this.querySelector("dialog")?.close();

  private rows(): [string, string][] {
    return [
      [t("Arrows, Home, End"), t("move among the pictures")],
      [t("Enter"), t("go to the page of the work")],
      [t("Space"), t("look at the work here, larger")],
      ["P", t("more like it")],
      ["N", t("less like it")],
      ["S", t("choose it, or no longer")],
      [t("Shift and arrows"), t("choose all on the way")],
      ["X", t("take it out of the question; among the results: the picture added last")],
      ["/", t("add words")],
      [t("U, Ctrl+Z"), t("take the last change back")],
      [t("Shift+U, Ctrl+Y, Ctrl+Shift+Z"), t("do it again")],
      [t("Escape"), t("close what is open; let go what is chosen")],
      ["?", t("this sheet")],
    ];
  }

  protected override render(): TemplateResult {
    return html`<dialog class="all-keys" aria-labelledby="sheet-title">
      <h2 id="sheet-title">${t("Keys")}</h2>
      <dl>
        ${this.rows().map(([keys, words]) => html`<div><dt>${keys}</dt><dd>${words}</dd></div>`)}
      </dl>
      <p class="help">${t("Nothing needs dragging: each drag has a click and a key that do the same.")}</p>
      <p class="row">
        <button class="plain" aria-pressed=${this.on} @click=${() => this.turn()}>
          ${this.on ? t("Single keys are on") : t("Single keys are off")}
        </button>
        <button @click=${this.close}>${t("Close")}</button>
      </p>
    </dialog>`;
  }
}

customElements.define("key-sheet", KeySheet);
