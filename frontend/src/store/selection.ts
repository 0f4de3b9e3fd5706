// Which works are chosen, in the order in which they were, and from where a range begins. Pure.

export interface Selection {
  readonly ids: readonly string[];
  readonly anchor: string | null;
}

export const NOTHING: Selection = { ids: [], anchor: null };

/** Choose a work, or no longer; ranges begin at it from then on. */
export function toggle(selection: Selection, id: string): Selection {
  const others = selection.ids.filter((one) => one !== id);
  const ids = others.length < selection.ids.length ? others : [...others, id];
  return { ids, anchor: id };
}

/** Choose all works from the anchor to `id` as they hang; what was chosen stays so. */
export function extend(selection: Selection, id: string, hung: readonly string[]): Selection {
  const start = hung.indexOf(selection.anchor ?? id);
  const end = hung.indexOf(id);
  if (start < 0 || end < 0) return { ids: union(selection.ids, [id]), anchor: id };
  const range = hung.slice(Math.min(start, end), Math.max(start, end) + 1);
  return { ids: union(selection.ids, range), anchor: hung[start] ?? id };
}

function union(first: readonly string[], second: readonly string[]): string[] {
  return [...new Set([...first, ...second])];
}
