// A panel's sheet, in place: what a form of it would do, is done without leaving; pictures are
// dragged to their places, or moved with Shift and an arrow.
import { PlaceDrag } from "../desk/place-drag";
import { t } from "../words";
import { Island, isWriting, tell } from "./island";

interface Refusal {
  readonly error?: { readonly message?: string };
}

class PanelBoard extends Island {
  private drag: PlaceDrag | null = null;
  private working: Promise<void> = Promise.resolve();

  override connectedCallback(): void {
    super.connectedCallback();
    this.addEventListener("submit", this.onSubmit);
    this.addEventListener("keydown", this.onKey);
    document.addEventListener("keydown", this.onStep);
    this.drag = new PlaceDrag(this, (item, before) => this.move(item, before));
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener("keydown", this.onStep);
    this.drag?.stop();
  }

  private get pinned(): HTMLElement[] {
    return [...this.querySelectorAll<HTMLElement>("li.pinned")];
  }

  private readonly onSubmit = (event: SubmitEvent): void => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || form.dataset["leaves"] !== undefined) return;
    event.preventDefault();
    const fields = new FormData(form, event.submitter);
    this.send(form.action, fields, form);
  };

  /** One action after another: each is answered with the sheet as it then is. */
  private send(url: string, fields: FormData, form: HTMLFormElement | null = null): void {
    const back = this.rememberFocus(form);
    this.working = this.working.then(async () => {
      this.setAttribute("aria-busy", "true");
      try {
        await this.ask(url, fields, form);
        back();
      } catch {
        tell(t("The library does not answer. Is it still being served?"));
      }
      this.removeAttribute("aria-busy");
    });
  }

  private async ask(url: string, fields: FormData, form: HTMLFormElement | null): Promise<void> {
    const board = this.querySelector<HTMLElement>(".board");
    if (fields.has("version")) fields.set("version", board?.dataset["version"] ?? "");
    const body = new URLSearchParams();
    for (const [name, value] of fields) body.append(name, String(value));
    const answer = await fetch(url + location.search, {
      method: "POST",
      body,
      headers: { "X-Part": "board", Accept: "application/json" },
    });
    if (answer.ok) {
      this.show(await answer.text(), form);
      return;
    }
    const said = ((await answer.json()) as Refusal).error?.message ?? "";
    if (form?.querySelector("textarea")) {
      this.complain(form, said); // what was written stays where it was written
      return;
    }
    tell(said);
    const fresh = await fetch(location.href, { headers: { "X-Part": "board" } });
    if (fresh.ok) this.show(await fresh.text());
  }

  private complain(form: HTMLFormElement, said: string): void {
    let fault = form.querySelector<HTMLElement>(".fault");
    if (!fault) {
      fault = document.createElement("p");
      fault.className = "fault";
      fault.lang = "en";
      fault.setAttribute("role", "alert");
      form.append(fault);
    }
    fault.textContent = said;
  }

  /** Put the new sheet in place; pictures that are on both stay painted. */
  private show(text: string, saved: HTMLFormElement | null = null): void {
    const template = document.createElement("template");
    template.innerHTML = text;
    const fresh = template.content.querySelector<HTMLElement>(".board");
    const old = this.querySelector<HTMLElement>(".board");
    if (!fresh || !old) return;
    for (const item of fresh.querySelectorAll<HTMLElement>("li.pinned")) {
      const picture = item.querySelector("img");
      const known = old.querySelector(`#${CSS.escape(item.id)} img`);
      if (picture && known && known.getAttribute("src") === picture.getAttribute("src")) {
        picture.replaceWith(known);
      }
    }
    keepWriting(old, fresh, saved);
    old.replaceWith(fresh);
  }

  /** The focus goes back to the same button of the same work, or to what hangs in its place. */
  private rememberFocus(form: HTMLFormElement | null): () => void {
    const focused = document.activeElement;
    const item = focused?.closest<HTMLElement>("li.pinned");
    const place = item ? this.pinned.indexOf(item) : -1;
    const to = focused instanceof HTMLButtonElement ? focused.value : "";
    const step = focused instanceof HTMLElement ? focused.dataset["step"] : undefined;
    return () => {
      if (form?.isConnected && form.querySelector(".fault")) return;
      if (step) return this.querySelector<HTMLElement>(`[data-step="${step}"]`)?.focus();
      if (place < 0) return;
      const same = item && document.getElementById(item.id);
      const near = same ?? this.pinned[Math.min(place, this.pinned.length - 1)];
      const button = to && near?.querySelector<HTMLButtonElement>(`button[value="${to}"]`);
      const found = button && !button.disabled ? button : near?.querySelector<HTMLElement>("a.pic");
      (found ?? document.getElementById("main"))?.focus({ preventScroll: false });
    };
  }

  private act(action: string, pairs: readonly (readonly [string, string])[]): void {
    const fields = new FormData();
    for (const [name, value] of pairs) fields.append(name, value);
    this.send(`${this.dataset["url"] ?? ""}/${action}`, fields);
  }

  /** Hang a work before another one; null: at the end of this part of the sheet. */
  private move(item: HTMLElement, before: HTMLElement | null): void {
    const id = item.dataset["item"] ?? "";
    const sheet = item.parentElement;
    sheet?.insertBefore(item, before); // where it was put it stays, while the library writes it down
    const next = before?.dataset["item"] ?? sheet?.dataset["next"] ?? "";
    this.act("move", [["item", id], ["before", next]]);
  }

  private readonly onKey = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey || isWriting(event.target)) return;
    const link = event.target instanceof Element ? event.target.closest("a.pic") : null;
    const item = link?.closest<HTMLElement>("li.pinned");
    if (!item) return;
    const { pinned } = this;
    const place = pinned.indexOf(item);
    const steps: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -1, ArrowDown: 1 };
    const step = steps[event.key];
    if (event.key === "Delete") {
      event.preventDefault();
      this.act("remove", [["item", item.dataset["item"] ?? ""]]);
    } else if (step && event.shiftKey) {
      event.preventDefault();
      const to = step < 0 ? "earlier" : "later";
      this.act("move", [["item", item.dataset["item"] ?? ""], ["to", to]]);
    } else if (step || event.key === "Home" || event.key === "End") {
      event.preventDefault();
      const target = step ? place + step : event.key === "Home" ? 0 : pinned.length - 1;
      pinned[target]?.querySelector<HTMLElement>("a.pic")?.focus();
    }
  };

  private readonly onStep = (event: KeyboardEvent): void => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey || isWriting(event.target)) return;
    const key = event.key.toLowerCase();
    const step = key === "y" || (key === "z" && event.shiftKey) ? "redo" : key === "z" ? "undo" : "";
    const button = step && this.querySelector<HTMLButtonElement>(`[data-step="${step}"]`);
    if (!button) return;
    event.preventDefault();
    if (button.disabled) tell(step === "undo" ? t("There is nothing to undo.") : t("There is nothing to redo."));
    else this.act(step, [["version", ""]]);
  };
}

/** What somebody is writing stays, unsaved, with the text that they began from. */
function keepWriting(old: HTMLElement, fresh: HTMLElement, saved: HTMLFormElement | null): void {
  for (const text of old.querySelectorAll("textarea")) {
    if (text.form === saved || text.value === text.defaultValue) continue;
    const item = text.closest("li.pinned")?.id;
    const place = item ? `#${CSS.escape(item)} textarea` : `#${CSS.escape(text.id)}`;
    const now = fresh.querySelector<HTMLTextAreaElement>(place);
    const [was, is] = [text, now].map((one) =>
      one?.form?.querySelector<HTMLInputElement>("input[name=was]"),
    );
    if (!now) continue;
    now.value = text.value;
    if (was && is) is.value = was.value;
    const unfolded = now.closest("details");
    if (unfolded) unfolded.open = true;
  }
}

customElements.define("panel-board", PanelBoard);
