// Keeps the rows of jobs up to date: one stream of server-sent events for all rows of a page (a
// browser opens only six connections to a server), or by asking again where streams fail. A page
// that nobody looks at listens to nothing.
import { t } from "../words";
import { Island } from "./island";

interface Action {
  url: string;
  word: string;
}

interface Job {
  id: string;
  state: string;
  state_words: string;
  line: string;
  active: boolean;
  done: number;
  total: number | null;
  actions: Action[];
}

const ASK_AGAIN_MS = 2000;
const RELOAD_MS = 400;
const SAID_EVERY = 0.25; // of the whole: a voice that reads aloud shall not speak all the time

const followed = new Map<string, JobProgress>();
let source: EventSource | null = null;
let timer = 0;

function listen(): void {
  source?.close();
  source = null;
  clearTimeout(timer);
  const [first] = followed.values();
  if (document.hidden || !first) return;
  const names = [...followed.keys()].map((id) => `id=${encodeURIComponent(id)}`);
  const opened = new EventSource(`${first.dataset["stream"] ?? ""}?${names.join("&")}`);
  opened.addEventListener("job", (event) => {
    const job = JSON.parse((event as MessageEvent<string>).data) as Job;
    followed.get(job.id)?.show(job);
  });
  opened.addEventListener("end", () => opened.close());
  opened.addEventListener("error", () => {
    if (opened.readyState === EventSource.CLOSED) later(); // else it connects again on its own
  });
  source = opened;
}

function later(): void {
  clearTimeout(timer);
  timer = window.setTimeout(() => void askAll(), ASK_AGAIN_MS);
}

async function askAll(): Promise<void> {
  await Promise.all([...followed.values()].map((row) => row.ask()));
  if (followed.size && !document.hidden) later();
}

document.addEventListener("visibilitychange", listen);

class JobProgress extends Island {
  private said = 0;

  override connectedCallback(): void {
    super.connectedCallback();
    this.addEventListener("submit", this.onSubmit);
    this.follow(this.dataset["active"] !== undefined);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.removeEventListener("submit", this.onSubmit);
    this.follow(false);
  }

  private follow(active: boolean): void {
    const id = this.dataset["id"] ?? "";
    if (active === followed.has(id)) return;
    if (active) followed.set(id, this);
    else followed.delete(id);
    clearTimeout(timer);
    timer = window.setTimeout(listen, 0); // once for all rows of the page
  }

  async ask(): Promise<void> {
    try {
      const answer = await fetch(this.dataset["json"] ?? "");
      if (answer.ok) this.show((await answer.json()) as Job);
    } catch {
      // the server may come back
    }
  }

  /** Pause, go on, cancel: without leaving the page. */
  private readonly onSubmit = (event: SubmitEvent): void => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement)) return;
    event.preventDefault();
    void this.act(form);
  };

  private async act(form: HTMLFormElement): Promise<void> {
    try {
      const answer = await fetch(form.action, {
        method: "POST",
        body: new FormData(form),
        headers: { Accept: "application/json" },
      });
      if (!answer.ok) {
        // of a job, too, `error` is a field: what was refused is told by the status alone
        const refused = (await answer.json()) as { error: { message: string } };
        this.say(refused.error.message);
        await this.ask(); // it had moved on meanwhile
        return;
      }
      const job = (await answer.json()) as Job;
      this.show(job);
      if (job.active) listen(); // its stream may have come to an end
    } catch {
      this.say(t("The server does not answer. Is it still running?"));
    }
  }

  show(job: Job): void {
    const before = this.dataset["state"];
    this.dataset["state"] = job.state;
    this.className = `job ${job.state}`;
    const line = this.querySelector("[data-line]");
    if (line) line.textContent = job.line;
    this.showBar(job);
    if (before !== job.state) {
      this.showActions(job.actions);
      this.say(job.state_words);
    } else if (job.total && job.done / job.total >= this.said + SAID_EVERY) {
      this.said = Math.floor(job.done / job.total / SAID_EVERY) * SAID_EVERY;
      this.say(job.line);
    }
    this.follow(job.active);
    if (before !== job.state && !job.active) this.finish();
  }

  private showBar(job: Job): void {
    let bar = this.querySelector("progress");
    if (!job.active) bar?.remove();
    else if (!bar) {
      bar = document.createElement("progress");
      bar.setAttribute("aria-label", job.line);
      this.querySelector("[data-line]")?.after(bar);
    }
    if (!bar || job.total === null) return;
    bar.max = job.total || 1;
    bar.value = job.done;
  }

  private showActions(actions: readonly Action[]): void {
    const place = this.querySelector("[data-actions]");
    const held = place?.contains(document.activeElement); // the button that was pressed goes
    place?.replaceChildren(
      ...actions.map(({ url, word }) => {
        const form = document.createElement("form");
        form.method = "post";
        form.action = url;
        const button = document.createElement("button");
        button.textContent = word;
        form.append(button);
        return form;
      }),
    );
    if (held) place?.querySelector("button")?.focus();
  }

  private say(words: string): void {
    const place = this.querySelector("[data-said]");
    if (place) place.textContent = words;
  }

  /** The page has more to show now: failures, a new collection. Fetch it anew, once. */
  private finish(): void {
    if (followed.size) return;
    window.setTimeout(() => location.reload(), RELOAD_MS);
  }
}

customElements.define("job-progress", JobProgress);
