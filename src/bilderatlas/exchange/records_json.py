"""Records as strangers write them: JSON whose fields are proved before anything is stored."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from bilderatlas.records import FIELD_KINDS, FieldKind, Record

MAX_RECORD_CHARS = 4 << 20
_raw_decode = json.JSONDecoder().raw_decode
_TEXTUAL = {FieldKind.TEXT, FieldKind.LINK}
_TEXT_NAMES = frozenset(name for name, kind in FIELD_KINDS.items() if kind in _TEXTUAL)


def record_from(
    image_id: str, text: str | None, links: Mapping[str, str | None], *, is_proved: bool = False
) -> Record:
    """Rebuild a record from its JSON; `links` fill what the JSON leaves out.

    Args:
        image_id: Its id.
        text: The JSON.
        links: By the name of the field.
        is_proved: `checked_record` has proved this very text before.

    Raises:
        ValueError: when it is no JSON object, or a field is not of its kind.
    """
    values = _parsed_record(text) if is_proved else checked_record(text)
    for name, link in links.items():
        if link and not values.get(name):
            values[name] = link
    values["image_id"] = image_id
    return Record.from_json(values)


def checked_record(text: str | None) -> dict[str, Any]:
    """Return the fields of a record given as JSON, each proved to be of its kind.

    Raises:
        ValueError: when it is no JSON object, or a field is not of its kind.
    """
    values = _parsed_record(text)
    for name, value in values.items():
        if type(value) is str and name in _TEXT_NAMES:  # most are
            continue
        kind = FIELD_KINDS.get(name)
        if kind is not None and not _is_of(kind, value):
            raise ValueError(f"{name} is {json.dumps(value)[:80]}, expected {kind.value}")
    if not isinstance(values.get("raw", {}), dict):
        raise ValueError("raw is no object")
    return values


def _parsed_record(text: str | None) -> dict[str, Any]:
    if not text:
        return {}
    if len(text) > MAX_RECORD_CHARS:
        raise ValueError("it is larger than 4 MiB")
    try:
        values: Any = _loads(text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if not isinstance(values, dict):
        raise ValueError(f"expected an object, found {type(values).__name__}")
    if "\\ud" in text or "\\uD" in text:
        values = _whole_characters(values)
    found: dict[str, Any] = values
    return found


def _loads(text: str) -> Any:
    """Do as `json.loads`, which spends half its time on blanks that are not there."""
    try:
        values, end = _raw_decode(text)
    except json.JSONDecodeError:
        end = -1
    return values if end == len(text) else json.loads(text)


def _is_of(kind: FieldKind, value: Any) -> bool:
    if isinstance(value, str):
        return kind in _TEXTUAL
    if isinstance(value, list):
        return kind is FieldKind.TEXTS and all(isinstance(one, str) for one in value)
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return kind is FieldKind.YEAR and is_number and abs(value) <= 1_000_000_000


def _whole_characters(value: Any) -> Any:
    """Replace halves of surrogate pairs, which no database and no page can carry."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_whole_characters(one) for one in value]
    if isinstance(value, dict):
        return {_whole_characters(key): _whole_characters(one) for key, one in value.items()}
    return value
