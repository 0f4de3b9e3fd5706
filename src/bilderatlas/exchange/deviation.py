"""How far two sets of vectors of the same pictures are apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

PASS_EXACT = 0.9999
PASS_ROUGH = 0.999
NORM_TOLERANCE = 0.01

Vectors = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Deviation:
    """What a comparison of the vectors of `n` pictures found.

    Attributes:
        n: Pictures compared.
        min_cosine: The worst picture's.
        median_cosine: The middle one's.
        norm_ratio: Median length of the package's vectors, divided by ours.
        threshold: What the worst cosine must reach.
        worst: The worst picture.
    """

    n: int
    min_cosine: float
    median_cosine: float
    norm_ratio: float
    threshold: float
    worst: str = ""

    @property
    def passed(self) -> bool:
        """Whether direction and length agree."""
        return self.is_same_direction and abs(self.norm_ratio - 1) <= NORM_TOLERANCE

    @property
    def is_same_direction(self) -> bool:
        """Whether the directions agree, whatever the lengths."""
        return self.n > 0 and self.min_cosine >= self.threshold

    def to_json(self) -> dict[str, Any]:
        """Return the numbers, rounded to what they mean."""
        return asdict(self) | {
            "passed": self.passed,
            "min_cosine": round(self.min_cosine, 6),
            "median_cosine": round(self.median_cosine, 6),
            "norm_ratio": round(self.norm_ratio, 6),
        }


def cosine_of(theirs: Vectors, ours: Vectors) -> float:
    """Return how alike the rows `(m, d)` and `(k, d)` of one picture are, -1 to 1.

    Rows are paired in order where there are as many; otherwise each of theirs with its nearest.
    Two empty sets are equal, an empty and a filled one are not alike at all.
    """
    if not len(theirs) or not len(ours):
        return 1.0 if len(theirs) == len(ours) else 0.0
    if theirs.shape[1] != ours.shape[1]:
        return 0.0
    first, second = _unit(theirs), _unit(ours)
    if len(first) == len(second):
        return float(np.median((first * second).sum(axis=1)))
    return float(np.median((first @ second.T).max(axis=1)))


def _unit(rows: Vectors) -> npt.NDArray[np.float64]:
    with np.errstate(over="ignore", invalid="ignore"):
        exact = np.nan_to_num(np.asarray(rows, np.float64), posinf=0.0, neginf=0.0)
    norms = np.linalg.norm(exact, axis=1, keepdims=True)
    return np.asarray(exact / np.where(norms == 0, 1, norms))


def deviation_of(
    theirs: Sequence[Vectors],
    ours: Sequence[Vectors],
    threshold: float,
    names: Sequence[str] = (),
) -> Deviation:
    """Compare the rows of pictures one by one."""
    cosines = [cosine_of(one, other) for one, other in zip(theirs, ours, strict=True)]
    if not cosines:
        return Deviation(0, 0.0, 0.0, 1.0, threshold)
    ratios = [
        _length(one) / _length(other)
        for one, other in zip(theirs, ours, strict=True)
        if len(one) and len(other) and _length(other)
    ]
    worst = int(np.argmin(cosines))
    return Deviation(
        len(cosines),
        float(cosines[worst]),
        float(np.median(cosines)),
        float(np.median(ratios)) if ratios else 1.0,
        threshold,
        names[worst] if names else "",
    )


def _length(rows: Vectors) -> float:
    return float(np.median(np.linalg.norm(np.asarray(rows, np.float64), axis=1)))


def structure_correlation(theirs: Sequence[Vectors], ours: Sequence[Vectors]) -> float:
    """Return how far two spaces agree on *which pictures are alike*, -1 to 1.

    The correlation of the two matrices of cosines between pictures: layers of one network agree to
    some extent though their numbers have nothing in common.
    """
    if len(theirs) < 4 or any(not len(one) for one in (*theirs, *ours)):
        return 0.0
    matrices = []
    for rows in (theirs, ours):
        means = _unit(np.stack([np.asarray(one, np.float64).mean(axis=0) for one in rows]))
        matrices.append((means @ means.T)[np.triu_indices(len(rows), 1)])
    if any(float(np.std(one)) < 1e-12 for one in matrices):
        return 0.0
    return float(np.corrcoef(matrices[0], matrices[1])[0, 1])
