"""Whether two runs of a model gave the same space."""

from __future__ import annotations

import numpy as np

from bilderatlas.arrays import Embeddings, unit_rows

MIN_COSINE = 0.9999
"""Between two runtimes in fp32, on every canary (DESIGN section 5)."""


def cosines_of(one: Embeddings, other: Embeddings) -> tuple[float, ...]:
    """Return the cosine of each row of two `(n, d)`; of two rows of zeros it is 1."""
    if one.shape != other.shape:
        return (0.0,) * len(one)
    dots = (unit_rows(one).astype(np.float64) * unit_rows(other)).sum(axis=1)
    both_zero = ~one.any(axis=1) & ~other.any(axis=1)
    dots = np.where(both_zero, 1.0, np.nan_to_num(dots, nan=0.0))
    return tuple(round(float(dot), 7) for dot in np.minimum(dots, 1.0))
