"""Records as strangers write them: JSON whose fields are proved before anything is stored."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from bilderatlas.records import FIELD_KINDS, FieldKind, Record

MAX_RECORD_CHARS = 4 << 20
_TEXTUAL = {FieldKind.TEXT, FieldKind.LINK}


def record_from(image_id: str, text: str | None, links: Mapping[str, str | None]) -> Record:
    """Rebuild a record from its JSON; `links` fill what the JSON leaves out.

    Raises:
        ValueError: when it is no JSON object, or a field is not of its kind.
    """
    values: Any = {}
    if text:
        if len(text) > MAX_RECORD_CHARS:
            raise ValueError("it is larger than 4 MiB")
        try:
            values = json.loads(text)
        except RecursionError as error:
            raise ValueError("it is nested too deeply") from error
        if not isinstance(values, dict):
            raise ValueError(f"expected an object, found {type(values).__name__}")
        if "\\ud" in text or "\\uD" in text:
            values = _whole_characters(values)
    for name, value in values.items():
        kind = FIELD_KINDS.get(name)
        if kind is not None:
            values[name] = _checked(name, kind, value)
    for name, link in links.items():
        if link and not values.get(name):
            values[name] = link
    if not isinstance(values.get("raw", {}), dict):
        raise ValueError("raw is no object")
    values["image_id"] = image_id
    return Record.from_json(values)


def _checked(name: str, kind: FieldKind, value: Any) -> Any:
    if kind in _TEXTUAL:
        if isinstance(value, str):
            return value
    elif kind is FieldKind.TEXTS:
        if isinstance(value, list) and all(isinstance(one, str) for one in value):
            return value
    elif isinstance(value, int) and not isinstance(value, bool) and abs(value) <= 1_000_000_000:
        return value
    raise ValueError(f"{name} is {json.dumps(value)[:80]}, expected {kind.value}")


def _whole_characters(value: Any) -> Any:
    """Replace halves of surrogate pairs, which no database and no page can carry."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_whole_characters(one) for one in value]
    if isinstance(value, dict):
        return {_whole_characters(key): _whole_characters(one) for key, one in value.items()}
    return value
