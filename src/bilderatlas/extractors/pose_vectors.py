"""Poses as vectors: the joints of a figure, wherever it stands and however large it is.

Of joint `j` at place `p_j`, seen with certainty `w_j` (0 to 1; `W` their sum), the vector holds

    q_j = √(w_j / W) · (p_j − c) / s      c = Σ w_j p_j / W,    s² = Σ w_j |p_j − c|² / W
    u_j = √(w_j / W)

as `(√(1 − S) q, √S u)`, 51 numbers of length 1. The cosine of two figures that show the same
joints is then their likeness after the best shift and the best enlargement (Procrustes analysis
without the turn: a figure that lies is no figure that stands); a joint that one figure hides adds
nothing to it, and `u` adds a share `S` for showing the same joints. The left and the right of the
figure stay what they are, so that a mirrored pose is another one until the query is mirrored, which
`mirror_vectors` does without looking at the picture again.

Together with the geometry `(c, s)` that is stored beside it, a vector gives its joints back.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from bilderatlas.extractors.base import ImageRows

JOINTS = (
    "nose", "left eye", "right eye", "left ear", "right ear", "left shoulder", "right shoulder",
    "left elbow", "right elbow", "left wrist", "right wrist", "left hip", "right hip",
    "left knee", "right knee", "left ankle", "right ankle",
)  # fmt: skip
N_JOINTS = len(JOINTS)
DIM = 3 * N_JOINTS
SEEN_SHARE = 0.1  # S: how much it counts to show the same joints
MIN_JOINTS = 4  # seen; fewer are no pose
SEEN = 0.5  # certainty from which a joint is called seen, shown and counted

_SWAPPED = [0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15]
_PADDING = 0.08  # of the longer side: heads and feet reach beyond their joints
_MIN_SPREAD = 1e-4  # of the long side: joints that all lie in one point are no pose

Floats = npt.NDArray[np.float32]
Box = tuple[float, float, float, float]


def rows_of_figures(joints: npt.NDArray[np.floating], size_wh: tuple[int, int]) -> ImageRows:
    """Return the rows of one picture: one for each figure that shows enough of itself.

    Args:
        joints: `(m, 17, 3)`: x and y in pixels, and the certainty from 0 (unseen) to 1; in COCO's
            order, left and right being those of the figure.
        size_wh: Of the picture.

    Returns:
        `(r, 51)` vectors of length 1 and `(r, 4)` geometry: x and y of the figure's centre as
        shares of width and height, its spread `s` as a share of the long side, and 0.
    """
    width, height = size_wh
    found = np.asarray(joints, np.float64).reshape(-1, N_JOINTS, 3)
    weights = np.clip(found[..., 2], 0, 1)
    places = np.where(weights[..., np.newaxis] > 0, found[..., :2], 0)
    totals = np.maximum(weights.sum(axis=1), 1e-12)
    centres = (weights[..., np.newaxis] * places).sum(axis=1) / totals[:, np.newaxis]
    offsets = places - centres[:, np.newaxis]
    spreads = np.sqrt((weights * (offsets**2).sum(axis=2)).sum(axis=1) / totals)
    whole = (weights >= SEEN).sum(axis=1) >= MIN_JOINTS
    whole &= spreads > _MIN_SPREAD * max(width, height)
    roots = np.sqrt(weights / totals[:, np.newaxis])[whole]
    shape = roots[..., np.newaxis] * offsets[whole] / spreads[whole, np.newaxis, np.newaxis]
    vectors = np.concatenate(
        [np.sqrt(1 - SEEN_SHARE) * shape.reshape(-1, 2 * N_JOINTS), np.sqrt(SEEN_SHARE) * roots],
        axis=1,
    )
    geometry = np.stack(
        [
            centres[whole, 0] / width,
            centres[whole, 1] / height,
            spreads[whole] / max(width, height),
            np.zeros(whole.sum()),
        ],
        axis=1,
    )
    return ImageRows(vectors.astype(np.float32), geometry.astype(np.float32), size_wh)


def certainties(scores: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Return how certain joints are, 0 to 1, from the detector's scores (peaks of its heatmaps).

    Detectron draws joints from a score of 2 on; here that score counts one half.

    >>> certainties(np.array([-8.0, 2.0, 12.0])).round(3).tolist()
    [0.0, 0.5, 1.0]
    """
    return 1 / (1 + np.exp(2 - np.clip(np.asarray(scores, np.float64), -50, 50)))


def mirror_vectors(vectors: npt.NDArray[np.floating]) -> Floats:
    """Return the vectors `(m, 51)` of the same figures seen in a mirror: x turns, sides swap."""
    rows = np.asarray(vectors, np.float32)
    shape = rows[:, : 2 * N_JOINTS].reshape(-1, N_JOINTS, 2)[:, _SWAPPED] * (-1, 1)
    seen = rows[:, 2 * N_JOINTS :][:, _SWAPPED]
    return np.concatenate([shape.reshape(-1, 2 * N_JOINTS), seen], axis=1).astype(np.float32)


def joints_of(vector: Floats, geometry: Floats, size_wh: tuple[int, int]) -> Floats:
    """Return the joints `(17, 3)` of a stored figure: x and y as shares of the picture, certainty.

    The certainty is relative to that of the figure's clearest joint; what is not seen is zero.
    """
    width, height = size_wh
    row = np.asarray(vector, np.float64)
    roots = np.maximum(row[2 * N_JOINTS :], 0) / np.sqrt(SEEN_SHARE)
    offsets = row[: 2 * N_JOINTS].reshape(N_JOINTS, 2) / np.sqrt(1 - SEEN_SHARE)
    offsets = offsets / np.maximum(roots, 1e-6)[:, np.newaxis]
    places = geometry[:2] + offsets * geometry[2] * max(width, height) / [width, height]
    certainty = (roots / max(float(roots.max()), 1e-12)) ** 2
    seen = certainty >= 1e-3
    found = np.concatenate([places, certainty[:, np.newaxis]], axis=1)
    return np.asarray(np.where(seen[:, np.newaxis], found, 0), np.float32)


def box_of(joints: Floats, size_wh: tuple[int, int]) -> Box:
    """Return the box around the joints that are seen, a little wider, in shares of the picture."""
    seen = joints[joints[:, 2] >= SEEN]
    low, high = seen[:, :2].min(axis=0), seen[:, :2].max(axis=0)
    room = _PADDING * float(((high - low) * size_wh).max()) / np.asarray(size_wh)
    x1, y1 = np.clip(low - room, 0, 1).tolist()
    x2, y2 = np.clip(high + room, 0, 1).tolist()
    return (x1, y1, x2, y2)


def in_region(geometry: Floats, region_xywh: Sequence[float]) -> npt.NDArray[np.bool_]:
    """Tell which figures have their centre in a region `x, y, w, h` of shares of the picture."""
    x, y, w, h = region_xywh
    across = (geometry[:, 0] >= x) & (geometry[:, 0] <= x + w)
    return np.asarray(across & (geometry[:, 1] >= y) & (geometry[:, 1] <= y + h))
