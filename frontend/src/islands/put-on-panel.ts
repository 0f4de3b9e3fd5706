// "Put on a panel": wraps a link to the form that does it, and does it in a dialog instead. It also
// adds that to what can be done with chosen works, and takes them along.
import { html, nothing, render, type TemplateResult } from "lit";
import { SELECTION, type Chosen } from "../desk/choosing";
import { t, tn } from "../words";
import { Island, tell } from "./island";

interface Info {
  readonly id: string;
  readonly name: string;
  readonly n_items: number;
}

interface Listed {
  readonly panels: readonly Info[];
}

interface Put {
  readonly panel: Info;
  readonly added: number;
  readonly url: string;
}

const PANELS = "/panels";
const PUT = "/panels/put";

class PutOnPanel extends Island {
  override connectedCallback(): void {
    super.connectedCallback();
    this.addEventListener("click", this.onClick);
  }

  private readonly onClick = (event: MouseEvent): void => {
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const works = new URL(link.href).searchParams.getAll("work");
    if (works.length === 0) return;
    event.preventDefault();
    void openDialog(works, link.href);
  };
}

/** Ask on which panel works are put; `href` is the form that asks the same without scripts. */
async function openDialog(works: readonly string[], href: string): Promise<void> {
  let listed: Listed;
  try {
    const answer = await fetch(`${PANELS}.json`);
    if (!answer.ok) throw new Error(String(answer.status));
    listed = (await answer.json()) as Listed;
  } catch {
    location.assign(href);
    return;
  }
  const dialog = document.createElement("dialog");
  dialog.className = "put";
  dialog.setAttribute("aria-labelledby", "put-title");
  document.body.append(dialog);
  dialog.addEventListener("close", () => dialog.remove());
  const draw = (fault = ""): void => {
    render(form(works, listed.panels, dialog, fault, draw), dialog);
  };
  draw();
  dialog.showModal();
}

function form(
  works: readonly string[],
  panels: readonly Info[],
  dialog: HTMLDialogElement,
  fault: string,
  draw: (fault: string) => void,
): TemplateResult {
  const send = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const fields = new FormData(event.target as HTMLFormElement);
    const body = new URLSearchParams(works.map((work) => ["work", work]));
    for (const [name, value] of fields) body.append(name, String(value));
    try {
      const headers = { Accept: "application/json" };
      const answer = await fetch(PUT, { method: "POST", body, headers });
      const said = (await answer.json()) as Put & { error?: { message: string } };
      if (!answer.ok) return draw(said.error?.message ?? "");
      dialog.close();
      tell(told(said));
    } catch {
      draw(t("The library does not answer. Is it still being served?"));
    }
  };
  return html`<form class="putting" @submit=${send}>
    <h2 id="put-title">${tn("Put {n} work on a panel", "Put {n} works on a panel", works.length)}</h2>
    ${panels.length ? choices(panels) : nothing}
    <label for="put-name">${panels.length ? t("or on a new panel called") : t("On a new panel called")}</label>
    <input id="put-name" name="name" maxlength="200" autocomplete="off" ?required=${panels.length === 0} />
    <label for="put-note">${t("Note beside each of them, if any")}</label>
    <textarea id="put-note" name="note" rows="2" maxlength="20000"></textarea>
    ${fault ? html`<p class="fault" role="alert" lang="en">${fault}</p>` : nothing}
    <div class="row">
      <button>${t("Put there")}</button>
      <button type="button" class="plain" @click=${() => dialog.close()}>${t("Cancel")}</button>
    </div>
  </form>`;
}

function choices(panels: readonly Info[]): TemplateResult {
  const rows = panels.map(
    (one, place) => html`<label class="choice"
      ><input type="radio" name="panel" value=${one.id} ?checked=${place === 0} />
      <span>${one.name} <span class="quiet">${tn("{n} work", "{n} works", one.n_items)}</span></span></label
    >`,
  );
  return html`<fieldset><legend>${t("On")}</legend>${rows}</fieldset>`;
}

function told(put: Put): string {
  const panel = put.panel.name;
  if (put.added === 0) return t("“{panel}” has them already.", { panel });
  return tn("{n} work is on “{panel}” now.", "{n} works are on “{panel}” now.", put.added, { panel });
}

/** Beside what else can be done with chosen works. */
function addToBar(event: Event): void {
  const { ids } = (event as CustomEvent<Chosen>).detail;
  if (ids.length === 0) return;
  requestAnimationFrame(() => {
    const place = document.querySelector<HTMLElement>(".chosen-bar .more");
    if (place) render(barActs(ids), place);
  });
}

function barActs(ids: readonly string[]): TemplateResult {
  const params = new URLSearchParams(ids.map((id) => ["work", id]));
  const put = `${PUT}?${params.toString()}`;
  const collection = document.querySelector<HTMLElement>("search-desk")?.dataset["collection"] ?? "";
  const along = new URLSearchParams(location.search);
  for (const id of ids) along.append("id", id);
  const out = (kind: string): string =>
    `/c/${encodeURIComponent(collection)}/export.${kind}?${along.toString()}`;
  const local = document.querySelector(`header a[href="${PANELS}"]`) !== null; // whose site it is
  return html`${local
      ? html`<button @click=${() => void openDialog(ids, put)}>${t("Put on a panel")}</button>`
      : nothing}
    <a class="button" href=${out("csv")}>${t("Export CSV")}</a>
    <a class="button" href=${out("zip")}>${t("Export pictures")}</a>`;
}

document.addEventListener(SELECTION, addToBar);
customElements.define("put-on-panel", PutOnPanel);
