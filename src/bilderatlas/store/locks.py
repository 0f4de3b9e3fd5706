"""Locks between processes: held by the operating system, so that a killed process frees them.

A lock is an advisory lock on a small file that is never removed; the file also says who holds it,
for the message to the one who must wait.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from bilderatlas.errors import ConflictError

_GUARD_BYTE = 1 << 30  # Windows locks bytes, and a locked byte cannot be read: lock one far away


class FileLock:
    """One exclusive lock; also between threads, since each object opens the file by itself."""

    def __init__(self, path: Path, purpose: str) -> None:
        """Name the lock file, and what its holder does: `write to collection 'rijks'`."""
        self.path = path
        self.purpose = purpose
        self._file: BinaryIO | None = None

    def acquire(self, *, wait_s: float = 0.0) -> None:
        """Take the lock, waiting for it `wait_s` seconds at most.

        Raises:
            ConflictError: naming the process, its host and since when it holds the lock.
        """
        until = time.monotonic() + wait_s
        while not self.try_acquire():
            if time.monotonic() < until:
                time.sleep(0.05)
                continue
            raise ConflictError(
                f"Cannot {self.purpose}: {self.holder()}. Wait until it ends, or stop it."
            )

    def try_acquire(self) -> bool:
        """Take the lock if nobody holds it, and tell whether that was so."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        file = _open_unbuffered(self.path)
        if not _lock(file):
            file.close()
            return False
        holder = {
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "since": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        try:
            file.truncate(0)
            file.seek(0)
            file.write(json.dumps(holder).encode())
        except OSError:  # on a full disk the lock holds all the same, it is only nameless
            pass
        self._file = file
        return True

    @property
    def held(self) -> bool:
        """Tell whether this object holds the lock."""
        return self._file is not None

    def holder(self) -> str:
        """Say who holds the lock: `process 12 on 'atlas' has been doing so since …`."""
        try:
            said: dict[str, Any] = json.loads(self.path.read_text())
            return f"process {said['pid']} on '{said['host']}' is doing so since {said['since']}"
        except (OSError, ValueError, KeyError, TypeError):
            return "another process is doing so"

    def release(self) -> None:
        """Free the lock; harmless when it is not held."""
        if self._file is not None:
            _unlock(self._file)
            self._file.close()
            self._file = None

    def __enter__(self) -> FileLock:
        """Take the lock."""
        self.acquire()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Free the lock."""
        self.release()


def _open_unbuffered(path: Path) -> BinaryIO:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o644)
    return os.fdopen(descriptor, "r+b", buffering=0)


if sys.platform == "win32":
    import msvcrt

    def _lock(file: BinaryIO) -> bool:
        file.seek(_GUARD_BYTE)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(file: BinaryIO) -> None:
        file.seek(_GUARD_BYTE)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _lock(file: BinaryIO) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def _unlock(file: BinaryIO) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)
