// Looks at a picture from near: the tools of a stage open OpenSeadragon on it, and close it again.
import { html, nothing, type TemplateResult } from "lit";
import { prefersStillness, setFrame, stageOf, tellMoved } from "../stage";
import { t } from "../words";
import type { Viewer } from "../zoom";
import { Island, tell } from "./island";

class DeepZoom extends Island {
  static override properties = { phase: { state: true } };
  declare phase: "closed" | "opening" | "open";
  private viewer: Viewer | null = null;
  private place: HTMLElement | null = null;

  constructor() {
    super();
    this.phase = "closed";
  }

  override disconnectedCallback(): void {
    this.close();
    super.disconnectedCallback();
  }

  private async open(): Promise<void> {
    const stage = stageOf(this);
    if (!stage || this.phase !== "closed") return;
    this.phase = "opening";
    const place = document.createElement("div");
    place.className = "zoom";
    stage.append(place);
    this.place = place;
    try {
      const zoom = await import("../zoom");
      const name = this.dataset["name"] ?? "";
      const viewer = await zoom.openZoom(place, zoom.sourceOf(this), {
        label: t("{name}, enlarged. Arrow keys move it, plus and minus change its size, 0 shows the whole.", { name }),
        still: prefersStillness(),
      });
      this.viewer = viewer;
      stage.classList.add("zoomed");
      setFrame(stage, () => zoom.frameIn(viewer));
      for (const name of ["update-viewport", "animation", "resize"] as const) {
        viewer.addHandler(name, () => tellMoved(stage));
      }
      this.phase = "open";
      (viewer.canvas as HTMLElement).focus({ preventScroll: true });
    } catch (error) {
      this.close();
      const why = error instanceof Error ? error.message : String(error);
      tell(t("This picture cannot be looked at more closely. {why}", { why }));
    }
  }

  private close(): void {
    this.viewer?.destroy();
    this.viewer = null;
    this.place?.remove();
    this.place = null;
    const stage = stageOf(this);
    stage?.classList.remove("zoomed");
    if (stage) setFrame(stage);
    this.phase = "closed";
  }

  private async closeByHand(): Promise<void> {
    this.close();
    await this.updateComplete;
    this.querySelector("button")?.focus();
  }

  private zoomBy(factor: number): void {
    this.viewer?.viewport.zoomBy(factor).applyConstraints();
  }

  protected override render(): TemplateResult {
    if (this.phase !== "open") {
      const word = this.phase === "opening" ? t("Opening …") : t("Look closely");
      return html`<button class="plain" aria-disabled=${this.phase === "opening" ? "true" : nothing}
        @click=${() => void this.open()}>${word}</button>`;
    }
    return html`<button class="plain" aria-pressed="true" @click=${() => void this.closeByHand()}>${t("Look closely")}</button>
      <button class="plain" aria-label=${t("Larger")} @click=${() => this.zoomBy(1.5)}>+</button>
      <button class="plain" aria-label=${t("Smaller")} @click=${() => this.zoomBy(1 / 1.5)}>−</button>
      <button class="plain" @click=${() => this.viewer?.viewport.goHome()}>${t("Whole")}</button>`;
  }
}

customElements.define("deep-zoom", DeepZoom);
