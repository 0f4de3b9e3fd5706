// Fetching an answer, and going there by the browser where that fails.
import { tell } from "../islands/island";
import { parse, write } from "../store/state";
import { t } from "../words";
import { readAnswer, type Answer } from "./swap";

const REASON_KEY = "bilderatlas.reason";

export type Way = "new" | "back"; // a new entry of the browser's history, or one that lies there

/** Fetch the two sections of an answer; whatever else comes is an error. */
export async function fetchAnswer(address: string, signal: AbortSignal): Promise<Answer> {
  const headers = { "X-Part": "answer", Accept: "text/html" };
  const response = await fetch(address, { headers, signal });
  const found = readAnswer(await response.text());
  if (found && !response.redirected) return found;
  const status = String(response.status);
  throw new Error(t("The server sent no answer that fits in its place (status {status}).", { status }));
}

/** Go there as a browser without islands does; the page that comes says why. */
export function leave(address: string, way: Way, error: unknown): void {
  const silent = error instanceof TypeError; // so fetch says it
  const reason = silent ? t("The server did not answer.") : String((error as Error).message);
  storage((kept) => kept.setItem(REASON_KEY, reason));
  if (way === "back") location.reload();
  else location.assign(address);
}

/** Say why the page before this one was left. */
export function tellReason(): void {
  const reason = storage((kept) => kept.getItem(REASON_KEY));
  if (!reason) return;
  storage((kept) => kept.removeItem(REASON_KEY));
  tell(t("The page was loaded anew: {reason}", { reason }));
}

/** Use the tab's store; null where it is forbidden or full. */
export function storage<T>(use: (kept: Storage) => T): T | null {
  try {
    return use(sessionStorage);
  } catch {
    return null;
  }
}

/** The question of this page's address, as the server spells it; null where it is none. */
export function canonical(): string | null {
  const state = parse(location.pathname + location.search);
  return state && write(state);
}

/** Whether the browser came here by back or forward. */
export function arrivedByHistory(): boolean {
  const [entry] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
  return entry?.type === "back_forward";
}

/** How far down the page was when this entry of the history was left. */
export function keptScroll(): number {
  return (history.state as { y?: number } | null)?.y ?? 0;
}
