"""Ask one question of a server: redirects re-checked, size and time capped, nothing remembered.

No cookies, no proxies or certificates from the environment, no user names in addresses; a body is
never repeated in a message. What a server may be asked how often is not decided here.
"""

from __future__ import annotations

import json
import re
import ssl
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any, Self

import httpcore
import httpx

from bilderatlas import __version__
from bilderatlas.errors import NetworkError
from bilderatlas.network.addresses import Allowed, ascii_host, check_host, port_of, read_url, shown
from bilderatlas.network.edge import (
    CheckedBackend,
    Connect,
    Resolve,
    deadline,
    system_connect,
    system_resolve,
)

USER_AGENT = f"Bilderatlas/{__version__}"
CHUNK_BYTES = 65_536
MAX_JSON_BYTES = 20_000_000
MAX_JSON_CONTAINERS = 1_000_000  # `[],[],…` takes 36 times its length when it is parsed
REDIRECTS = frozenset({301, 302, 303, 307, 308})
PASSING_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})
_ONE_ORIGIN_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization"})


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a server is endured.

    Attributes:
        timeout_s: For the whole answer, redirects and body included.
        connect_timeout_s: For one connection.
        read_timeout_s: For the next bytes.
        max_redirects: More are refused.
    """

    timeout_s: float = 60.0
    connect_timeout_s: float = 5.0
    read_timeout_s: float = 10.0
    max_redirects: int = 4


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer whose body can be read once, piece by piece, while the question is open.

    Attributes:
        url: Where it came from, after redirects.
        status: HTTP status.
        headers: Of the last answer; names are found in any case.
        hops: Headers of the redirects that led here.
        chunks: The body as sent, each piece at most 64 kB.
    """

    url: str
    status: int
    headers: httpx.Headers
    hops: tuple[httpx.Headers, ...]
    chunks: Iterator[bytes]

    def read(self, max_bytes: int) -> bytes:
        """Return the body, unpacked.

        Raises:
            NetworkError: `too-large`, `encoding`, `timeout`, `cut-off`.
        """
        length = self.length_bytes()
        if length is not None and length > max_bytes:
            raise too_large(self.url, max_bytes)
        encoding = self.headers.get("content-encoding", "identity").strip().lower()
        body = bytearray()
        for piece in unpacked(self.chunks, encoding, self.url):
            body += piece
            if len(body) > max_bytes:
                raise too_large(self.url, max_bytes)
        return bytes(body)

    def length_bytes(self) -> int | None:
        """Return the length that the server announces; None when it does not."""
        text = self.headers.get("content-length", "")
        return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else None


