"""The worker: claims jobs one after the other and runs them, in a process of its own.

`python -m bilderatlas.jobs.worker LIBRARY` runs until its parent goes away or it is asked to stop.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import threading
import time
from pathlib import Path

from bilderatlas.errors import BilderatlasError, StoreError
from bilderatlas.jobs.kinds import JOB_KINDS, JobContext
from bilderatlas.jobs.queue import LEASE_S, Job, JobQueue
from bilderatlas.store.library import LibraryStore

POLL_S = 0.5


class Worker:
    """Runs the jobs of one library, one at a time."""

    def __init__(self, store: LibraryStore) -> None:
        """Work on the queue of `store`."""
        self._store = store
        self._queue = JobQueue(store)
        self._name = f"{socket.gethostname()}:{os.getpid()}"
        self._leaving = threading.Event()

    def leave(self) -> None:
        """Stop after the current step; the running job goes back to the queue."""
        self._leaving.set()

    def run_next(self) -> bool:
        """Run one job if there is one; tell whether there was."""
        job = self._queue.claim(self._name)
        if job is None:
            return False
        stop = threading.Event()
        ended = threading.Event()
        keeper = threading.Thread(target=self._keep_lease, args=(job, stop, ended), daemon=True)
        keeper.start()
        try:
            self._run(job, stop)
        finally:
            ended.set()
            keeper.join()
        return True

    def run_until_left(self, parent_pid: int | None = None) -> None:
        """Run jobs as they come, until `leave` or until the parent process is gone."""
        while not self._leaving.is_set():
            if parent_pid is not None and os.getppid() != parent_pid:
                return
            try:
                idle = not self.run_next()
            except StoreError:
                idle = True  # a full disk or a busy database passes; a worker that ends does not
            if idle:
                self._leaving.wait(POLL_S)

    def _run(self, job: Job, stop: threading.Event) -> None:
        before: int | None = None  # of the works, done when the job was stopped earlier

        def report(done: int, total: int | None, message: str) -> None:
            nonlocal before
            if before is None and total is not None:  # what is left may be all that is counted now
                before = max((job.total or 0) - total, 0)
            done += before or 0
            total = None if total is None else total + (before or 0)
            if not self._queue.report(job.id, self._name, done, total, message):
                stop.set()

        context = JobContext(self._store, report, stop)
        try:
            result = JOB_KINDS.get(job.kind).run(context, job.params)
        except BilderatlasError as error:
            self._queue.fail(job.id, self._name, str(error))
        except Exception as error:
            # A defect of ours must end in the table, not in a worker that dies again and again.
            reason = f"{type(error).__name__}: {error}. This is a defect; please report it."
            self._queue.fail(job.id, self._name, reason)
        else:
            if self._leaving.is_set() and stop.is_set():
                self._queue.release(job.id, self._name)
            elif not stop.is_set():
                self._queue.finish(job.id, self._name, result)

    def _keep_lease(self, job: Job, stop: threading.Event, ended: threading.Event) -> None:
        renewed = time.monotonic()
        while not ended.wait(0.5):
            if self._leaving.is_set():
                stop.set()
            due = time.monotonic() - renewed > LEASE_S / 3
            try:
                # Asked twice a second whether the job is still ours, so that cancelling is quick.
                if due or self._queue.get(job.id).state != "running":
                    renewed = time.monotonic()
                    if not self._queue.renew(job.id, self._name):
                        stop.set()
            except StoreError:
                continue  # asked again in half a second; the lease holds for longer


def main() -> None:
    """Run the worker of the library named on the command line."""
    parser = argparse.ArgumentParser(description="Run the jobs of a library.")
    parser.add_argument("library", type=Path)
    parser.add_argument("--parent", type=int, help="stop when this process is gone")
    parser.add_argument("--once", action="store_true", help="run what is queued, then end")
    arguments = parser.parse_args()
    store = LibraryStore.open(arguments.library)
    worker = Worker(store)
    for name in ("SIGTERM", "SIGINT"):
        signal.signal(getattr(signal, name), lambda *_: worker.leave())
    try:
        if arguments.once:
            while worker.run_next():
                pass
        else:
            worker.run_until_left(arguments.parent)
    finally:
        store.close()


if __name__ == "__main__":
    main()
