"""Arithmetic of colour planes, by the routes that are quick: OpenCV's, channel by channel.

NumPy broadcasts `(h, w, 1)` over `(h, w, 3)` in steps of three numbers, which costs several times
what the same arithmetic costs on whole planes.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from bilderatlas.museum.noise import Plane


def evenly(shape_hw: tuple[int, int], colour: Sequence[float] | Plane) -> Plane:
    """Return a plane `(h, w, 3)` of one colour."""
    return np.asarray(cv2.merge([np.full(shape_hw, c, np.float32) for c in colour]), np.float32)


def tinted(share: Plane, low: Sequence[float] | Plane, high: Sequence[float] | Plane) -> Plane:
    """Return colours `(h, w, 3)` from `low` where `share` `(h, w)` is 0 to `high` where it is 1."""
    share = np.asarray(share, np.float32)
    channels = []
    for start, end in zip(low, high, strict=True):
        channel = share * np.float32(end - start)
        channel += np.float32(start)
        channels.append(channel)
    return np.asarray(cv2.merge(channels), np.float32)


def times(rgb: Plane, factor: Plane) -> Plane:
    """Return colours `(h, w, 3)` times a factor `(h, w)`."""
    factor = np.ascontiguousarray(factor, np.float32)
    return np.asarray(rgb * cv2.merge((factor, factor, factor)), np.float32)


def blend(below: Plane, above: Plane | Sequence[float], share: Plane) -> Plane:
    """Return `(h, w, 3)`: `below` where `share` `(h, w)` is 0, `above` where it is 1."""
    share = np.ascontiguousarray(share, np.float32)
    over = np.asarray(above, np.float32)
    if over.ndim == 1:
        over = evenly((share.shape[0], share.shape[1]), over)
    elif over.shape[:2] != share.shape or not over.flags.c_contiguous:
        over = np.ascontiguousarray(np.broadcast_to(over, (*share.shape, 3)))
    return np.asarray(cv2.blendLinear(below, over, 1 - share, share), np.float32)
