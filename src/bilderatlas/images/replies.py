"""Check what a child answered before anything else sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bilderatlas.arrays import Pixels, scale_to_side
from bilderatlas.errors import ImageError
from bilderatlas.images.limits import DecodeLimits
from bilderatlas.images.refusals import SENTENCES, refusal
from bilderatlas.images.sniff import FORMATS
from bilderatlas.images.texts import Found, clean_field, clean_text
from bilderatlas.images.thumbnails import THUMBNAIL_SIDES_PX
from bilderatlas.images.tiles import Pyramid
from bilderatlas.records import FIELD_KINDS

MAX_THUMBNAIL_BYTES = 2_000_000
MAX_UPLOAD_BYTES = 50_000_000
_MAX_SENTENCE_CHARS = 500


@dataclass(frozen=True, slots=True)
class DecodedImage:
    """A picture that was opened.

    Attributes:
        pixels: `(h, w, 3)` uint8, sRGB, upright; long side at most what was asked for.
        original_size_wh: Upright, before scaling.
        format: `JPEG`, `PNG`, `TIFF`, `WEBP`, `GIF` or `BMP`.
        n_frames: Frames or pages, counted up to `DecodeLimits.max_frames`.
        thumbnails: A WebP by side in pixels, or nothing.
        found: Record fields found inside the file; tuples where a field holds several texts.
    """

    pixels: Pixels
    original_size_wh: tuple[int, int]
    format: str
    n_frames: int
    thumbnails: dict[int, bytes]
    found: dict[str, Any]


def max_body_bytes(side_px: int, limits: DecodeLimits) -> int:
    """Return how long an honest answer can be."""
    pixels = min(3 * side_px * side_px, 3 * limits.max_pixels)
    return pixels + len(THUMBNAIL_SIDES_PX) * MAX_THUMBNAIL_BYTES


def checked_image(
    header: Mapping[str, Any], body: bytearray, side_px: int, limits: DecodeLimits
) -> DecodedImage:
    """Return the decoded picture that a child sent.

    Raises:
        ImageError: what the child refused, or `bad-answer` where the answer contradicts itself.
    """
    raise_refusal(header)
    size_wh = _size(header.get("size_wh"), limits)
    width, height = scale_to_side(size_wh, side_px)
    n_pixel_bytes = 3 * width * height
    format_, n_frames = header.get("format"), header.get("n_frames")
    sides = header.get("thumbnails")
    if not isinstance(format_, str) or format_ not in FORMATS:
        raise refusal("bad-answer")
    if not isinstance(sides, dict) or len(body) < n_pixel_bytes:
        raise refusal("bad-answer")
    if not isinstance(n_frames, int) or not 1 <= n_frames <= limits.max_frames:
        raise refusal("bad-answer")
    thumbnails = _thumbnails(sides, memoryview(body)[n_pixel_bytes:])
    pixels = np.frombuffer(body, np.uint8, n_pixel_bytes).reshape(height, width, 3)
    if thumbnails:
        pixels = pixels.copy()  # otherwise the thumbnails stay in memory as long as the pixels
    return DecodedImage(
        pixels=pixels,
        original_size_wh=size_wh,
        format=format_,
        n_frames=n_frames,
        thumbnails=thumbnails,
        found=_found(header.get("found")),
    )


def checked_upload(header: Mapping[str, Any], body: bytearray) -> bytes:
    """Return the JPEG that a child made of an upload.

    Raises:
        ImageError: what the child refused, or `bad-answer`.
    """
    raise_refusal(header)
    if not body.startswith(b"\xff\xd8\xff") or not body.endswith(b"\xff\xd9"):
        raise refusal("bad-answer")
    return bytes(body)


def checked_tiles(header: Mapping[str, Any], body: bytearray, pyramid: Pyramid) -> list[memoryview]:
    """Return the tiles that a child cut a picture into.

    Raises:
        ImageError: what the child refused, or `bad-answer` where they are not those of `pyramid`.
    """
    raise_refusal(header)
    lengths = header.get("tiles")
    if header.get("size_wh") != [pyramid.width, pyramid.height]:
        raise refusal("bad-answer")
    if not isinstance(lengths, list) or len(lengths) != pyramid.n_tiles:
        raise refusal("bad-answer")
    tiles, at = [], 0
    for n_bytes in lengths:
        if not isinstance(n_bytes, int) or not 0 < n_bytes <= len(body) - at:
            raise refusal("bad-answer")
        tile = memoryview(body)[at : at + n_bytes].toreadonly()
        if bytes(tile[:3]) != b"\xff\xd8\xff" or bytes(tile[-2:]) != b"\xff\xd9":
            raise refusal("bad-answer")
        tiles.append(tile)
        at += n_bytes
    if at != len(body):
        raise refusal("bad-answer")
    return tiles


def raise_refusal(header: Mapping[str, Any]) -> None:
    """Raise what the child refused, if it did."""
    if "code" not in header:
        return
    code, sentence = header["code"], header.get("sentence")
    if not isinstance(code, str) or code not in SENTENCES or not isinstance(sentence, str):
        raise refusal("bad-answer")
    raise ImageError(code, clean_text(sentence, _MAX_SENTENCE_CHARS))


def _size(value: object, limits: DecodeLimits) -> tuple[int, int]:
    match value:
        case [int(width), int(height)]:
            is_sound = min(width, height) >= 1 and max(width, height) <= limits.max_side_px
            if is_sound and width * height <= limits.max_pixels:
                return width, height
    raise refusal("bad-answer")


def _thumbnails(lengths: Mapping[str, Any], rest: memoryview) -> dict[int, bytes]:
    made: dict[int, bytes] = {}
    at = 0
    for side, n_bytes in lengths.items():
        if not (side.isascii() and side.isdigit() and int(side) in THUMBNAIL_SIDES_PX):
            raise refusal("bad-answer")
        if not isinstance(n_bytes, int) or not 0 < n_bytes <= MAX_THUMBNAIL_BYTES:
            raise refusal("bad-answer")
        webp = bytes(rest[at : at + n_bytes])
        if len(webp) != n_bytes or webp[:4] != b"RIFF" or webp[8:12] != b"WEBP":
            raise refusal("bad-answer")
        made[int(side)] = webp
        at += n_bytes
    if at != len(rest):
        raise refusal("bad-answer")
    return made


def _found(value: object) -> Found:
    if not isinstance(value, dict):
        return {}
    cleaned: Found = {}
    for name, texts in value.items():
        if name in FIELD_KINDS:
            kept = clean_field(name, texts if isinstance(texts, list) else [texts])
            if kept:
                cleaned[name] = kept
    return cleaned
