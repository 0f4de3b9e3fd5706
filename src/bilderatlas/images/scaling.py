"""Decoded pictures at the size that an extractor wants: one way, wherever it is done."""

from __future__ import annotations

import cv2
import numpy as np

from bilderatlas.arrays import Pixels, scale_to_side


def scaled(pixels: Pixels, side_px: int) -> Pixels:
    """Return `pixels` `(h, w, 3)` with a long side of at most `side_px`; never enlarged."""
    height, width = pixels.shape[:2]
    size_wh = scale_to_side((width, height), side_px)
    if size_wh == (width, height):
        return pixels
    return np.asarray(cv2.resize(pixels, size_wh, interpolation=cv2.INTER_AREA), np.uint8)
