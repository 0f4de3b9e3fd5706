"""Measures of a ranking, as pure formulas. Scores are larger where a work fits better."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def average_precision(scores: npt.NDArray[np.floating], relevant: npt.NDArray[np.bool_]) -> float:
    """Return AP: the mean, over the relevant works, of the precision at the place of each.

    Scores may be negative. Equal scores are ranked in the order of their places, as `trec_eval`
    ranks equal scores by name: the answer does not depend on how a sort treats ties.

    Args:
        scores: `(n,)`.
        relevant: `(n,)`, which of the works belong to the answer.

    Returns:
        0 to 1; NaN where nothing is relevant, since then there is nothing to find.

    >>> average_precision(np.array([-0.1, -0.5, -0.2]), np.array([True, True, False]))
    0.8333333333333333
    """
    if not relevant.any():
        return float("nan")
    found = relevant[np.argsort(-scores.astype(np.float64), kind="stable")]
    places = np.flatnonzero(found) + 1
    return float((np.arange(1, len(places) + 1) / places).mean())
