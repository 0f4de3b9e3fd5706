"""Which browser asks: a random cookie tells it apart, so that what it brought stays its own."""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bilderatlas.api.visitor import EXPIRY_S, asking

if TYPE_CHECKING:
    from bilderatlas.api import Library

SWEEP_EVERY_S = 3600.0
_SCOPE_KEY = "bilderatlas.visitor"
_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(slots=True)
class Visitor:
    """The browser that sent a request.

    Attributes:
        secret: What its cookie says; a fresh one where it has none.
        kept: Whether the secret is to be left with it, since it brought something.
    """

    secret: str
    kept: bool = False

    @property
    def owner(self) -> str:
        """The name under which its uploads are kept; the secret cannot be told from it."""
        return hashlib.sha256(self.secret.encode()).hexdigest()


def visitor_of(request: HTTPConnection) -> Visitor:
    """Return the browser that sent `request`."""
    found: Visitor = request.scope[_SCOPE_KEY]
    return found


class Visitors:
    """ASGI middleware: say for each request whose it is; uploads that expired are swept."""

    def __init__(self, app: ASGIApp, library: Library, cookie_name: str) -> None:
        """Stand in front of `app`, and read the cookie `cookie_name`."""
        self._app = app
        self._library = library
        self._cookie_name = cookie_name
        self._swept = -SWEEP_EVERY_S

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on in the name of the browser that sent it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        await self._sweep()
        secret = find_secret(Headers(scope=scope), self._cookie_name)
        visitor = scope[_SCOPE_KEY] = Visitor(secret or secrets.token_urlsafe(32))

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start" and visitor.kept:
                MutableHeaders(scope=message).append("Set-Cookie", self._cookie(visitor))
            await send(message)

        with asking(visitor.owner):
            await self._app(scope, receive, send_with_cookie)

    async def _sweep(self) -> None:
        """Remove what has expired, at most once an hour."""
        store = self._library.store
        if time.monotonic() - self._swept > SWEEP_EVERY_S and not store.read_only:
            self._swept = time.monotonic()
            await run_in_threadpool(store.uploads.sweep, EXPIRY_S)

    def _cookie(self, visitor: Visitor) -> str:
        """Spell the cookie; it lasts for as long as the newest upload is kept."""
        attributes = f"Max-Age={EXPIRY_S}; Path=/; HttpOnly; SameSite=Strict"
        return f"{self._cookie_name}={visitor.secret}; {attributes}"


def find_secret(headers: Headers, cookie_name: str) -> str:
    """Return the secret of the browser that sent `headers`; empty if it has none yet."""
    # by hand, as the guard does: cookies of other programs on this machine may be malformed
    pairs = (
        pair.partition("=") for header in headers.getlist("cookie") for pair in header.split(";")
    )
    found = (value.strip() for name, _, value in pairs if name.strip() == cookie_name)
    return next((value for value in found if _SECRET.fullmatch(value)), "")
