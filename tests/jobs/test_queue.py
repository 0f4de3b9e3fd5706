"""The queue: claimed once, leased, requeued after a kill, never lost."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from bilderatlas.errors import ConflictError, NotFoundError
from bilderatlas.jobs import JobQueue, JobState
from bilderatlas.jobs.queue import MAX_ATTEMPTS
from bilderatlas.store.library import LibraryStore
from bilderatlas.store.schema import jobs


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[JobQueue]:
    store = LibraryStore.create(tmp_path / "library")
    yield JobQueue(store)
    store.close()


def expire(queue: JobQueue, job_id: str) -> None:
    past = (datetime.now(UTC) - timedelta(minutes=5)).isoformat(timespec="milliseconds")
    with queue._database.begin() as connection:
        connection.execute(update(jobs).where(jobs.c.id == job_id).values(lease_until=past))


def test_a_job_is_claimed_in_order_and_finished(queue: JobQueue) -> None:
    first = queue.submit("index", {"n": 1})
    second = queue.submit("index", {"n": 2})
    assert queue.claim("w1").id == first.id  # type: ignore[union-attr]
    assert queue.claim("w2").id == second.id  # type: ignore[union-attr]
    assert queue.claim("w3") is None
    assert queue.report(first.id, "w1", 3, 10, "three")
    assert queue.finish(first.id, "w1", {"added": 3})
    done = queue.get(first.id)
    assert (done.state, done.done, done.total, done.result) == (JobState.DONE, 3, 10, {"added": 3})
    assert queue.list([JobState.RUNNING])[0].id == second.id


def test_many_workers_never_get_the_same_job(queue: JobQueue) -> None:
    submitted = {queue.submit("index", {}).id for _ in range(12)}
    claimed: list[str] = []

    def work(name: str) -> None:
        while (job := queue.claim(name)) is not None:
            claimed.append(job.id)

    threads = [threading.Thread(target=work, args=(f"w{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claimed) == sorted(submitted)


def test_an_expired_lease_puts_the_job_back(queue: JobQueue) -> None:
    job = queue.submit("index", {})
    queue.claim("killed")
    assert queue.claim("other") is None, "the lease still holds"
    expire(queue, job.id)
    again = queue.claim("other")
    assert again is not None
    assert (again.id, again.attempt) == (job.id, 2)
    assert not queue.report(job.id, "killed", 1, 2, ""), "the first worker has lost it"
    assert not queue.finish(job.id, "killed", {})


def test_a_job_that_kills_its_workers_fails_with_a_reason(queue: JobQueue) -> None:
    job = queue.submit("index", {})
    for _ in range(MAX_ATTEMPTS):
        assert queue.claim("w") is not None
        expire(queue, job.id)
    assert queue.claim("w") is None
    assert queue.get(job.id).state is JobState.FAILED
    assert "three times" in (queue.get(job.id).error or "")


def test_pause_resume_and_cancel(queue: JobQueue) -> None:
    job = queue.submit("index", {})
    assert queue.pause(job.id).state is JobState.PAUSED
    assert queue.claim("w") is None
    assert queue.resume(job.id).state is JobState.QUEUED
    assert queue.claim("w") is not None
    assert queue.cancel(job.id).state is JobState.CANCELLED
    assert not queue.renew(job.id, "w")
    with pytest.raises(ConflictError, match="it is cancelled"):
        queue.pause(job.id)


def test_a_released_job_goes_back_without_counting_the_attempt(queue: JobQueue) -> None:
    job = queue.submit("index", {})
    queue.claim("w")
    assert queue.release(job.id, "w")
    assert queue.get(job.id).state is JobState.QUEUED
    assert queue.claim("w").attempt == 1  # type: ignore[union-attr]


def test_an_unknown_job_is_named(queue: JobQueue) -> None:
    with pytest.raises(NotFoundError, match="no job 'abc'"):
        queue.get("abc")
