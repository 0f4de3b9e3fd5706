// Two pictures compared: side by side as the page has them, laid over each other, or by turns;
// mirrored; fitted onto each other where details agree, which can be marked and joined by lines.
import { html, nothing, render, svg, type TemplateResult } from "lit";
import { inverted, laidOver, parseMatrix, sent, type Box, type Matrix } from "../overlay";
import type { Pair } from "../pair-zoom";
import { prefersStillness } from "../stage";
import { t } from "../words";
import { tell } from "./island";

const FLICKER_MS = 700; // well below three flashes a second (WCAG 2.3.1)
const VIEWS = ["side", "over", "turns"] as const;
type View = (typeof VIEWS)[number];

interface Choices {
  mirrored: boolean;
  fitted: boolean;
  points: boolean;
  lines: boolean;
  opacity: number;
}

class PictureCompare extends HTMLElement {
  private view: View = "side";
  private mirrored = false;
  private fitted = false;
  private points = true;
  private lines = false;
  private opacity = 50;
  private second = false; // by turns: whether the second picture is seen now
  private timer = 0;
  private matrix: Matrix | null = null;
  private pair: Pair | null = null; // both pictures, looked at closely
  private opening = false;

  connectedCallback(): void {
    this.matrix = parseMatrix(this.dataset["homography"]);
    this.fitted = this.matrix !== null;
    const asked = new URLSearchParams(location.search);
    const view = asked.get("view");
    this.mirrored = asked.get("flip") === "1";
    this.show(VIEWS.find((one) => one === view) ?? "side");
    addEventListener("resize", this.settle);
  }

  disconnectedCallback(): void {
    removeEventListener("resize", this.settle);
    this.stop();
    this.closeUp();
  }

  private show(view: View): void {
    if (view !== this.view) this.points = view === "side";
    this.view = view;
    this.second = false;
    this.stop();
    this.closeUp();
    if (view === "turns" && !prefersStillness()) this.start();
    this.settle();
  }

  private async lookClosely(): Promise<void> {
    const stages = (["a", "b"] as const).map((side) => this.querySelector<HTMLElement>(`.side-${side} .stage`));
    const [first, second] = stages;
    if (!first || !second || this.opening) return;
    this.opening = true;
    try {
      const [{ openPair, waysOf }, { sourceOf }] = await Promise.all([import("../pair-zoom"), import("../zoom")]);
      const side = (stage: HTMLElement) => {
        const place = document.createElement("div");
        place.className = "zoom";
        stage.append(place);
        const name = stage.dataset["name"] ?? "";
        const label = t("{name}, enlarged. Arrow keys move both pictures, plus and minus change their size, 0 shows the whole.", { name });
        return { place, source: sourceOf(stage), label };
      };
      const ways = waysOf(this.matrix, sent, inverted);
      this.pair = await openPair([side(first), side(second)], ways, prefersStillness());
      this.pair.mirror(this.mirrored);
      for (const stage of [first, second]) stage.classList.add("zoomed");
    } catch (error) {
      this.closeUp();
      const why = error instanceof Error ? error.message : String(error);
      tell(t("This picture cannot be looked at more closely. {why}", { why }));
    } finally {
      this.opening = false;
    }
    this.settle();
  }

  private closeUp(): void {
    this.pair?.close();
    this.pair = null;
    for (const place of this.querySelectorAll(".zoom")) place.remove();
    for (const stage of this.querySelectorAll(".zoomed")) stage.classList.remove("zoomed");
  }

  private start(): void {
    this.timer = window.setInterval(() => {
      this.second = !this.second;
      this.settle();
    }, FLICKER_MS);
  }

  private stop(): void {
    clearInterval(this.timer);
    this.timer = 0;
  }

  private turn(): void {
    this.second = !this.second;
    this.settle();
  }

  private set(change: Partial<Choices>): void {
    Object.assign(this, change);
    this.pair?.mirror(this.mirrored);
    this.settle();
  }

  private wholeOf(side: "a" | "b"): HTMLElement | null {
    return this.querySelector<HTMLElement>(`.side-${side} .whole`);
  }

  private readonly settle = (): void => {
    this.dataset["view"] = this.view;
    this.dataset["points"] = this.points ? "on" : "off";
    const upper = this.wholeOf("b");
    const lower = this.wholeOf("a");
    if (upper && lower) {
      const laid = this.view !== "side" && this.fitted && this.matrix;
      const fitted = laid ? laidOver(laid, boxOf(lower), boxOf(upper)) : null;
      upper.style.transformOrigin = fitted ? "0 0" : "";
      upper.style.transform = fitted ?? (this.mirrored ? "scaleX(-1)" : "");
      upper.style.opacity = this.view === "over" ? String(this.opacity / 100) : "";
      upper.style.visibility = this.view === "turns" && !this.second ? "hidden" : "";
      lower.style.visibility = this.view === "turns" && this.second ? "hidden" : "";
    }
    this.drawTools();
    this.drawLines();
    this.remember();
  };

  private remember(): void {
    const address = new URL(location.href);
    if (this.view === "side") address.searchParams.delete("view");
    else address.searchParams.set("view", this.view);
    if (this.mirrored) address.searchParams.set("flip", "1");
    else address.searchParams.delete("flip");
    if (address.href !== location.href) history.replaceState(history.state, "", address);
  }

