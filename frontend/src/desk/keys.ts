// The keys of the whole page: undo and redo, and, unless they are switched off, single ones.
import { KEYS_KEY, readChoice } from "../islands/choices";
import { isWriting } from "../islands/island";
import type { Action } from "../store/state";

export const SHEET = "key-sheet"; // on the document: show the sheet of keys

/** Whether single keys act (WCAG 2.1.4 asks that they can be switched off). */
export function keysOn(): boolean {
  return readChoice(KEYS_KEY) !== "off";
}

/** What a key press asks for: a step in time, an action, something to do; null where nothing. */
export function actOfKey(
  event: KeyboardEvent,
  desk: HTMLElement,
): "undo" | "redo" | Action | (() => void) | null {
  if (event.defaultPrevented || isWriting(event.target)) return null;
  if (document.querySelector("dialog[open]")) return null;
  const key = event.key.toLowerCase();
  if ((event.ctrlKey || event.metaKey) && !event.altKey) {
    if (key === "z") return event.shiftKey ? "redo" : "undo";
    return key === "y" ? "redo" : null;
  }
  if (event.metaKey || event.ctrlKey || !keysOn()) return null;
  if (key === "u") return event.shiftKey ? "redo" : "undo";
  if (key === "/") return () => openWords(desk);
  if (key === "?") return () => document.dispatchEvent(new CustomEvent(SHEET));
  return actOnTile(event, key);
}

/** P, N and X at a picture of the question. */
function actOnTile(event: KeyboardEvent, key: string): Action | null {
  const target = event.target instanceof Element ? event.target : null;
  const tile = target?.closest<HTMLElement>(".tile[data-part]");
  const part = tile?.dataset["part"];
  if (!part) return null;
  if (key === "x") return { kind: "remove", parts: [part] };
  if (key !== "p" && key !== "n") return null;
  return { kind: "add", parts: [part], sign: key === "p" ? 1 : -1 };
}

/** Open the place where words are added, and write there. */
function openWords(desk: HTMLElement): void {
  const field = desk.querySelector<HTMLInputElement>("#like-words, #record-words, #match");
  const menu = field?.closest("details");
  if (menu) menu.open = true;
  field?.focus();
}
