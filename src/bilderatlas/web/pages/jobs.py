"""Jobs: plain rows with what is happening in words, a rate, the time left, failures at hand."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from starlette.concurrency import run_in_threadpool

from bilderatlas.errors import NotFoundError
from bilderatlas.web import urls
from bilderatlas.web.i18n import decimal, ngettext, thousands
from bilderatlas.web.i18n import gettext as _
from bilderatlas.web.pages.paging import Paging
from bilderatlas.web.rendering import ago, span

if TYPE_CHECKING:
    from bilderatlas.api import Library
    from bilderatlas.jobs import Job

ACTIVE = ("queued", "running", "paused")
POLL_S = 0.5  # at most two events a second and job
HEARTBEAT_S = 15.0
PACE_S = 30.0  # the rate is that of so long, once so long has passed
MIN_DONE = 5  # before so many are done nobody can tell how fast it goes
MAX_FOLLOWED = 20  # jobs of one stream
ACTIONS = {"queued": ("cancel",), "running": ("pause", "cancel"), "paused": ("resume", "cancel")}
AGAIN = {"failed": ("resume",), "cancelled": ("resume",)}


@dataclass(frozen=True, slots=True)
class JobRow:
    """One job in words.

    Attributes:
        job: The job.
        pace_per_s: Works a second lately, where somebody has been watching; None otherwise.
    """

    job: Job
    pace_per_s: float | None = None

    @property
    def id(self) -> str:
        """Its id."""
        return self.job.id

    @property
    def state(self) -> str:
        """Where it stands, as one word."""
        return self.job.state.value

    @property
    def active(self) -> bool:
        """Tell whether it may still change."""
        return self.state in ACTIVE

    @property
    def collection(self) -> str:
        """The collection that it works on; empty if none."""
        return str(self.job.params.get("collection", ""))

    @property
    def title(self) -> str:
        """What it does: `Indexing paintings`."""
        if self.job.kind == "index":
            return _("Indexing %(name)s", name=self.collection)
        if self.job.kind == "invariances":
            criterion = self.job.params.get("model_id", "")
            return _("Testing %(criterion)s on %(name)s", criterion=criterion, name=self.collection)
        return f"{self.job.kind.capitalize()} {self.collection}".strip()

    @property
    def rate_per_s(self) -> float | None:
        """Works a second, lately or since it began; None before there is something to measure."""
        if self.state != "running" or not self.job.started_at or self.job.done < MIN_DONE:
            return None
        if self.pace_per_s is not None:
            return self.pace_per_s
        started = datetime.fromisoformat(self.job.started_at)
        seconds = (datetime.now(UTC) - started).total_seconds()
        return self.job.done / seconds if seconds > 0.5 else None

    @property
    def seconds_left(self) -> float | None:
        """Time left at this rate."""
        rate, total = self.rate_per_s, self.job.total
        if not rate or not total:
            return None
        return max(total - self.job.done, 0) / rate

    @property
    def state_words(self) -> str:
        """Where it stands, for a reader."""
        words = {
            "queued": _("waiting"),
            "running": _("running"),
            "paused": _("paused"),
            "done": _("finished %(when)s", when=ago(self.job.finished_at)),
            "failed": _("failed"),
            "cancelled": _("cancelled"),
        }
        return words[self.state]

    @property
    def line(self) -> str:
        """What is happening, in one line."""
        job = self.job
        if self.state == "failed":
            return job.error or _("It failed without a reason.")
        parts = [self.state_words if self.state != "running" else ""]
        if job.total:
            parts.append(_("%(n)s of %(all)s", n=thousands(job.done), all=thousands(job.total)))
        elif job.done:
            parts.append(thousands(job.done))
        if self.rate_per_s:
            parts.append(_in_words(self.rate_per_s))
        if self.seconds_left is not None:
            parts.append(_("%(time)s left", time=span(max(self.seconds_left, 1))))
        if job.message and self.state != "done":
            parts.append(job.message)
        return " · ".join(part for part in parts if part) or _("beginning")

    @property
    def failures(self) -> list[dict[str, Any]]:
        """The works that could not be done, as the job's result lists them: the first thousand."""
        listed = (self.job.result or {}).get("failures")
        return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []

    @property
    def n_failures(self) -> int:
        """How many works could not be done."""
        counted = (self.job.result or {}).get("n_failures")
        return counted if isinstance(counted, int) else len(self.failures)

    @property
    def failures_line(self) -> str:
        """The same in words; empty if there is none."""
        n = self.n_failures
        return ngettext("%(num)s could not be used", "%(num)s could not be used", n) if n else ""

    @property
    def outcome(self) -> list[str]:
        """What indexing did, each count in words; empty before the end, and for other jobs."""
        result = self.job.result or {}
        if self.job.kind != "index" or self.state != "done":
            return []
        counts = {name: result.get(name) or 0 for name in _COUNTS}
        told = [
            (counts["added"], _("%(n)s added", n=thousands(counts["added"]))),
            (counts["updated"], _("%(n)s updated", n=thousands(counts["updated"]))),
            (
                counts["completed"],
                _("%(n)s judged by a further criterion", n=thousands(counts["completed"])),
            ),
            (
                counts["without_picture"],
                _("%(n)s recorded without a picture", n=thousands(counts["without_picture"])),
            ),
            (counts["unchanged"], _("%(n)s unchanged", n=thousands(counts["unchanged"]))),
            (
                counts["retired"],
                _("%(n)s no longer in the source", n=thousands(counts["retired"])),
            ),
            (
                counts["kept_back"],
                _(
                    "%(n)s kept, since a part of the source could not be read",
                    n=thousands(counts["kept_back"]),
                ),
            ),
        ]
        return [words for count, words in told if count] or [_("nothing to do")]

    @property
    def actions(self) -> list[tuple[str, str]]:
        """What can be done with it: where to post, and the word for it."""
        words = {"cancel": _("Cancel"), "pause": _("Pause"), "resume": _("Go on")}
        names = ACTIONS.get(self.state, ()) + AGAIN.get(self.state, ())
        return [(urls.job_action(self.id, name), words[name]) for name in names]

    def to_json(self) -> dict[str, Any]:
        """Return the job as JSON-ready values, the line in words included."""
        return self.job.to_json() | {
            "title": self.title,
            "line": self.line,
            "state_words": self.state_words,
            "active": self.active,
            "rate_per_s": self.rate_per_s,
            "seconds_left": self.seconds_left,
            "n_failures": self.n_failures,
            "actions": [{"url": url, "word": word} for url, word in self.actions],
            "events": urls.job_events(self.id),
        }

    def to_event(self) -> dict[str, Any]:
        """Return the same for a stream: without the list of failures, which may be long."""
        told = self.to_json()
        return told | {"result": None}


