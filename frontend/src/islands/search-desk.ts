// The desk around question and answer. Links and forms that lead to another question to the same
// collection are answered in place: the fragment is fetched, works that stay keep their nodes, the
// address bar follows. Whatever goes wrong, the browser goes where it would have gone anyway.
import { ACT, ASK, SWAPPED } from "../desk/ask";
import { Drag } from "../desk/drag";
import { rememberFocus } from "../desk/focus";
import {
  arrivedByHistory,
  canonical,
  fetchAnswer,
  keptScroll,
  leave,
  storage,
  tellReason,
  type Way,
} from "../desk/going";
import { actOfKey } from "../desk/keys";
import { drawSteps } from "../desk/steps";
import { findAnswer, swap, type Answer } from "../desk/swap";
import { apply, fromParams, params, parse, write, type Action } from "../store/state";
import { begin, follow, read, record, redo, undo, write as spell, type Timeline } from "../store/undo";
import { t } from "../words";
import { Island, tell } from "./island";

const LINE_KEY = "bilderatlas.questions";
const SLOW_MS = 400; // an answer that takes longer is worth a sign
const NOT_OURS = ["v", "lang"]; // links that say more than the question: the browser follows them

class SearchDesk extends Island {
  private line: Timeline<string> = begin("");
  private running: AbortController | null = null;
  private readonly voice = document.createElement("p");
  private drag: Drag | null = null;

  override connectedCallback(): void {
    super.connectedCallback();
    this.voice.className = "hidden";
    this.voice.setAttribute("role", "status");
    this.append(this.voice, ...["selection-bar", "key-sheet"].map((name) => this.own(name)));
    this.drag = new Drag(this, (action) => this.act(action));
    this.arrive(arrivedByHistory());
    this.draw();
    tellReason();
    this.listen(true);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.running?.abort();
    this.drag?.stop();
    this.listen(false);
  }

  /** One of the islands that only scripts need; the page may carry it already. */
  private own(name: string): Element {
    return this.querySelector(name) ?? document.createElement(name);
  }

  private listen(on: boolean): void {
    const doors: [EventTarget, string, (event: never) => void][] = [
      [document, "click", this.onClick],
      [document, "submit", this.onSubmit],
      [document, "keydown", this.onKey],
      [document, ASK, this.onAsk],
      [document, ACT, this.onAct],
      [document, "scrollend", this.onScrollEnd],
      [window, "popstate", this.onPopState],
      [window, "pageshow", this.onPageShow],
      [window, "pagehide", this.onPageHide],
    ];
    for (const [where, name, listener] of doors) {
      if (on) where.addEventListener(name, listener as EventListener);
      else where.removeEventListener(name, listener as EventListener);
    }
  }

  // ---- what is asked ----

  /** The question that was asked last; its answer may still be on its way. */
  private get asked(): string {
    return this.line.present;
  }

  /** The address of a question to this collection, spelled as the server spells it; or null. */
  private ours(address: string): string | null {
    if (!URL.canParse(address, location.href)) return null;
    const url = new URL(address, location.href);
    if (url.origin !== location.origin || url.hash) return null;
    if (NOT_OURS.some((name) => url.searchParams.has(name))) return null;
    const state = parse(url.pathname + url.search);
    return state && state.collection === this.dataset["collection"] ? write(state) : null;
  }

  private readonly onClick = (event: MouseEvent): void => {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest("a[href]") : null;
    if (!(link instanceof HTMLAnchorElement) || link.target || link.hasAttribute("download")) return;
    const action = this.actionOf(link);
    const address = this.ours(link.href);
    if (!action && !address) return;
    event.preventDefault();
    if (action) this.act(action);
    else if (address) this.ask(address);
  };

  /** What + and − at a work do to the question as it stands, also while an answer is on its way. */
  private actionOf(link: HTMLAnchorElement): Action | null {
    const work = link.closest<HTMLElement>("li.work[data-part]");
    const part = work?.dataset["part"] ?? link.closest<HTMLElement>(".tile")?.dataset["part"];
    if (!part || !this.contains(link)) return null;
    if (work && link.matches(".plus, .minus")) {
      return { kind: "add", parts: [part], sign: link.matches(".plus") ? 1 : -1 };
    }
    return link.matches("[data-remove]") ? { kind: "remove", parts: [part] } : null;
  }

  private readonly onSubmit = (event: SubmitEvent): void => {
    const form = event.target;
    if (event.defaultPrevented || !(form instanceof HTMLFormElement)) return;
    if (form.method !== "get" || !this.contains(form)) return;
    const url = new URL(form.action, location.href);
    if (url.search || !this.ours(url.pathname)) return;
    const data = new FormData(form, event.submitter);
    const said = [...data].map(([name, value]) => [name, String(value)] as const);
    event.preventDefault();
    this.ask(write(fromParams(this.dataset["collection"] ?? "", said)));
  };

  private readonly onAsk = (event: CustomEvent<string>): void => {
    const address = this.ours(event.detail);
    if (!address) return;
    event.preventDefault();
    this.ask(address);
  };

  private readonly onAct = (event: CustomEvent<Action>): void => {
    event.preventDefault();
    this.act(event.detail);
  };

