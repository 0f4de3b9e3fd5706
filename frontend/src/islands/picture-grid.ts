// The keyboard among the pictures: arrows move, Enter looks, P and N ask for more or less like it,
// X takes it out of the question. One picture at a time is a tab stop. `?` says so; the single
// keys can be switched off (WCAG 2.1.4).
import { html, render } from "lit";
import { KEYS_KEY, readChoice, writeChoice } from "./choices";
import { Island, isWriting, tell } from "./island";

class PictureGrid extends Island {
  private works: HTMLElement[] = [];
  private current = 0;
  private keysOn = readChoice(KEYS_KEY) !== "off";

  override connectedCallback(): void {
    super.connectedCallback();
    this.works = [...this.querySelectorAll<HTMLElement>("li.work")];
    if (this.works.length === 0) return;
    this.current = Math.max(0, this.works.findIndex((work) => this.linkOf(work)?.dataset["current"]));
    this.addEventListener("keydown", this.onKey);
    this.addEventListener("focusin", this.onFocus);
    this.settle();
    this.addSwitch();
  }

  private linkOf(work: HTMLElement | undefined): HTMLAnchorElement | null {
    return work?.querySelector<HTMLAnchorElement>("a.pic") ?? null;
  }

  /** Make the current picture the only tab stop; its + and − follow it in the tab order. */
  private settle(): void {
    this.works.forEach((work, place) => {
      for (const link of work.querySelectorAll("a")) {
        if (place === this.current) link.removeAttribute("tabindex");
        else link.tabIndex = -1;
      }
    });
  }

  private readonly onFocus = (event: FocusEvent): void => {
    const work = event.target instanceof Element ? event.target.closest("li.work") : null;
    const place = work instanceof HTMLElement ? this.works.indexOf(work) : -1;
    if (place < 0 || place === this.current) return;
    this.current = place;
    this.settle();
  };

  private readonly onKey = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey || isWriting(event.target)) return;
    const target = this.moved(event.key);
    if (target !== null) {
      event.preventDefault();
      this.moveTo(target);
      return;
    }
    const act = this.keysOn ? this.actFor(event.key) : null;
    if (act) {
      event.preventDefault();
      act();
    }
  };

  private moved(key: string): number | null {
    const last = this.works.length - 1;
    const steps: Record<string, number> = {
      ArrowRight: Math.min(this.current + 1, last),
      ArrowLeft: Math.max(this.current - 1, 0),
      Home: 0,
      End: last,
    };
    if (key === "ArrowDown") return this.inRow(1);
    if (key === "ArrowUp") return this.inRow(-1);
    return steps[key] ?? null;
  }

  /** The picture whose middle is nearest in the next row below (+1) or above (−1). */
  private inRow(direction: 1 | -1): number {
    const here = this.works[this.current]?.getBoundingClientRect();
    if (!here) return this.current;
    const middle = here.left + here.width / 2;
    let best = this.current;
    let bestRow = Infinity;
    let bestOff = Infinity;
    this.works.forEach((work, place) => {
      const box = work.getBoundingClientRect();
      const row = direction * (box.top - here.top);
      const off = Math.abs(box.left + box.width / 2 - middle);
      if (row <= 1 || row > bestRow + 1) return;
      if (row < bestRow - 1 || off < bestOff) {
        best = place;
        bestRow = row;
        bestOff = off;
      }
    });
    return best;
  }

  private moveTo(place: number): void {
    this.current = place;
    this.settle();
    this.linkOf(this.works[place])?.focus();
  }

  private actFor(key: string): (() => void) | null {
    const work = this.works[this.current];
    const follow = (selector: string) => () => work?.querySelector<HTMLElement>(selector)?.click();
    switch (key.toLowerCase()) {
      case "p":
        return follow("a.plus");
      case "n":
        return follow("a.minus");
      case "x":
        return () => this.takeOut();
      case "?":
        return () =>
          tell("Arrows move, Enter looks, P more like it, N less like it, X takes the last picture out of the question.");
      default:
        return null;
    }
  }

  /** Take the picture that was added last out of the question. */
  private takeOut(): void {
    const tiles = document.querySelectorAll<HTMLElement>(".tile [data-remove]");
    const last = tiles[tiles.length - 1];
    if (last) last.click();
    else tell("There is no picture in the question to take out.");
  }

  private addSwitch(): void {
    const place = this.querySelector<HTMLElement>(".keys");
    if (!place) return;
    const draw = (): void => {
      render(
        html`<button
          class="plain"
          aria-pressed=${this.keysOn}
          @click=${() => {
            this.keysOn = !this.keysOn;
            writeChoice(KEYS_KEY, this.keysOn ? "on" : "off");
            draw();
          }}
        >Keys P, N, X among the pictures: ${this.keysOn ? "on" : "off"}</button>`,
        place,
      );
    };
    draw();
  }
}

customElements.define("picture-grid", PictureGrid);
