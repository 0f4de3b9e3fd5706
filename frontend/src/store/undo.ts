// What was asked before, now, and what was taken back: undo and redo without end. Pure.

export interface Timeline<T> {
  readonly past: readonly T[];
  readonly present: T;
  readonly future: readonly T[]; // the next one first
}

export function begin<T>(present: T): Timeline<T> {
  return { past: [], present, future: [] };
}

/** Go on to `next`; what was taken back before is gone. Where it is the present, nothing is new. */
export function record<T>(line: Timeline<T>, next: T): Timeline<T> {
  if (next === line.present) return line;
  return { past: [...line.past, line.present], present: next, future: [] };
}

/** Take the last change back; at the beginning nothing happens. */
export function undo<T>(line: Timeline<T>): Timeline<T> {
  const last = line.past.at(-1);
  if (last === undefined) return line;
  return { past: line.past.slice(0, -1), present: last, future: [line.present, ...line.future] };
}

/** Do again what was taken back; at the end nothing happens. */
export function redo<T>(line: Timeline<T>): Timeline<T> {
  const [next, ...rest] = line.future;
  if (next === undefined) return line;
  return { past: [...line.past, line.present], present: next, future: rest };
}

/** Follow the browser to `found`: back or forth where it lies there, a new step where not. */
export function follow<T>(line: Timeline<T>, found: T): Timeline<T> {
  if (found === line.present) return line;
  const before = line.past.lastIndexOf(found);
  const after = line.future.indexOf(found);
  const back = before < 0 ? Infinity : line.past.length - before;
  const forth = after < 0 ? Infinity : after + 1;
  if (before < 0 && after < 0) return record(line, found);
  let reached = line;
  for (let n = Math.min(back, forth); n > 0; n -= 1) {
    reached = back <= forth ? undo(reached) : redo(reached);
  }
  return reached;
}

export function write(line: Timeline<string>): string {
  return JSON.stringify([line.past, line.present, line.future]);
}

/** Read what `write` wrote; null for anything else. */
export function read(text: string | null): Timeline<string> | null {
  try {
    const found: unknown = JSON.parse(text ?? "");
    if (!Array.isArray(found) || found.length !== 3) return null;
    const [past, present, future] = found as unknown[];
    if (!isTexts(past) || typeof present !== "string" || !isTexts(future)) return null;
    return { past, present, future };
  } catch {
    return null;
  }
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}
