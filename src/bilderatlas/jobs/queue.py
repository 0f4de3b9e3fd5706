"""The queue: one SQL table, claimed by lease, so that a killed worker loses nothing.

A worker claims the oldest queued job, renews its lease while it works, and reports progress. A
lease that ran out (the worker was killed, the machine slept) puts the job back; after
`MAX_ATTEMPTS` it fails with a reason instead of killing worker after worker.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, insert, select, update

from bilderatlas.errors import ConflictError, NotFoundError
from bilderatlas.store.database import write_transaction
from bilderatlas.store.library import LibraryStore
from bilderatlas.store.schema import jobs

LEASE_S = 30.0
MAX_ATTEMPTS = 3


class JobState(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


ENDED = (JobState.DONE, JobState.FAILED, JobState.CANCELLED)


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of long work, as the table has it; times are ISO 8601 in UTC."""

    id: str
    kind: str
    params: dict[str, Any]
    state: JobState
    done: int
    total: int | None
    message: str
    attempt: int
    result: dict[str, Any] | None
    error: str | None
    created_at: str
    started_at: str | None
    finished_at: str | None

    def to_json(self) -> dict[str, Any]:
        """Return the job as JSON-ready values."""
        return asdict(self)


def _now() -> datetime:
    return datetime.now(UTC)


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")


