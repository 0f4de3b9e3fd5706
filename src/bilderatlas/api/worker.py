"""Start the process that runs a library's jobs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def start_worker(library: Path) -> subprocess.Popen[bytes]:
    """Start a worker beside this process; it ends when this process does.

    The caller terminates it when leaving; a worker that is killed instead loses nothing.
    """
    # -P: the folder in which a user happens to stand must not lend us its modules
    command = [sys.executable, "-P", "-m", "bilderatlas.jobs.worker", str(library)]
    if os.name == "posix":
        # Elsewhere the parent's id says nothing about its life; there only `terminate` ends it.
        command += ["--parent", str(os.getpid())]
    # A session of its own: Ctrl-C is for the server, which then asks the worker to leave.
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
