// The keyboard among the pictures: arrows move, Enter goes to the work, Space looks at it here, P
// and N ask for more or less like it, S chooses it, X takes a picture out of the question. One
// picture at a time is a tab stop. The single keys can be switched off (WCAG 2.1.4).
import { html, render } from "lit";
import { act, SWAPPED } from "../desk/ask";
import { keysOn, SHEET } from "../desk/keys";
import { CHOOSE, chosenParts, type Choice } from "../desk/choosing";
import { quickLook } from "../desk/quick-look";
import { t } from "../words";
import { Island, isWriting, tell } from "./island";

class PictureGrid extends Island {
  private current: HTMLElement | null = null;
  private awake = false;

  override connectedCallback(): void {
    super.connectedCallback();
    this.addEventListener("keydown", this.onKey);
    this.addEventListener("focusin", this.onFocus);
    this.addEventListener("click", this.onClick);
    this.addEventListener("mousedown", this.onMouseDown);
    document.addEventListener(SWAPPED, this.onSwapped);
    queueMicrotask(() => this.awake || this.onSwapped()); // not while an answer is being put in
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener(SWAPPED, this.onSwapped);
  }

  private readonly onSwapped = (): void => {
    this.awake = true;
    const { works } = this;
    if (!this.current || !works.includes(this.current)) this.current = works[0] ?? null;
    this.settle();
    this.drawKeys();
  };

  private get works(): HTMLElement[] {
    return [...this.querySelectorAll<HTMLElement>("li.work")];
  }

  /** Make the current picture the only tab stop; its + and − follow it in the tab order. */
  private settle(): void {
    for (const link of this.querySelectorAll("li.work a")) {
      if (this.current?.contains(link)) link.removeAttribute("tabindex");
      else if (!link.hasAttribute("tabindex")) link.setAttribute("tabindex", "-1");
    }
  }

  private readonly onFocus = (event: FocusEvent): void => {
    const work = workOf(event.target);
    if (!work || work === this.current) return;
    this.current = work;
    this.settle();
  };

  /** Shift with a click chooses works, not the text between them. */
  private readonly onMouseDown = (event: MouseEvent): void => {
    if (!event.shiftKey || !(event.target instanceof Element)) return;
    const link = event.target.closest<HTMLElement>("a.pic");
    if (!link) return;
    event.preventDefault();
    link.focus();
  };

  /** Ctrl, ⌘ or Shift with a click chooses, as does a plain one while works are being chosen. */
  private readonly onClick = (event: MouseEvent): void => {
    const link = event.target instanceof Element ? event.target.closest("a.pic") : null;
    const work = workOf(link);
    if (!work || event.button !== 0 || event.altKey) return;
    const range = event.shiftKey;
    if (!range && !event.ctrlKey && !event.metaKey && !this.closest(".choosing")) return;
    event.preventDefault();
    this.choose(work, range);
  };

  private choose(work: HTMLElement, range: boolean): void {
    const detail: Choice = { work, range };
    this.dispatchEvent(new CustomEvent(CHOOSE, { detail, bubbles: true }));
  }

  private readonly onKey = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey || isWriting(event.target)) return;
    if (event.target === this && (event.key.startsWith("Arrow") || event.key === "Home")) {
      event.preventDefault(); // the way here was "Skip to the pictures": begin at the first
      this.current?.querySelector<HTMLElement>("a")?.focus();
      return;
    }
    const work = workOf(event.target);
    const target = work && this.moved(event.key, work);
    if (work && target) {
      event.preventDefault();
      if (event.shiftKey && target !== work) {
        if (!work.matches(".chosen")) this.choose(work, false);
        this.choose(target, true);
      }
      this.moveTo(target);
      return;
    }
    const found = work && keysOn() ? this.actFor(event.key, work) : null;
    if (!found) return;
    event.preventDefault();
    found();
  };

  private moved(key: string, work: HTMLElement): HTMLElement | null {
    if (key === "ArrowDown") return this.inRow(1, work);
    if (key === "ArrowUp") return this.inRow(-1, work);
    const { works } = this;
    const place = works.indexOf(work);
    const steps: Record<string, number> = {
      ArrowRight: Math.min(place + 1, works.length - 1),
      ArrowLeft: Math.max(place - 1, 0),
      Home: 0,
      End: works.length - 1,
    };
    return works[steps[key] ?? NaN] ?? null;
  }

  /** The picture whose middle is nearest in the next row below (+1) or above (−1). */
  private inRow(direction: 1 | -1, from: HTMLElement): HTMLElement {
    const here = from.getBoundingClientRect();
    const middle = here.left + here.width / 2;
    let best = from;
    let bestRow = Infinity;
    let bestOff = Infinity;
    for (const work of this.works) {
      const box = work.getBoundingClientRect();
      const row = direction * (box.top - here.top);
      const off = Math.abs(box.left + box.width / 2 - middle);
      if (row <= 1 || row > bestRow + 1) continue;
      if (row < bestRow - 1 || off < bestOff) {
        best = work;
        bestRow = row;
        bestOff = off;
      }
    }
    return best;
  }

  private moveTo(work: HTMLElement): void {
    this.current = work;
    this.settle();
    work.querySelector<HTMLElement>("a.pic")?.focus();
  }

  private actFor(key: string, work: HTMLElement): (() => void) | null {
    switch (key.toLowerCase()) {
      case "p":
        return () => ask(work, 1);
      case "n":
        return () => ask(work, -1);
      case "s":
        return () => this.choose(work, false);
      case "x":
        return takeOut;
      case " ":
        return () => this.look(work);
      default:
        return null;
    }
  }

  /** Look at a work here; the keys go on working, on the work that is looked at. */
  private look(work: HTMLElement): void {
    this.moveTo(work);
    quickLook(work, (key) => {
      const from = this.current ?? work;
      const target = this.moved(key, from);
      if (target) this.moveTo(target);
      else if (keysOn()) this.actFor(key === " " ? "" : key, from)?.();
      return target;
    });
  }

  private drawKeys(): void {
    const place = this.querySelector<HTMLElement>(".keys");
    if (!place) return;
    const show = (): boolean => document.dispatchEvent(new CustomEvent(SHEET));
    render(html`<button class="plain" @click=${show}>${t("Keys")}</button>`, place);
  }
}

function workOf(target: EventTarget | null): HTMLElement | null {
  return target instanceof Element ? target.closest<HTMLElement>("li.work") : null;
}

/** Ask for more or less like a work; where it is chosen, like all that are. */
function ask(work: HTMLElement, sign: 1 | -1): void {
  const parts = work.matches(".chosen") ? chosenParts() : [];
  if (parts.length > 1 && act({ kind: "add", parts, sign })) return;
  work.querySelector<HTMLElement>(sign > 0 ? "a.plus" : "a.minus")?.click();
}

/** Take the picture that was added last out of the question. */
function takeOut(): void {
  const last = [...document.querySelectorAll<HTMLElement>(".tile [data-remove]")].at(-1);
  if (last) last.click();
  else tell(t("There is no picture in the question to take out."));
}

customElements.define("picture-grid", PictureGrid);
