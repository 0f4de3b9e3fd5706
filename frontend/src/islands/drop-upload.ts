// A picture dropped on the page, or pasted, becomes part of the question.
import { html, nothing, type TemplateResult } from "lit";
import { ask } from "../desk/ask";
import { Island, isWriting, tell } from "./island";

interface Taken {
  url: string;
}

interface Refused {
  error: { code: string; message: string };
}

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
    this.takeFirst(event.dataTransfer?.files);
  };

  private readonly onPaste = (event: ClipboardEvent): void => {
    const files = event.clipboardData?.files;
    if (!files?.length || isWriting(event.target)) return;
    event.preventDefault();
    this.takeFirst(files);
  };

  private takeFirst(files: FileList | undefined): void {
    const picture = [...(files ?? [])].find((file) => file.type.startsWith("image/"));
    if (picture) void this.send(picture);
    else tell("That is no picture. Drop a JPEG, PNG, WebP, TIFF, GIF or BMP file.");
  }

  /** Post the picture with what the upload form carries: the question as it stands. */
  private async send(picture: File): Promise<void> {
    const form = document.querySelector<HTMLFormElement>(`form#${this.dataset["form"] ?? ""}`);
    const address = this.dataset["action"];
    if (!form || !address) return;
    const body = new FormData(form);
    body.set("picture", picture, "picture");
    body.set("sign", "like");
    tell("Taking the picture in …");
    try {
      const answer = await fetch(address, {
        method: "POST",
        body,
        headers: { Accept: "application/json" },
      });
      const found = (await answer.json()) as Taken | Refused;
      if ("url" in found) ask(found.url);
      else tell(found.error.message);
    } catch {
      tell("The picture could not be sent: the server does not answer. Is it still running?");
    }
  }

  protected override render(): TemplateResult | typeof nothing {
    return this.over ? html`<div class="dropping">Drop it: more like this picture</div>` : nothing;
  }
}

function carriesFiles(event: DragEvent): boolean {
  return event.dataTransfer?.types.includes("Files") ?? false;
}

customElements.define("drop-upload", DropUpload);
