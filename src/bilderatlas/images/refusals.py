"""Why a picture is refused: one code for tables, one sentence for people."""

from __future__ import annotations

from bilderatlas.errors import ImageError

SENTENCES: dict[str, str] = {
    "empty": "The file is empty. Download or copy it again.",
    "file-too-large": (
        "The file has {n_bytes:,} bytes; at most {limit:,} are read. Save a smaller version."
    ),
    "not-a-picture": (
        "The file is {what}, not a picture. Expected JPEG, PNG, TIFF, WebP, GIF or BMP; check the "
        "address or the path that it came from."
    ),
    "unsupported-format": (
        "The file is {what}, which is not opened here. Save it as JPEG, PNG or TIFF."
    ),
    "unsupported-variant": (
        "This kind of {what} cannot be read. Save it again as an ordinary JPEG, PNG or TIFF."
    ),
    "too-many-pixels": (
        "The picture has {n_pixels:,} pixels; at most {limit:,} are opened. Save a smaller version."
    ),
    "side-too-long": (
        "The picture is {side:,} pixels long; at most {limit:,} are opened. Cut or scale it."
    ),
    "no-pixels": "The picture has no pixels: its header says {width} × {height}. Save it again.",
    "truncated": "The file ends before the picture does. Download or copy it again.",
    "damaged": "The file is damaged and cannot be decoded as {what}. Download or copy it again.",
    "metadata-too-large": (
        "The texts or the colour profile inside the file unpack to an unreasonable size. Save the "
        "picture again without them."
    ),
    "too-much-memory": (
        "The picture needs more than {limit:,} bytes of memory to open. Save a smaller version."
    ),
    "too-slow": (
        "The picture was not opened within {limit:g} seconds. Save it again, or a smaller version."
    ),
    "decoder-died": "The decoder ended on this picture, twice. The file is probably damaged.",
    "bad-answer": "The decoder gave an answer that does not fit this picture; it was not used.",
}


def refusal(code: str, **facts: object) -> ImageError:
    """Return the `ImageError` for `code`, its sentence filled with `facts`.

    >>> str(refusal("empty"))
    'The file is empty. Download or copy it again.'
    """
    return ImageError(code, SENTENCES[code].format(**facts))
