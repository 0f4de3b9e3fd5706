"""Who may ask for what: the guard in front of every route, and the headers behind every answer.

`local` (the default) serves one person on this machine: a link with a token opens the door once
and leaves a cookie; only loopback names are answered, so that a foreign name that was made to
point here (DNS rebinding) gets nothing. `public` is read-only: no uploads, no jobs.
"""

from __future__ import annotations

import hmac
import ipaddress
import re
import secrets
from collections.abc import Callable, Iterable, MutableMapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qsl

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bilderatlas.errors import BilderatlasError, ForbiddenError, UsageError
from bilderatlas.web import urls

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; font-src 'self'; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'self'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    # same-origin, not no-referrer: under the latter browsers send `Origin: null` with our forms
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": (
        "camera=(), microphone=(), geolocation=(), payment=(), usb=(), clipboard-write=(self)"
    ),
}
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
TOKEN_PARAM = "token"
_QUESTIONS = re.compile(r"/c/[^/]+/embeddings\.json")


class Mode(StrEnum):
    """Whom the server serves."""

    LOCAL = "local"
    PUBLIC = "public"


def parse_mode(text: str) -> Mode:
    """Return the mode called `text`.

    Raises:
        UsageError: for `team`, which does not exist yet, and for unknown names.
    """
    if text == "team":
        raise UsageError(
            "Cannot serve in team mode: logins are not part of this version. Use --mode local for "
            "yourself, or --mode public for a read-only site."
        )
    if text not in set(Mode):
        raise UsageError(f"There is no mode called '{text}'. Known: 'local', 'public'.")
    return Mode(text)


def check_binding(mode: Mode, host: str) -> None:
    """Refuse to open a local server to the network.

    Raises:
        UsageError: when `host` is not a loopback address in local mode.
    """
    if mode is Mode.LOCAL and not is_loopback(host):
        raise UsageError(
            f"Cannot serve on '{host}' in local mode: others could reach it. Use --host 127.0.0.1, "
            "or --mode public for a read-only site."
        )


