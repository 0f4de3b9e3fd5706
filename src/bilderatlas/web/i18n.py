"""The languages of the interface: which one a request is answered in, and its words.

English is the language of the code. Every other language is one file, `locale/<code>.po`, which is
read as it is; a new file is a new language. What has no translation is shown in English.

    from bilderatlas.web.i18n import gettext as _, ngettext

    _("Nothing hangs here")                           in Python
    _("%(n)s of %(all)s", n=3, all=10)                places have names
    ngettext("%(num)s work", "%(num)s works", n)      `num` is n, written as the language does
    {{ _('Text with %(name)s', name=x) }}             in templates
    t("{n} chosen", { n })                            in islands (frontend/src/words.ts)

Sentences that rooms below make (`bilderatlas.words.said`) are translated by `_(text)` too.
`python -m bilderatlas.web.messages` (make messages) collects all texts into the files.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_timedelta
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent

from bilderatlas.words import Said

if TYPE_CHECKING:
    from collections.abc import Iterator

LOCALE_DIR = Path(__file__).parent / "locale"
ENGLISH = "en"
ISLANDS = "frontend/"  # where the texts of islands stand
N_COUNTED = 200  # from there on plural forms repeat every hundred, in all languages of gettext

Forms: TypeAlias = str | tuple[str, ...]


@dataclass(frozen=True)
class Language:
    """One language of the interface.

    Attributes:
        code: As in `<html lang>`: `de`.
        words: English text → its translation, or its plural forms.
        plural: The number of things → the place of the plural form.
        island_words: The English texts that islands say.
    """

    code: str
    words: Mapping[str, Forms] = field(default_factory=dict, repr=False)
    plural: Callable[[int], int] = field(default=lambda n: int(n != 1), repr=False)
    island_words: frozenset[str] = field(default=frozenset(), repr=False)

    @property
    def locale(self) -> Locale:
        """How this language writes numbers and dates."""
        try:
            return Locale.parse(self.code, sep="-")
        except (ValueError, UnknownLocaleError):  # a file of a name that Babel does not know
            return Locale(ENGLISH)

    @property
    def name(self) -> str:
        """Its name in its own words: `Deutsch`."""
        name = self.locale.get_display_name() or self.code
        return name[:1].upper() + name[1:]

    def find(self, text: str) -> str:
        """Return the translation of an English text; itself, where there is none."""
        found = self.words.get(text)
        return (found if isinstance(found, str) else found[0] if found else "") or text

    def find_counted(self, singular: str, plural: str, number: int) -> str:
        """Return the form of a text for so many things."""
        found = self.words.get(singular)
        if isinstance(found, tuple) and all(found):
            return found[min(self.plural(number), len(found) - 1)]
        return singular if number == 1 else plural

    @property
    def islands_json(self) -> str:
        """The texts of islands, as JSON that may stand in a page; empty where there are none."""
        words = {text: self.words[text] for text in sorted(self.island_words) if self.words[text]}
        if not words:
            return ""
        plural = "".join(str(self.plural(number)) for number in range(N_COUNTED))
        content = {"words": words, "plural": plural}
        return json.dumps(content, ensure_ascii=False, separators=(",", ":")).translate(_IN_HTML)


_IN_HTML = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"}


def read_language(path: Path) -> Language:
    """Read a language's file; fuzzy entries do not count."""
    with path.open("rb") as file:
        catalog = read_po(file, locale=path.stem)
    words: dict[str, Forms] = {}
    islands = set()
    for message in catalog:
        if not message.id or message.fuzzy or not message.string:
            continue
        key = message.id[0] if isinstance(message.id, tuple | list) else message.id
        string = message.string
        words[key] = string if isinstance(string, str) else tuple(string)
        if any(place.startswith(ISLANDS) for place, _line in message.locations):
            islands.add(key)
    plural = _plural_function(str(catalog.plural_expr))
    return Language(path.stem.replace("_", "-"), words, plural, frozenset(islands))


def _plural_function(expression: str) -> Callable[[int], int]:
    from gettext import c2py  # parses the C expression itself

    found: Callable[[int], int] = c2py(expression)
    return found


@lru_cache(maxsize=1)
def languages() -> dict[str, Language]:
    """Return the languages by code: English, and one for each file; read once."""
    found = {ENGLISH: Language(ENGLISH)}
    for path in sorted(LOCALE_DIR.glob("*.po")):
        language = read_language(path)
        found[language.code] = language
    return found


class English(str):
    """What a room below says of an error: English, whatever the reader's language is."""


