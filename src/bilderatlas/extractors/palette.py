"""The colours of a picture with their proportions, wherever they stand.

A palette is a distribution of mass over colours; two palettes are as far apart as the work of
recolouring one into the other: the transport distance

    W(a, b)² = min over plans f ≥ 0 with margins a, b of Σ f_ij |x_i − y_j|²

in the units of `colour`. W itself is computed for re-ranking (`transport_distance`). For search, a
picture becomes a vector whose euclidean distance approximates W from below. Along a direction θ
the distance between the projected distributions is that of their quantile functions, so with K
directions that weigh all axes equally (Σ θθᵀ = K/3 · I) and Q buckets of equal mass

    v[k, j] = sqrt(3 / (K Q)) · (mean projection on θ_k of the j-th bucket of mass)

    |v_a − v_b|² ≤ 3/K Σ_k W(θ_k a, θ_k b)² ≤ W(a, b)²

with equality on both sides when one palette is the other shifted as a whole. The directions are
the 6 diagonals of the icosahedron and the 10 of the dodecahedron. Follows N. Bonneel and others,
*Sliced and Radon Wasserstein barycenters of measures* (2015).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from bilderatlas.arrays import Embeddings, Metric, Pixels
from bilderatlas.extractors.base import EXTRACTORS, Card, Extractor, ImageRows
from bilderatlas.extractors.colour import Lab, hex_of_lab, lab_of_srgb
from bilderatlas.extractors.surroundings import inside_frame, not_background

Shares = npt.NDArray[np.float64]  # (m,) 0 to 1, together 1

N_DIRECTIONS = 16
N_BUCKETS = 16
MAX_COLOURS = 12
_SAME_COLOUR = 6.0  # colours nearer than this are one entry of a palette
_SMALLEST_SHARE = 0.004
_LEVELS = 32  # of each sRGB channel while pixels are counted
_LLOYD_STEPS = 8


@dataclass(frozen=True, slots=True)
class Palette:
    """The dominant colours of a picture, largest share first.

    Attributes:
        colours_lab: `(m, 3)` float64, the scaled Oklab of `colour`: L 0 to 100.
        shares: `(m,)` float64, each colour's share of the area; together 1.
        srgb_hex: The colours as `#rrggbb`.
    """

    colours_lab: Lab
    shares: Shares
    srgb_hex: tuple[str, ...]


def palette_of(
    pixels: Pixels, *, ignore_frame: bool = False, ignore_background: bool = False
) -> Palette:
    """Return the palette of `pixels` `(h, w, 3)`, at most 12 colours.

    Args:
        pixels: The picture; 256 px on the long side are enough.
        ignore_frame: Leave out a margin or frame that runs around the picture.
        ignore_background: Leave out the even ground on which an object was photographed.

    Example:
        >>> red = np.full((4, 4, 3), (255, 0, 0), np.uint8)
        >>> palette_of(red).srgb_hex
        ('#ff0000',)
    """
    kept = inside_frame(pixels) if ignore_frame else pixels
    counted = kept[not_background(kept)] if ignore_background else kept.reshape(-1, 3)
    colours, shares = _counted(counted)
    centres, shares = _merged(*_clustered(colours, shares))
    order = np.lexsort((centres[:, 0], -shares))
    return Palette(centres[order], shares[order], hex_of_lab(centres[order]))


def transport_distance(a: Palette, b: Palette) -> float:
    """Return W(a, b), the least root-mean-square change of colour that turns `a` into `b`."""
    difference = a.colours_lab[:, None] - b.colours_lab[None]
    costs = np.einsum("abc,abc->ab", difference, difference).astype(np.float32)
    work, _, _ = cv2.EMD(
        a.shares.astype(np.float32)[:, None],
        b.shares.astype(np.float32)[:, None],
        cv2.DIST_USER,
        costs,
    )
    return float(np.sqrt(max(0.0, work)))


def embed_colours(colours: Lab, shares: Shares) -> Embeddings:
    """Embed a distribution of `shares` `(m,)` over `colours` `(m, 3)`: `(256,)` float32."""
    bounds = np.linspace(0, 1, N_BUCKETS + 1)
    vector = np.empty((N_DIRECTIONS, N_BUCKETS))
    for k, projections in enumerate(directions() @ colours.T):
        order = np.argsort(projections, kind="stable")
        mass = np.concatenate([[0], np.cumsum(shares[order])])
        moment = np.concatenate([[0], np.cumsum(shares[order] * projections[order])])
        vector[k] = np.diff(np.interp(bounds, mass / mass[-1], moment / mass[-1])) * N_BUCKETS
    scale = np.sqrt(3 / vector.size)
    return np.asarray(vector.ravel() * scale, dtype=np.float32)


class PaletteVectors(Extractor):
    """Palettes as vectors between which the euclidean distance approximates the transport."""

    card = Card(
        model_id="palette_lab.pixels",
        judges_by="palette",
        sees=(
            "Two pictures are alike when they hold the same colours in the same proportions, "
            "wherever these stand; frame and background count, as part of the picture."
        ),
        dim=N_DIRECTIONS * N_BUCKETS,
        dtype="f16",
        metrics=(Metric.EUCLIDEAN, Metric.MANHATTAN),
        side_px=256,
        preprocessing=(
            {"step": "count", "levels": _LEVELS, "colour": "mean sRGB of each cell"},
            {"step": "convert", "to": "Oklab", "scale": [100, 200, 200]},
            {"step": "frame and background", "ignored": False},
            {
                "step": "sliced transport embedding",
                "directions": N_DIRECTIONS,
                "buckets": N_BUCKETS,
            },
        ),
        paper="N. Bonneel and others: Sliced and Radon Wasserstein barycenters of measures, 2015",
    )

    def extract_batch(self, images: Sequence[Pixels]) -> list[ImageRows]:
        """Extract each of `images`: one row of `(256,)` float32."""
        return [
            ImageRows(embed_colours(*_counted(pixels.reshape(-1, 3)))[None]) for pixels in images
        ]


def _counted(pixels: npt.NDArray[np.uint8]) -> tuple[Lab, Shares]:
    """Count `(n, 3)` pixels in cells of sRGB: mean colours `(m, 3)` and shares `(m,)`."""
    cells = (pixels // (256 // _LEVELS)).astype(np.intp)
    codes = (cells[:, 0] * _LEVELS + cells[:, 1]) * _LEVELS + cells[:, 2]
    counts = np.bincount(codes, minlength=_LEVELS**3)
    held = np.flatnonzero(counts)
    sums = [np.bincount(codes, pixels[:, i], _LEVELS**3)[held] for i in range(3)]
    means = np.stack(sums, axis=1) / counts[held, None]
    return lab_of_srgb(means), counts[held] / len(pixels)


def _clustered(colours: Lab, shares: Shares) -> tuple[Lab, Shares]:
    """Group colours around at most 12 centres: farthest mass first, then Lloyd's steps."""
    centres = np.average(colours, axis=0, weights=shares)[None]
    nearest = ((colours - centres) ** 2).sum(axis=1)
    centres = np.empty((0, 3))
    for _ in range(min(MAX_COLOURS, len(colours))):
        chosen = int(np.argmax(np.sqrt(shares) * nearest))
        centres = np.concatenate([centres, colours[chosen : chosen + 1]])
        new = ((colours - colours[chosen]) ** 2).sum(axis=1)
        nearest = new if len(centres) == 1 else np.minimum(nearest, new)
    for _ in range(_LLOYD_STEPS):
        centres, masses = _centred(colours, shares, centres)
    return centres, masses