  private button(word: string, pressed: boolean, act: () => void): TemplateResult {
    return html`<button class="plain" aria-pressed=${pressed} @click=${act}>${word}</button>`;
  }

  private drawTools(): void {
    const place = this.querySelector<HTMLElement>(".compare-tools");
    if (!place) return;
    const words = { side: t("Side by side"), over: t("Laid over"), turns: t("By turns") };
    render(
      html`<div role="group" aria-label=${t("How they are shown")}>
          ${VIEWS.map((view) => this.button(words[view], this.view === view, () => this.show(view)))}
        </div>
        ${this.view === "over" ? this.opacityTool() : nothing}
        ${this.view === "turns" ? this.turnsTool() : nothing}
        ${this.view === "side" && this.canLookClosely ? this.closeTool() : nothing}
        <div class="more">
          ${this.fits ? nothing : this.button(t("Mirror the second"), this.mirrored, () => this.set({ mirrored: !this.mirrored }))}
          ${this.matrix && this.view !== "side"
            ? this.button(t("Fit by what agrees"), this.fitted, () => this.set({ fitted: !this.fitted }))
            : nothing}
          ${this.matrix && !this.pair ? this.button(t("Points"), this.points, () => this.set({ points: !this.points })) : nothing}
          ${this.matrix && this.view === "side" && !this.pair
            ? this.button(t("Lines"), this.lines, () => this.set({ lines: !this.lines }))
            : nothing}
        </div>`,
      place,
    );
  }

  private get canLookClosely(): boolean {
    return this.querySelectorAll(".stage[data-width]").length === 2;
  }

  private closeTool(): TemplateResult {
    const { pair } = this;
    if (!pair) return html`<div>${this.button(t("Look closely"), false, () => void this.lookClosely())}</div>`;
    const letGo = (): void => {
      this.closeUp();
      this.settle();
    };
    return html`<div>
      ${this.button(t("Look closely"), true, letGo)}
      <button class="plain" aria-label=${t("Larger")} @click=${() => pair.zoomBy(1.5)}>+</button>
      <button class="plain" aria-label=${t("Smaller")} @click=${() => pair.zoomBy(1 / 1.5)}>−</button>
      <button class="plain" @click=${() => pair.home()}>${t("Whole")}</button>
    </div>`;
  }

  private get fits(): boolean {
    return this.view !== "side" && this.fitted && this.matrix !== null;
  }

  private opacityTool(): TemplateResult {
    return html`<label>${t("First")}
      <input type="range" min="0" max="100" step="5" .value=${String(this.opacity)}
        aria-label=${t("How much of the second picture is seen, in percent")}
        @input=${(event: Event) => this.set({ opacity: Number((event.target as HTMLInputElement).value) })}>
      ${t("Second")}</label>`;
  }

  private turnsTool(): TemplateResult {
    const running = this.timer !== 0;
    return html`<div class="turns">
      <button class="plain" @click=${() => {
        if (running) this.stop();
        else this.start();
        this.settle();
      }}>${running ? t("Stop") : t("Run")}</button>
      <button class="plain" @click=${() => {
        this.stop();
        this.turn();
      }}>${t("Show the other")}</button>
      <span>${this.second ? t("Second") : t("First")}</span></div>`;
  }

  /** Join the points that agree, from one picture to the other. */
  private drawLines(): void {
    const pair = this.querySelector<HTMLElement>(".pair");
    if (!pair) return;
    let layer = pair.querySelector<HTMLElement>(".lines");
    if (!layer) {
      layer = document.createElement("div");
      layer.className = "lines";
      layer.setAttribute("aria-hidden", "true");
      pair.append(layer);
    }
    const ground = pair.getBoundingClientRect();
    const shown = this.lines && this.view === "side" && !this.pair;
    const [first, second] = (["a", "b"] as const).map((side) => this.placesOf(side, ground));
    render(
      shown && first && second
        ? html`<svg width=${ground.width} height=${ground.height}>${first.map(([x, y], place) => {
            const [u, v] = second[place] ?? [x, y];
            return svg`<line class="under" x1=${x} y1=${y} x2=${u} y2=${v}></line><line x1=${x} y1=${y} x2=${u} y2=${v}></line>`;
          })}</svg>`
        : nothing,
      layer,
    );
  }

  private placesOf(side: "a" | "b", ground: DOMRect): [number, number][] {
    const frame = this.wholeOf(side)?.getBoundingClientRect();
    if (!frame) return [];
    const dots = this.querySelectorAll<SVGPathElement>(`.side-${side} .agreeing path:not(.under)`);
    return [...dots].map((dot) => {
      const [x = 0, y = 0] = (dot.getAttribute("d") ?? "").slice(1).split(/[ h]/).map(Number);
      const share = side === "b" && this.mirrored ? 100 - x : x;
      return [
        frame.left - ground.left + (share / 100) * frame.width,
        frame.top - ground.top + (y / 100) * frame.height,
      ];
    });
  }
}

function boxOf(element: HTMLElement): Box {
  return {
    left: element.offsetLeft,
    top: element.offsetTop,
    width: element.offsetWidth,
    height: element.offsetHeight,
  };
}

customElements.define("picture-compare", PictureCompare);
