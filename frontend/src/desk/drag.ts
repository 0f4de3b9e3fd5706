// Pictures are dragged into the light boxes, from one to the other, and out of them: by pointer
// events, so that a finger (after a moment) and a pen do as a mouse does. Each of these can be done
// without dragging, too: + and − and the keys P and N, "Remove it", X (WCAG 2.5.7).
import type { Action, Sign } from "../store/state";
import { t } from "../words";
import { FAR_PX, LONG_MS, swallowClick } from "./press";

const SOURCES = "li.work[data-part] a.pic, .tile[data-part] > summary";

interface Held {
  readonly source: HTMLElement;
  readonly parts: readonly string[];
  readonly fromBox: boolean;
  readonly pointer: number;
  readonly x: number;
  readonly y: number;
}

export class Drag {
  private held: Held | null = null;
  private zones: HTMLElement | null = null;
  private ghost: HTMLElement | null = null;
  private target: HTMLElement | null = null;
  private timer = 0;

  constructor(
    private readonly desk: HTMLElement,
    private readonly act: (action: Action) => void,
  ) {
    desk.addEventListener("pointerdown", this.onDown);
    desk.addEventListener("dragstart", this.onNativeDrag);
  }

  stop(): void {
    this.desk.removeEventListener("pointerdown", this.onDown);
    this.desk.removeEventListener("dragstart", this.onNativeDrag);
    this.end();
  }

  /** The browser's own dragging of links and pictures would take over. */
  private readonly onNativeDrag = (event: DragEvent): void => {
    if (event.target instanceof Element && event.target.closest(SOURCES)) event.preventDefault();
  };

  private readonly onDown = (event: PointerEvent): void => {
    if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || this.held) return;
    const source = event.target instanceof Element ? event.target.closest(SOURCES) : null;
    if (!(source instanceof HTMLElement)) return;
    const parts = this.partsOf(source);
    if (parts.length === 0) return;
    const { pointerId: pointer, clientX: x, clientY: y } = event;
    this.held = { source, parts, fromBox: source.closest(".tile") !== null, pointer, x, y };
    if (event.pointerType === "touch") {
      this.timer = window.setTimeout(() => this.lift(x, y), LONG_MS);
    }
    document.addEventListener("pointermove", this.onMove);
    document.addEventListener("pointerup", this.onUp);
    document.addEventListener("pointercancel", this.onCancel);
    document.addEventListener("keydown", this.onKey, true);
    document.addEventListener("touchmove", this.onTouchMove, { passive: false });
    document.addEventListener("contextmenu", this.onMenu, true);
  };

  /** A chosen work takes all that are chosen along. */
  private partsOf(source: HTMLElement): string[] {
    const one = source.closest<HTMLElement>("[data-part]");
    const part = one?.dataset["part"];
    if (!one || !part) return [];
    if (!one.matches(".chosen")) return [part];
    const chosen = this.desk.querySelectorAll<HTMLElement>("li.work.chosen");
    return [...chosen].flatMap((work) => work.dataset["part"] ?? []);
  }

  private readonly onMove = (event: PointerEvent): void => {
    const { held } = this;
    if (!held || event.pointerId !== held.pointer) return;
    if (!this.zones) {
      if (Math.hypot(event.clientX - held.x, event.clientY - held.y) < FAR_PX) return;
      if (event.pointerType === "touch") return this.end(); // it scrolls
      this.lift(event.clientX, event.clientY);
    }
    this.carry(event.clientX, event.clientY);
  };

  private readonly onTouchMove = (event: TouchEvent): void => {
    if (this.zones) event.preventDefault(); // what is dragged does not scroll
  };

  private readonly onMenu = (event: Event): void => {
    if (this.zones) event.preventDefault();
  };

  private lift(x: number, y: number): void {
    if (!this.held || this.zones) return;
    this.zones = drawZones(this.held.fromBox);
    document.body.append(this.zones);
    this.desk.classList.add("dragging");
    getSelection()?.removeAllRanges(); // the first pixels of the way may have marked text
    if (!matchMedia("(prefers-reduced-motion: reduce)").matches) {
      this.ghost = drawGhost(this.held);
      if (this.ghost) document.body.append(this.ghost);
    }
    this.carry(x, y);
  }

  private carry(x: number, y: number): void {
    if (this.ghost) this.ghost.style.transform = `translate(${x + 10}px, ${y + 10}px)`;
    const below = document.elementFromPoint(x, y);
    const target = below?.closest<HTMLElement>("[data-box]") ?? null;
    if (target === this.target) return;
    this.target?.classList.remove("over");
    target?.classList.add("over");
    this.target = target;
  }

  private readonly onUp = (event: PointerEvent): void => {
    const { held, target, zones } = this;
    if (!held || event.pointerId !== held.pointer) return;
    if (zones) swallowClick();
    this.end();
    const box = zones ? target?.dataset["box"] : undefined;
    if (box === "out") this.act({ kind: "remove", parts: held.parts });
    else if (box) this.drop(held, box === "like" ? 1 : -1);
  };

  private drop(held: Held, sign: Sign): void {
    const [part] = held.parts;
    const own = held.source.closest<HTMLElement>(".tile")?.dataset["sign"];
    if (held.fromBox && Number(own) === sign) return; // it lies there
    if (held.fromBox && part) this.act({ kind: "move", part, sign, place: 1e6 });
    else this.act({ kind: "add", parts: held.parts, sign });
  }

  private readonly onCancel = (): void => this.end();

  private readonly onKey = (event: KeyboardEvent): void => {
    if (event.key !== "Escape" || !this.zones) return;
    event.stopPropagation();
    document.addEventListener("pointerup", swallowClick, { capture: true, once: true });
    this.end();
  };

  private end(): void {
    clearTimeout(this.timer);
    this.held = null;
    this.zones?.remove();
    this.ghost?.remove();
    this.target?.classList.remove("over");
    this.zones = this.ghost = this.target = null;
    this.desk.classList.remove("dragging");
    document.removeEventListener("pointermove", this.onMove);
    document.removeEventListener("pointerup", this.onUp);
    document.removeEventListener("pointercancel", this.onCancel);
    document.removeEventListener("keydown", this.onKey, true);
    document.removeEventListener("touchmove", this.onTouchMove);
    document.removeEventListener("contextmenu", this.onMenu, true);
  }
}

/** Where a picture can be dropped wherever the page is scrolled to: over it, moving nothing. */
function drawZones(fromBox: boolean): HTMLElement {
  const zones = document.createElement("div");
  zones.className = "drop-zones";
  zones.setAttribute("aria-hidden", "true");
  const zone = (box: string, words: string): void => {
    const one = document.createElement("div");
    one.dataset["box"] = box;
    one.textContent = words;
    zones.append(one);
  };
  zone("like", t("+ More like it"));
  zone("unlike", t("− Less like it"));
  if (fromBox) zone("out", t("Take it out"));
  return zones;
}

function drawGhost(held: Held): HTMLElement | null {
  const picture = held.source.querySelector("img");
  if (!picture) return null;
  const ghost = document.createElement("div");
  ghost.className = "ghost";
  const copy = new Image();
  copy.src = picture.currentSrc || picture.src;
  copy.alt = "";
  ghost.append(copy);
  if (held.parts.length > 1) {
    const count = document.createElement("span");
    count.textContent = String(held.parts.length);
    ghost.append(count);
  }
  return ghost;
}
