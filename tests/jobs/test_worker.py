"""The worker: runs, reports, stops when told, and survives being killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from bilderatlas.errors import SourceError
from bilderatlas.jobs import JOB_KINDS, JobContext, JobKind, JobQueue, JobState
from bilderatlas.jobs.worker import Worker
from bilderatlas.store.library import LibraryStore
from bilderatlas.store.schema import jobs


class Count(JobKind):
    """Counts to `to`, slowly, appending to a file: resumable by the file's length."""

    name = "count"

    def run(self, context: JobContext, params: dict[str, Any]) -> dict[str, Any]:
        path = Path(params["path"])
        while (n := path.stat().st_size if path.exists() else 0) < params["to"]:
            if context.stop.is_set():
                break
            with path.open("ab") as file:
                file.write(b".")
            context.report(n + 1, params["to"], "counting")
            time.sleep(params.get("pause_s", 0))
        return {"counted": path.stat().st_size}


class CountLeft(JobKind):
    """Counts what is left of `to`, as a job does that looks at what there is already."""

    name = "count left"

    def run(self, context: JobContext, params: dict[str, Any]) -> dict[str, Any]:
        path = Path(params["path"])
        start = path.stat().st_size if path.exists() else 0
        for n in range(params["to"] - start):
            if context.stop.is_set():
                break
            if n + start == params["pause_at"]:
                queue = JobQueue(context.store)
                queue.pause(queue.list([JobState.RUNNING])[0].id)
            with path.open("ab") as file:
                file.write(b".")
            context.report(n + 1, params["to"] - start, "counting")
        return {}


class Refuse(JobKind):
    """Fails with a sentence, or with a defect."""

    name = "refuse"

    def run(self, context: JobContext, params: dict[str, Any]) -> dict[str, Any]:
        if params.get("defect"):
            raise RuntimeError("surprise")
        raise SourceError("Cannot count: there is nothing to count. Give something.")


JOB_KINDS.register("count", Count())
JOB_KINDS.register("count left", CountLeft())
JOB_KINDS.register("refuse", Refuse())


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LibraryStore]:
    store = LibraryStore.create(tmp_path / "library")
    yield store
    store.close()


def wait_for(condition: Any, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def test_a_job_runs_to_its_result(store: LibraryStore, tmp_path: Path) -> None:
    job = JobQueue(store).submit("count", {"path": str(tmp_path / "n"), "to": 3})
    assert Worker(store).run_next()
    done = JobQueue(store).get(job.id)
    assert (done.state, done.done, done.result) == (JobState.DONE, 3, {"counted": 3})
    assert not Worker(store).run_next()


@pytest.mark.parametrize(
    ("params", "words"), [({}, "nothing to count"), ({"defect": True}, "RuntimeError: surprise")]
)
def test_failures_end_in_the_table(store: LibraryStore, params: dict[str, Any], words: str) -> None:
    job = JobQueue(store).submit("refuse", params)
    Worker(store).run_next()
    failed = JobQueue(store).get(job.id)
    assert failed.state is JobState.FAILED
    assert words in (failed.error or "")


def test_an_unknown_kind_of_job_is_named(store: LibraryStore) -> None:
    job = JobQueue(store).submit("cuont", {})
    Worker(store).run_next()
    assert "'count'" in (JobQueue(store).get(job.id).error or "")


@pytest.mark.parametrize("verb", ["cancel", "pause"])
def test_a_running_job_stops_when_told(store: LibraryStore, tmp_path: Path, verb: str) -> None:
    queue = JobQueue(store)
    params = {"path": str(tmp_path / "n"), "to": 100_000, "pause_s": 0.01}
    job = queue.submit("count", params)
    thread = threading.Thread(target=Worker(store).run_next)
    thread.start()
    wait_for(lambda: queue.get(job.id).done > 2)
    getattr(queue, verb)(job.id)
    thread.join(timeout=10)
    assert not thread.is_alive()
    assert queue.get(job.id).state.value == {"cancel": "cancelled", "pause": "paused"}[verb]
    assert (tmp_path / "n").stat().st_size < 100_000


def test_what_was_done_before_a_pause_stays_counted(store: LibraryStore, tmp_path: Path) -> None:
    queue = JobQueue(store)
    job = queue.submit("count left", {"path": str(tmp_path / "n"), "to": 61, "pause_at": 9})
    Worker(store).run_next()
    paused = queue.get(job.id)
    assert (paused.state, paused.done, paused.total) == (JobState.PAUSED, 10, 61)
    queue.resume(job.id)
    Worker(store).run_next()
    ended = queue.get(job.id)
    assert (ended.state, ended.done, ended.total) == (JobState.DONE, 61, 61)


SCRIPT = """
import sys
sys.path.insert(0, sys.argv[2])
import test_worker
from pathlib import Path
from bilderatlas.jobs.worker import Worker
from bilderatlas.store.library import LibraryStore
store = LibraryStore.open(Path(sys.argv[1]))
Worker(store).run_until_left()
"""


def test_a_killed_worker_loses_nothing(store: LibraryStore, tmp_path: Path) -> None:
    queue = JobQueue(store)
    job = queue.submit("count", {"path": str(tmp_path / "n"), "to": 60, "pause_s": 0.02})
    command = [sys.executable, "-c", SCRIPT, str(store.root), str(Path(__file__).parent)]
    process = subprocess.Popen(command)
    wait_for(lambda: queue.get(job.id).done > 5)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    past = (datetime.now(UTC) - timedelta(minutes=1)).isoformat(timespec="milliseconds")
    with store.database.begin() as connection:
        connection.execute(update(jobs).values(lease_until=past))
    assert Worker(store).run_next()
    done = queue.get(job.id)
    assert (done.state, done.attempt, done.result) == (JobState.DONE, 2, {"counted": 60})


def test_the_folder_one_stands_in_lends_no_modules(
    store: LibraryStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bilderatlas.api.worker import start_worker

    (tmp_path / "argparse.py").write_text(f"open({str(tmp_path / 'hijacked')!r}, 'w')\n")
    monkeypatch.chdir(tmp_path)
    JobQueue(store).submit("nothing", {})
    worker = start_worker(store.root)
    wait_for(lambda: JobQueue(store).list()[0].state is JobState.FAILED)
    worker.terminate()
    worker.wait()
    assert not (tmp_path / "hijacked").exists()