def _centred(colours: Lab, shares: Shares, centres: Lab) -> tuple[Lab, Shares]:
    """Move each centre to the mean of the colours nearest to it; empty ones are dropped."""
    squares = (centres**2).sum(axis=1) - 2 * colours @ centres.T
    owner = np.argmin(squares, axis=1)
    masses = np.bincount(owner, shares, len(centres)).astype(np.float64)
    sums = [np.bincount(owner, shares * colours[:, i], len(centres)) for i in range(3)]
    held = masses > 0
    return np.stack(sums, axis=1)[held] / masses[held, None], masses[held]


def _merged(centres: Lab, shares: Shares) -> tuple[Lab, Shares]:
    """Join centres that look the same, and tiny ones with their nearest."""
    while len(centres) > 1:
        apart = np.linalg.norm(centres[:, None] - centres[None], axis=2)
        np.fill_diagonal(apart, np.inf)
        smallest = int(np.argmin(shares))
        if shares[smallest] < _SMALLEST_SHARE:
            i, j = smallest, int(np.argmin(apart[smallest]))
        else:
            i, j = divmod(int(np.argmin(apart)), len(centres))
            if apart[i, j] >= _SAME_COLOUR:
                break
        joined = (shares[i] * centres[i] + shares[j] * centres[j]) / (shares[i] + shares[j])
        centres[i], shares[i] = joined, shares[i] + shares[j]
        centres, shares = np.delete(centres, j, axis=0), np.delete(shares, j)
    return centres, shares / shares.sum()


@cache
def directions() -> npt.NDArray[Any]:
    """Return `(16, 3)` unit directions with Σ θθᵀ = 16/3 · I: two regular solids' diagonals."""
    golden = (1 + 5**0.5) / 2
    icosahedron = [(0, 1, s * golden) for s in (1, -1)]
    dodecahedron = [(0, 1 / golden, s * golden) for s in (1, -1)]
    turned = [np.roll(corner, i) for corner in icosahedron + dodecahedron for i in range(3)]
    cube = [np.array((1, s, t)) for s in (1, -1) for t in (1, -1)]
    corners = np.array([*turned, *cube], dtype=np.float64)
    return np.asarray(corners / np.linalg.norm(corners, axis=1, keepdims=True))


EXTRACTORS.register(PaletteVectors.card.model_id, PaletteVectors())
