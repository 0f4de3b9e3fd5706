"""What bytes are, by their first few: a picture is never served as anything but a picture."""

from __future__ import annotations

from bilderatlas.errors import ImageError
from bilderatlas.images.sniff import sniff_format

SHOWN_SUFFIXES = (".jpg", ".jpeg", ".png", ".gif", ".webp")  # what every browser can show


def image_type(data: bytes) -> str:
    """Return the media type of an encoded picture; empty for everything else (SVG too)."""
    try:
        return f"image/{sniff_format(data).lower()}"
    except ImageError:
        return ""
