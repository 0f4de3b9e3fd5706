// When a press becomes a drag, and what becomes of its click: the same wherever pictures are dragged.
export const FAR_PX = 6; // below it a press is a click
export const LONG_MS = 350; // a finger that rests that long drags; one that moves sooner scrolls

/** The click that follows when the pointer is lifted after a drag is none. */
export function swallowClick(): void {
  document.addEventListener("click", swallow, { capture: true, once: true });
  setTimeout(() => document.removeEventListener("click", swallow, true));
}

function swallow(event: Event): void {
  event.preventDefault();
  event.stopPropagation();
}
