"""Local features: what finds a copy, a quotation or a detail, wherever it stands in a picture.

SIFT keypoints described by RootSIFT, stored as bytes; an image has as many rows as it has features
worth keeping, and none where it shows nothing (an empty sheet, a single colour).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from bilderatlas.arrays import Ints, Metric, Pixels
from bilderatlas.extractors.base import EXTRACTORS, Card, Extractor, ImageRows

DIM = 128
SIDE_PX = 576
MAX_FEATURES = 800
QUANTISATION = 512  # RootSIFT components are at most 1 and rarely above 0.5: a byte holds them

_STRONGEST = 1000  # described before the choice of MAX_FEATURES that are spread over the picture
_CONTRAST = 0.03
_EDGE = 10.0
_SIGMA = 1.6
_MIN_SIDE_PX = 12  # smaller pictures have no room for a single descriptor
_GRID = 8  # cells a side over which features are spread
_SPREAD = 0.5  # share of the features that is dealt out cell by cell

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]


class DetailsSift(Extractor):
    """RootSIFT features of a picture, the strongest ones, spread over it."""

    card = Card(
        model_id="details_sift.pixels",
        judges_by="shared details",
        sees="Corners and spots of the drawing, each with its surroundings: the same detail is "
        "recognised when it is turned, scaled, lit differently or photographed askew.",
        dim=DIM,
        dtype="u8",
        metrics=(Metric.EUCLIDEAN,),
        side_px=SIDE_PX,
        preprocessing=(
            {"step": "scale_long_side", "side_px": SIDE_PX, "enlarge": False},
            {"step": "grey", "weights_rgb": [0.299, 0.587, 0.114]},
            {
                "step": "sift",
                "contrast_threshold": _CONTRAST,
                "edge_threshold": _EDGE,
                "sigma": _SIGMA,
                "octave_layers": 3,
                "strongest": _STRONGEST,
            },
            {
                "step": "spread",
                "max_features": MAX_FEATURES,
                "grid": _GRID,
                "share": _SPREAD,
            },
            {"step": "root_l1", "times": QUANTISATION, "clip": 255},
        ),
        licence="MIT",
        paper="Lowe, Distinctive image features from scale-invariant keypoints, IJCV 2004; "
        "Arandjelović and Zisserman, Three things everyone should know to improve object "
        "retrieval, CVPR 2012",
        many_rows=True,
        rows_are="detail",
    )

    def extract_batch(self, images: Sequence[Pixels]) -> list[ImageRows]:
        """Extract up to `MAX_FEATURES` features of each image; a picture without any has no row."""
        # One thread a picture: the caller works on several at once, and the order is reproducible.
        cv2.setNumThreads(1)
        return [_extract(pixels) for pixels in images]


def no_rows(size_wh: tuple[int, int] | None = None) -> ImageRows:
    """Return the rows of a picture that shows nothing."""
    return ImageRows(np.empty((0, DIM), np.uint8), np.empty((0, 4), np.float32), size_wh)


def _extract(pixels: Pixels) -> ImageRows:
    height, width = pixels.shape[:2]
    if min(height, width) < _MIN_SIDE_PX:
        return no_rows((width, height))
    grey = cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2GRAY)
    sift = cv2.SIFT_create(  # type: ignore[attr-defined]  # absent from the stubs alone
        nfeatures=_STRONGEST,
        contrastThreshold=_CONTRAST,
        edgeThreshold=_EDGE,
        sigma=_SIGMA,
        enable_precise_upscale=True,  # otherwise every place is off by a quarter of a pixel
    )
    keypoints, described = sift.detectAndCompute(grey, None)
    if described is None or len(keypoints) == 0:
        return no_rows((width, height))
    keys = np.array(
        [(*point.pt, point.size, point.angle, point.response) for point in keypoints], np.float32
    )
    places = keys[:, :2] / [width, height]
    chosen = spread_choice(places.astype(np.float32), keys[:, 4], max_features=MAX_FEATURES)
    keys = keys[chosen]
    geometry = np.stack(
        [
            (keys[:, 0] + 0.5) / width,
            (keys[:, 1] + 0.5) / height,
            keys[:, 2] / max(width, height),
            np.deg2rad(keys[:, 3]),
        ],
        axis=1,
    )
    vectors = root_bytes(described[chosen])
    return ImageRows(vectors, geometry.astype(np.float32), (width, height))


def root_bytes(descriptors: npt.NDArray[Any]) -> Bytes:
    """Turn SIFT histograms `(m, 128)` into RootSIFT bytes whose euclidean distance is Hellinger's.

    >>> root_bytes(np.array([[4.0, 0, 0, 12.0]])).tolist()
    [[255, 0, 0, 255]]
    """
    sums = descriptors.sum(axis=1, keepdims=True, dtype=np.float32)
    shares = descriptors.astype(np.float32) / np.where(sums == 0, 1, sums)
    roots = np.rint(np.sqrt(shares) * QUANTISATION)
    return np.asarray(np.minimum(roots, 255), dtype=np.uint8)


def spread_choice(places: Floats, responses: Floats, *, max_features: int) -> Ints:
    """Choose features that are strong, and do not all crowd into one corner.

    Half of them are the strongest anywhere; the others are dealt out over the cells of a grid,
    every cell's strongest first, so that a quiet passage keeps a few features of its own.

    Args:
        places: `(m, 2)` x and y, shares of width and height.
        responses: `(m,)` strength of each feature.
        max_features: How many are kept at most.

    Returns:
        Rows of the chosen features, ascending.
    """
    n_features = len(places)
    by_strength = np.argsort(-responses, kind="stable")
    if n_features <= max_features:
        return np.arange(n_features)
    n_strong = round(max_features * (1 - _SPREAD))
    rest = by_strength[n_strong:]
    cells = np.clip((places[rest] * _GRID).astype(np.int64), 0, _GRID - 1) @ np.array([1, _GRID])
    by_cell = np.argsort(cells, kind="stable")
    starts = np.searchsorted(cells[by_cell], cells[by_cell], side="left")
    turn = np.empty(len(rest), np.int64)
    turn[by_cell] = np.arange(len(rest)) - starts
    dealt = rest[np.argsort(turn, kind="stable")][: max_features - n_strong]
    return np.sort(np.concatenate([by_strength[:n_strong], dealt])).astype(np.int64)


def _mirror_permutation() -> Ints:
    """Return where each of the 4 × 4 × 8 bins of a descriptor comes from in its mirror image.

    A mirror turns the keypoint's own orientation along, and with respect to it exchanges the bins
    across (rows of the grid) and the sense of every gradient's angle.
    """
    rows, columns, angles = np.meshgrid(np.arange(4), np.arange(4), np.arange(8), indexing="ij")
    return np.asarray(((3 - rows) * 4 + columns) * 8 + (8 - angles) % 8, np.int64).ravel()


_MIRROR = _mirror_permutation()


def mirror_rows(rows: ImageRows) -> ImageRows:
    """Return the features as they would be found in the picture's mirror image (left to right).

    Exact but for the pixel grid: SIFT's bins are placed symmetrically about the orientation of
    the keypoint, so that a mirrored descriptor is a permutation of the bins.
    """
    if rows.geometry is None:
        return rows
    geometry = rows.geometry.copy()
    geometry[:, 0] = 1 - geometry[:, 0]
    geometry[:, 3] = (np.pi - geometry[:, 3]) % (2 * np.pi)
    return ImageRows(np.ascontiguousarray(rows.vectors[:, _MIRROR]), geometry, rows.size_wh)


EXTRACTORS.register(DetailsSift.card.model_id, DetailsSift())
