// How any island asks: the desk of the page takes the question, where there is one; otherwise the
// browser goes there.
import type { Action } from "../store/state";

export const ASK = "ask"; // on the document; detail: the address
export const ACT = "act"; // on the document; detail: an Action on the question as it stands
export const SWAPPED = "swapped"; // on the document, after another answer was put in place

/** Ask what an address (path and query) asks. */
export function ask(address: string): void {
  const event = new CustomEvent(ASK, { detail: address, cancelable: true });
  if (document.dispatchEvent(event)) location.assign(address);
}

/** Change the question by one action; false where the page has no desk that could. */
export function act(action: Action): boolean {
  const event = new CustomEvent(ACT, { detail: action, cancelable: true });
  return !document.dispatchEvent(event);
}
