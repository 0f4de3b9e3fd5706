"""What bytes are, by their first few: a picture is never served as anything but a picture."""

from __future__ import annotations

_MAGIC = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"BM", "image/bmp"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
)
SHOWN_SUFFIXES = (".jpg", ".jpeg", ".png", ".gif", ".webp")  # what every browser can show


def image_type(data: bytes) -> str:
    """Return the media type of an encoded picture; empty for everything else (SVG too)."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for magic, kind in _MAGIC if data.startswith(magic)), "")
