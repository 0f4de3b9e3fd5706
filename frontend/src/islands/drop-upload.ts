// Pictures dropped on the page, or pasted, become part of the question, or of what is kept here.
import { html, nothing, type TemplateResult } from "lit";
import { act, ask } from "../desk/ask";
import { t, tn } from "../words";
import { Island, isWriting, tell } from "./island";

interface Taken {
  url: string;
  uploads: { part: string }[];
  refused: { name: string; message: string }[];
}

interface Refused {
  error: { code: string; message: string };
}

const MAX_FILES = 24; // as the server takes them

class DropUpload extends Island {
  static override properties = { over: { state: true } };
  declare over: boolean;
  private depth = 0; // dragenter and dragleave come for every element on the way

  constructor() {
    super();
    this.over = false;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener("dragenter", this.onEnter);
    document.addEventListener("dragleave", this.onLeave);
    document.addEventListener("dragover", this.onOver);
    document.addEventListener("drop", this.onDrop);
    document.addEventListener("paste", this.onPaste);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener("dragenter", this.onEnter);
    document.removeEventListener("dragleave", this.onLeave);
    document.removeEventListener("dragover", this.onOver);
    document.removeEventListener("drop", this.onDrop);
    document.removeEventListener("paste", this.onPaste);
  }

  private readonly onEnter = (event: DragEvent): void => {
    if (!carriesFiles(event)) return;
    this.depth += 1;
    this.over = true;
  };

  private readonly onLeave = (event: DragEvent): void => {
    if (!carriesFiles(event)) return;
    this.depth = Math.max(0, this.depth - 1);
    this.over = this.depth > 0;
  };

  private readonly onOver = (event: DragEvent): void => {
    if (carriesFiles(event)) event.preventDefault();
  };

  private readonly onDrop = (event: DragEvent): void => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    this.depth = 0;
    this.over = false;
    this.take(event.dataTransfer?.files);
  };

  private readonly onPaste = (event: ClipboardEvent): void => {
    const files = event.clipboardData?.files;
    if (!files?.length || isWriting(event.target)) return;
    event.preventDefault();
    this.take(files);
  };

  private take(files: FileList | undefined): void {
    const pictures = [...(files ?? [])].filter((file) => file.type.startsWith("image/"));
    if (pictures.length > MAX_FILES) tell(t("At most {n} pictures at once.", { n: MAX_FILES }));
    else if (pictures.length) void this.send(pictures);
    else tell(t("That is no picture. Drop a JPEG, PNG, WebP, TIFF, GIF or BMP file."));
  }

  /** Post the pictures with what the upload form carries: the question as it stands. */
  private async send(pictures: readonly File[]): Promise<void> {
    const form = document.querySelector<HTMLFormElement>(`form#${this.dataset["form"] ?? ""}`);
    const address = this.dataset["action"];
    if (!form || !address) return;
    const body = new FormData(form);
    body.delete("picture");
    for (const picture of pictures) body.append("picture", picture, picture.name || "picture");
    body.set("sign", "like");
    tell(tn("Taking the picture in …", "Taking {n} pictures in …", pictures.length));
    try {
      const answer = await fetch(address, {
        method: "POST",
        body,
        headers: { Accept: "application/json" },
      });
      const found = (await answer.json()) as Taken | Refused;
      if ("error" in found) return tell(found.error.message);
      if (found.refused.length) {
        tell(found.refused.map(({ name, message }) => `${name}: ${message}`).join(" "));
      }
      const parts = found.uploads.map(({ part }) => part);
      // to the question as it stands by now; the address has it as it was when they were sent
      if (!act({ kind: "add", parts, sign: 1 })) ask(found.url);
    } catch {
      tell(t("The pictures could not be sent: the server does not answer. Is it still running?"));
    }
  }

  private get words(): string {
    return this.dataset["keeps"] === undefined
      ? t("Drop it: more like this picture")
      : t("Drop it: the picture is kept for you");
  }

  protected override render(): TemplateResult | typeof nothing {
    return this.over ? html`<div class="dropping">${this.words}</div>` : nothing;
  }
}

function carriesFiles(event: DragEvent): boolean {
  return event.dataTransfer?.types.includes("Files") ?? false;
}

customElements.define("drop-upload", DropUpload);
