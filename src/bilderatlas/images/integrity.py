"""Tell whether a file is whole: the sums of a PNG, and the end of any other."""

from __future__ import annotations

import struct
import zlib

from bilderatlas.images.refusals import refusal

_TIFF_TYPE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
_TIFF_SPANS = ((273, 279), (324, 325))  # offsets and byte counts of strips, of tiles
_MAX_SPANS = 100_000


def check_png(content: bytes) -> None:
    """Compare the sum of every critical chunk (PNG, third edition, 5.3).

    Pillow does not for pixels: a download that was filled up with zeros would come out half black.
    What follows the end chunk, or the lack of that chunk, is no fault.

    Raises:
        ImageError: `truncated` or `damaged`.
    """
    at, n_content = 8, len(content)
    view = memoryview(content)
    while at < n_content:
        if at + 12 > n_content:
            raise refusal("truncated")
        (n_bytes,) = struct.unpack_from(">I", content, at)
        kind = content[at + 4 : at + 8]
        end = at + 12 + n_bytes
        is_critical = kind[:1].isupper()
        if end > n_content:
            raise refusal("truncated")
        if is_critical and zlib.crc32(view[at + 4 : end - 4]) != _number(content, ">I", end - 4):
            raise refusal("damaged", what="PNG")
        if kind == b"IEND":
            return
        if not kind.isalpha():
            raise refusal("damaged", what="PNG")
        at = end


def ends_early(content: bytes, format_: str) -> bool:
    """Return True where a file of `format_` lacks its end, or says that it is longer than it is.

    Meant for files that have already failed: sound ones may lack their end mark as well.
    """
    if format_ == "JPEG":
        return b"\xff\xd9" not in content
    if format_ == "PNG":
        return b"IEND" not in content[-4096:]
    if format_ == "GIF":
        return not content.rstrip(b"\x00").endswith(b";")
    if format_ == "WEBP":
        return _number(content, "<I", 4) + 8 > len(content)
    if format_ == "BMP":
        return _number(content, "<I", 2) > len(content)
    return _tiff_ends_early(content)


def webp_pixels(content: bytes) -> int:
    """Return width times height as the first chunk of a WebP says it (RFC 9649); 0 if unreadable.

    The decoder has but one message for "damaged" and "no memory"; this tells them apart.
    """
    kind = content[12:16]
    if kind == b"VP8X":
        width = (_number(content, "<I", 24) & 0xFFFFFF) + 1
        height = (_number(content, "<I", 26) >> 8 & 0xFFFFFF) + 1
    elif kind == b"VP8L":
        bits = _number(content, "<I", 21)
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    elif kind == b"VP8 ":
        width, height = (_number(content, "<H", at) & 0x3FFF for at in (26, 28))
    else:
        return 0
    return width * height


def _number(content: bytes, kind: str, at: int) -> int:
    """Read a number; one that lies past the end is larger than any."""
    try:
        return int(struct.unpack_from(kind, content, at)[0])
    except (struct.error, OverflowError):
        return 1 << 64


def _tiff_ends_early(content: bytes) -> bool:
    """Look whether the first directory, or anything that it names, lies past the end."""
    order = "<" if content[:2] == b"II" else ">"
    directory = _number(content, order + "I", 4)
    n_entries = _number(content, order + "H", directory)
    if directory + 2 + 12 * n_entries > len(content):
        return True
    spans: dict[int, list[int]] = {}
    for at in range(directory + 2, directory + 2 + 12 * n_entries, 12):
        tag, kind, count = struct.unpack_from(order + "HHI", content, at)
        n_bytes = count * _TIFF_TYPE_BYTES.get(kind, 0)
        start = at + 8 if n_bytes <= 4 else _number(content, order + "I", at + 8)
        if start + n_bytes > len(content):
            return True
        if kind in {3, 4} and count <= _MAX_SPANS:
            letter = "H" if kind == 3 else "I"
            spans[tag] = list(struct.unpack_from(f"{order}{count}{letter}", content, start))
    return any(
        start + n_bytes > len(content)
        for starts, counts in _TIFF_SPANS
        for start, n_bytes in zip(spans.get(starts, ()), spans.get(counts, ()), strict=False)
    )