_COUNTS = (
    "added",
    "updated",
    "completed",
    "without_picture",
    "unchanged",
    "retired",
    "kept_back",
)


def _in_words(rate_per_s: float) -> str:
    if rate_per_s >= 9.95:
        return _("%(n)s a second", n=thousands(rate_per_s))
    if rate_per_s >= 1:
        return _("%(n)s a second", n=decimal(rate_per_s, 1))
    return _("%(n)s a minute", n=thousands(max(rate_per_s * 60, 1)))


@dataclass(frozen=True, slots=True)
class JobsPage:
    """The data of the page of all jobs."""

    template: ClassVar[str] = "jobs.html"
    rows: Sequence[JobRow]
    status: int = 200

    def to_json(self) -> dict[str, Any]:
        """Return the jobs as JSON-ready values."""
        return {"jobs": [row.to_json() for row in self.rows]}


@dataclass(frozen=True, slots=True)
class JobPage:
    """The data of the page of one job."""

    template: ClassVar[str] = "job.html"
    row: JobRow
    paging: Paging
    known: bool  # whether its collection is there
    n_failed_now: int = 0
    status: int = 200

    @property
    def failures(self) -> Sequence[dict[str, Any]]:
        """The failures on this page."""
        return self.row.failures[self.paging.slice]

    @property
    def reasons(self) -> list[tuple[str, list[str]]]:
        """The failures on this page by reason, each reason told once."""
        found: dict[str, list[str]] = {}
        for failure in self.failures:
            subjects = found.setdefault(str(failure.get("reason", "")), [])
            subjects.append(str(failure.get("subject", "")))
        return list(found.items())

    @property
    def source(self) -> str:
        """Where the pictures come from."""
        return str(self.row.job.params.get("address", ""))

    @property
    def criteria(self) -> Sequence[str]:
        """The criteria that were asked for by name."""
        return [str(name) for name in self.row.job.params.get("extractors") or ()]

    def to_json(self) -> dict[str, Any]:
        """Return the job as JSON-ready values."""
        return self.row.to_json()


