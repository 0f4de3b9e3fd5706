"""What can happen to a picture without its becoming another work: one small function each.

A mirrored print, a grey photograph, a cut-down canvas, a frame in the photograph: whoever compares
works wants to know which of these a criterion notices.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from bilderatlas.arrays import Pixels, scale_to_side
from bilderatlas.errors import UnknownNameError
from bilderatlas.extractors.surroundings import inside_frame
from bilderatlas.images.region import crop

CROP_SHARE = 0.8
COARSE_SIDE_PX = 96
FRAME_SHARE = 0.08  # of the shorter side, on each side
LIP_SHARE = 0.2  # of the frame: its gilt inner edge
FRAME_RGB = (84, 56, 36)
LIP_RGB = (196, 164, 92)
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


@dataclass(frozen=True, slots=True)
class Transformation:
    """One thing that may happen to a picture.

    Attributes:
        name: For JSON, files and class names: `mirrored`.
        noun: Completes "it hardly notices …": `mirroring`.
        done: Begins a sentence about a work: `Mirrored`.
        how: What exactly is done, in one sentence.
        change: `(h, w, 3)` in, `(h', w', 3)` out; None where there is nothing to change.
        lacking: What is missing where there is nothing to change; empty where that cannot be.
    """

    name: str
    noun: str
    done: str
    how: str
    change: Callable[[Pixels], Pixels | None]
    lacking: str = ""


def mirrored(pixels: Pixels) -> Pixels:
    """Exchange left and right.

    >>> mirrored(np.arange(6, dtype=np.uint8).reshape(1, 2, 3)).tolist()
    [[[3, 4, 5], [0, 1, 2]]]
    """
    return np.ascontiguousarray(pixels[:, ::-1])


def grey(pixels: Pixels) -> Pixels:
    """Replace each colour by its luma (ITU-R BT.601) in all three channels."""
    luma = np.rint(pixels.astype(np.float32) @ _LUMA).astype(np.uint8)
    return np.repeat(luma[..., None], 3, axis=2)


def cropped(pixels: Pixels) -> Pixels:
    """Keep the middle 80 % of width and height."""
    edge = (1 - CROP_SHARE) / 2
    return crop(pixels, edge, edge, CROP_SHARE, CROP_SHARE)


def unframed(pixels: Pixels) -> Pixels | None:
    """Cut an even margin and a frame away; None where neither is found."""
    inner = inside_frame(pixels)
    if inner.shape == pixels.shape or min(inner.shape[:2]) < 1:
        return None
    return np.ascontiguousarray(inner)


def framed(pixels: Pixels) -> Pixels:
    """Put a dark frame with a gilt lip around the picture."""
    width_px = max(1, round(FRAME_SHARE * min(pixels.shape[:2])))
    lip_px = max(1, round(LIP_SHARE * width_px))
    height, width = pixels.shape[:2]
    around = np.empty((height + 2 * width_px, width + 2 * width_px, 3), np.uint8)
    around[:] = FRAME_RGB
    rest = width_px - lip_px
    around[rest : rest + height + 2 * lip_px, rest : rest + width + 2 * lip_px] = LIP_RGB
    around[width_px : width_px + height, width_px : width_px + width] = pixels
    return around


def turned(pixels: Pixels) -> Pixels:
    """Turn the picture by a quarter, clockwise."""
    return np.ascontiguousarray(np.rot90(pixels, k=-1))


def coarse(pixels: Pixels) -> Pixels:
    """Shrink the picture to 96 px and enlarge it again, as a small reproduction would be."""
    height, width = pixels.shape[:2]
    small_wh = scale_to_side((width, height), COARSE_SIDE_PX)
    small = cv2.resize(pixels, small_wh, interpolation=cv2.INTER_AREA)
    again = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(again, dtype=np.uint8)


TRANSFORMATIONS: tuple[Transformation, ...] = (
    Transformation("mirrored", "mirroring", "Mirrored", "Left and right are exchanged.", mirrored),
    Transformation(
        "grey",
        "the loss of colour",
        "Without its colours",
        "Each colour is replaced by the grey of its lightness.",
        grey,
    ),
    Transformation(
        "cropped",
        "cropping",
        "Cut down",
        "A tenth is cut off each side: 64 % of the area stay.",
        cropped,
    ),
    Transformation(
        "unframed",
        "the removal of frames",
        "Freed of its frame",
        "An even margin, and a frame whose straight edges run along all four sides, are cut away.",
        unframed,
        lacking="an even margin or a frame",
    ),
    Transformation(
        "framed",
        "framing",
        "Put into a frame",
        "A dark frame with a gilt lip is put around it, 8 % of the shorter side wide.",
        framed,
    ),
    Transformation(
        "turned", "turning", "Turned by a quarter", "It is turned clockwise by 90°.", turned
    ),
    Transformation(
        "coarse",
        "a poor reproduction",
        "Poorly reproduced",
        "It is shrunk to 96 px on its long side and enlarged again.",
        coarse,
    ),
)


def get_transformation(name: str) -> Transformation:
    """Return a transformation by its name.

    Raises:
        UnknownNameError: listing near names.
    """
    for one in TRANSFORMATIONS:
        if one.name == name:
            return one
    raise UnknownNameError("transformation", name, [one.name for one in TRANSFORMATIONS])