class Client:
    """Asks servers, one question at a time or from several threads; close it after use."""

    def __init__(
        self,
        *,
        allow: frozenset[str] = frozenset(),
        limits: Limits | None = None,
        resolve: Resolve = system_resolve,
        connect: Connect = system_connect,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Ask public addresses, and those that the operator named.

        Args:
            allow: `host`, `host:port` or network, as `addresses.Allowed.parse` reads them.
            limits: Times and redirects.
            resolve: Replaces the system's resolver.
            connect: Replaces the system's sockets.
            tls: Replaces the usual certificates.

        Raises:
            UsageError: for an entry of `allow` that cannot be read.
        """
        self.limits = limits or Limits()
        self._allowed = Allowed.parse(allow)
        self._pool = httpcore.ConnectionPool(
            ssl_context=tls or _usual_tls(),
            max_connections=16,
            max_keepalive_connections=8,
            keepalive_expiry=15.0,
            network_backend=CheckedBackend(self._allowed, resolve, connect),
        )

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Close all connections."""
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._pool.close()

    @contextmanager
    def asked(
        self,
        url: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        timeout_s: float | None = None,
    ) -> Iterator[Answer]:
        """Ask, follow redirects, and give the answer while its body is read; any status.

        Raises:
            NetworkError: `address`, `forbidden-address`, `name`, `connect`, `tls`, `timeout`,
                `redirects`, `downgrade`, `protocol`, `cut-off`.
        """
        here = read_url(url)
        sent = {"User-Agent": USER_AGENT, "Accept": "*/*", "Accept-Encoding": "identity"}
        sent |= dict(headers or {})
        hops: list[httpx.Headers] = []
        with deadline(timeout_s or self.limits.timeout_s):
            while True:
                with self._one(here, method, sent, body) as (status, found, chunks):
                    if status not in REDIRECTS or "location" not in found:
                        yield Answer(str(here), status, found, tuple(hops), chunks)
                        return
                hops.append(found)
                there = self._next(here, found["location"], method, len(hops))
                if _origin(there) != _origin(here):
                    sent = {k: v for k, v in sent.items() if k.lower() not in _ONE_ORIGIN_HEADERS}
                here = there

    def _next(self, here: httpx.URL, location: str, method: str, n_hops: int) -> httpx.URL:
        if n_hops > self.limits.max_redirects:
            raise NetworkError(
                "redirects",
                f"Cannot read {shown(here)}: it was passed on more than "
                f"{self.limits.max_redirects} times.",
            )
        if method != "GET":
            raise NetworkError(
                "redirects", f"Cannot send to {shown(here)}: it passes on what is sent to it."
            )
        try:
            there = read_url(str(here.join(location)))
        except httpx.InvalidURL as error:
            raise NetworkError(
                "address", f"Cannot read {shown(here)}: it passes on to no address of the web."
            ) from error
        if here.scheme == "https" and there.scheme == "http":
            raise NetworkError(
                "downgrade", f"Cannot read {shown(here)}: it passes on from https to http."
            )
        return there

    @contextmanager
    def _one(
        self, url: httpx.URL, method: str, headers: Mapping[str, str], body: bytes
    ) -> Iterator[tuple[int, httpx.Headers, Iterator[bytes]]]:
        host = ascii_host(url)
        check_host(host, port_of(url), self._allowed)  # again at the edge: this one says it early
        request = httpcore.Request(
            method,
            httpcore.URL(
                scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
            ),
            headers=_wire_headers(url, headers, body, method),
            content=body,
            extensions={"timeout": self._timeouts()},
        )
        with _translated(url):
            response = self._pool.handle_request(request)
            try:
                yield response.status, httpx.Headers(response.headers), _pieces(response)
            finally:
                response.close()

    def _timeouts(self) -> dict[str, float]:
        read_s = self.limits.read_timeout_s
        connect_s = self.limits.connect_timeout_s
        return {"connect": connect_s, "read": read_s, "write": read_s, "pool": read_s}


def fetch(
    url: str,
    *,
    max_bytes: int,
    allow: frozenset[str] = frozenset(),
    headers: Mapping[str, str] | None = None,
    client: Client | None = None,
) -> bytes:
    """Return what lies at `url`.

    Raises:
        NetworkError: as `Client.asked` and `Answer.read`, and `status` for anything but 200.
    """
    with opened(client, allow) as asked, asked.asked(url, headers=headers) as answer:
        check_status(answer)
        return answer.read(max_bytes)


def get_json(
    url: str,
    *,
    max_bytes: int = MAX_JSON_BYTES,
    allow: frozenset[str] = frozenset(),
    headers: Mapping[str, str] | None = None,
    client: Client | None = None,
) -> Any:
    """Return the JSON at `url`.

    Raises:
        NetworkError: as `fetch`, `not-json`, and `too-large` for very many lists and objects.
    """
    sent = {"Accept": "application/json", "Accept-Encoding": "gzip", **(headers or {})}
    text = fetch(url, max_bytes=max_bytes, allow=allow, headers=sent, client=client)
    if text.count(b"[") + text.count(b"{") > MAX_JSON_CONTAINERS:
        raise NetworkError(
            "too-large",
            f"Cannot use the answer of {shown(url)}: it has more than {MAX_JSON_CONTAINERS:,} "
            "lists and objects.",
        )
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NetworkError(
            "not-json", f"Cannot use the answer of {shown(url)}: it is not JSON."
        ) from error


@contextmanager
def opened(client: Client | None, allow: frozenset[str]) -> Iterator[Client]:
    """Lend `client`, or one that is closed afterwards."""
    if client is not None:
        yield client
        return
    with Client(allow=allow) as own:
        yield own


def check_status(answer: Answer, expected: frozenset[int] = frozenset({200})) -> None:
    """Refuse an answer whose status is not among the `expected`.

    Raises:
        NetworkError: `status`, with the status and how long the server wants to be left alone.
    """
    if answer.status in expected:
        return
    meaning = {
        401: "it wants to know who asks",
        403: "it does not let us",
        404: "there is nothing at this address",
        410: "what was there is gone",
        429: "it is asked too often",
    }.get(answer.status, "the server failed" if answer.status >= 500 else "it did not answer this")
    raise NetworkError(
        "status",
        f"Cannot read {shown(answer.url)}: {meaning} (HTTP status {answer.status}).",
        status=answer.status,
        retry_after_s=retry_after_s(answer.headers),
        may_pass=answer.status in PASSING_STATUSES,
    )


def retry_after_s(headers: httpx.Headers) -> float | None:
    """Return how long a server asks to be left alone (RFC 9110 10.2.3); None if it does not say."""
    text = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", text):
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max((moment - datetime.now(UTC)).total_seconds(), 0.0)


def too_large(url: str, max_bytes: int) -> NetworkError:
    """Return the refusal of a body that is larger than `max_bytes`."""
    return NetworkError(
        "too-large", f"Cannot read {shown(url)}: it is larger than {max_bytes:,} bytes."
    )


def unpacked(chunks: Iterator[bytes], encoding: str, url: str) -> Iterator[bytes]:
    """Unpack a body in pieces of at most 64 kB, however far it swells.

    Raises:
        NetworkError: `encoding`, for packings other than gzip and deflate and for bad ones.
    """
    if encoding in {"", "identity"}:
        yield from chunks
        return
    if encoding not in {"gzip", "x-gzip", "deflate"}:
        raise NetworkError(
            "encoding", f"Cannot read {shown(url)}: it is packed in a way that was not asked for."
        )
    unpack = zlib.decompressobj(zlib.MAX_WBITS | 32)  # 32: gzip or zlib, told by its first bytes
    try:
        for chunk in chunks:
            packed = chunk
            while packed:
                yield unpack.decompress(packed, CHUNK_BYTES)
                packed = unpack.unconsumed_tail
    except zlib.error as error:
        raise NetworkError(
            "encoding", f"Cannot read {shown(url)}: its packed body is damaged."
        ) from error
    yield unpack.flush()
    if not unpack.eof:
        raise NetworkError("cut-off", f"Cannot read {shown(url)}: it broke off.", may_pass=True)


def _pieces(response: httpcore.Response) -> Iterator[bytes]:
    for chunk in response.iter_stream():
        for start in range(0, len(chunk), CHUNK_BYTES):
            yield chunk[start : start + CHUNK_BYTES]


def _wire_headers(
    url: httpx.URL, headers: Mapping[str, str], body: bytes, method: str
) -> list[tuple[bytes, bytes]]:
    pairs = [(b"Host", url.netloc)]
    for name, value in headers.items():
        if any(c in "\r\n\x00" for c in name + value):
            raise NetworkError("address", "Cannot send a header with line breaks in it.")
        pairs.append((name.encode("ascii"), value.encode("latin-1", "replace")))
    if body or method != "GET":
        pairs.append((b"Content-Length", str(len(body)).encode()))
    return pairs


@contextmanager
def _translated(url: httpx.URL) -> Iterator[None]:
    """Turn the HTTP library's failures into ours."""
    name = shown(url)
    try:
        yield
    except httpcore.TimeoutException as error:
        raise NetworkError(
            "timeout", f"Cannot read {name}: the server took too long.", may_pass=True
        ) from error
    except httpcore.RemoteProtocolError as error:
        broke_off = "without sending complete" in str(error) or "disconnected" in str(error)
        raise NetworkError(
            "cut-off" if broke_off else "protocol",
            f"Cannot read {name}: the answer {'broke off' if broke_off else 'is not proper HTTP'}.",
            may_pass=True,
        ) from error
    except httpcore.NetworkError as error:
        raise NetworkError(
            "cut-off", f"Cannot read {name}: the connection broke off.", may_pass=True
        ) from error
    except (httpcore.ProtocolError, httpcore.UnsupportedProtocol) as error:
        raise NetworkError("protocol", f"Cannot ask {name}: {error}.") from error


def _origin(url: httpx.URL) -> tuple[str, str, int]:
    return url.scheme, ascii_host(url), port_of(url)


@lru_cache(maxsize=1)
def _usual_tls() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)