class JobQueue:
    """The jobs of one library."""

    def __init__(self, store: LibraryStore) -> None:
        """Use the `jobs` table of `store`."""
        self._database = store.database
        self._root = store.root

    def submit(self, kind: str, params: dict[str, Any]) -> Job:
        """Put a job into the queue and return it."""
        job_id = secrets.token_hex(6)
        row = {
            "id": job_id,
            "kind": kind,
            "params_json": json.dumps(params),
            "state": JobState.QUEUED.value,
            "done": 0,
            "total": None,
            "message": "",
            "attempt": 0,
            "created_at": _text(_now()),
        }
        with write_transaction(self._database, self._root) as connection:
            connection.execute(insert(jobs).values(row))
        return self.get(job_id)

    def get(self, job_id: str) -> Job:
        """Return one job.

        Raises:
            NotFoundError: when there is no such job.
        """
        with self._database.connect() as connection:
            row = connection.execute(select(jobs).where(jobs.c.id == job_id)).one_or_none()
        if row is None:
            raise NotFoundError(f"There is no job '{job_id}' in this library.")
        return _job(row)

    def list(self, states: Sequence[JobState] = (), limit: int = 100) -> list[Job]:
        """Return the newest jobs first, only those in `states` if any are named."""
        statement = select(jobs).order_by(jobs.c.created_at.desc(), jobs.c.id).limit(limit)
        if states:
            statement = statement.where(jobs.c.state.in_([state.value for state in states]))
        with self._database.connect() as connection:
            return [_job(row) for row in connection.execute(statement)]

    def claim(self, worker: str) -> Job | None:
        """Take the oldest queued job for `worker`, or None; two workers never get the same one."""
        self.requeue_expired()
        now = _now()
        oldest = (
            select(jobs.c.id)
            .where(jobs.c.state == JobState.QUEUED.value)
            .order_by(jobs.c.created_at, jobs.c.id)
            .limit(1)
            .scalar_subquery()
        )
        claim = (
            update(jobs)
            .where(jobs.c.id == oldest, jobs.c.state == JobState.QUEUED.value)
            .values(
                state=JobState.RUNNING.value,
                worker=worker,
                attempt=jobs.c.attempt + 1,
                lease_until=_text(now + timedelta(seconds=LEASE_S)),
                heartbeat_at=_text(now),
                started_at=_text(now),
                error=None,
            )
            .returning(jobs)
        )
        with write_transaction(self._database, self._root) as connection:
            row = connection.execute(claim).one_or_none()
        return _job(row) if row is not None else None

    def renew(self, job_id: str, worker: str) -> bool:
        """Prolong the lease; False when the job is no longer this worker's to run."""
        now = _now()
        return self._update(
            job_id,
            worker=worker,
            heartbeat_at=_text(now),
            lease_until=_text(now + timedelta(seconds=LEASE_S)),
        )

    def report(self, job_id: str, worker: str, done: int, total: int | None, message: str) -> bool:
        """Note progress; False when the job is no longer this worker's to run.

        Of a job that was paused or cancelled meanwhile the works in hand are noted still.
        """
        values = {"done": done, "total": total, "message": message}
        if self._update(job_id, worker=worker, **values):
            return True
        stopped = (JobState.PAUSED.value, JobState.CANCELLED.value)
        own = (jobs.c.id == job_id, jobs.c.worker == worker, jobs.c.state.in_(stopped))
        with write_transaction(self._database, self._root) as connection:
            connection.execute(update(jobs).where(*own).values(values))
        return False

    def finish(self, job_id: str, worker: str, result: dict[str, Any]) -> bool:
        """Mark the job as done with its result."""
        return self._update(
            job_id,
            worker=worker,
            state=JobState.DONE.value,
            result_json=json.dumps(result),
            finished_at=_text(_now()),
            lease_until=None,
        )

    def fail(self, job_id: str, worker: str, reason: str) -> bool:
        """Mark the job as failed with a sentence for the user."""
        return self._update(
            job_id,
            worker=worker,
            state=JobState.FAILED.value,
            error=reason,
            finished_at=_text(_now()),
            lease_until=None,
        )

    def release(self, job_id: str, worker: str) -> bool:
        """Put a running job back untouched, because its worker is going away."""
        return self._update(
            job_id,
            worker=worker,
            state=JobState.QUEUED.value,
            attempt=jobs.c.attempt - 1,
            lease_until=None,
        )

    def cancel(self, job_id: str) -> Job:
        """Cancel a job that has not ended; a running one stops at its next step."""
        waiting = (JobState.QUEUED, JobState.RUNNING, JobState.PAUSED)
        return self._move(job_id, waiting, JobState.CANCELLED, "cancel")

    def pause(self, job_id: str) -> Job:
        """Pause a job; it can be resumed where it was."""
        return self._move(job_id, (JobState.QUEUED, JobState.RUNNING), JobState.PAUSED, "pause")

    def resume(self, job_id: str) -> Job:
        """Queue a paused, failed or cancelled job again."""
        ended = (JobState.PAUSED, JobState.FAILED, JobState.CANCELLED)
        return self._move(job_id, ended, JobState.QUEUED, "resume")

    def requeue_expired(self) -> None:
        """Put jobs back whose worker vanished; give up on those that keep killing it."""
        expired = (jobs.c.state == JobState.RUNNING.value) & (jobs.c.lease_until < _text(_now()))
        gone = "Its worker stopped without a word, three times. Run `bilderatlas doctor`."
        with write_transaction(self._database, self._root) as connection:
            connection.execute(
                update(jobs)
                .where(expired, jobs.c.attempt >= MAX_ATTEMPTS)
                .values(state=JobState.FAILED.value, error=gone, finished_at=_text(_now()))
            )
            connection.execute(update(jobs).where(expired).values(state=JobState.QUEUED.value))

    def _update(self, job_id: str, *, worker: str, **values: Any) -> bool:
        statement = update(jobs).where(
            jobs.c.id == job_id,
            jobs.c.worker == worker,
            jobs.c.state == JobState.RUNNING.value,
        )
        with write_transaction(self._database, self._root) as connection:
            return connection.execute(statement.values(values)).rowcount == 1

    def _move(self, job_id: str, allowed: Sequence[JobState], state: JobState, verb: str) -> Job:
        ended = _text(_now()) if state in ENDED else None
        values: dict[str, Any] = {"state": state.value, "finished_at": ended}
        if state is JobState.QUEUED:
            values |= {"attempt": 0, "error": None}
        statement = (
            update(jobs)
            .where(jobs.c.id == job_id, jobs.c.state.in_([a.value for a in allowed]))
            .values(values)
        )
        with write_transaction(self._database, self._root) as connection:
            moved = connection.execute(statement).rowcount == 1
        job = self.get(job_id)
        if not moved:
            raise ConflictError(
                f"Cannot {verb} job '{job_id}': it is {job.state}. "
                f"Only jobs that are {' or '.join(allowed)} can be."
            )
        return job


def _job(row: Row[Any]) -> Job:
    values = row._mapping
    return Job(
        id=values["id"],
        kind=values["kind"],
        params=json.loads(values["params_json"]),
        state=JobState(values["state"]),
        done=values["done"] or 0,
        total=values["total"],
        message=values["message"] or "",
        attempt=values["attempt"] or 0,
        result=json.loads(values["result_json"]) if values["result_json"] else None,
        error=values["error"],
        created_at=values["created_at"],
        started_at=values["started_at"],
        finished_at=values["finished_at"],
    )
