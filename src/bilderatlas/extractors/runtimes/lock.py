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
    descriptor = _locked(path)
    try:
        yield
    finally:
        if os.name != "nt":  # where an open file cannot be removed it stays, empty
            path.unlink(missing_ok=True)
        os.close(descriptor)


def _locked(path: Path) -> int:
    """Return the locked file, open.

    Between opening and locking the last holder may have removed it: then another process may hold
    a new one of that name, and what was locked here locks nobody out.
    """
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            _lock(descriptor)
            if _is_at(path, descriptor):
                return descriptor
        except OSError as error:
            os.close(descriptor)
            raise ConflictError(
                f"Cannot change the files in '{path.parent}': another process is fetching or "
                "exporting them at this moment. Wait for it, then run this again."
            ) from error
        os.close(descriptor)


def _is_at(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _lock(descriptor: int) -> None:
    """Take the lock or fail at once."""
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
