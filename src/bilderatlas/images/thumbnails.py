"""Thumbnails: which sizes there are, and how they are made."""

from __future__ import annotations

import io

from PIL import Image

from bilderatlas.arrays import scale_to_side

THUMBNAIL_SIDES_PX = (64, 256, 512)
QUALITY = 80
EFFORT = 1  # of 0 (fast) to 6 (small): 2 costs half as much again and saves 3 % of the bytes


def make_thumbnails(picture: Image.Image, original_wh: tuple[int, int]) -> dict[int, bytes]:
    """Return a WebP for each side in `THUMBNAIL_SIDES_PX`, never enlarged.

    Args:
        picture: RGB in sRGB, oriented; as large as the largest thumbnail, or as the original.
        original_wh: Size of the oriented original, which alone decides about the sizes.

    The largest is made first and each smaller one from it, which costs a third of starting anew.
    """
    made: dict[int, bytes] = {}
    for side_px in sorted(THUMBNAIL_SIDES_PX, reverse=True):
        picture = resized(picture, scale_to_side(original_wh, side_px))
        made[side_px] = encode_webp(picture)
    return made


def resized(picture: Image.Image, size_wh: tuple[int, int]) -> Image.Image:
    """Return the picture in another size; itself when it has that size already."""
    if size_wh == picture.size:
        return picture
    return picture.resize(size_wh, Image.Resampling.LANCZOS, reducing_gap=3.0)


def encode_webp(picture: Image.Image) -> bytes:
    """Encode as lossy WebP without any metadata."""
    out = io.BytesIO()
    picture.save(out, "WEBP", quality=QUALITY, method=EFFORT, exif=b"", xmp=b"", icc_profile=b"")
    return out.getvalue()
