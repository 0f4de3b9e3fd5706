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
from playwright.sync_api import expect
from starlette.testclient import TestClient

import bilderatlas.api as ba
from bilderatlas.jobs import Job
from bilderatlas.jobs.queue import JobState
from bilderatlas.web.pages.jobs import JobRow, Pace, job_events
from bilderatlas.web.security import Access
from tests.web.conftest import Visitor, client_of
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


def test_the_rate_is_that_of_late() -> None:
    pace = Pace(pace_s=30)
    slow = running(10, 1000, 100)
    assert pace.watch(slow, 0.0).rate_per_s == pytest.approx(0.1, rel=0.1)  # nobody watched yet
    for second in range(1, 61):  # then ten a second
        row = pace.watch(running(10 + 10 * second, 1000, 100 + second), float(second))
    assert row.rate_per_s == pytest.approx(10)
    assert row.seconds_left == pytest.approx((1000 - 610) / 10)
    paused = JobRow(replace(row.job, state=JobState.PAUSED))
    assert pace.watch(paused, 70.0).rate_per_s is None
    assert pace.watch(running(5, 100, 1), 80.0).pace_per_s is None  # begins anew


@pytest.mark.parametrize(
    ("rate", "words"),
    [(1234.4, "1\u202f234 a second"), (2.54, "2.5 a second"), (0.25, "15 a minute")],
)
def test_rates_in_words(rate: float, words: str) -> None:
    assert words in replace(running(10, None, 10), pace_per_s=rate).line


def test_several_jobs_in_one_stream(own_library: ba.Library) -> None:
    client = client_of(own_library, Access.local())
    jobs = [own_library.jobs.submit("index", {"collection": name}) for name in "abc"]
    for job in jobs:
        own_library.jobs.cancel(job.id)
    asked = "&".join(f"id={job.id}" for job in jobs[:2])
    text = client.get(f"/jobs/events?{asked}").text
    assert text.count("event: job") == 2 and text.endswith("event: end\ndata: {}\n\n")
    assert jobs[2].id not in text
    assert client.get("/jobs/events").status_code == 404
    assert client.get(f"/jobs/events?{asked}&id=none").status_code == 404


def test_a_program_acts_and_is_told(own_library: ba.Library) -> None:
    client = client_of(own_library, Access.local())
    job = own_library.jobs.submit("index", {"collection": "x"})
    accept = {"Accept": "application/json"}
    found = client.post(f"/jobs/{job.id}/pause", headers=accept).json()
    assert found["state"] == "paused" and found["result"] is None
    assert [one["word"] for one in found["actions"]] == ["Go on", "Cancel"]
    again = client.post(f"/jobs/{job.id}/pause", headers=accept)
    assert again.status_code == 409 and "message" in again.json()["error"]


def test_pause_and_go_on_without_leaving_the_page(visitor: Visitor, library: ba.Library) -> None:
    job = library.jobs.submit("index", {"collection": "fields"})
    try:
        page = visitor.go(f"/jobs/{job.id}")
        claimed = library.jobs.claim("test")
        assert claimed is not None and claimed.id == job.id
        library.jobs.report(job.id, "test", 10, 40, "decoding")
        expect(page.locator("[data-line]")).to_contain_text("10 of 40")
        page.evaluate("window.kept = true")
        page.get_by_role("button", name="Pause").press("Enter")
        expect(page.get_by_role("button", name="Go on")).to_be_focused()
        expect(page.locator("[data-line]")).to_contain_text("paused")
        assert library.jobs.get(job.id).state is JobState.PAUSED
        page.get_by_role("button", name="Go on").click()
        expect(page.locator("[data-line]")).to_contain_text("waiting")
        assert page.evaluate("window.kept")
        page.reload()
        expect(page.locator("[data-line]")).to_contain_text("waiting")
        page.get_by_role("button", name="Cancel").click()
        expect(page.locator("[data-line]")).to_contain_text("cancelled")
    finally:
        if library.jobs.get(job.id).state is not JobState.CANCELLED:
            library.jobs.cancel(job.id)


def test_a_cancelled_job_goes_on_from_its_page(visitor: Visitor, library: ba.Library) -> None:
    job = library.jobs.submit("index", {"collection": "fields"})
    library.jobs.claim("test")
    library.jobs.report(job.id, "test", 10, 40, "decoding")
    library.jobs.cancel(job.id)
    try:
        page = visitor.go(f"/jobs/{job.id}")
        page.get_by_role("button", name="Go on").click()
        expect(page.locator("[data-line]")).to_contain_text("waiting")
        assert "does not answer" not in page.locator("[data-said]").inner_text()
        library.jobs.claim("test")
        library.jobs.report(job.id, "test", 12, 40, "decoding")
        expect(page.locator("[data-line]")).to_contain_text("12 of 40")
    finally:
        library.jobs.cancel(job.id)


def test_many_jobs_take_one_connection(visitor: Visitor, library: ba.Library) -> None:
    jobs = [library.jobs.submit("index", {"collection": f"c{n}"}) for n in range(8)]
    streams: list[str] = []
    visitor.page.on(
        "request", lambda one: streams.append(one.url) if "/events" in one.url else None
    )
    try:
        page = visitor.go("/jobs")
        library.jobs.pause(jobs[0].id)
        library.jobs.pause(jobs[7].id)
        expect(page.locator("job-progress.paused")).to_have_count(2)
        assert len(streams) == 1
        page.goto(f"{visitor.site.url}/c/fields")  # a seventh connection would wait for ever
    finally:
        for job in jobs:
            library.jobs.cancel(job.id)
