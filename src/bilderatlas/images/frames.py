"""Count frames and pages by walking the file's own links, without decoding one."""

from __future__ import annotations

import struct

_GIF_IMAGE, _GIF_EXTENSION = 0x2C, 0x21


def count_gif_frames(content: bytes, limit: int) -> int:
    """Return the number of images in a GIF (GIF89a, appendix A), at most `limit`, at least 1."""
    count = 0
    try:
        at = 13 + _colour_table_bytes(content[10])
        while count < limit:
            block = content[at]
            if block == _GIF_IMAGE:
                count += 1
                at += 10 + _colour_table_bytes(content[at + 9]) + 1
            elif block == _GIF_EXTENSION:
                at += 2
            else:
                break
            while (n_bytes := content[at]) > 0:
                at += n_bytes + 1
            at += 1
    except IndexError:
        pass
    return max(1, count)


def _colour_table_bytes(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def count_tiff_pages(content: bytes, limit: int) -> int:
    """Return the number of directories in a TIFF 6.0 or BigTIFF chain, at most `limit`.

    A chain that comes back to a directory already seen ends there.
    """
    order = "<" if content[:2] == b"II" else ">"
    is_big = content[2:4] in {b"+\x00", b"\x00+"}
    offset_format, count_format, entry_bytes = (
        (order + "Q", order + "Q", 20) if is_big else (order + "I", order + "H", 12)
    )
    seen: set[int] = set()
    try:
        (at,) = struct.unpack_from(offset_format, content, 8 if is_big else 4)
        while at and at not in seen and len(seen) < limit:
            (n_entries,) = struct.unpack_from(count_format, content, at)
            seen.add(at)
            at += struct.calcsize(count_format) + n_entries * entry_bytes
            (at,) = struct.unpack_from(offset_format, content, at)
    except (struct.error, OverflowError):
        pass
    return max(1, len(seen))
