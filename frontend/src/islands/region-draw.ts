// Draws a rectangle on a picture, by pointer or keys, and asks for works like this detail or unlike
// it. Arrows move it, with Shift they resize it; where it is stands beside it in numbers.
import { html, nothing, render, type TemplateResult } from "lit";
import { between, moved, resized, spelled, STEP, type Region } from "../region";
import { frameOf, stageOf } from "../stage";
import { t } from "../words";
import { Island } from "./island";

const ARROWS: Record<string, [number, number]> = {
  ArrowLeft: [-STEP, 0],
  ArrowRight: [STEP, 0],
  ArrowUp: [0, -STEP],
  ArrowDown: [0, STEP],
};
const EDGE_PX = 14; // so near to the lower right corner a rectangle is resized, not moved

type Grip = { kind: "draw" | "move" | "resize"; x: number; y: number; region: Region };

class RegionDraw extends Island {
  static override properties = { drawing: { state: true } };
  declare drawing: boolean;
  private region: Region = { x: 0.35, y: 0.35, w: 0.3, h: 0.3 };
  private layer: HTMLElement | null = null;
  private grip: Grip | null = null;

  constructor() {
    super();
    this.drawing = false;
  }

  override disconnectedCallback(): void {
    this.stop();
    super.disconnectedCallback();
  }

  private get stage(): HTMLElement | null {
    return stageOf(this);
  }

  private start(): void {
    const stage = this.stage;
    if (!stage) return;
    this.drawing = true;
    const layer = document.createElement("div");
    layer.className = "drawing";
    layer.addEventListener("pointerdown", this.onDown);
    layer.addEventListener("pointermove", this.onMove);
    layer.addEventListener("pointerup", this.onUp);
    layer.addEventListener("pointercancel", this.onUp);
    stage.append(layer);
    stage.addEventListener("moved", this.draw);
    addEventListener("resize", this.draw);
    this.layer = layer;
    this.draw();
    layer.querySelector<HTMLElement>(".region")?.focus({ preventScroll: true });
  }

  private stop(): void {
    this.stage?.removeEventListener("moved", this.draw);
    removeEventListener("resize", this.draw);
    this.layer?.remove();
    this.layer = null;
    this.drawing = false;
  }

  private async stopByHand(): Promise<void> {
    this.stop();
    await this.updateComplete;
    this.querySelector("button")?.focus();
  }

  /** Where a pointer is, in shares of the picture. */
  private shares(event: PointerEvent): [number, number] {
    const frame = this.stage ? frameOf(this.stage) : new DOMRect(0, 0, 1, 1);
    return [(event.clientX - frame.x) / frame.width, (event.clientY - frame.y) / frame.height];
  }

  private readonly onDown = (event: PointerEvent): void => {
    if (event.button !== 0 || (event.target as Element).closest(".region-acts")) return;
    event.preventDefault();
    const [x, y] = this.shares(event);
    const region = this.layer?.querySelector(".region")?.getBoundingClientRect();
    const within =
      region &&
      event.clientX >= region.left - 4 && event.clientX <= region.right + EDGE_PX / 2 &&
      event.clientY >= region.top - 4 && event.clientY <= region.bottom + EDGE_PX / 2;
    const corner =
      within && event.clientX > region.right - EDGE_PX && event.clientY > region.bottom - EDGE_PX;
    this.grip = { kind: corner ? "resize" : within ? "move" : "draw", x, y, region: this.region };
    this.layer?.setPointerCapture(event.pointerId);
    this.layer?.querySelector<HTMLElement>(".region")?.focus({ preventScroll: true });
  };

  private readonly onMove = (event: PointerEvent): void => {
    if (!this.grip) return;
    const { kind, x, y, region } = this.grip;
    const [nowX, nowY] = this.shares(event);
    if (kind === "move") this.region = moved(region, nowX - x, nowY - y);
    else if (kind === "resize") this.region = resized(region, nowX - x, nowY - y);
    else this.region = between(x, y, nowX, nowY);
    this.draw();
  };

  private readonly onUp = (): void => {
    this.grip = null;
  };

  private readonly onKey = (event: KeyboardEvent): void => {
    const arrow = ARROWS[event.key];
    if (arrow && !event.altKey && !event.ctrlKey && !event.metaKey) {
      this.region = (event.shiftKey ? resized : moved)(this.region, ...arrow);
      this.draw();
    } else if (event.key === "Enter") {
      this.layer?.querySelector<HTMLElement>("a.plus")?.click();
    } else if (event.key === "Escape") {
      void this.stopByHand();
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  };

  /** The address of the question with this detail, from the one that the page has for any. */
  private address(sign: "more" | "less" | "put"): string {
    const any = this.dataset["anyRegion"] ?? "";
    return (this.dataset[sign] ?? "").replace(`@${any}`, `@${spelled(this.region)}`);
  }

  private get words(): string {
    const percent = (share: number): number => Math.round(share * 100);
    const { x, y, w, h } = this.region;
    return t("{x} % from the left, {y} % from above, {w} % wide, {h} % high", {
      x: percent(x),
      y: percent(y),
      w: percent(w),
      h: percent(h),
    });
  }

  private readonly draw = (): void => {
    const { layer, stage } = this;
    if (!layer || !stage) return;
    render(
      html`<div
          class="region"
          tabindex="0"
          role="application"
          aria-label=${t("Detail. Arrow keys move it, with Shift they change its size.")}
          aria-describedby="region-place"
          @keydown=${this.onKey}
        ></div>
        <div class="region-acts">
          <output id="region-place">${this.words}</output>
          <a class="plus" rel="nofollow" href=${this.address("more")}>${t("+ More like this detail")}</a>
          <a class="minus" rel="nofollow" href=${this.address("less")}>${t("− Less like this detail")}</a>
          ${this.dataset["put"]
            ? html`<put-on-panel><a href=${this.address("put")}>${t("Put it on a panel")}</a></put-on-panel>`
            : nothing}
        </div>`,
      layer,
    );
    this.settle(layer, frameOf(stage), stage.getBoundingClientRect());
  };

  /** Put the rectangle where it belongs, and the acts under it, inside the stage. */
  private settle(layer: HTMLElement, frame: DOMRect, ground: DOMRect): void {
    const box = layer.querySelector<HTMLElement>(".region");
    const acts = layer.querySelector<HTMLElement>(".region-acts");
    if (!box || !acts) return;
    const left = frame.x - ground.x + this.region.x * frame.width;
    const top = frame.y - ground.y + this.region.y * frame.height;
    const [width, height] = [this.region.w * frame.width, this.region.h * frame.height];
    Object.assign(box.style, px({ left, top, width, height }));
    const below = top + height + 8;
    const room = ground.height - acts.offsetHeight - 6;
    const at = below <= room ? below : Math.min(Math.max(top - acts.offsetHeight - 8, 6), room);
    const side = Math.min(Math.max(left, 6), ground.width - acts.offsetWidth - 6);
    Object.assign(acts.style, px({ left: Math.max(side, 0), top: at }));
  }

  protected override render(): TemplateResult {
    return html`<button
      class="plain"
      aria-pressed=${this.drawing}
      @click=${() => (this.drawing ? void this.stopByHand() : this.start())}
    >${t("Draw a detail")}</button>`;
  }
}

function px(values: Record<string, number>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, `${value}px`]));
}

customElements.define("region-draw", RegionDraw);
