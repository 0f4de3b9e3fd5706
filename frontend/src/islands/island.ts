// What all islands share: they render into the page itself, so that the one stylesheet reaches
// them, and they may wrap markup of the server, which works without them.
import { LitElement } from "lit";

export class Island extends LitElement {
  override connectedCallback(): void {
    this.querySelector(":scope > .asleep")?.remove(); // it kept the place until now
    super.connectedCallback();
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }
}

/** Say something for a moment, to eyes and to screen readers alike. */
export function tell(message: string): void {
  let toast = document.querySelector<HTMLElement>(".toast");
  if (!toast) {
    toast = document.createElement("p");
    toast.className = "toast";
    toast.setAttribute("role", "status");
    document.body.append(toast);
  }
  const shown = toast;
  shown.hidden = false;
  shown.textContent = message;
  clearTimeout(Number(shown.dataset["timer"]));
  shown.dataset["timer"] = String(setTimeout(() => (shown.hidden = true), 6000));
}

/** Whether a key press belongs to a field that is being written in. */
export function isWriting(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest("input, textarea, select") !== null;
}
