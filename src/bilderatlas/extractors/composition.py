"""Where the edges and masses of a picture lie, whatever their colours.

Gradients of lightness are summed by direction over a grid of cells, as in a histogram of oriented
gradients, but normalised over the whole picture instead of block by block: a figure that stands
out keeps standing out. Directions are unsigned, so a negative has the composition of its positive.
The picture is brought to a square: places are shares of width and height.

Follows N. Dalal and B. Triggs, *Histograms of oriented gradients for human detection* (2005), and
for the pyramid of grids A. Bosch and others, *Representing shape with a spatial pyramid kernel*
(2007).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from bilderatlas.arrays import Embeddings, Metric, Pixels
from bilderatlas.extractors.base import EXTRACTORS, Card, Extractor, ImageRows

SIDE = 128
N_DIRECTIONS = 8
GRIDS = (8, 4)  # cells a side
_BLUR_SIGMA_PX = 1.2
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


class Composition(Extractor):
    """Orientation masses over two grids, together of length 1."""

    card = Card(
        model_id="composition_hog.pixels",
        judges_by="composition",
        sees=(
            "Two pictures are alike when edges and masses of the same direction lie in the same "
            "places; colours do not matter, and a mirrored picture is another one."
        ),
        dim=sum(grid * grid for grid in GRIDS) * N_DIRECTIONS,
        dtype="f16",
        metrics=(Metric.ANGULAR, Metric.EUCLIDEAN, Metric.DOT, Metric.MANHATTAN),
        side_px=256,
        preprocessing=(
            {"step": "luma", "weights": [0.299, 0.587, 0.114]},
            {"step": "resize", "to_wh": [SIDE, SIDE], "filter": "area", "keep_aspect": False},
            {"step": "blur", "sigma_px": _BLUR_SIGMA_PX},
            {"step": "gradient", "directions": N_DIRECTIONS, "signed": False},
            {"step": "sum", "grids": list(GRIDS), "interpolation": "linear"},
            {"step": "square root"},
            {"step": "normalise", "norm": "L2"},
        ),
        paper=(
            "N. Dalal, B. Triggs: Histograms of oriented gradients for human detection, 2005; "
            "A. Bosch and others: Representing shape with a spatial pyramid kernel, 2007"
        ),
    )

    def extract_batch(self, images: Sequence[Pixels]) -> list[ImageRows]:
        """Extract each of `images`: one row of `(640,)` float32, zeros for an even surface."""
        return [ImageRows(_embedded(pixels)[None]) for pixels in images]


def _embedded(pixels: Pixels) -> Embeddings:
    masses = _direction_masses(pixels)
    parts = []
    for grid in GRIDS:
        spread = _pooled(masses, grid)
        parts.append(np.sqrt(spread / max(float(spread.sum()), 1e-12)).ravel())
    vector = np.concatenate(parts) / np.sqrt(len(GRIDS))
    return np.asarray(vector, dtype=np.float32)


def _direction_masses(pixels: Pixels) -> npt.NDArray[np.float32]:
    """Return `(128, 128, 8)`: gradient magnitude, shared between the two nearest directions."""
    small = cv2.resize(pixels, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    light = cv2.GaussianBlur(small @ _LUMA, (0, 0), _BLUR_SIGMA_PX)
    across, down = cv2.Sobel(light, cv2.CV_32F, 1, 0), cv2.Sobel(light, cv2.CV_32F, 0, 1)
    magnitude = np.hypot(across, down)
    magnitude[magnitude < 1.0] = 0  # rounding, not drawing
    place = np.mod(np.arctan2(down, across), np.pi) * (N_DIRECTIONS / np.pi)
    lower = np.floor(place).astype(np.intp)
    upper_share = (place - lower).astype(np.float32)
    masses = np.zeros((SIDE * SIDE, N_DIRECTIONS), np.float32)
    every = np.arange(SIDE * SIDE)
    for direction, share in ((lower, 1 - upper_share), (lower + 1, upper_share)):
        masses[every, direction.ravel() % N_DIRECTIONS] += (magnitude * share).ravel()
    return masses.reshape(SIDE, SIDE, N_DIRECTIONS)


def _pooled(masses: npt.NDArray[Any], grid: int) -> npt.NDArray[Any]:
    """Sum `(128, 128, 8)` into `(grid, grid, 8)`; a pixel belongs to its nearest cells linearly."""
    weights = _cell_weights(grid)
    return np.asarray(np.einsum("gy,yxd,hx->ghd", weights, masses, weights, optimize=True))


def _cell_weights(grid: int) -> npt.NDArray[np.float32]:
    """Return `(grid, 128)`: how much each line belongs to each cell; columns sum to 1."""
    centres = np.clip((np.arange(SIDE) + 0.5) * grid / SIDE - 0.5, 0, grid - 1)
    weights = np.maximum(0, 1 - np.abs(np.arange(grid)[:, None] - centres))
    return np.asarray(weights, dtype=np.float32)


EXTRACTORS.register(Composition.card.model_id, Composition())
