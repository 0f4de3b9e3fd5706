// The words of the sentence open one at a time, and close on Escape or a click elsewhere.
import { Island } from "./island";

class OpenWords extends Island {
  private readonly onKey = (event: KeyboardEvent): void => {
    const open = this.openOnes()[0];
    if (event.key !== "Escape" || !open) return;
    open.open = false;
    open.querySelector("summary")?.focus();
  };

  private readonly onPointer = (event: Event): void => {
    for (const one of this.openOnes()) {
      if (!(event.target instanceof Node && one.contains(event.target))) one.open = false;
    }
  };

  private readonly onToggle = (event: Event): void => {
    const opened = event.target;
    if (!(opened instanceof HTMLDetailsElement) || !opened.open) return;
    for (const one of this.openOnes()) if (one !== opened) one.open = false;
    const pop = opened.querySelector<HTMLElement>(".pop");
    if (pop) this.keepInside(pop);
  };

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener("keydown", this.onKey);
    document.addEventListener("pointerdown", this.onPointer);
    this.addEventListener("toggle", this.onToggle, true); // toggle does not bubble
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener("keydown", this.onKey);
    document.removeEventListener("pointerdown", this.onPointer);
  }

  private openOnes(): HTMLDetailsElement[] {
    return [...this.querySelectorAll<HTMLDetailsElement>("details[name=word][open]")];
  }

  /** Move what opened to the left where it would leave the window on the right. */
  private keepInside(pop: HTMLElement): void {
    pop.style.marginLeft = "";
    const over = pop.getBoundingClientRect().right - (document.documentElement.clientWidth - 12);
    if (over > 0) pop.style.marginLeft = `${-over}px`;
  }
}

customElements.define("open-words", OpenWords);
