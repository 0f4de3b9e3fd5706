"""The worker beside the server: watched, started anew, and ended with it."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from bilderatlas.web.workers import WorkerKeeper

Process = subprocess.Popen[bytes]
TIMEOUT_S = 30.0


class Starts:
    """Starts real processes that run `programs` one after another, the last one again and again."""

    def __init__(self, *programs: str) -> None:
        """Take the programs; one that is empty cannot be started."""
        self.programs = programs
        self.started: list[Process] = []
        self.attempts = 0
        self.reached = threading.Condition()

    def __call__(self) -> Process:
        """Start the next."""
        with self.reached:
            program = self.programs[min(self.attempts, len(self.programs) - 1)]
            self.attempts += 1
            self.reached.notify_all()
            if not program:
                raise OSError("no memory")
            self.started.append(subprocess.Popen([sys.executable, "-S", "-c", program]))
            return self.started[-1]

    def wait_for(self, attempts: int) -> bool:
        """Wait until so many starts were tried."""
        with self.reached:
            return self.reached.wait_for(lambda: self.attempts >= attempts, TIMEOUT_S)


DIES = "raise SystemExit(3)"
LIVES = "import time; time.sleep(60)"


def test_a_worker_that_died_is_started_again_and_ended_at_last() -> None:
    starts = Starts(DIES, DIES, LIVES)
    keeper = WorkerKeeper(starts, first_pause_s=0.01, poll_s=0.01)
    assert starts.wait_for(3)
    keeper.stop()
    assert [one.returncode is not None for one in starts.started] == [True] * 3
    assert starts.attempts == 3


def test_a_worker_that_was_killed_is_started_again() -> None:
    starts = Starts(LIVES)
    keeper = WorkerKeeper(starts, first_pause_s=0.01, poll_s=0.01)
    starts.started[0].kill()
    assert starts.wait_for(2)
    keeper.stop()


def test_a_start_that_fails_is_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    starts = Starts(DIES, "", LIVES)
    keeper = WorkerKeeper(starts, first_pause_s=0.01, poll_s=0.01)
    assert starts.wait_for(3)
    keeper.stop()
    assert "ended with code 3" in caplog.text and "cannot start the worker" in caplog.text


def test_the_pauses_double_up_to_the_longest(caplog: pytest.LogCaptureFixture) -> None:
    starts = Starts(DIES, "", "", "", LIVES)
    keeper = WorkerKeeper(starts, first_pause_s=0.1, longest_pause_s=0.4, poll_s=0.001)
    assert starts.wait_for(5)
    keeper.stop()
    said = [record.getMessage() for record in caplog.records]
    pauses = [one.split(" in ")[1] for one in said if " in " in one]
    assert pauses == ["0.1 s", "0.2 s", "0.4 s", "0.4 s"]


def test_leaving_does_not_wait_for_the_pause() -> None:
    starts = Starts(DIES)
    keeper = WorkerKeeper(starts, first_pause_s=3600, poll_s=0.01)
    starts.started[0].wait(TIMEOUT_S)
    keeper.stop()
    assert starts.attempts == 1
