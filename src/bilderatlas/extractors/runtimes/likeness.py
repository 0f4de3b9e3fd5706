"""Whether two runs of a model gave the same space, and whether one gave a space at all."""

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


def problem_of(outputs: Embeddings) -> str:
    """Say why `(n, d)` outputs for different canaries are no embeddings; empty where they are."""
    n_bad = int((~np.isfinite(outputs).all(axis=1)).sum())
    if n_bad:
        return f"gives NaN or infinity for {n_bad} of {len(outputs)}"
    largest = float(np.linalg.norm(outputs.astype(np.float64), axis=1).max(initial=0.0))
    if len(outputs) > 1 and float(np.ptp(outputs, axis=0).max(initial=0.0)) <= 1e-6 * largest:
        return "gives all of them the same embedding"
    return ""
