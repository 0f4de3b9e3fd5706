"""Serve a library: bind, say where, open the browser, run a worker beside, leave cleanly."""

from __future__ import annotations

import contextlib
import errno
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn

from bilderatlas.errors import UnavailableError
from bilderatlas.settings import DEFAULT_PORT
from bilderatlas.web import urls
from bilderatlas.web.app import create_app
from bilderatlas.web.security import (
    TOKEN_PARAM,
    Access,
    Mode,
    check_binding,
    parse_mode,
    url_host,
)
from bilderatlas.web.workers import Worker, WorkerKeeper

if TYPE_CHECKING:
    from bilderatlas.api import Library

DEFAULT_HOST = "127.0.0.1"


def open_socket(host: str, port: int) -> socket.socket:
    """Return a socket that listens on `host` and `port` (0: any free port).

    Raises:
        UnavailableError: when the port is in use, may not be used, or the host is not ours.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        if sys.platform != "win32":  # there the option would let two servers share one port
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host.strip("[]"), port))
        bound.listen(128)  # from now on who follows the link waits, instead of being refused
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
    token = access.link_token if access else None
    params = [(TOKEN_PARAM, token)] if token else []
    return urls.with_params(f"http://{url_host(host)}:{port}{path}", params)


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
    hosts: Sequence[str] = (),
    show_token: bool = False,
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
        hosts: Names under which the site is reached. In public mode no other is answered when any
            is given; in local mode they are answered besides the loopback names.
        show_token: Also announce the token with which programs ask; it is kept quiet otherwise.

    Raises:
        UsageError: for a mode that does not exist, or an open host in local mode.
        UnavailableError: when the port is in use.
    """
    chosen = parse_mode(mode)
    check_binding(chosen, host)
    with open_socket(host, port) as bound:
        port = bound.getsockname()[1]
        access = (
            Access.local(port, [url_host(host), *hosts])
            if chosen is Mode.LOCAL
            else Access.public(hosts)
        )
        config = uvicorn.Config(
            create_app(library, access),
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=2,  # open event streams must not hold the exit up
        )
        with _kept_worker(library.root, start_worker if chosen is Mode.LOCAL else None):
            shown = site_url(_browsable(host), port, access, path)
            _announce(shown, access, announce or _print, show_token=show_token)
            if open_browser:
                threading.Timer(0.3, webbrowser.open, [shown]).start()
            with contextlib.suppress(KeyboardInterrupt):  # the way to end a server
                uvicorn.Server(config).run(sockets=[bound])


@contextlib.contextmanager
def _kept_worker(root: Path, start: Callable[[Path], Worker] | None) -> Iterator[None]:
    if start is None:
        yield
        return
    keeper = WorkerKeeper(lambda: start(root))
    try:
        yield
    finally:
        keeper.stop()


def _announce(shown: str, access: Access, tell: Callable[[str], None], *, show_token: bool) -> None:
    tell(f"Bilderatlas is open at {shown}")
    if access.link_token:
        tell("The link works once, for one browser. Ctrl+C ends the server.")
    if show_token and access.bearer:
        tell(f"Programs send: Authorization: Bearer {access.bearer}")


def _browsable(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)


def _print(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
