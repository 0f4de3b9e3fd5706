"""What is around the picture: margins, frames, and the even ground behind an object.

All of it is judged by plain rules that a reader can check on the picture; where a rule is not
sure, nothing is taken away.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from bilderatlas.arrays import Mask, Pixels

_EVEN = 12.0  # CIELAB units (8-bit scale) within which a colour counts as the same ground
_EVEN_SHARE = 0.95  # of a line that must be of the ground's colour for it to be margin
_DEEPEST = 0.3  # of the height or width that is ever cut from one side
_EDGE = 24.0  # change of lightness across a line (8-bit scale) that counts as an edge
_EDGE_SHARE = 0.7  # of a line that must be edge, all lighter or all darker inside, to be a rim
_FRAME_DEPTH = 0.15  # of the height or width within which the rim of a frame is looked for
_GROUND_SHARE = 0.6  # of the border that must show one colour for it to be a background
_LEAST_LEFT = 0.05  # of the area that must remain when the background is left out


def inside_frame(pixels: Pixels) -> Pixels:
    """Return the part of `pixels` inside its even margin and its frame.

    A margin is cut from each side while its lines show one colour. A frame is cut only if long
    straight edges run along all four sides.
    """
    top, bottom, left, right = frame_depths(pixels)
    return pixels[top : pixels.shape[0] - bottom, left : pixels.shape[1] - right]


def frame_depths(pixels: Pixels) -> tuple[int, int, int, int]:
    """Return how many pixels of margin and frame lie at top, bottom, left and right."""
    top, bottom, left, right = _margins(pixels)
    inner = pixels[top : pixels.shape[0] - bottom, left : pixels.shape[1] - right]
    rims = _rims(inner)
    return top + rims[0], bottom + rims[1], left + rims[2], right + rims[3]


def not_background(pixels: Pixels) -> Mask:
    """Return `(h, w)`: False where an even ground reaches in from the border.

    All True where the border shows no single colour, or where hardly anything would be left.
    """
    lab = _lab(pixels)
    border = np.concatenate([lab[0], lab[-1], lab[:, 0], lab[:, -1]])
    ground = np.median(border, axis=0)
    if (_apart(border, ground) < _EVEN).mean() < _GROUND_SHARE:
        return np.ones(pixels.shape[:2], np.bool_)
    alike = (_apart(lab, ground) < _EVEN).astype(np.uint8)
    _, labels = cv2.connectedComponents(alike, connectivity=4)
    edge = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    background = np.isin(labels, np.unique(edge[edge > 0]))
    if 1 - background.mean() < _LEAST_LEFT:
        return np.ones(pixels.shape[:2], np.bool_)
    return np.asarray(~background)


def _lab(pixels: Pixels) -> npt.NDArray[np.float32]:
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB), dtype=np.float32)


def _apart(lab: npt.NDArray[Any], colour: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return np.asarray(np.linalg.norm(lab - colour, axis=-1))


def _margins(pixels: Pixels) -> tuple[int, int, int, int]:
    lab = _lab(pixels)
    turned = lab.transpose(1, 0, 2)
    return _margin(lab), _margin(lab[::-1]), _margin(turned), _margin(turned[::-1])


def _margin(lab: npt.NDArray[Any]) -> int:
    """Count the lines from the first on that show the ground's colour and nothing else."""
    ground = np.median(lab[0], axis=0)
    deepest = int(len(lab) * _DEEPEST)
    even = (_apart(lab[: deepest + 1], ground) < _EVEN).mean(axis=1) >= _EVEN_SHARE
    n_lines = int(np.argmin(even)) if not even.all() else deepest + 1
    return n_lines if n_lines <= deepest else 0  # an even ground that never ends is the picture


def _rims(pixels: Pixels) -> tuple[int, int, int, int]:
    """Return how deep a frame reaches from top, bottom, left and right; zeros without a frame."""
    lightness = _lab(pixels)[..., 0]
    sides = (lightness, lightness[::-1], lightness.T, lightness.T[::-1])
    depths = [_rim(side) for side in sides]
    if min(depths) == 0:
        return 0, 0, 0, 0
    return depths[0], depths[1], depths[2], depths[3]


def _rim(lightness: npt.NDArray[Any]) -> int:
    """Return the depth of the innermost long edge parallel to the first line, 0 without one."""
    reach = int(len(lightness) * _FRAME_DEPTH)
    width = lightness.shape[1]
    middle = lightness[: reach + 2, width // 4 : width - width // 4]
    if reach < 2 or middle.shape[1] < 4:
        return 0
    steps = middle[2:] - middle[:-2]
    shares = np.maximum((steps > _EDGE).mean(axis=1), (steps < -_EDGE).mean(axis=1))
    edges = np.flatnonzero(shares >= _EDGE_SHARE)
    return int(edges[-1]) + 2 if len(edges) else 0
