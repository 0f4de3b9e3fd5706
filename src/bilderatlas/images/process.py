"""One child process, seen from the parent."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO, cast

from bilderatlas.errors import UnavailableError
from bilderatlas.images.limits import DecodeLimits
from bilderatlas.images.protocol import BrokenFrameError, read_frame, write_frame
from bilderatlas.images.sandbox import MEMORY_EXIT_STATUS

_KEPT_VARIABLES = (
    "SYSTEMROOT",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "DYLD_FALLBACK_LIBRARY_PATH",
)
_GOODBYE_S = 2.0


class ChildEndedError(Exception):
    """The child did not answer; `code` says why as `refusals` does."""

    def __init__(self, code: str) -> None:
        """Keep the code."""
        self.code = code
        super().__init__(code)


class ChildProcess:
    """A child, its pipes and its deadline. One thread at a time asks; any thread may stop it."""

    def __init__(self, limits: DecodeLimits) -> None:
        """Start it: spawned, in an empty folder, with none of the parent's environment or files.

        Raises:
            UnavailableError: when the system starts no further process.
        """
        self.limits = limits
        self.n_asked = 0
        self.peak_bytes = 0
        self._deadline: float | None = None
        self._is_late = False
        self._lock = threading.Lock()
        self._folder = tempfile.mkdtemp(prefix="bilderatlas-child-")
        command = [sys.executable, "-P", "-B", "-m", "bilderatlas.images.child"]
        try:
            self._process = subprocess.Popen(
                [*command, json.dumps(asdict(limits))],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=self._folder,
                env=lean_environment(),
                start_new_session=True,  # Ctrl-C is for the parent to answer
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except OSError as error:
            Path(self._folder).rmdir()
            raise UnavailableError(
                f"Cannot open pictures: no further process could be started ({error.strerror}). "
                "Close other programs, or use fewer children."
            ) from error
        self._requests = cast("BinaryIO", self._process.stdin)
        self._answers = cast("BinaryIO", self._process.stdout)

    @property
    def pid(self) -> int:
        """The number of its process."""
        return self._process.pid

    def ask(
        self, header: Mapping[str, Any], content: bytes, max_body_bytes: int
    ) -> tuple[dict[str, Any], bytearray]:
        """Send one request and wait for its answer.

        Raises:
            ChildEndedError: `too-slow`, `too-much-memory` or `decoder-died`; the child is gone.
        """
        self._set_deadline(time.monotonic() + self.limits.wall_s)
        self.n_asked += 1
        try:
            write_frame(self._requests, header, content)
            answer, body = read_frame(self._answers, max_body_bytes)
        except (OSError, BrokenFrameError, ValueError) as error:
            raise ChildEndedError(self._why_ended()) from error
        finally:
            self._set_deadline(None)
        peak = answer.get("peak_bytes")
        self.peak_bytes = max(self.peak_bytes, peak if isinstance(peak, int) else 0)
        return answer, body

    def stop_if_late(self, now: float) -> None:
        """Kill the child when its deadline has passed; called by the decoder's clock."""
        with self._lock:
            if self._deadline is not None and now > self._deadline:
                self._is_late = True
                self._process.kill()

    def close(self) -> None:
        """Let the child end, or end it; give back its pipes and its folder."""
        with contextlib.suppress(OSError):
            self._requests.close()
        try:
            self._process.wait(_GOODBYE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._tidy()

    def kill(self) -> None:
        """End the child at once."""
        self._process.kill()
        self._tidy()

    def _tidy(self) -> None:
        self._process.wait()
        for pipe in (self._requests, self._answers):
            with contextlib.suppress(OSError):  # bytes that nobody will read any more
                pipe.close()
        with contextlib.suppress(OSError):
            Path(self._folder).rmdir()

    def _set_deadline(self, deadline: float | None) -> None:
        with self._lock:
            self._deadline = deadline

    def _why_ended(self) -> str:
        self._process.kill()  # it may still live, and say what cannot be understood
        status = self._process.wait()
        if self._is_late or -status == _cpu_signal():
            return "too-slow"
        return "too-much-memory" if status == MEMORY_EXIT_STATUS else "decoder-died"


def _cpu_signal() -> int | None:
    import signal

    return getattr(signal, "SIGXCPU", None)


def lean_environment() -> dict[str, str]:
    """Return the little that a child has to know: no secrets, no proxies, the same packages."""
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    paths = [str(Path(path).resolve()) for path in sys.path if path]
    return {
        **kept,
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONUTF8": "1",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",  # each thread would reserve memory that the limit counts
    }
