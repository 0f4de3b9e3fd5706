// A work looked at in place: large, with its label; arrows go on to the next, Space closes.
import { html, nothing, render } from "lit";
import { t } from "../words";

type Follow = (key: string) => HTMLElement | null; // what a key led to: another work, or nothing

/** Open the dialog on a work; keys are passed on to `follow`. */
export function quickLook(work: HTMLElement, follow: Follow): void {
  const dialog = document.createElement("dialog");
  dialog.className = "look";
  dialog.setAttribute("aria-label", t("The work, larger"));
  let shown = work;
  dialog.addEventListener("close", () => {
    dialog.remove();
    shown.querySelector<HTMLElement>("a.pic")?.focus(); // the browser goes back to the first one
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close(); // the ground around it
  });
  dialog.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.key === "Tab") return;
    const onButton = event.target instanceof Element && event.target.closest("a, button");
    if (event.key === " " && !onButton) return stop(event, () => dialog.close());
    if (event.key === "Enter" || event.key === "Escape" || event.key === " ") return;
    const next = follow(event.key);
    if (next) {
      shown = next;
      return stop(event, () => draw(dialog, next));
    }
    if (/^[pnx]$/iu.test(event.key)) stop(event, () => dialog.close());
  });
  draw(dialog, work);
  document.body.append(dialog);
  dialog.showModal();
  dialog.focus(); // the dialog itself: Space closes what Space opened
}

function stop(event: Event, then: () => void): void {
  event.preventDefault();
  event.stopPropagation();
  then();
}

function draw(dialog: HTMLDialogElement, work: HTMLElement): void {
  const picture = work.querySelector("img");
  const link = work.querySelector<HTMLAnchorElement>("a.pic");
  const says = (selector: string): string => work.querySelector(selector)?.textContent?.trim() ?? "";
  const click = (selector: string) => (): void => {
    dialog.close();
    work.querySelector<HTMLElement>(selector)?.click();
  };
  const askable = work.querySelector("a.plus") !== null;
  dialog.tabIndex = -1;
  render(
    html`<figure>
        ${picture
          ? html`<img src=${largest(picture)} width=${picture.width} height=${picture.height} alt=${picture.alt} />`
          : html`<p class="nopicture">${t("no picture")}</p>`}
        <figcaption class="label">
          <span class="maker">${says(".maker")}</span>
          <cite class="title">${says(".title")}</cite>
          <span class="date">${says(".date")}</span>
          <span class="verdict">${says(".verdict")}</span>
        </figcaption>
      </figure>
      <p class="row">
        ${askable
          ? html`<button @click=${click("a.plus")}>${t("+ More like it")}</button>
              <button @click=${click("a.minus")}>${t("− Less like it")}</button>`
          : nothing}
        <a href=${link?.href ?? ""}>${t("To its page")}</a>
        <button class="plain" @click=${() => dialog.close()}>${t("Close")}</button>
      </p>`,
    dialog,
  );
}

/** The largest picture that the server offers. */
function largest(picture: HTMLImageElement): string {
  const offered = picture.srcset.split(", ").map((one) => one.trim().split(/\s+/u));
  const [best] = offered
    .map(([address, width]) => ({ address: address ?? "", width: parseFloat(width ?? "0") }))
    .sort((one, other) => other.width - one.width);
  return best?.address || picture.src;
}
