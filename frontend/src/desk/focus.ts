// Where the focus was, in words that also hold for the next answer.

type Finder = (desk: HTMLElement) => HTMLElement | null | undefined;

/** Remember where the focus is; the answer puts it there again, or as near as there is anything. */
export function rememberFocus(desk: HTMLElement): () => void {
  const focused = document.activeElement;
  if (!(focused instanceof HTMLElement) || !desk.contains(focused)) return () => undefined;
  const finders = [...findersOf(desk, focused), firstPicture];
  return () => {
    if (document.activeElement === focused && focused.isConnected) return;
    for (const find of finders) {
      const found = find(desk);
      if (!found) continue;
      found.focus({ preventScroll: true });
      if (document.activeElement === found) return;
    }
  };
}

function firstPicture(desk: HTMLElement): HTMLElement | null {
  return desk.querySelector<HTMLElement>("li.work a.pic") ?? document.getElementById("main");
}

function findersOf(desk: HTMLElement, focused: HTMLElement): Finder[] {
  const { id } = focused;
  if (id) return [() => document.getElementById(id)];
  const work = focused.closest<HTMLElement>("li.work");
  if (work) return inWorks(desk, work, focused.className);
  const tile = focused.closest<HTMLElement>(".tile[data-part]");
  if (tile) return inTiles(desk, tile);
  return [byName(focused), byWords(desk, focused)];
}

/** The same work, or what hangs in its place now. */
function inWorks(desk: HTMLElement, work: HTMLElement, role: string): Finder[] {
  const id = work.dataset["id"] ?? "";
  const place = [...desk.querySelectorAll("li.work")].indexOf(work);
  const link = (found: Element | undefined | null): HTMLElement | null | undefined =>
    found?.querySelector<HTMLElement>(role ? `a.${role.split(" ")[0]}` : "a") ??
    found?.querySelector<HTMLElement>("a.pic");
  return [
    (page) => link(page.querySelector(`li.work[data-id="${CSS.escape(id)}"]`)),
    (page) => link([...page.querySelectorAll("li.work")].at(place)),
    (page) => link([...page.querySelectorAll("li.work")].at(-1)),
  ];
}

/** The same picture of the question, or the one in its place, or the last. */
function inTiles(desk: HTMLElement, tile: HTMLElement): Finder[] {
  const part = tile.dataset["part"] ?? "";
  const place = [...desk.querySelectorAll(".tile[data-part]")].indexOf(tile);
  const summary = (found: Element | undefined | null): HTMLElement | null | undefined =>
    found?.querySelector<HTMLElement>("summary");
  return [
    (page) => summary(page.querySelector(`.tile[data-part="${CSS.escape(part)}"]`)),
    (page) => summary([...page.querySelectorAll(".tile[data-part]")].at(place)),
    (page) => summary([...page.querySelectorAll(".tile[data-part]")].at(-1)),
  ];
}

/** The field of this name and value, or of this name. */
function byName(focused: HTMLElement): Finder {
  const name = focused.getAttribute("name");
  if (!name) return () => null;
  const kind = `${focused.localName}[name="${CSS.escape(name)}"]`;
  const value = focused.getAttribute("value") ?? "";
  return (page) =>
    page.querySelector<HTMLElement>(`${kind}[value="${CSS.escape(value)}"]`) ??
    page.querySelector<HTMLElement>(`${kind}:not([type="hidden"])`);
}

/** The link, button or summary with the same words, else the word it hung from. */
function byWords(desk: HTMLElement, focused: HTMLElement): Finder {
  const said = (one: Element): string => (one.textContent ?? "").replace(/[\s\d.,]+/gu, " ").trim();
  const words = said(focused);
  const kind = focused.localName;
  const from = focused.closest("details");
  const place = [...desk.querySelectorAll("details")].findIndex((one) => one === from);
  return (page) => {
    const same = [...page.querySelectorAll<HTMLElement>(kind)].find(
      (one) => said(one) === words && one.checkVisibility(),
    );
    const menu = place < 0 ? null : [...page.querySelectorAll("details")].at(place);
    return same ?? menu?.querySelector<HTMLElement>("summary");
  };
}
