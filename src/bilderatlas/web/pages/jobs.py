"""Jobs: plain rows with what is happening in words, a rate, the time left, failures at hand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from starlette.concurrency import run_in_threadpool

from bilderatlas.errors import NotFoundError
from bilderatlas.web import urls
from bilderatlas.web.rendering import ago, span, thousands

if TYPE_CHECKING:
    from bilderatlas.api import Library
    from bilderatlas.jobs import Job

ACTIVE = ("queued", "running", "paused")
POLL_S = 0.5  # at most two events a second
HEARTBEAT_S = 15.0
ACTIONS = {"queued": ("cancel",), "running": ("pause", "cancel"), "paused": ("resume", "cancel")}
AGAIN = {"failed": ("resume",), "cancelled": ("resume",)}
WORDS = {"cancel": "Cancel", "pause": "Pause", "resume": "Go on"}


@dataclass(frozen=True, slots=True)
class JobRow:
    """One job in words."""

    job: Job

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
    def title(self) -> str:
        """What it does: `Indexing paintings`."""
        verb = {"index": "Indexing"}.get(self.job.kind, self.job.kind.capitalize())
        subject = str(self.job.params.get("collection", ""))
        if self.job.kind == "invariances":
            return f"Testing {self.job.params.get('model_id', '')} on {subject}"
        return f"{verb} {subject}".strip()

    @property
    def rate_per_s(self) -> float | None:
        """Works a second since it began; None before there is something to measure."""
        if self.state != "running" or not self.job.started_at or not self.job.done:
            return None
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
    def line(self) -> str:
        """What is happening, in one line."""
        job = self.job
        if self.state == "failed":
            return job.error or "It failed without a reason."
        waiting = {"queued": "waiting", "paused": "paused", "cancelled": "cancelled"}
        parts = [waiting.get(self.state)]
        if self.state == "done":
            parts.append(f"finished {ago(job.finished_at)}")
        if job.total:
            parts.append(f"{thousands(job.done)} of {thousands(job.total)}")
        elif job.done:
            parts.append(thousands(job.done))
        if self.rate_per_s:
            parts.append(f"{self.rate_per_s:.0f} a second")
        if self.seconds_left is not None:
            parts.append(f"{span(max(self.seconds_left, 1))} left")
        if job.message and self.state != "done":
            parts.append(job.message)
        return " · ".join(part for part in parts if part)

    @property
    def failures(self) -> list[dict[str, Any]]:
        """The works that could not be done, as the job's result lists them."""
        listed = (self.job.result or {}).get("failures")
        return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []

    @property
    def actions(self) -> list[tuple[str, str]]:
        """What can be done with it: where to post, and the word for it."""
        names = ACTIONS.get(self.state, ()) + AGAIN.get(self.state, ())
        return [(urls.job_action(self.id, name), WORDS[name]) for name in names]

    def to_json(self) -> dict[str, Any]:
        """Return the job as JSON-ready values, the line in words included."""
        return self.job.to_json() | {
            "title": self.title,
            "line": self.line,
            "active": self.active,
            "rate_per_s": self.rate_per_s,
            "seconds_left": self.seconds_left,
            "events": urls.job_events(self.id),
        }


@dataclass(frozen=True, slots=True)
class JobsPage:
    """The data of the page of all jobs, or of one."""

    template: ClassVar[str] = "jobs.html"
    rows: Sequence[JobRow]
    single: bool = False
    status: int = 200

    def to_json(self) -> dict[str, Any]:
        """Return the jobs as JSON-ready values; a single one as itself."""
        if self.single:
            return self.rows[0].to_json()
        return {"jobs": [row.to_json() for row in self.rows]}


def jobs_page(library: Library) -> JobsPage:
    """Gather all jobs, the newest first."""
    return JobsPage([JobRow(job) for job in library.jobs.list()])


def job_page(library: Library, job_id: str) -> JobsPage:
    """Gather one job.

    Raises:
        NotFoundError: when there is no such job.
    """
    return JobsPage([JobRow(library.jobs.get(job_id))], single=True)


def running_rows(library: Library) -> list[JobRow]:
    """Return the jobs that have not ended."""
    return [row for row in (JobRow(job) for job in library.jobs.list()) if row.active]


async def job_events(
    read: Callable[[], JobRow],
    last_event_id: str = "",
    *,
    poll_s: float = POLL_S,
    heartbeat_s: float = HEARTBEAT_S,
) -> AsyncIterator[str]:
    """Yield a job's changes as server-sent events until it has ended.

    Args:
        read: Returns the job as it stands now.
        last_event_id: The last event that the browser saw; it is not sent again.
        poll_s: Time between two looks.
        heartbeat_s: A comment is sent after this long without an event.
    """
    loop = asyncio.get_running_loop()
    spoken = loop.time()
    while True:
        row = await run_in_threadpool(read)
        event_id = f"{row.state}-{row.job.attempt}-{row.job.done}"
        if event_id != last_event_id:
            last_event_id, spoken = event_id, loop.time()
            data = json.dumps(row.to_json(), default=str)
            yield f"id: {event_id}\nevent: job\ndata: {data}\n\n"
        elif loop.time() - spoken >= heartbeat_s:
            spoken = loop.time()
            yield ": still here\n\n"
        if not row.active:
            yield "event: end\ndata: {}\n\n"
            return
        await asyncio.sleep(poll_s)


def act_on_job(library: Library, job_id: str, action: str) -> None:
    """Cancel, pause or resume a job.

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
    actions[action](job_id)
