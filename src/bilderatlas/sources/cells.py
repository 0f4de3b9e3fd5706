"""Read single cells: text, names, words, years and links, plain or nested as JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from bilderatlas.sources.dates import LAST_YEAR, parse_dates

MAX_TEXTS = 500
MAX_NESTING = 20
_FIRST_YEAR = -200_000
_EMPTY = frozenset({"nan", "null", "none", "n/a", "na", "\\n", "-", "--", "?"})
_NAME_KEYS = (
    *("full_name", "fc", "display_name", "displayname", "name", "title", "label", "prefLabel"),
    *("term", "description", "content", "value", "#text", "@value", "en"),
)
_LINK_KEYS = (
    *("image_url", "iiifbaseuri", "baseimageurl", "url", "print", "web", "full", "primary"),
    *("src", "href", "path", "@id", "id"),
)
_YEAR = re.compile(r"\s*([-−+]?)([0-9]{1,6})(?:\.0*)?(?:-[0-9]{2}-[0-9]{2}(?:[T ].*)?)?\s*")
_LIFE = re.compile(r"\s*\((?=[^()]{0,200}[0-9])[^()]{0,200}\)\s*$")


def dig(value: Any, steps: tuple[str, ...]) -> Any:
    """Follow `steps` into nested JSON; lists are entered at their first item, or by number."""
    for step in steps:
        if isinstance(value, list):
            at = int(step) if step.isdecimal() and len(step) < 6 else None
            value = value[at or 0] if len(value) > (at or 0) else None
            if at is not None:
                continue
        value = value.get(step) if isinstance(value, dict) else None
    return value


def is_empty(value: Any) -> bool:
    """Tell whether a cell says nothing: blank, or one of the words that tools write for it."""
    if isinstance(value, str):
        return not value.strip() or value.strip().casefold() in _EMPTY
    return value is None or value in ([], {})


def read_text(value: Any) -> str | None:
    """Return a cell as one line of text; several values are joined with `; `."""
    if isinstance(value, str):
        return " ".join(value.split()) or None
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, int | float):
        return str(value)
    return "; ".join(_names_in(value)) or None


def read_names(value: Any) -> tuple[str, ...]:
    """Return names; a comma does not part them, since `Aachen, Hans von` is one."""
    names = _texts(value, "|;") if isinstance(value, str) else _names_in(value)
    # `Claude Monet (French, 1840–1926)`: what is said of a person is not the name.
    return _unique(_LIFE.sub("", name) or name for name in _unique(names))


def read_tags(value: Any) -> tuple[str, ...]:
    """Return words; of a tree of subjects, its leaves."""
    if isinstance(value, str):
        return _unique(_texts(value, "|;,"))
    return _unique(_names_in(value))


def read_notations(value: Any) -> tuple[str, ...]:
    """Return Iconclass notations; commas inside brackets belong to the notation."""
    if not isinstance(value, str):
        return _unique(_names_in(value))
    if "|" in value or ";" in value or value.lstrip().startswith("["):
        return _unique(_texts(value, "|;"))
    parts, depth, start = [], 0, 0
    for at, letter in enumerate(value):
        depth = max(0, depth + (letter == "(") - (letter == ")"))
        if letter in ",\n" and depth == 0:
            parts.append(value[start:at])
            start = at + 1
    return _unique([*parts, value[start:]])


def read_years(value: Any) -> tuple[int, int] | None:
    """Return the first and last year that a cell of a year column names; 0 is no year.

    >>> read_years("1855-01-01"), read_years(-500.0), read_years("c. 1860"), read_years(0)
    ((1855, 1855), (-500, -500), (1855, 1865), None)
    """
    if isinstance(value, bool) or value is None:
        return None
    match = _YEAR.fullmatch(str(value)[:100])
    if match:
        year = int(match[2]) * (-1 if match[1] in ("-", "−") and match[1] else 1)
        return (year, year) if year and _FIRST_YEAR <= year <= LAST_YEAR else None
    return parse_dates(value) if isinstance(value, str) else None


def read_links(value: Any) -> list[str]:
    """Return the paths and URLs in a cell, the best first."""
    found: list[str] = []
    waiting: list[tuple[Any, int]] = [(_unpacked(value), 0)]
    while waiting and len(found) < MAX_TEXTS:
        item, depth = waiting.pop()
        if isinstance(item, str):
            if not is_empty(item) and not item.lstrip().lower().startswith("data:"):
                found.append(item.strip())
        elif isinstance(item, list) and depth < MAX_NESTING:
            waiting.extend((inner, depth + 1) for inner in reversed(item[:MAX_TEXTS]))
        elif isinstance(item, dict) and depth < MAX_NESTING:
            inner = [item[key] for key in _LINK_KEYS if key in item]
            waiting.extend((each, depth + 1) for each in reversed(inner))
    return found


def _unpacked(value: Any) -> Any:
    """Return the list that a text cell spells as JSON, else the cell."""
    if isinstance(value, str) and value[:1] == "[" and value.rstrip()[-1:] == "]":
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def _texts(value: str, separators: str) -> list[str]:
    """Cut a text at the first of `separators` that it holds, and at line breaks."""
    unpacked = _unpacked(value)
    if not isinstance(unpacked, str):
        return _names_in(unpacked)
    if value[:1] == "[" and value.rstrip()[-1:] == "]":  # a list as Python prints it
        value, separators = value.strip()[1:-1], ","
        return [part.strip().strip("'\"") for part in value.split(",")]
    separator = next((sign for sign in separators if sign in value), "\n")
    return [part for line in value.splitlines() for part in line.split(separator)]


def _names_in(value: Any) -> list[str]:
    """Return the names in nested JSON, depth first; of a tree with `children`, only the leaves."""
    if isinstance(value, list) and all(type(item) is str for item in value[:MAX_TEXTS]):
        return value[:MAX_TEXTS]
    names: list[str] = []
    waiting: list[tuple[Any, int]] = [(value, 0)]
    while waiting and len(names) < MAX_TEXTS:
        item, depth = waiting.pop()
        if isinstance(item, dict):
            item = item.get("children") or _first_filled(item)
        if isinstance(item, str):
            names.append(item)
        elif isinstance(item, list | dict):
            if depth < MAX_NESTING:
                inner = item[:MAX_TEXTS] if isinstance(item, list) else [item]
                waiting.extend([(each, depth + 1) for each in reversed(inner)])
        elif isinstance(item, int | float) and not isinstance(item, bool):
            names.append(str(item))
    return names


def _first_filled(item: dict[str, Any]) -> Any:
    for key in _NAME_KEYS:
        if item.get(key):
            return item[key]
    return None


def _unique(texts: Iterable[str]) -> tuple[str, ...]:
    cleaned = (" ".join(text.split()) for text in texts)
    return tuple(dict.fromkeys(text for text in cleaned if text))[:MAX_TEXTS]
