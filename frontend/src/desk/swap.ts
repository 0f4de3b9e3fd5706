// Puts another answer in the place of the one that is shown. Works that are in both keep their
// nodes, so that their pictures stay painted and what has the focus keeps it.

/** The two sections that the server sends to whoever asks with `X-Part: answer`. */
export interface Answer {
  readonly question: HTMLElement;
  readonly answer: HTMLElement;
}

const KEPT = "li.work[data-id], .tile[data-part] img";

/** Read a fragment; null where it is none. */
export function readAnswer(text: string): Answer | null {
  const template = document.createElement("template");
  template.innerHTML = text;
  return findAnswer(template.content);
}

/** Find the two sections below `root`. */
export function findAnswer(root: ParentNode): Answer | null {
  const question = root.querySelector<HTMLElement>("section.question");
  const answer = root.querySelector<HTMLElement>("div.answer");
  return question && answer ? { question, answer } : null;
}

/** Replace what is shown by `fresh`. */
export function swap(shown: Answer, fresh: Answer): void {
  keepOpen(shown.answer, fresh.answer);
  replace(shown.question, fresh.question);
  replace(shown.answer, fresh.answer);
}

function replace(shown: HTMLElement, fresh: HTMLElement): void {
  const held = new Map<string, HTMLElement>();
  for (const one of shown.querySelectorAll<HTMLElement>(KEPT)) held.set(keyOf(one), one);
  const places: [Comment, HTMLElement][] = [];
  for (const one of fresh.querySelectorAll<HTMLElement>(KEPT)) {
    const old = held.get(keyOf(one));
    if (!old || !held.delete(keyOf(one))) continue;
    morph(old, one);
    const place = document.createComment("");
    one.replaceWith(place); // before its picture can begin to load
    places.push([place, old]);
  }
  shown.after(fresh);
  for (const [place, old] of places) {
    move(old, place);
    place.remove();
  }
  shown.remove();
}

function keyOf(one: HTMLElement): string {
  if (one instanceof HTMLImageElement) {
    return `${one.closest<HTMLElement>("[data-part]")?.dataset["part"]} ${one.getAttribute("src")}`;
  }
  return one.dataset["id"] ?? "";
}

interface Movable extends ParentNode {
  moveBefore?(node: Node, child: Node | null): void;
}

/** Move a node within the page: without losing the focus where the browser can. */
function move(node: HTMLElement, place: Comment): void {
  const parent: (Movable & Node) | null = place.parentElement;
  if (parent?.moveBefore) parent.moveBefore(node, place);
  else parent?.insertBefore(node, place);
}

/** Make `old` say what `fresh` says, with as many of its nodes as can stay. */
export function morph(old: Element, fresh: Element): void {
  if (old.isEqualNode(fresh)) return; // most are: of a work that stays, only the links change
  for (const name of fresh.getAttributeNames()) {
    const value = fresh.getAttribute(name) ?? "";
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  if (old.attributes.length > fresh.attributes.length) {
    for (const name of old.getAttributeNames()) {
      if (!fresh.hasAttribute(name)) old.removeAttribute(name);
    }
  }
  if (!alike(old, fresh)) {
    graft(old, fresh);
    return;
  }
  let theirs = fresh.firstChild;
  for (let mine = old.firstChild; mine && theirs; mine = mine.nextSibling) {
    if (mine instanceof Element && theirs instanceof Element) morph(mine, theirs);
    else if (mine.nodeValue !== theirs.nodeValue) mine.nodeValue = theirs.nodeValue;
    theirs = theirs.nextSibling;
  }
}

/** Whether both hold the same kinds of nodes in the same order. */
function alike(old: Element, fresh: Element): boolean {
  let [mine, theirs] = [old.firstChild, fresh.firstChild];
  while (mine && theirs && mine.nodeName === theirs.nodeName) {
    [mine, theirs] = [mine.nextSibling, theirs.nextSibling];
  }
  return !mine && !theirs;
}

/** Replace what is inside; an element that is alone of its kind in both stays. */
function graft(old: Element, fresh: Element): void {
  for (const child of [...fresh.children]) {
    const kind = (one: Element): boolean =>
      one.nodeName === child.nodeName && one.className === child.className;
    const mine = [...old.children].filter(kind);
    if (mine.length !== 1 || [...fresh.children].filter(kind).length !== 1) continue;
    const [stays] = mine;
    if (!stays) continue;
    morph(stays, child);
    child.replaceWith(stays);
  }
  old.replaceChildren(...fresh.childNodes);
}

/** What was unfolded beside the pictures stays so. */
function keepOpen(shown: HTMLElement, fresh: HTMLElement): void {
  const said = (one: HTMLElement): string => one.querySelector("summary")?.textContent?.trim() ?? "";
  const open = new Set([...shown.querySelectorAll<HTMLElement>(".side details[open]")].map(said));
  for (const one of fresh.querySelectorAll<HTMLDetailsElement>(".side details")) {
    if (open.has(said(one))) one.open = true;
  }
}
