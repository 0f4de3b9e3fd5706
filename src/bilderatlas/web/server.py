"""Serve a library: bind, say where, open the browser, run a worker beside, leave cleanly."""

from __future__ import annotations

import contextlib
import errno
import socket
import subprocess
import sys
import threading
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import uvicorn

from bilderatlas.errors import UnavailableError
from bilderatlas.web import urls
from bilderatlas.web.app import create_app
from bilderatlas.web.security import TOKEN_PARAM, Access, Mode, check_binding, parse_mode

if TYPE_CHECKING:
    from bilderatlas.api import Library

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8642


class Worker(Protocol):
    """The process that runs jobs, as far as a server needs it."""

    def terminate(self) -> None:
        """Ask it to end."""
        ...

    def kill(self) -> None:
        """End it at once; a job that it was running is resumed by the next worker."""
        ...

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it has ended."""
        ...


def open_socket(host: str, port: int) -> socket.socket:
    """Return a socket bound to `host` and `port` (0: any free port).

    Raises:
        UnavailableError: when the port is in use, may not be used, or the host is not ours.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        if sys.platform != "win32":  # there the option would let two servers share one port
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host.strip("[]"), port))
    except (OSError, OverflowError) as error:
        bound.close()
        raise UnavailableError(_binding_sentence(host, port, error)) from error
    return bound


def _binding_sentence(host: str, port: int, error: Exception) -> str:
    code = getattr(error, "errno", None)
    if code == errno.EADDRINUSE:
        return (
            f"Cannot serve on port {port}: another program uses it. Choose another with "
            f"--port {port + 1}, or --port 0 for any free one."
        )
    if code == errno.EACCES:
        return f"Cannot serve on port {port}: it needs more rights. Choose one above 1023: --port."
    if isinstance(error, OverflowError):
        return f"Cannot serve on port {port}: expected --port from 0 to 65535."
    return f"Cannot serve on '{host}': this machine has no such address ({error})."


def site_url(host: str, port: int, access: Access | None = None, path: str = urls.HOME) -> str:
    """Return the address to open, with the token where one is needed."""
    name = f"[{host}]" if ":" in host and not host.startswith("[") else host
    token = access.link_token if access else None
    params = [(TOKEN_PARAM, token)] if token else []
    return urls.with_params(f"http://{name}:{port}{path}", params)


def serve(
    library: Library,
    *,
    host: str = DEFAULT_HOST,
    port: int = DEFAULT_PORT,
    mode: str = "local",
    open_browser: bool = False,
    path: str = urls.HOME,
    start_worker: Callable[[Path], Worker] | None = None,
    announce: Callable[[str], None] | None = None,
) -> None:
    """Serve `library` until interrupted.

    Args:
        library: An open library.
        host: Address to bind; in local mode a loopback address.
        port: Port to bind; 0 takes any free one.
        mode: `local` or `public`.
        open_browser: Open the address in the user's browser once it answers.
        path: The page to open.
        start_worker: Starts the process that runs the library's jobs; local mode only.
        announce: Takes the lines that say where to look, in place of stderr.

    Raises:
        UsageError: for a mode that does not exist, or an open host in local mode.
        UnavailableError: when the port is in use.
    """
    chosen = parse_mode(mode)
    check_binding(chosen, host)
    with open_socket(host, port) as bound:
        port = bound.getsockname()[1]
        access = Access.local(port) if chosen is Mode.LOCAL else Access.public()
        config = uvicorn.Config(
            create_app(library, access),
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=2,  # open event streams must not hold the exit up
        )
        worker = start_worker(library.root) if start_worker and chosen is Mode.LOCAL else None
        try:
            shown = site_url(_browsable(host), port, access, path)
            tell = announce or _print
            tell(f"Bilderatlas is open at {shown}")
            if access.link_token:
                tell("The link works once, for one browser. Ctrl+C ends the server.")
            if open_browser:
                threading.Timer(0.3, webbrowser.open, [shown]).start()
            with contextlib.suppress(KeyboardInterrupt):  # the way to end a server
                uvicorn.Server(config).run(sockets=[bound])
        finally:
            if worker is not None:
                _stop(worker)


def _browsable(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)


def _print(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _stop(worker: Worker) -> None:
    worker.terminate()
    try:
        worker.wait(timeout=15)
    except subprocess.TimeoutExpired:
        worker.kill()
