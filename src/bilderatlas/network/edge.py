"""The edge to the outside world: resolve once, check every address, connect to a checked one.

Tests replace `resolve` and `connect` by small functions; all else stays as it is.
"""

from __future__ import annotations

import contextvars
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import httpcore

from bilderatlas.errors import NetworkError
from bilderatlas.network.addresses import Allowed, IpAddress, check_addresses, check_host

Resolve = Callable[[str, int], Sequence[str]]
"""Name and port → addresses as text."""
Connect = Callable[[str, int, float], socket.socket]
"""Address, port, timeout in seconds → a connected socket."""

_deadline: contextvars.ContextVar[float] = contextvars.ContextVar("deadline", default=float("inf"))


@contextmanager
def deadline(timeout_s: float) -> Iterator[None]:
    """Let everything that is read or written inside end within `timeout_s` in all."""
    token = _deadline.set(min(_deadline.get(), time.monotonic() + timeout_s))
    try:
        yield
    finally:
        _deadline.reset(token)


def remaining_s(most: float | None = None) -> float:
    """Return the seconds until the deadline, at most `most`; never below a hundredth.

    Raises:
        httpcore.ReadTimeout: when it has passed.
    """
    left = _deadline.get() - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("the time for the whole answer is used up")
    return max(min(left, float("inf") if most is None else most), 0.01)


def system_resolve(host: str, port: int) -> list[str]:
    """Ask the system's resolver, which knows no timeout of its own."""
    answer: list[Any] = []

    def ask() -> None:
        try:
            answer.append(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            answer.append(error)

    thread = threading.Thread(target=ask, daemon=True, name="resolve")
    thread.start()
    thread.join(remaining_s(10))
    if not answer:
        raise httpcore.ConnectTimeout("the name was not resolved in time")
    if isinstance(answer[0], Exception):
        return []
    return list(dict.fromkeys(str(info[4][0]) for info in answer[0]))


def system_connect(address: str, port: int, timeout_s: float) -> socket.socket:
    """Open a TCP connection to a numeric address."""
    connected = socket.create_connection((address, port), timeout_s)
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connected


class CheckedBackend(httpcore.NetworkBackend):
    """Opens connections for the HTTP library; there is no other way out.

    The name is resolved here, once for each connection, and the connection goes to an address
    that was just checked: a name server that changes its answer between check and connection
    (DNS rebinding) has nothing to answer to. TLS and the Host header keep the name.
    """

    def __init__(
        self,
        allowed: Allowed,
        resolve: Resolve = system_resolve,
        connect: Connect = system_connect,
    ) -> None:
        """Connect to public addresses and to those that are `allowed`."""
        self._allowed = allowed
        self._resolve = resolve
        self._connect = connect

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first of the checked addresses that answers.

        Raises:
            NetworkError: `name`, `forbidden-address`, `connect`.
        """
        error: OSError | None = None
        for address in self._checked(host, port):
            try:
                return DeadlineStream(self._connect(str(address), port, remaining_s(timeout)))
            except OSError as failed:
                error = failed
        if isinstance(error, TimeoutError):
            raise httpcore.ConnectTimeout(str(error)) from error
        raise NetworkError(
            "connect", f"Cannot reach {host}: {error}. Is the server running?", may_pass=True
        ) from error

    def _checked(self, host: str, port: int) -> list[IpAddress]:
        literal = check_host(host, port, self._allowed)
        if literal is not None:
            return [literal]
        found = self._resolve(host, port)
        return check_addresses(host, port, found, self._allowed)

    def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Refuse: no address of the web leads to a socket file."""
        raise NetworkError("forbidden-address", "Cannot ask a socket file.")


class DeadlineStream(httpcore.NetworkStream):
    """A connection whose every read and write ends before the deadline of the question."""

    def __init__(self, connected: socket.socket) -> None:
        """Take over a connected socket."""
        self._socket = connected

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read up to `max_bytes`."""
        try:
            self._socket.settimeout(remaining_s(timeout))
            return self._socket.recv(max_bytes)
        except TimeoutError as error:
            raise httpcore.ReadTimeout(str(error)) from error
        except OSError as error:
            raise httpcore.ReadError(str(error)) from error

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write all of `buffer`."""
        try:
            while buffer:
                self._socket.settimeout(remaining_s(timeout))
                buffer = buffer[self._socket.send(buffer) :]
        except TimeoutError as error:
            raise httpcore.WriteTimeout(str(error)) from error
        except OSError as error:
            raise httpcore.WriteError(str(error)) from error

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        """Speak TLS from here on; the certificate must be that of `server_hostname`."""
        try:
            self._socket.settimeout(remaining_s(timeout))
            return DeadlineStream(
                ssl_context.wrap_socket(self._socket, server_hostname=server_hostname)
            )
        except TimeoutError as error:
            self.close()
            raise httpcore.ConnectTimeout(str(error)) from error
        except OSError as error:  # certificates that do not fit are among them
            self.close()
            said = getattr(error, "verify_message", "") or str(error)
            raise NetworkError(
                "tls", f"Cannot speak securely with {server_hostname}: {said}."
            ) from error

    def get_extra_info(self, info: str) -> Any:
        """Tell the HTTP library what it asks of a connection."""
        if info == "ssl_object" and isinstance(self._socket, ssl.SSLSocket):
            return self._socket
        if info == "socket":
            return self._socket
        if info == "is_readable":  # an idle connection that can be read was closed by the server
            return self._is_readable()
        if info == "server_addr":
            return self._socket.getpeername()
        return None

    def _is_readable(self) -> bool:
        if self._socket.fileno() < 0:
            return True
        if hasattr(select, "poll"):
            poll = select.poll()
            poll.register(self._socket, select.POLLIN)
            return bool(poll.poll(0))
        return bool(select.select([self._socket], [], [], 0)[0])
