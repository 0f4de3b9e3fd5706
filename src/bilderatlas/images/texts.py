"""Make texts from foreign files fit to be stored: decoded, without controls, of bounded length."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

from bilderatlas.records import FIELD_KINDS, FieldKind

Found: TypeAlias = dict[str, "str | tuple[str, ...]"]

MAX_TEXT_CHARS = 4000
MAX_ITEM_CHARS = 300
MAX_ITEMS = 64
_CAMERA_CHATTER = frozenset(
    {
        "created with gimp",
        "dcim",
        "default",
        "digital camera",
        "exif_jpeg_picture",
        "kodak digital still camera",
        "konica minolta digital camera",
        "minolta digital camera",
        "olympus digital camera",
        "picasa",
        "samsung",
        "sony dsc",
        "untitled",
    }
)


def clean_field(name: str, texts: Iterable[Any]) -> str | tuple[str, ...] | None:
    """Return the texts as field `name` of a record wants them, of bounded length."""
    is_many = FIELD_KINDS[name] is FieldKind.TEXTS
    limit = MAX_ITEM_CHARS if is_many else MAX_TEXT_CHARS
    cleaned = [clean_text(text, limit) for text in texts if isinstance(text, str)]
    kept = list(dict.fromkeys(text for text in cleaned if text))
    if is_many:
        return tuple(kept[:MAX_ITEMS]) or None
    return kept[0] if kept else None


def clean_text(text: str, limit: int) -> str:
    """Drop what cannot be shown (controls, lone surrogates), trim, and cut to `limit`."""
    sound = text[: 4 * limit].encode("utf-8", "ignore").decode("utf-8")
    shown = "".join(char for char in sound if char.isprintable() or char in "\n\t").strip()
    return "" if shown.lower() in _CAMERA_CHATTER else shown[:limit].strip()


def decode_text(value: bytes, is_utf8: bool = False) -> str:
    """Decode bytes that are UTF-8 if they can be, else Windows' Latin."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("utf-8" if is_utf8 else "cp1252", "replace")
