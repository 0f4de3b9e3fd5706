"""Pages become HTML here, and JSON: one data object, two renderings."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, Protocol

import jinja2
from jinja2.runtime import Macro
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse, Response

from bilderatlas.errors import StoreError
from bilderatlas.exchange.public_record import public_record
from bilderatlas.web import i18n, languages, urls
from bilderatlas.web.i18n import day, joined, ngettext, thousands
from bilderatlas.web.pictures import Picture
from bilderatlas.web.security import Mode

HERE = Path(__file__).parent
STATIC_DIR = HERE / "static"
RETRY_AFTER_S = 10


class Page(Protocol):
    """The data of one page; `template` names its HTML rendering, `to_json` is the other one."""

    template: ClassVar[str]

    @property
    def status(self) -> int:
        """HTTP status of the answer."""
        ...

    def to_json(self) -> dict[str, Any]:
        """Return the page's data as JSON-ready values."""
        ...


class Manifest:
    """Plain names of built files → their names with a content hash."""

    def __init__(self, folder: Path = STATIC_DIR) -> None:
        """Read `manifest.json` of the built front end.

        Raises:
            StoreError: when the front end was not built.
        """
        try:
            self.names: dict[str, str] = json.loads((folder / "manifest.json").read_text("utf-8"))
        except FileNotFoundError as error:
            raise StoreError(
                "Cannot serve: the front end is not built. Run 'python frontend/build.py' in a "
                "checkout, or install Bilderatlas with pip."
            ) from error
        self.folder = folder

    def url(self, name: str) -> str:
        """Return the address of a built file by its plain name."""
        return urls.static(self.names[name])


@dataclass(frozen=True, slots=True)
class Renderer:
    """Renders pages of one server."""

    mode: Mode
    manifest: Manifest

    def html(self, page: Page, *, here: str = "", template: str = "") -> Response:
        """Render a page for people, or the part of it that is another `template`.

        `here` is the address of its JSON twin.
        """
        found = environment().get_template(template or page.template)
        text = found.render(
            page=page, local=self.mode is Mode.LOCAL, asset=self.manifest.url, json_url=here
        )
        return HTMLResponse(text, status_code=page.status, headers=_headers(page.status))

    def json(self, page: Page) -> Response:
        """Render a page for programs."""
        content = page.to_json()
        if self.mode is not Mode.LOCAL:
            content = _with_public_records(content)
        answer = json_response(content, page.status)
        answer.headers.update(_headers(page.status))
        return answer


def _headers(status: int) -> dict[str, str]:
    """Say when to ask again what cannot be answered now."""
    return {"Retry-After": str(RETRY_AFTER_S)} if status == 503 else {}


def json_response(content: dict[str, Any], status: int = 200) -> Response:
    """Return JSON; numbers that JSON does not know (NaN) become null instead of bad JSON."""
    text = json.dumps(_finite(content), ensure_ascii=False, separators=(",", ":"), default=str)
    body = text.encode("utf-8", "replace")
    return Response(body, status, media_type="application/json")


def _with_public_records(value: Any) -> Any:
    """Return a page's data with every record in it as strangers may have it."""
    if isinstance(value, dict):
        return {
            name: public_record(item)
            if name == "record" and isinstance(item, dict)
            else _with_public_records(item)
            for name, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_with_public_records(item) for item in value]
    return value


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if abs(value) < float("inf") else None
    if isinstance(value, dict):
        return {str(name): _finite(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value


@lru_cache(maxsize=1)
def environment() -> jinja2.Environment:
    """Return the templates with what they may call."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    made.newstyle_gettext = True  # type: ignore[attr-defined]  # of the extension
    made.policies["ext.i18n.trimmed"] = True
    made.filters.update(
        thousands=thousands,
        ago=ago,
        counted=counted,
        span=span,
        sentence=joined,
        collection_title=collection_title,
        decimal=i18n.decimal,
        percent=i18n.percent,
        day=day,
    )
    made.tests["english"] = lambda text: isinstance(text, i18n.English)
    made.globals.update(
        urls=urls,
        _=_say,
        gettext=_say_markup,
        ngettext=_say_counted,
        drawn=_drawn,
        language=i18n.current,
        language_choices=languages.choices,
    )
    return made


def _drawn(picture: Picture, macro: Macro, *values: Any) -> str:
    """Return what a macro writes of a picture; the picture remembers it.

    The macro may look at nothing else, the reader's language neither.
    """
    key = (macro.name, *values)
    found = picture.drawn.get(key)
    if found is None:
        found = picture.drawn[key] = macro(picture, *values)
    return found


def _say(text: str, /, **values: Any) -> str:
    """Say a text in a template; whoever wrote it, it is text and no markup."""
    if any(isinstance(value, Markup) for value in values.values()):
        return Markup(escape(i18n.gettext(text))) % values
    return i18n.gettext(text, **values)


def _say_markup(text: str, /, **values: Any) -> str:
    """Say the text of a `{% trans %}` block, which stands in our own template."""
    return Markup(i18n.current().find(text)) % values


def _say_counted(singular: str, plural: str, num: int, /, **values: Any) -> str:
    """Say a text of one thing or of several; its texts stand in our own template."""
    values["num"] = thousands(num)
    return Markup(i18n.current().find_counted(singular, plural, num)) % values


class Titled(Protocol):
    """Whatever has a name and perhaps a title: a collection."""

    @property
    def name(self) -> str:
        """As in addresses."""
        ...

    @property
    def title(self) -> str:
        """As a reader sees it."""
        ...


def collection_title(info: Titled, among: Iterable[Titled] = ()) -> str:
    """Return a collection's title; a bare name is written as a word: `old_maps` → `Old maps`.

    Where another one `among` those that are listed has the same title, its name stands beside it.
    """
    title = _title(info)
    if any(one.name != info.name and _title(one) == title for one in among):
        return f"{title} ({info.name})"
    return title


def _title(info: Titled) -> str:
    if info.title and info.title != info.name:
        return info.title
    words = info.name.replace("_", " ")
    return words[:1].upper() + words[1:]


def counted(number: int, singular: str, plural: str = "") -> str:
    """Write a count with its noun: `1 work`, `12 works`; both held together."""
    several = plural or f"{singular}s"
    words = ngettext(f"%(num)s {singular}", f"%(num)s {several}", number)
    return words.replace(" ", "\u00a0", 1)


def span(seconds: float) -> str:
    """Write a span of time in one unit: `6 ms`, `14 s`, `3 min`, `2 h`."""
    if seconds < 1:
        return f"{max(seconds * 1000, 1):.0f}\u00a0ms"
    for limit, unit, divisor in ((90, "s", 1), (5400, "min", 60), (172_800, "h", 3600)):
        if seconds < limit:
            return f"{seconds / divisor:.0f}\u00a0{unit}"
    return counted(round(seconds / 86_400), "day")


def ago(moment: str | datetime | None) -> str:
    """Write how long ago a moment was; a date if it is long past."""
    if not moment:
        return ""
    when = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    passed = datetime.now(UTC) - when
    if passed.total_seconds() < 60:
        return i18n.gettext("just now")
    if passed.total_seconds() < 86_400 * 7:
        return i18n.passed(passed)
    return i18n.gettext("on %(day)s", day=day(when))


sentence = joined
