// The ground behind a single work: grey or black, at the viewer's choice.
import { html, type TemplateResult } from "lit";
import { applyGround, GROUND_KEY, readChoice, writeChoice } from "./choices";
import { t } from "../words";
import { Island } from "./island";

const GROUNDS = [
  ["grey", t("Grey ground")],
  ["black", t("Black ground")],
] as const;

class GroundSwitch extends Island {
  static override properties = { ground: { state: true } };
  declare ground: string;

  constructor() {
    super();
    this.ground = readChoice(GROUND_KEY) ?? "";
  }

  private choose(ground: string): void {
    this.ground = this.ground === ground ? "" : ground;
    writeChoice(GROUND_KEY, this.ground);
    applyGround(this.ground);
  }

  protected override render(): TemplateResult[] {
    return GROUNDS.map(
      ([ground, word]) =>
        html`<button
          class="plain"
          aria-pressed=${this.ground === ground}
          @click=${() => this.choose(ground)}
        >${word}</button> `,
    );
  }
}

customElements.define("ground-switch", GroundSwitch);