def is_loopback(host: str) -> bool:
    """Tell whether `host` is a loopback address (or `localhost`)."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


@dataclass(slots=True)
class Access:
    """What the guard lets through.

    Attributes:
        mode: Local or public.
        link_token: Opens the door by URL, once; None in public mode.
        bearer: Opens it to programs that send `Authorization: Bearer …`, for as long as the server
            runs. Another secret than the link's, which lies in the browser's history.
        session: The cookie's value after the link was used.
        cookie_name: Differs by port, since cookies do not.
        hosts: Names that are answered; empty: all.
    """

    mode: Mode
    link_token: str | None = None
    bearer: str | None = None
    session: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    cookie_name: str = "bilderatlas"
    hosts: frozenset[str] = frozenset()

    @classmethod
    def local(cls, port: int = 0, hosts: Iterable[str] = ()) -> Access:
        """Return the access of a local server with fresh secrets.

        Args:
            port: Where it listens.
            hosts: Names that it is reached by besides the usual loopback ones.
        """
        return cls(
            Mode.LOCAL,
            secrets.token_urlsafe(24),
            secrets.token_urlsafe(24),
            cookie_name=f"bilderatlas-{port}",
            hosts=LOOPBACK_NAMES | frozenset(map(host_name, hosts)),
        )

    @classmethod
    def public(cls, hosts: Iterable[str] = ()) -> Access:
        """Return the access of a read-only server that answers to `hosts` only, if any."""
        return cls(Mode.PUBLIC, hosts=frozenset(map(host_name, hosts)))

    def spend_link(self, token: str) -> bool:
        """Tell whether `token` opens the door; it does so once."""
        right = self.link_token is not None and _same(token, self.link_token)
        if right:
            self.link_token = None
        return right


class Guard:
    """ASGI middleware: host, method, origin and token before a route; headers behind it."""

    def __init__(
        self, app: ASGIApp, access: Access, refuse: Callable[[Scope, BilderatlasError], Response]
    ) -> None:
        """Stand in front of `app`; `refuse` renders what is not let through."""
        self._app = app
        self._access = access
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it here."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "private, no-cache")
            await send(message)

        answer = self._decide(scope)
        if isinstance(answer, BilderatlasError):
            answer = self._refuse(scope, answer)
        await (answer or self._app)(scope, receive, send_with_headers)

    def _decide(self, scope: Scope) -> Response | BilderatlasError | None:
        headers = Headers(scope=scope)
        for check in (self._check_host, self._check_method, self._check_site):
            refusal = check(scope, headers)
            if refusal is not None:
                return refusal
        return self._check_token(scope, headers)

    def _check_host(self, scope: Scope, headers: Headers) -> BilderatlasError | None:
        hosts = headers.getlist("host")
        if len(hosts) != 1:
            return UsageError("Cannot answer: the request must name exactly one host.")
        if self._access.hosts and host_name(hosts[0]) not in self._access.hosts:
            return ForbiddenError(
                f"This server does not answer to the name '{host_name(hosts[0])[:100]}'. "
                "Open it under the address that `bilderatlas serve` printed."
            )
        return None

    def _check_method(self, scope: Scope, headers: Headers) -> BilderatlasError | None:
        if self._access.mode is not Mode.PUBLIC:
            return None
        path: str = scope["path"]
        jobs = path in {urls.JOBS, urls.JOBS + urls.JSON_SUFFIX} or path.startswith(urls.JOBS + "/")
        changes = scope["method"] not in SAFE_METHODS and not _only_reads(scope)
        if changes or jobs:
            return ForbiddenError(
                "This is a public, read-only server: it takes no pictures and shows no jobs. "
                "Run your own with `bilderatlas serve`."
            )
        return None

    def _check_site(self, scope: Scope, headers: Headers) -> BilderatlasError | None:
        """Refuse unsafe requests that another site made a browser send."""
        if scope["method"] in SAFE_METHODS or self._has_bearer(headers):
            return None
        if self._access.mode is Mode.PUBLIC and _only_reads(scope):
            return None  # nothing is changed, and all that is read is public
        site = headers.get("sec-fetch-site")
        if site is not None:
            trusted = site in {"same-origin", "none"}
        else:
            own = f"{scope.get('scheme', 'http')}://{headers.get('host', '')}"
            trusted = headers.get("origin") == own
        if trusted:
            return None
        return ForbiddenError(
            "This request came from another site, or does not say where from. "
            "Send the form from its own page."
        )

    def _check_token(self, scope: Scope, headers: Headers) -> Response | BilderatlasError | None:
        if self._access.mode is not Mode.LOCAL:
            return None
        path: str = scope["path"]
        params = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        token = next((value for name, value in params if name == TOKEN_PARAM), None)
        known = self._has_cookie(headers) or self._has_bearer(headers)
        if token is not None and scope["method"] == "GET":
            fresh = not known and self._access.spend_link(token)
            if fresh or known:
                rest = [(name, value) for name, value in params if name != TOKEN_PARAM]
                return self._redirect(scope, rest, fresh)
        if known or path.startswith(urls.STATIC_PREFIX):
            return None
        return ForbiddenError(
            "This library is private: open it with the link that `bilderatlas serve` printed. "
            "The link works once; start the server again for a new one."
        )

    def _redirect(self, scope: Scope, params: list[tuple[str, str]], fresh: bool) -> Response:
        # as it was encoded; and a path that begins with two slashes would name another host
        raw: bytes = scope.get("raw_path") or scope["path"].encode()
        target = "/" + raw.decode("latin-1").partition("?")[0].lstrip("/\\")
        response = RedirectResponse(urls.with_params(target, params), status_code=303)
        if fresh:
            response.set_cookie(
                self._access.cookie_name,
                self._access.session,
                httponly=True,
                samesite="strict",
                path="/",
            )
        response.headers["Cache-Control"] = "no-store"
        return response

    def _has_bearer(self, headers: Headers) -> bool:
        given = headers.get("authorization", "")
        wanted = self._access.bearer
        return wanted is not None and _same(given, f"Bearer {wanted}")

    def _has_cookie(self, headers: Headers) -> bool:
        # By hand: other programs on this machine share our cookies (ports do not part them), and
        # the standard parser gives up on the whole header at a cookie like `x={"a":1}`.
        pairs = (
            pair.partition("=")
            for header in headers.getlist("cookie")
            for pair in header.split(";")
        )
        return any(
            name.strip() == self._access.cookie_name and _same(value.strip(), self._access.session)
            for name, _, value in pairs
        )


def _only_reads(scope: Scope) -> bool:
    """Tell whether a request is a question that is too long for an address."""
    return scope["method"] == "POST" and bool(_QUESTIONS.fullmatch(scope["path"]))


class BodyLimit:
    """ASGI middleware: stop reading a request whose body is longer than `max_bytes`."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        """Stand in front of `app`."""
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; its body ends with an error where it grows too long."""
        n_read = 0

        async def receive_limited() -> MutableMapping[str, Any]:
            nonlocal n_read
            message = await receive()
            n_read += len(message.get("body", b""))
            if n_read > self._max_bytes:
                raise UsageError(
                    f"Cannot take this file: it is larger than {self._max_bytes // 1_000_000} MB. "
                    "Scale it down; 2,000 px are plenty."
                )
            return message

        await self._app(scope, receive_limited, send)


def url_host(host: str) -> str:
    """Return a host as addresses spell it, which is also how browsers name it.

    >>> url_host("0:0:0:0:0:0:0:1"), url_host("[::1]"), url_host("127.0.0.2"), url_host("Localhost")
    ('[::1]', '[::1]', '127.0.0.2', 'localhost')
    """
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return host.lower()
    return f"[{address}]" if address.version == 6 else str(address)


def host_name(host: str) -> str:
    """Return the name in a Host header, lower case, without its port.

    >>> host_name("LocalHost:8000"), host_name("[::1]:8000")
    ('localhost', '[::1]')
    """
    text = host.strip().lower()
    if text.startswith("["):
        return text.partition("]")[0] + "]"
    return text.partition(":")[0]


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode("utf-8"))
