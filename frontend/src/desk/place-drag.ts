// A picture on a sheet is dragged to its place: by pointer events, so that a finger (after a
// moment) and a pen do as a mouse does. Shift and an arrow, and the buttons under the picture, do
// the same without dragging (WCAG 2.5.7).
import { FAR_PX, LONG_MS, swallowClick } from "./press";

const EDGE_PX = 70; // so near to the edge of the window the page scrolls along

type Drop = (item: HTMLElement, before: HTMLElement | null) => void;

export class PlaceDrag {
  private item: HTMLElement | null = null;
  private mark: HTMLElement | null = null;
  private before: HTMLElement | null = null;
  private start = { pointer: 0, x: 0, y: 0 };
  private timer = 0;
  private scroller = 0;

  constructor(
    private readonly board: HTMLElement,
    private readonly drop: Drop,
  ) {
    board.addEventListener("pointerdown", this.onDown);
    board.addEventListener("dragstart", this.onNativeDrag);
  }

  stop(): void {
    this.board.removeEventListener("pointerdown", this.onDown);
    this.board.removeEventListener("dragstart", this.onNativeDrag);
    this.end();
  }

  private readonly onNativeDrag = (event: DragEvent): void => {
    if (event.target instanceof Element && event.target.closest(".pinned .pic")) {
      event.preventDefault();
    }
  };

  private readonly onDown = (event: PointerEvent): void => {
    if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || this.item) return;
    const picture = event.target instanceof Element ? event.target.closest(".pinned .pic") : null;
    const item = picture?.closest<HTMLElement>(".pinned");
    if (!item) return;
    this.item = item;
    this.start = { pointer: event.pointerId, x: event.clientX, y: event.clientY };
    if (event.pointerType === "touch") this.timer = window.setTimeout(() => this.lift(), LONG_MS);
    document.addEventListener("pointermove", this.onMove);
    document.addEventListener("pointerup", this.onUp);
    document.addEventListener("pointercancel", this.onCancel);
    document.addEventListener("keydown", this.onKey, true);
    document.addEventListener("touchmove", this.onTouchMove, { passive: false });
    document.addEventListener("contextmenu", this.onMenu, true);
  };

  private readonly onMove = (event: PointerEvent): void => {
    if (!this.item || event.pointerId !== this.start.pointer) return;
    if (!this.mark) {
      const far = Math.hypot(event.clientX - this.start.x, event.clientY - this.start.y);
      if (far < FAR_PX) return;
      if (event.pointerType === "touch") return this.end(); // it scrolls
      this.lift();
    }
    this.aim(event.clientX, event.clientY);
    this.scrollAlong(event.clientY);
  };

  private readonly onTouchMove = (event: TouchEvent): void => {
    if (this.mark) event.preventDefault();
  };

  private readonly onMenu = (event: Event): void => {
    if (this.mark) event.preventDefault();
  };

  private lift(): void {
    if (!this.item || this.mark) return;
    this.mark = document.createElement("div");
    this.mark.className = "drop-mark";
    this.mark.setAttribute("aria-hidden", "true");
    document.body.append(this.mark);
    this.item.classList.add("lifted");
    this.item.parentElement?.classList.add("dragging");
    this.before = this.item.nextElementSibling as HTMLElement | null;
    this.aim(this.start.x, this.start.y);
  }

  /** Find the gap nearest to the pointer, and draw it. */
  private aim(x: number, y: number): void {
    const { mark, item } = this;
    if (!mark || !item?.parentElement) return;
    const items = [...item.parentElement.querySelectorAll<HTMLElement>(":scope > .pinned")];
    let best = { off: Infinity, before: null as HTMLElement | null, x: 0, box: new DOMRect() };
    items.forEach((one, place) => {
      const box = (one.querySelector(".pic") ?? one).getBoundingClientRect();
      const over = Math.max(box.top - y, y - box.bottom, 0) * 4; // a row apart is far
      const next = items[place + 1] ?? null;
      for (const [edge, before] of [[box.left, one], [box.right, next]] as const) {
        const off = Math.abs(edge - x) + over;
        if (off < best.off) best = { off, before, x: edge, box };
      }
    });
    this.before = best.before;
    const gap = best.before && best.x === best.box.left ? -9 : 9;
    mark.style.left = `${best.x + gap + scrollX}px`;
    mark.style.top = `${best.box.top + scrollY}px`;
    mark.style.height = `${best.box.height}px`;
  }

  private scrollAlong(y: number): void {
    cancelAnimationFrame(this.scroller);
    const step = y < EDGE_PX ? -10 : y > innerHeight - EDGE_PX ? 10 : 0;
    if (!step || !this.mark) return;
    this.scroller = requestAnimationFrame(() => {
      scrollBy(0, step);
      this.scrollAlong(y);
    });
  }

  private readonly onUp = (event: PointerEvent): void => {
    if (!this.item || event.pointerId !== this.start.pointer) return;
    const { item, before, mark } = this;
    if (mark) swallowClick();
    this.end();
    if (mark && before !== item && before !== item.nextElementSibling) this.drop(item, before);
  };

  private readonly onCancel = (): void => this.end();

  private readonly onKey = (event: KeyboardEvent): void => {
    if (event.key !== "Escape" || !this.mark) return;
    event.stopPropagation();
    document.addEventListener("pointerup", swallowClick, { capture: true, once: true });
    this.end();
  };

  private end(): void {
    clearTimeout(this.timer);
    cancelAnimationFrame(this.scroller);
    this.item?.classList.remove("lifted");
    this.item?.parentElement?.classList.remove("dragging");
    this.mark?.remove();
    this.item = this.mark = this.before = null;
    document.removeEventListener("pointermove", this.onMove);
    document.removeEventListener("pointerup", this.onUp);
    document.removeEventListener("pointercancel", this.onCancel);
    document.removeEventListener("keydown", this.onKey, true);
    document.removeEventListener("touchmove", this.onTouchMove);
    document.removeEventListener("contextmenu", this.onMenu, true);
  }
}
