"""The language of an answer: what the address asks for, the cookie remembers, the browser accepts.

It stands in front of everything else, since refusals are told in the reader's language too. The
choice leaves the address at once: what is behind it sees a question without it.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bilderatlas.web.i18n import current, languages, negotiate, speaking

PARAM = "lang"
COOKIE = "bilderatlas-language"
COOKIE_AGE_S = 365 * 86_400
_PREFIX = PARAM.encode() + b"="

_here: ContextVar[str] = ContextVar("here", default="")


@dataclass(frozen=True, slots=True)
class Choice:
    """A language that this very page can be had in."""

    code: str
    name: str
    url: str
    is_current: bool


def choices() -> list[Choice]:
    """Return the languages that the page which is being answered can be had in."""
    here = _here.get()
    prefix = f"?{here}&{PARAM}=" if here else f"?{PARAM}="
    return [
        Choice(one.code, one.name, prefix + one.code, one.code == current().code)
        for one in languages().values()
    ]


class LanguageChoice:
    """ASGI middleware: speak the reader's language while a request is answered."""

    def __init__(self, app: ASGIApp) -> None:
        """Stand in front of `app`."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer in the language that is wanted; remember one that was asked for."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        asked = _take_choice(scope)
        accepted = ",".join(headers.getlist("accept-language"))
        with speaking(negotiate(asked, _remembered(headers), accepted)) as language:
            chosen = asked if asked in languages() else ""
            here = _here.set(scope["query_string"].decode("latin-1"))

            async def send_with_language(message: Message) -> None:
                if message["type"] == "http.response.start":
                    _tell(MutableHeaders(scope=message), language.code, chosen)
                await send(message)

            try:
                await self._app(scope, receive, send_with_language)
            finally:
                _here.reset(here)


def _take_choice(scope: Scope) -> str:
    """Return the language that the address asks for, and take it out of the address."""
    query: bytes = scope["query_string"]
    pairs = query.split(b"&")
    rest = [pair for pair in pairs if not pair.startswith(_PREFIX)]  # the others stay as they are
    asked = [pair for pair in pairs if pair.startswith(_PREFIX)]
    if asked:
        scope["query_string"] = b"&".join(rest)
    return asked[-1].removeprefix(_PREFIX).decode("latin-1") if asked else ""


def _remembered(headers: Headers) -> str:
    # by hand: the standard parser gives up on the whole header at another program's odd cookie
    pairs = (pair.partition("=") for line in headers.getlist("cookie") for pair in line.split(";"))
    return next((value.strip() for name, _, value in pairs if name.strip() == COOKIE), "")


def _tell(headers: MutableHeaders, code: str, chosen: str) -> None:
    """Say which language a page is in, and keep the one that was chosen."""
    if headers.get("content-type", "").startswith(("text/html", "application/json")):
        headers["Content-Language"] = code
        headers.add_vary_header("Accept-Language")
        headers.add_vary_header("Cookie")
    if chosen:
        kept = f"{COOKIE}={chosen}; Path=/; Max-Age={COOKIE_AGE_S}; SameSite=Lax; HttpOnly"
        headers.append("Set-Cookie", kept)
