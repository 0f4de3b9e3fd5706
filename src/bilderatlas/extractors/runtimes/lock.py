"""One process at a time changes the files of a model; whoever runs it meanwhile is not stopped."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bilderatlas.errors import ConflictError

LOCK_FILE = ".changing"


@contextmanager
def changing(folder: Path) -> Iterator[None]:
    """Hold the lock of a model's folder, which is made if it is not there.

    The system lets go of it when the process ends, however it ends.

    Raises:
        ConflictError: another process, or another thread, holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / LOCK_FILE
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            _lock(descriptor)
        except OSError as error:
            raise ConflictError(
                f"Cannot change the files in '{folder}': another process is fetching or exporting "
                "them at this moment. Wait for it, then run this again."
            ) from error
        try:
            yield
        finally:
            if os.name != "nt":  # where an open file cannot be removed it stays, empty
                path.unlink(missing_ok=True)
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> None:
    """Take the lock or fail at once."""
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
