"""The words for arrays: shapes, dtypes and the checks that every room shares.

Axes in docstrings: `n` images or rows, `q` queries, `k` hits, `d` dimension, `h w c` pixels.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from bilderatlas.errors import SpaceMismatchError

Pixels: TypeAlias = npt.NDArray[np.uint8]  # (h, w, 3) sRGB, oriented
Embeddings: TypeAlias = npt.NDArray[np.float32]  # (n, d)
Scores: TypeAlias = npt.NDArray[np.float32]  # larger is better
Mask: TypeAlias = npt.NDArray[np.bool_]
Ints: TypeAlias = npt.NDArray[np.int64]


class Metric(StrEnum):
    """How two embeddings are compared; above the engines always as a score: larger is better."""

    ANGULAR = "angular"  # cosine of the angle, -1 to 1
    EUCLIDEAN = "euclidean"  # minus the L2 distance
    MANHATTAN = "manhattan"  # minus the L1 distance
    DOT = "dot"  # the inner product


def unit_rows(vectors: Embeddings) -> Embeddings:
    """Scale each row of `(n, d)` to length 1; rows of zeros stay zero."""
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.where(norms == 0, 1, norms), dtype=np.float32)


def check_dimension(vectors: npt.NDArray[np.generic], dim: int, space: str) -> None:
    """Refuse vectors `(…, d)` whose dimension is not that of `space`, naming both.

    Raises:
        SpaceMismatchError: when `d != dim`.
    """
    if vectors.shape[-1] != dim:
        raise SpaceMismatchError(
            f"Cannot search: the query has dimension {vectors.shape[-1]} but space '{space}' has "
            f"{dim}. Embed the query with that model, or choose another space."
        )


def scale_to_side(size_wh: tuple[int, int], side_px: int) -> tuple[int, int]:
    """Return the size that fits into a square of `side_px`, never enlarged, never below 1 px."""
    width, height = size_wh
    scale = min(1.0, side_px / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))
