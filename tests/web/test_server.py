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
from bilderatlas.web.server import _announce, open_socket, serve, site_url


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


def test_the_token_of_programs_is_told_on_request_only() -> None:
    access = Access.local(80)
    for show, expected in ((False, False), (True, True)):
        lines: list[str] = []
        _announce(site_url("127.0.0.1", 80, access), access, lines.append, show_token=show)
        assert any(str(access.bearer) in line for line in lines) is expected


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT to a child")
@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1"])
def test_it_serves_says_where_and_leaves_with_its_worker(tmp_path: Path, host: str) -> None:
    """A real process: open the link, kill its worker, interrupt it: nothing is left."""
    try:
        open_socket(host, 0).close()
    except UnavailableError as error:
        pytest.skip(str(error))
    program = (
        "import sys, bilderatlas.api as ba\n"
        "from bilderatlas.api.worker import start_worker\n"
        "from bilderatlas.web.server import serve\n"
        "def start(root):\n"
        "    worker = start_worker(root)\n"
        "    print('worker', worker.pid, file=sys.stderr, flush=True)\n"
        "    return worker\n"
        "with ba.create(sys.argv[1]) as library:\n"
        "    serve(library, host=sys.argv[2], port=0, start_worker=start)\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "library"), host],
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
        os.kill(worker_pid, signal.SIGKILL)
        told = iter(child.stderr.readline, "")
        worker_pid = next(int(line.split()[1]) for line in told if line.startswith("worker "))
        child.send_signal(signal.SIGINT)
        assert child.wait(30) == 0
    with pytest.raises(ProcessLookupError):
        os.kill(worker_pid, 0)
