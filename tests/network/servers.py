"""Servers on loopback that answer as told, and badly if told so; and the edges that reach them."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from bilderatlas.network.client import Client

PUBLIC = "93.184.215.14"  # stands for any public address; nothing is ever sent there


@dataclass
class Asked:
    """One request as it arrived."""

    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return self.line.split()[1]


Behaviour = Callable[[Asked, socket.socket], None]


@dataclass
class Server:
    """What a test asks the server about."""

    port: int
    asked: list[Asked] = field(default_factory=list)
    n_connections: int = 0

    def url(self, path: str = "/", host: str = "museum.test") -> str:
        return f"http://{host}{path}"

    def connect(self, address: str, port: int, timeout_s: float) -> socket.socket:
        """Stand for the system's sockets: every public address is this server."""
        self.addresses.append((address, port))
        return socket.create_connection(("127.0.0.1", self.port), timeout_s)

    addresses: list[tuple[str, int]] = field(default_factory=list)


def public(host: str, port: int) -> list[str]:
    """Stand for the resolver: every name is public."""
    return [PUBLIC]


def reply(
    connection: socket.socket, body: bytes = b"", status: str = "200 OK", **headers: str
) -> None:
    """Send a proper answer; header names are written with underscores."""
    named = {"Content_Length": str(len(body)), "Connection": "close", **headers}
    lines = [f"HTTP/1.1 {status}", *(f"{k.replace('_', '-')}: {v}" for k, v in named.items() if v)]
    connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)


@contextmanager
def serving(behave: Behaviour) -> Iterator[Server]:
    """Run a server whose every connection is one request, answered by `behave`."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = Server(listener.getsockname()[1])
    ended = threading.Event()
    threads: list[threading.Thread] = []

    def one(connection: socket.socket) -> None:
        with connection:
            connection.settimeout(20)
            try:
                asked = read_request(connection)
                if asked is not None:
                    server.asked.append(asked)
                    behave(asked, connection)
            except OSError:
                pass  # the client has had enough

    def run() -> None:
        while not ended.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            server.n_connections += 1
            thread = threading.Thread(target=one, args=(connection,), daemon=True)
            threads.append(thread)
            thread.start()

    runner = threading.Thread(target=run, daemon=True)
    runner.start()
    try:
        yield server
    finally:
        ended.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        runner.join(5)
        for thread in threads:
            thread.join(5)


def read_request(connection: socket.socket) -> Asked | None:
    """Read one request; None when the connection closes without one."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65_536)
        if not piece:
            return None
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    line, *rest = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (h.partition(":") for h in rest)}
    while len(body) < int(headers.get("content-length", 0)):
        body += connection.recv(65_536)
    return Asked(line, headers, body)


@contextmanager
def asking(behave: Behaviour, **options: Any) -> Iterator[tuple[Server, Client]]:
    """Run a server, and a client for which all public addresses are that server."""
    with serving(behave) as server:
        given = {"resolve": public, "connect": server.connect, **options}
        with Client(**given) as client:
            yield server, client