  private readonly onKey = (event: KeyboardEvent): void => {
    const found = actOfKey(event, this);
    if (!found) return;
    event.preventDefault();
    if (found === "undo" || found === "redo") this.step(found);
    else if (typeof found === "object") this.act(found);
    else found();
  };

  private act(action: Action): void {
    const state = parse(this.asked);
    if (state) this.ask(write(apply(state, action)));
  }

  private ask(address: string): void {
    this.keep(record(this.line, address));
    void this.go(address, "new");
  }

  /** Take the last change of the question back, or do it again. */
  private step(name: "undo" | "redo"): void {
    const line = name === "undo" ? undo(this.line) : redo(this.line);
    if (line === this.line) {
      tell(name === "undo" ? t("There is nothing to take back.") : t("There is nothing to do again."));
      return;
    }
    this.keep(line);
    if (this.ours(line.present)) void this.go(line.present, "new");
    else location.assign(line.present); // asked of another collection
  }

  // ---- the browser's own history ----

  private readonly onPopState = (): void => {
    const here = canonical();
    if (here === null || here === this.dataset["shown"]) return; // a place on the same page
    this.keep(follow(this.line, here));
    void this.go(here, "back");
  };

  private readonly onPageShow = (event: PageTransitionEvent): void => {
    if (!event.persisted) return;
    this.arrive(true); // meanwhile other pages may have been asked
    this.draw();
  };

  private readonly onPageHide = (): void => this.running?.abort();

  private readonly onScrollEnd = (): void => {
    if (!this.running) this.noteScroll();
  };

  private noteScroll(): void {
    if (keptScroll() !== Math.round(scrollY)) history.replaceState({ y: Math.round(scrollY) }, "");
  }

  private arrive(byHistory: boolean): void {
    const here = canonical() ?? "";
    const line = read(storage((kept) => kept.getItem(LINE_KEY)) ?? null) ?? begin(here);
    this.dataset["shown"] = here;
    this.keep(byHistory ? follow(line, here) : record(line, here));
  }

  private keep(line: Timeline<string>): void {
    this.line = line;
    let { past } = line;
    while (storage((kept) => kept.setItem(LINE_KEY, spell({ ...line, past }))) === null && past.length) {
      past = past.slice(Math.ceil(past.length / 2)); // full: this page still knows all of it
    }
  }

  // ---- the answer ----

  private async go(address: string, way: Way): Promise<void> {
    this.running?.abort();
    const running = (this.running = new AbortController());
    this.setAttribute("aria-busy", "true");
    const slow = setTimeout(() => this.classList.add("waiting"), SLOW_MS);
    try {
      const fresh = await fetchAnswer(address, running.signal);
      if (running.signal.aborted) return;
      this.show(address, way, fresh);
    } catch (error) {
      if (running.signal.aborted) return;
      leave(address, way, error);
    } finally {
      clearTimeout(slow);
    }
    this.running = null;
    this.classList.remove("waiting");
    this.removeAttribute("aria-busy");
  }

  private show(address: string, way: Way, fresh: Answer): void {
    const shown = findAnswer(this);
    if (!shown) throw new Error(t("The page has lost its answer."));
    if (way === "new") {
      this.noteScroll();
      history.pushState(null, "", address);
    }
    const changed = this.isOtherAnswer(address);
    const focus = rememberFocus(this);
    swap(shown, fresh);
    this.dataset["shown"] = address;
    this.draw();
    document.dispatchEvent(new CustomEvent(SWAPPED));
    focus();
    this.settleScroll(way, changed);
    this.announce();
  }

  /** Whether other works are asked for, not merely in another order or size. */
  private isOtherAnswer(address: string): boolean {
    const words = (text: string): string =>
      JSON.stringify(
        params(parse(text) ?? { collection: "" }).filter(([name]) => name !== "sort" && name !== "size"),
      );
    return words(address) !== words(this.dataset["shown"] ?? "");
  }

  private settleScroll(way: Way, changed: boolean): void {
    if (way === "back") {
      scrollTo({ top: keptScroll(), behavior: "instant" });
      return;
    }
    const top = this.getBoundingClientRect().top;
    const first = this.querySelector(".found")?.getBoundingClientRect().top ?? 0;
    if (changed && first < 0) scrollBy({ top: Math.max(top, -scrollY), behavior: "instant" });
  }

  private announce(): void {
    const words = this.querySelector(".counts p")?.textContent?.replace(/\s+/gu, " ").trim() ?? "";
    this.voice.textContent = "";
    requestAnimationFrame(() => (this.voice.textContent = words)); // the same words are said again
  }

  private draw(): void {
    this.querySelector(".counts p[role]")?.removeAttribute("role"); // said by this.voice instead
    drawSteps(this, this.line, (name) => this.step(name));
    const twin = location.pathname + ".json" + location.search;
    const twins = 'link[rel="alternate"][type="application/json"], .foot a[href^="/c/"]';
    for (const link of document.querySelectorAll(twins)) link.setAttribute("href", twin);
  }
}

customElements.define("search-desk", SearchDesk);
