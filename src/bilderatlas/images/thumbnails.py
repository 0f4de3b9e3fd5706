"""Thumbnails: which sizes there are, and how they are made."""

from __future__ import annotations

import io

from PIL import Image

from bilderatlas.arrays import scale_to_side

THUMBNAIL_SIDES_PX = (64, 256, 512)
QUALITY = 80
EFFORT = 1  # of 0 (fast) to 6 (small): 2 costs half as much again and saves 3 % of the bytes


def make_thumbnails(picture: Image.Image) -> dict[int, bytes]:
    """Return a WebP for each side in `THUMBNAIL_SIDES_PX`, never enlarged.

    Args:
        picture: RGB in sRGB, oriented.

    The largest is made first and each smaller one from it, which costs a third of starting anew.
    """
    made: dict[int, bytes] = {}
    for side_px in sorted(THUMBNAIL_SIDES_PX, reverse=True):
        picture = resized_to_side(picture, side_px)
        made[side_px] = encode_webp(picture)
    return made


def resized_to_side(picture: Image.Image, side_px: int) -> Image.Image:
    """Return the picture with its long side at most `side_px`; itself when it fits already."""
    size_wh = scale_to_side(picture.size, side_px)
    if size_wh == picture.size:
        return picture
    return picture.resize(size_wh, Image.Resampling.LANCZOS, reducing_gap=3.0)


def encode_webp(picture: Image.Image) -> bytes:
    """Encode as lossy WebP without any metadata."""
    out = io.BytesIO()
    picture.save(out, "WEBP", quality=QUALITY, method=EFFORT, exif=b"", xmp=b"", icc_profile=b"")
    return out.getvalue()
