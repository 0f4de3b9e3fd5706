"""Lock this process up before it touches foreign bytes. Runs in the child only.

Hard walls where the system has them (memory, open files, file size); where it has none, a thread
watches. An audit hook also refuses what no decoder has to do: sockets, programs, writing files.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

MEMORY_EXIT_STATUS = 77  # how a child says that the watchdog ended it
_FORBIDDEN_EVENTS = ("socket.", "subprocess.", "os.exec", "os.fork", "os.posix_spawn", "os.system")
_WATCH_EVERY_S = 0.02
_MAX_OPEN_FILES = 64


def lock_up(memory_bytes: int) -> None:
    """Limit memory and files, and refuse sockets, programs and writing from now on."""
    if sys.platform == "linux":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    else:
        _start_watchdog(memory_bytes)
    _limit_files()
    sys.addaudithook(_refuse)


def _limit_files() -> None:
    if sys.platform == "win32":
        return
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_MAX_OPEN_FILES, _MAX_OPEN_FILES))


def allow_cpu(seconds: float) -> None:
    """Let this process run for `seconds` more; the system ends it when they are used up."""
    if sys.platform == "win32":
        return
    import resource

    soft = int(time.process_time() + seconds) + 1
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def peak_bytes() -> int:
    """Return the most memory that this process has had resident so far; 0 where unknown."""
    if sys.platform == "win32":
        return _windows_peak_bytes()
    if sys.platform == "linux":  # getrusage would tell the peak of the parent that spawned it
        lines = Path("/proc/self/status").read_text("ascii").splitlines()
        return next((int(x.split()[1]) * 1024 for x in lines if x.startswith("VmHWM:")), 0)
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _windows_peak_bytes() -> int:
    import ctypes

    class Counters(ctypes.Structure):
        _fields_ = (
            ("size", ctypes.c_ulong),
            ("page_faults", ctypes.c_ulong),
            *((f"bytes_{position}", ctypes.c_size_t) for position in range(8)),
        )

    counters = Counters()
    counters.size = ctypes.sizeof(counters)
    kernel: Any = ctypes.WinDLL("kernel32")  # type: ignore[attr-defined,unused-ignore]
    kernel.GetCurrentProcess.restype = ctypes.c_void_p
    ask = kernel.K32GetProcessMemoryInfo
    ask.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_ulong)
    ok = ask(kernel.GetCurrentProcess(), ctypes.byref(counters), counters.size)
    return int(counters.bytes_0) if ok else 0  # PeakWorkingSetSize


def _start_watchdog(memory_bytes: int, measure: Callable[[], int] = peak_bytes) -> None:
    """End this process at once when its memory has passed the limit."""

    def watch() -> None:
        while measure() <= memory_bytes:
            time.sleep(_WATCH_EVERY_S)
        os._exit(MEMORY_EXIT_STATUS)

    threading.Thread(target=watch, name="memory watchdog", daemon=True).start()


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if event.startswith(_FORBIDDEN_EVENTS):
        raise PermissionError(f"A decoder may not do this: {event}.")
    if event == "open" and len(arguments) > 1 and _writes(arguments[1]):
        raise PermissionError("A decoder may not write files.")


def _writes(mode: object) -> bool:
    return isinstance(mode, str) and any(letter in mode for letter in "wax+")
