"""Jobs in words, their stream of events, and what can be done with them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

import bilderatlas.api as ba
from bilderatlas.jobs import Job
from bilderatlas.jobs.queue import JobState
from bilderatlas.web.pages.jobs import JobRow, job_events
from bilderatlas.web.security import Access
from tests.web.conftest import client_of
from tests.web.reading import Document

JOB = Job(
    id="a1",
    kind="index",
    params={"collection": "paintings"},
    state=JobState.QUEUED,
    done=0,
    total=None,
    message="",
    attempt=0,
    result=None,
    error=None,
    created_at="2026-01-01T00:00:00.000+00:00",
    started_at=None,
    finished_at=None,
)


@pytest.fixture
def own_library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ba.Library]:
    """Return a library whose jobs are this test's own."""
    with ba.create(tmp_path_factory.mktemp("jobs")) as made:
        yield made


def running(done: int, total: int | None, seconds: float) -> JobRow:
    started = (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat()
    return JobRow(replace(JOB, state=JobState.RUNNING, done=done, total=total, started_at=started))


def test_a_job_in_words() -> None:
    assert JobRow(JOB).title == "Indexing paintings"
    assert JobRow(JOB).line == "waiting"
    row = running(100, 400, 10)
    assert row.line == "100 of 400 · 10 a second · 30\u00a0s left"
    assert running(100, None, 10).line == "100 · 10 a second"
    failed = JobRow(replace(JOB, state=JobState.FAILED, error="The disk is full."))
    assert failed.line == "The disk is full."
    assert failed.actions == [("/jobs/a1/resume", "Go on")]


def collect(rows: list[JobRow], last_event_id: str = "") -> list[dict[str, Any] | str]:
    """Return the events of a job that stands in one of `rows` at each look."""
    looks = iter(rows)

    async def read_all() -> list[str]:
        stream = job_events(lambda: [next(looks)], last_event_id, poll_s=0, heartbeat_s=0)
        return [event async for event in stream]

    found: list[dict[str, Any] | str] = []
    with ThreadPoolExecutor(1) as pool:  # Playwright's loop runs in this thread
        events = pool.submit(asyncio.run, read_all()).result()
    for event in events:
        fields = dict(line.split(": ", 1) for line in event.strip().split("\n"))
        if fields.get("event") == "job":
            found.append({"event_id": fields["id"], **json.loads(fields["data"])})
        else:
            found.append(fields.get("event", "heartbeat"))
    return found


def test_events_are_changes_with_ids_and_then_the_end() -> None:
    finished = replace(JOB, state=JobState.DONE, done=4, total=4, result={})
    rows = [running(1, 4, 1), running(1, 4, 1), running(2, 4, 2), JobRow(finished)]
    events = collect(rows)
    assert [one["done"] if isinstance(one, dict) else one for one in events] == [
        1,
        "heartbeat",
        2,
        4,
        "end",
    ]
    ids = [one["event_id"] for one in events if isinstance(one, dict)]
    assert len(set(ids)) == 3
    resumed = collect(rows[2:], last_event_id=ids[1])
    assert [one["done"] if isinstance(one, dict) else one for one in resumed][-2:] == [4, "end"]
    assert not any(isinstance(one, dict) and one["done"] == 2 for one in resumed)


def test_the_stream_over_http(own_library: ba.Library) -> None:
    client = client_of(own_library, Access.local())
    job = own_library.jobs.submit("index", {"collection": "x"})
    own_library.jobs.cancel(job.id)
    answer = client.get(f"/jobs/{job.id}/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.text.startswith(f"id: {job.id}:cancelled-0-0\nevent: job\n")
    assert answer.text.endswith("event: end\ndata: {}\n\n")


def test_actions(own_library: ba.Library) -> None:
    client = client_of(own_library, Access.local())
    job = own_library.jobs.submit("index", {"collection": "x"})
    document = Document(client.get("/jobs").text)
    [form] = [one for one in document.all("form") if one.text.strip() == "Cancel"]
    answer = client.post(form.get("action"), data={"from": "jobs"})
    assert answer.headers["location"] == "/jobs"
    assert own_library.jobs.get(job.id).state is JobState.CANCELLED
    assert client.post(f"/jobs/{job.id}/cancel").status_code == 409
    assert client.post(f"/jobs/{job.id}/resume").status_code == 303
    assert own_library.jobs.get(job.id).state is JobState.QUEUED
    assert client.post(f"/jobs/{job.id}/explode").status_code == 404


def test_pages_of_jobs(own_library: ba.Library) -> None:
    client: TestClient = client_of(own_library, Access.local())
    assert Document(client.get("/jobs").text).says("Nothing is being worked on")
    job = own_library.jobs.submit("index", {"collection": "<b>x</b>"})
    claimed = own_library.jobs.claim("test")
    assert claimed is not None
    failures = [{"subject": "a.png", "stage": "decode", "code": "x", "reason": "It is torn."}]
    own_library.jobs.finish(job.id, "test", {"failures": failures})
    document = Document(client.get(f"/jobs/{job.id}").text)
    assert document.problems == [] and document.says("Indexing <b>x</b>")
    assert document.says("1 could not be used") and document.says("It is torn.")
    assert client.get(f"/jobs/{job.id}.json").json()["title"] == "Indexing <b>x</b>"
    assert [one["id"] for one in client.get("/jobs.json").json()["jobs"]] == [job.id]


def test_home_shows_what_is_running(own_library: ba.Library) -> None:
    client = client_of(own_library, Access.local())
    own_library.jobs.submit("index", {"collection": "first"})
    document = Document(client.get("/").text)
    assert document.says("Indexing first") and document.says("is being indexed")
    assert document.all("noscript")[0].text.strip().startswith("Reload")
    public = Document(client_of(own_library, Access.public()).get("/").text)
    assert not public.says("Indexing first")
