"""Cut a rectangle, given in shares of width and height, out of a picture."""

from __future__ import annotations

import math

import numpy as np

from bilderatlas.arrays import Pixels
from bilderatlas.errors import QueryError


def crop(pixels: Pixels, x: float, y: float, w: float, h: float) -> Pixels:
    """Return the part of `pixels` `(h, w, 3)` inside the rectangle, at least one pixel.

    Pixels that the rectangle touches belong to it; what lies outside the picture is left out.

    Args:
        pixels: The picture, oriented.
        x: Left edge as a share of the width, 0 to 1.
        y: Upper edge as a share of the height, 0 to 1.
        w: Width as a share of the width, above 0.
        h: Height as a share of the height, above 0.

    Raises:
        QueryError: when the rectangle is empty, not a number, or outside the picture.

    >>> crop(np.zeros((10, 20, 3), np.uint8), 0.5, 0.0, 0.5, 0.2).shape
    (2, 10, 3)
    """
    finite = all(math.isfinite(value) for value in (x, y, w, h))
    if not (finite and w > 0 and h > 0 and x < 1 and y < 1 and x + w > 0 and y + h > 0):
        raise QueryError(
            f"Cannot cut the region {x:g},{y:g},{w:g},{h:g}: expected x,y,width,height as shares "
            "of the picture, for example 0.1,0.2,0.3,0.3."
        )
    height, width = pixels.shape[:2]
    left, right = _span(x, w, width)
    top, bottom = _span(y, h, height)
    return np.ascontiguousarray(pixels[top:bottom, left:right])


def _span(start: float, extent: float, n_px: int) -> tuple[int, int]:
    """Turn shares of a side into first and last pixel (half-open), at least one."""
    slack = 1e-6  # 0.1 + 0.2 must not touch one pixel more than 0.3 does
    first = min(max(math.floor(start * n_px + slack), 0), n_px - 1)
    last = min(math.ceil((start + extent) * n_px - slack), n_px)
    return first, max(last, first + 1)
