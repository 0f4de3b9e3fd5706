// The viewer's choices that outlive a page: kept in the browser, told to nobody.

export const THEME_KEY = "bilderatlas.theme";
export const GROUND_KEY = "bilderatlas.ground";
export const KEYS_KEY = "bilderatlas.keys";

export function readChoice(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null; // storage may be forbidden; then each page starts afresh
  }
}

export function writeChoice(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // the choice then lasts as long as the page
  }
}

export function applyTheme(theme: string | null): void {
  const root = document.documentElement;
  if (theme === "light" || theme === "dark") root.dataset["theme"] = theme;
  else delete root.dataset["theme"];
}

export function applyGround(ground: string | null): void {
  const root = document.documentElement;
  if (ground === "black" || ground === "grey") root.dataset["ground"] = ground;
  else delete root.dataset["ground"];
}