def jobs_page(library: Library) -> JobsPage:
    """Gather all jobs, the newest first."""
    return JobsPage([JobRow(job) for job in library.jobs.list()])


def job_page(library: Library, job_id: str, params: Iterable[tuple[str, str]] = ()) -> JobPage:
    """Gather one job.

    Raises:
        NotFoundError: when there is no such job.
    """
    row = JobRow(library.jobs.get(job_id))
    infos = {info.name: info for info in library.collections()}
    info = infos.get(row.collection)
    paging = Paging.read(params, len(row.failures), urls.job(job_id))
    return JobPage(row, paging, info is not None, info.n_failed if info else 0)


def running_rows(library: Library) -> list[JobRow]:
    """Return the jobs that have not ended."""
    return [row for row in (JobRow(job) for job in library.jobs.list()) if row.active]


class Pace:
    """How fast one job has been lately, measured by whoever watches it."""

    def __init__(self, pace_s: float = PACE_S) -> None:
        """Have seen nothing yet."""
        self._pace_s = pace_s
        self._seen: deque[tuple[float, int, int]] = deque()

    def watch(self, row: JobRow, now: float) -> JobRow:
        """Take in how far the job is at the moment `now` (s), and tell how fast it goes."""
        attempt, done = row.job.attempt, row.job.done
        if self._seen and (self._seen[-1][1] != attempt or self._seen[-1][2] > done):
            self._seen.clear()  # it began anew
        if row.state != "running":
            self._seen.clear()
            return row
        self._seen.append((now, attempt, done))
        while len(self._seen) > 2 and now - self._seen[1][0] >= self._pace_s:
            self._seen.popleft()
        then, _attempt, before = self._seen[0]
        if now - then < self._pace_s / 3:
            return row  # too short to tell: the average since it began
        return replace(row, pace_per_s=(done - before) / (now - then))


async def job_events(
    read: Callable[[], Sequence[JobRow]],
    last_event_id: str = "",
    *,
    poll_s: float = POLL_S,
    heartbeat_s: float = HEARTBEAT_S,
) -> AsyncIterator[str]:
    """Yield the changes of jobs as server-sent events until all of them have ended.

    Args:
        read: Returns the jobs as they stand now.
        last_event_id: The last event that the browser saw; it is not sent again.
        poll_s: Time between two looks.
        heartbeat_s: A comment is sent after this long without an event.
    """
    loop = asyncio.get_running_loop()
    spoken = loop.time()
    paces: dict[str, Pace] = {}
    told = {last_event_id.partition(":")[0]: last_event_id}
    while True:
        rows, looked = await run_in_threadpool(read), loop.time()
        for seen in rows:
            row = paces.setdefault(seen.id, Pace()).watch(seen, looked)
            event_id = f"{row.id}:{row.state}-{row.job.attempt}-{row.job.done}"
            if told.get(row.id) != event_id:
                told[row.id], spoken = event_id, looked
                data = json.dumps(row.to_event(), default=str)
                yield f"id: {event_id}\nevent: job\ndata: {data}\n\n"
        if not any(row.active for row in rows):
            yield "event: end\ndata: {}\n\n"
            return
        if spoken != looked and looked - spoken >= heartbeat_s:
            spoken = looked
            yield ": still here\n\n"
        await asyncio.sleep(poll_s)


def read_rows(library: Library, job_ids: Sequence[str]) -> list[JobRow]:
    """Return the named jobs.

    Raises:
        NotFoundError: when there is no such job, or none is named.
    """
    if not job_ids:
        raise NotFoundError("No job is named: follow some with ?id=…")
    return [JobRow(library.jobs.get(job_id)) for job_id in job_ids[:MAX_FOLLOWED]]


def act_on_job(library: Library, job_id: str, action: str) -> JobRow:
    """Cancel, pause or resume a job, and return it as it stands then.

    Raises:
        NotFoundError: when there is no such job, or no such action.
        ConflictError: when the job is past that.
    """
    actions = {
        "cancel": library.jobs.cancel,
        "pause": library.jobs.pause,
        "resume": library.jobs.resume,
    }
    if action not in actions:
        raise NotFoundError(f"Nothing called '{action[:40]}' can be done with a job.")
    return JobRow(actions[action](job_id))
