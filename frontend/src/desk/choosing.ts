// What picture-grid and selection-bar say to each other, and what others may listen to.

export const CHOOSE = "choose"; // bubbles from a work: choose it, or all from the last one to it
export const SELECTION = "selection"; // on the document, whenever another choice is made

export interface Choice {
  readonly work: HTMLElement;
  readonly range: boolean;
}

export interface Chosen {
  readonly ids: readonly string[]; // COLLECTION/IMAGE_ID, in the order in which they were chosen
  readonly parts: readonly string[]; // as they are spelled in the question
}

let chosen: Chosen = { ids: [], parts: [] };

/** Tell everybody what is chosen now. */
export function sayChosen(now: Chosen): void {
  chosen = now;
  document.dispatchEvent(new CustomEvent<Chosen>(SELECTION, { detail: now }));
}

/** The works that are chosen, spelled as parts of the question. */
export function chosenParts(): readonly string[] {
  return chosen.parts;
}
