"""The public record of a work: all that is known about it, less what names this machine's files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_PATH = re.compile(r"\s*(?:/|\\|~[^/\\\s]*[/\\]|[A-Za-z]:[/\\]|file:)", re.IGNORECASE)
_NOTHING = object()


def public_record(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record's JSON as strangers may have it: in packages and over the network.

    `image_path` goes, and with it every value of the original row, or link, that says where a file
    lies on this machine: an absolute path, a `file:` address, or the picture's own path again.

    >>> public_record({"title": "Aurora", "image_path": "a.png", "raw": {"id": 7, "file": "a.png"}})
    {'title': 'Aurora', 'raw': {'id': 7}}
    """
    own = values.get("image_path")
    found = {name: value for name, value in values.items() if name != "image_path"}
    for name in ("page_url", "image_url", "iiif_service"):
        if isinstance(found.get(name), str) and names_file(found[name]):
            del found[name]
    if "raw" in found:
        found["raw"] = _without_paths(found["raw"], own)
    return found


def names_file(text: str) -> bool:
    """Tell whether a text says where a file lies on this machine."""
    return bool(_PATH.match(text))


def _without_paths(value: Any, own: Any) -> Any:
    """Return a value of the original row; `_NOTHING` where it is a path of this machine."""
    if isinstance(value, str):
        is_path = names_file(value) or (bool(own) and value.strip() == own)
        return _NOTHING if is_path else value
    if isinstance(value, Mapping):
        kept = {name: _without_paths(one, own) for name, one in value.items()}
        return {name: one for name, one in kept.items() if one is not _NOTHING}
    if isinstance(value, list | tuple):
        public = (_without_paths(one, own) for one in value)
        return [one for one in public if one is not _NOTHING]
    return value
