// A stage: where one picture hangs, plain or enlarged. Whoever enlarges it says where it lies then.

export type Frame = () => DOMRect;

const frames = new WeakMap<Element, Frame>();

/** The stage that an island of its tools belongs to. */
export function stageOf(island: Element): HTMLElement | null {
  return island.closest(".stage-side")?.querySelector<HTMLElement>(".stage") ?? null;
}

/** Where the whole picture lies on the screen now; parts of it may be outside the stage. */
export function frameOf(stage: HTMLElement): DOMRect {
  const enlarged = frames.get(stage);
  if (enlarged) return enlarged();
  return (stage.querySelector(".whole img") ?? stage).getBoundingClientRect();
}

/** Say where the picture lies from now on; without `frame` it hangs as the page has it. */
export function setFrame(stage: HTMLElement, frame?: Frame): void {
  if (frame) frames.set(stage, frame);
  else frames.delete(stage);
  tellMoved(stage);
}

/** Tell those who draw on the picture that it lies elsewhere now. */
export function tellMoved(stage: HTMLElement): void {
  stage.dispatchEvent(new Event("moved"));
}

export function prefersStillness(): boolean {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}
