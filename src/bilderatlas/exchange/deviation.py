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
STRAY_SHARE = 0.05
"""Share of an item's rows that may fall otherwise, where it has at least twenty of them."""

Vectors = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Deviation:
    """What a comparison of the vectors of `n` pictures found.

    Attributes:
        n: Pictures compared.
        min_cosine: The worst picture's.
        median_cosine: The middle one's.
        norm_ratio: Length of a vector of the package divided by ours, where it is furthest from 1.
        threshold: What the worst cosine must reach.
        worst: The worst picture.
        n_other_counts: Pictures that have another number of rows than ours.
    """

    n: int
    min_cosine: float
    median_cosine: float
    norm_ratio: float
    threshold: float
    worst: str = ""
    n_other_counts: int = 0

    @property
    def passed(self) -> bool:
        """Whether directions, lengths and the numbers of rows agree."""
        is_as_long = abs(self.norm_ratio - 1) <= NORM_TOLERANCE
        return self.is_same_direction and is_as_long and not self.n_other_counts

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

    The worst row counts, but for `STRAY_SHARE` of many. Rows are paired in order where there are as
    many; otherwise each, of either side, with its nearest.
    Two empty sets are equal, an empty and a filled one are not alike at all.
    """
    if not len(theirs) or not len(ours):
        return 1.0 if len(theirs) == len(ours) else 0.0
    if theirs.shape[1] != ours.shape[1]:
        return 0.0
    first, second = _unit(theirs), _unit(ours)
    if len(first) == len(second):
        return _worst_of((first * second).sum(axis=1))
    cosines = first @ second.T
    return min(_worst_of(cosines.max(axis=1)), _worst_of(cosines.max(axis=0)))


def _worst_of(cosines: npt.NDArray[np.float64]) -> float:
    return float(np.sort(cosines)[int(len(cosines) * STRAY_SHARE)])


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
    pairs = list(zip(theirs, ours, strict=True))
    ratios = np.concatenate([_ratios(one, other) for one, other in pairs])
    worst = int(np.argmin(cosines))
    return Deviation(
        len(cosines),
        float(cosines[worst]),
        float(np.median(cosines)),
        float(ratios[np.argmax(np.abs(np.log(ratios)))]) if len(ratios) else 1.0,
        threshold,
        names[worst] if names else "",
        sum(len(one) != len(other) for one, other in pairs),
    )


def _ratios(theirs: Vectors, ours: Vectors) -> npt.NDArray[np.float64]:
    """Return lengths of rows divided by those of their partners, as far as there are any."""
    if len(theirs) != len(ours) or not len(ours):
        return np.empty(0)
    norms = [np.linalg.norm(np.asarray(rows, np.float64), axis=1) for rows in (theirs, ours)]
    fit = (norms[0] > 0) & (norms[1] > 0) & np.isfinite(norms[0]) & np.isfinite(norms[1])
    ratios = np.sort(norms[0][fit] / norms[1][fit])
    stray = int(len(ratios) * STRAY_SHARE / 2)
    return np.asarray(ratios[stray : len(ratios) - stray])


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
