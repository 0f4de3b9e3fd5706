// Works that are chosen: by Ctrl or Shift with a click, by S and Shift with arrows, or by plain
// clicks after "Choose". A bar says how many, and acts on all of them. The choice outlives a search.
import { html, nothing, type TemplateResult } from "lit";
import { act, SWAPPED } from "../desk/ask";
import { CHOOSE, sayChosen, type Choice } from "../desk/choosing";
import { extend, NOTHING, toggle, type Selection } from "../store/selection";
import { t, tn } from "../words";
import { Island, tell } from "./island";

class SelectionBar extends Island {
  static override properties = { selection: { state: true } };
  declare selection: Selection;
  private readonly parts = new Map<string, string>();
  private choosing = false;

  constructor() {
    super();
    this.selection = NOTHING;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener(CHOOSE, this.onChoose as EventListener);
    document.addEventListener(SWAPPED, this.onSwapped);
    document.addEventListener("keydown", this.onKey);
    this.onSwapped();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener(CHOOSE, this.onChoose as EventListener);
    document.removeEventListener(SWAPPED, this.onSwapped);
    document.removeEventListener("keydown", this.onKey);
  }

  private get desk(): HTMLElement | null {
    return this.closest("search-desk");
  }

  private get works(): HTMLElement[] {
    return [...(this.desk?.querySelectorAll<HTMLElement>("li.work[data-id]") ?? [])];
  }

  private readonly onChoose = (event: CustomEvent<Choice>): void => {
    const { work, range } = event.detail;
    const id = work.dataset["id"];
    if (!id) return;
    const hung = this.works.map((one) => one.dataset["id"] ?? "");
    this.choose(range ? extend(this.selection, id, hung) : toggle(this.selection, id));
  };

  private choose(selection: Selection): void {
    this.selection = selection;
    document.documentElement.classList.toggle("with-bar", selection.ids.length > 0);
    this.mark();
    const { ids } = selection;
    sayChosen({ ids, parts: ids.flatMap((id) => this.parts.get(id) ?? []) });
  }

  private readonly onSwapped = (): void => {
    this.wakeSwitch();
    this.mark();
  };

  /** Show on each work whether it is chosen, and learn how it is spelled in the question. */
  private mark(): void {
    const chosen = new Set(this.selection.ids);
    for (const work of this.works) {
      const { id = "", part } = work.dataset;
      const is = chosen.has(id);
      if (is && part) this.parts.set(id, part);
      work.classList.toggle("chosen", is);
      const link = work.querySelector("a.pic");
      if (is) link?.setAttribute("aria-description", t("chosen"));
      else link?.removeAttribute("aria-description");
    }
  }

  private readonly onKey = (event: KeyboardEvent): void => {
    if (event.key !== "Escape" || event.defaultPrevented || this.selection.ids.length === 0) return;
    if (document.querySelector("dialog[open], .question details[open]")) return;
    this.choose(NOTHING);
    tell(t("Nothing is chosen any more."));
  };

  private ask(sign: 1 | -1): void {
    const parts = this.selection.ids.flatMap((id) => this.parts.get(id) ?? []);
    this.choose(NOTHING);
    act({ kind: "add", parts, sign });
  }

  /** The switch above the pictures: from then on plain clicks choose. */
  private wakeSwitch(): void {
    const button = this.desk?.querySelector<HTMLButtonElement>("button.choose");
    if (!button) return;
    const show = (): void => {
      button.setAttribute("aria-pressed", String(this.choosing));
      this.desk?.classList.toggle("choosing", this.choosing);
    };
    button.onclick = () => {
      this.choosing = !this.choosing;
      show();
      if (this.choosing) tell(t("Click pictures to choose them; click again to let them go."));
    };
    show();
  }

  protected override render(): TemplateResult {
    const n = this.selection.ids.length;
    const words = n ? tn("{n} work chosen", "{n} works chosen", n) : "";
    // what is said stands there before it is said: only then do screen readers notice
    return html`<p class="hidden" role="status">${words}</p>${n ? this.bar(words) : nothing}`;
  }

  private bar(words: string): TemplateResult {
    const { ids } = this.selection;
    const shown = new Set(this.works.map((work) => work.dataset["id"]));
    const hidden = ids.filter((id) => !shown.has(id)).length;
    return html`<div class="chosen-bar" role="region" aria-label=${t("Chosen works")}>
      <p>
        <strong>${words}</strong>
        ${hidden ? tn("({n} is not shown here)", "({n} are not shown here)", hidden) : nothing}
      </p>
      <button class="plus" @click=${() => this.ask(1)}>${t("+ More like them")}</button>
      <button class="minus" @click=${() => this.ask(-1)}>${t("− Less like them")}</button>
      <span class="more"></span>
      <button class="plain" @click=${() => this.choose(NOTHING)}>${t("Let them go")}</button>
    </div>`;
  }
}

customElements.define("selection-bar", SelectionBar);
