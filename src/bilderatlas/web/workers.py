"""Keep the process that runs jobs alive for as long as the server is."""

from __future__ import annotations

import logging
import subprocess
import threading
import time
from collections.abc import Callable
from typing import Protocol

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0
POLL_S = 0.5
LEAVING_S = 15.0  # what a worker gets to put its job down

logger = logging.getLogger("bilderatlas.web")


class Worker(Protocol):
    """The process that runs jobs, as far as a server needs it."""

    def terminate(self) -> None:
        """Ask it to end."""
        ...

    def kill(self) -> None:
        """End it at once; a job that it was running is resumed by the next worker."""
        ...

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it has ended; `subprocess.TimeoutExpired` when it has not by then."""
        ...


class WorkerKeeper:
    """A worker that is started anew when it dies: after a second, then after ever longer pauses."""

    def __init__(
        self,
        start: Callable[[], Worker],
        *,
        first_pause_s: float = FIRST_PAUSE_S,
        longest_pause_s: float = LONGEST_PAUSE_S,
        poll_s: float = POLL_S,
    ) -> None:
        """Start the worker and begin to watch it; what the first start raises is raised here.

        Args:
            start: Starts one worker.
            first_pause_s: Time between the first death and the next start; it doubles each time.
            longest_pause_s: The longest pause; a worker that lived longer was healthy, and the
                pauses begin anew.
            poll_s: Time between two looks.
        """
        self._start = start
        self._first_pause_s = first_pause_s
        self._longest_pause_s = longest_pause_s
        self._poll_s = poll_s
        self._leaving = threading.Event()
        self._worker: Worker | None = start()
        self._thread = threading.Thread(target=self._watch, name="worker-keeper", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop watching, and end the worker; it is killed when it does not end by itself."""
        self._leaving.set()
        self._thread.join()  # from here on nobody else starts, or waits for, a worker
        worker = self._worker
        if worker is None:
            return
        worker.terminate()
        try:
            worker.wait(timeout=LEAVING_S)
        except subprocess.TimeoutExpired:
            worker.kill()

    def _watch(self) -> None:
        pause_s = self._first_pause_s
        began = time.monotonic()
        while not self._leaving.wait(self._poll_s):
            ended = self._ended()
            if ended is None:
                continue
            if time.monotonic() - began > self._longest_pause_s:
                pause_s = self._first_pause_s
            logger.warning("%s; the next is started in %g s", ended, pause_s)
            if self._leaving.wait(pause_s):
                return
            pause_s = min(2 * pause_s, self._longest_pause_s)
            began = time.monotonic()
            self._start_again()

    def _ended(self) -> str | None:
        """Return how the worker ended; None while it lives."""
        if self._worker is None:
            return "the worker could not be started"
        try:
            code = self._worker.wait(timeout=0)
        except subprocess.TimeoutExpired:
            return None
        self._worker = None
        return f"the worker has ended with code {code}"

    def _start_again(self) -> None:
        try:
            self._worker = self._start()
        except OSError:  # too little memory, too many files: perhaps not the next time
            logger.exception("cannot start the worker")