_current: ContextVar[Language] = ContextVar("language", default=Language(ENGLISH))  # noqa: B039


def current() -> Language:
    """Return the language that is spoken here and now."""
    return _current.get()


@contextmanager
def speaking(code: str) -> Iterator[Language]:
    """Speak a language for a while; English where there is no such one."""
    language = languages().get(code) or languages()[ENGLISH]
    token = _current.set(language)
    try:
        yield language
    finally:
        _current.reset(token)


def gettext(text: str, /, **values: Any) -> str:
    """Say an English text in the language of the reader, its places filled with `values`."""
    if isinstance(text, Said):
        return _said(text)
    return _filled(_current.get().find(text), values)


def ngettext(singular: str, plural: str, num: int, /, **values: Any) -> str:
    """Say a text of one thing or of several; `%(num)s` is their number as it is written here."""
    values.setdefault("num", thousands(num))
    return _filled(_current.get().find_counted(singular, plural, num), values)


def _filled(text: str, values: Mapping[str, Any]) -> str:
    return text % values if values else text  # without values it may be anybody's own text


def _said(text: Said) -> str:
    values = {name: _again(value) for name, value in text.values.items()}
    if text.plural:
        return ngettext(text.template, text.plural, text.number, **(values | _counted(text)))
    return gettext(text.template, **values)


def _counted(text: Said) -> dict[str, str]:
    return {"num": thousands(text.number)}


def _again(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return joined([str(_again(one)) for one in value])
    return _said(value) if isinstance(value, Said) else value


# --- numbers, dates and lists, as the language writes them ---


def thousands(number: float) -> str:
    """Write a whole number: `12 345` in English (thin spaces), `12.345` in German."""
    language = current()
    if language.code == ENGLISH:
        return f"{number:,.0f}".replace(",", "\u202f")
    return format_decimal(round(number), locale=language.locale)


def decimal(number: float, digits: int = 1) -> str:
    """Write a number with so many digits after the point: `3.5`, `3,5`."""
    pattern = "0." + "0" * digits if digits else "0"
    return format_decimal(number, pattern, locale=current().locale)


def percent(share: float, digits: int = 0) -> str:
    """Write a share of one: `35 %` (`35%` in English)."""
    pattern = current().locale.percent_formats[None].pattern
    if digits:
        pattern = pattern.replace("0", "0." + "0" * digits, 1)
    return format_percent(share, pattern, locale=current().locale)


def day(when: date | datetime) -> str:
    """Write a date: `20 November 2026`, `20. November 2026`."""
    language = current()
    if language.code == ENGLISH:
        return f"{when.day} {when:%B %Y}"
    return format_date(when, "long", locale=language.locale)


def passed(span: timedelta) -> str:
    """Write how long ago something was: `3 min ago`, `vor 3 Minuten`."""
    return format_timedelta(-span, add_direction=True, locale=current().locale, threshold=1.5)


def joined(items: Iterable[str]) -> str:
    """Join names as in prose: `a, b and c`."""
    names = list(items)
    if len(names) < 2:
        return "".join(names)
    return gettext("%(names)s and %(last)s", names=", ".join(names[:-1]), last=names[-1])


def language_name(code: str) -> str:
    """Name a language in the one that is spoken: `de` → `German`, `Deutsch`, `allemand`."""
    try:
        return Locale.parse(code, sep="-").get_display_name(current().locale) or code
    except (ValueError, UnknownLocaleError):
        return code


# --- which language a reader wants ---


def negotiate(asked: str, remembered: str, accepted: str) -> str:
    """Return the code of the language to answer in.

    Args:
        asked: What the address says (`?lang=de`).
        remembered: What the cookie says.
        accepted: The header `Accept-Language`.
    """
    for code in (asked, remembered, *_wanted(accepted)):
        found = _match(code)
        if found:
            return found
    return ENGLISH


def _match(code: str) -> str:
    known = {name.lower(): name for name in languages()}
    spelled = code.strip().lower().replace("_", "-")
    return known.get(spelled) or known.get(spelled.partition("-")[0], "")


def _wanted(header: str) -> Sequence[str]:
    """Return the codes of `Accept-Language`, the most wanted first."""
    weighed = []
    for place, item in enumerate(header[:500].split(",")):
        code, _, weight = item.strip().partition(";")
        found = re.fullmatch(r"\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*", weight) if weight else None
        quality = float(found[1]) if found else 0.0 if weight else 1.0
        if quality > 0 and code:
            weighed.append((-quality, place, code))
    return [code for _, _, code in sorted(weighed)]
