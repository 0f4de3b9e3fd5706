// Keeps one row of a job up to date: by server-sent events, or by asking again where those fail.
import { Island } from "./island";

interface Job {
  state: string;
  line: string;
  active: boolean;
  done: number;
  total: number | null;
}

const ASK_AGAIN_MS = 2000;

class JobProgress extends Island {
  private source: EventSource | null = null;
  private timer = 0;

  override connectedCallback(): void {
    super.connectedCallback();
    if (this.dataset["active"] !== undefined) this.listen();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.source?.close();
    clearTimeout(this.timer);
  }

  private listen(): void {
    this.source = new EventSource(this.dataset["events"] ?? "");
    this.source.addEventListener("job", (event) => {
      this.show(JSON.parse((event as MessageEvent<string>).data) as Job);
    });
    this.source.addEventListener("end", () => this.source?.close());
    this.source.addEventListener("error", () => {
      if (this.source?.readyState !== EventSource.CLOSED) return; // it connects again on its own
      this.timer = window.setTimeout(() => void this.ask(), ASK_AGAIN_MS);
    });
  }

  private async ask(): Promise<void> {
    try {
      const answer = await fetch(this.dataset["json"] ?? "");
      if (answer.ok) {
        const job = (await answer.json()) as Job;
        this.show(job);
        if (!job.active) return;
      }
    } catch {
      // the server may come back
    }
    this.timer = window.setTimeout(() => void this.ask(), ASK_AGAIN_MS);
  }

  private show(job: Job): void {
    const line = this.querySelector("[data-line]");
    if (line) line.textContent = job.line;
    const bar = this.querySelector("progress");
    if (bar && job.total !== null) {
      bar.max = job.total || 1;
      bar.value = job.done;
    }
    this.className = `job ${job.state}`;
    if (!job.active) this.finish();
  }

  /** The page has more to show now: failures, a new collection. Fetch it anew, once. */
  private finish(): void {
    this.source?.close();
    delete this.dataset["active"];
    this.querySelector("progress")?.remove();
    this.querySelectorAll("form").forEach((form) => form.remove());
    if (!document.querySelector("job-progress[data-active]")) {
      this.timer = window.setTimeout(() => location.reload(), 400);
    }
  }
}

customElements.define("job-progress", JobProgress);
