// The two arrows of the toolbar: take the last change of the question back, do it again.
import { html, render } from "lit";
import type { Timeline } from "../store/undo";
import { t } from "../words";

type Step = "undo" | "redo";

/** Draw both into the place that the server left for them. */
export function drawSteps(desk: HTMLElement, line: Timeline<string>, go: (name: Step) => void): void {
  const place = desk.querySelector<HTMLElement>(".tools .steps");
  if (!place) return;
  const arrow = (name: Step, sign: string, words: string, idle: boolean): unknown => html`<button
    class="plain"
    id=${`step-${name}`}
    aria-disabled=${idle}
    title=${words}
    @click=${() => go(name)}
  ><span aria-hidden="true">${sign}</span><span class="hidden">${words}</span></button>`;
  render(
    [
      arrow("undo", "↶", t("Take back"), line.past.length === 0),
      arrow("redo", "↷", t("Do again"), line.future.length === 0),
    ],
    place,
  );
}
