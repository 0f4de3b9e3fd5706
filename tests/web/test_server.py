"""The server: where it binds, what it says, and how it leaves."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

import bilderatlas.api as ba
from bilderatlas.errors import UnavailableError, UsageError
from bilderatlas.web.security import Access
from bilderatlas.web.server import open_socket, serve, site_url


class RefusingWorker:
    """A worker that must never be started."""

    def __init__(self, library: Path) -> None:
        """Fail."""
        raise AssertionError("a worker was started")

    def terminate(self) -> None:
        """Unreachable."""

    def kill(self) -> None:
        """Unreachable."""

    def wait(self, timeout: float | None = None) -> int:
        """Unreachable."""
        return 0


def test_a_port_in_use_is_named_with_the_way_out(empty_library: ba.Library) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UnavailableError, match=rf"port {port}: .*--port {port + 1}"):
            serve(empty_library, port=port, start_worker=RefusingWorker)


@pytest.mark.parametrize(
    ("host", "port", "words"),
    [
        ("127.0.0.1", 70_000, "from 0 to 65535"),
        ("203.0.113.7", 0, "no such address"),
        ("nowhere.invalid", 0, "no such address"),
    ],
)
def test_what_cannot_be_bound(host: str, port: int, words: str) -> None:
    with pytest.raises(UnavailableError, match=words):
        open_socket(host, port)


@pytest.mark.parametrize(
    ("mode", "host", "words"),
    [
        ("local", "0.0.0.0", "others could reach it"),
        ("team", "127.0.0.1", "logins are not part"),
        ("open", "127.0.0.1", "no mode called 'open'"),
    ],
)
def test_what_is_not_served(empty_library: ba.Library, mode: str, host: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        serve(empty_library, host=host, port=0, mode=mode, start_worker=RefusingWorker)


def test_addresses() -> None:
    access = Access.local(80)
    assert site_url("127.0.0.1", 80, access).endswith(f"/?token={access.link_token}")
    assert site_url("::1", 80, Access.public(), "/c/x") == "http://[::1]:80/c/x"


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT to a child")
def test_it_serves_says_where_and_leaves_with_its_worker(tmp_path: Path) -> None:
    """A real process: open the link, see the empty library, interrupt it, nothing is left."""
    program = (
        "import sys, bilderatlas.api as ba\n"
        "from bilderatlas.api.worker import start_worker\n"
        "from bilderatlas.web.server import serve\n"
        "def start(root):\n"
        "    worker = start_worker(root)\n"
        "    print('worker', worker.pid, file=sys.stderr, flush=True)\n"
        "    return worker\n"
        "with ba.create(sys.argv[1]) as library:\n"
        "    serve(library, port=0, start_worker=start)\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "library")],
        stderr=subprocess.PIPE,
        text=True,
    )
    with child:
        assert child.stderr is not None
        worker_pid = int(child.stderr.readline().split()[1])
        address = child.stderr.readline().split()[-1]
        transport = httpx.HTTPTransport(retries=20)
        with httpx.Client(follow_redirects=True, transport=transport, trust_env=False) as client:
            for _ in range(100):
                try:
                    answer = client.get(address)
                    break
                except httpx.TransportError:
                    continue
            assert "token" not in str(answer.url)
            assert "Nothing hangs here yet." in answer.text
            again = httpx.get(address, trust_env=False)
            assert again.status_code == 403  # somebody else, with the same link
        child.send_signal(signal.SIGINT)
        assert child.wait(30) == 0
    with pytest.raises(ProcessLookupError):
        os.kill(worker_pid, 0)
