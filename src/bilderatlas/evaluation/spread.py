"""Choose a few that are far from each other: so that five examples show five kinds of works."""

from __future__ import annotations

import numpy as np

from bilderatlas.arrays import Embeddings, Ints


def choose_spread(vectors: Embeddings, k: int) -> Ints:
    """Choose `k` rows of `vectors` `(n, d)`, each as far as possible from those before it.

    The first row is always chosen; so whoever shuffles the rows by a seed chooses by that seed.
    Follows T. Gonzalez, *Clustering to minimize the maximum intercluster distance* (1985).

    Returns:
        `(min(k, n),)` rows in the order of their choice; of equally far ones the earlier.

    >>> choose_spread(np.array([[0], [1], [9], [5]], np.float32), 3).tolist()
    [0, 2, 3]
    """
    n_chosen = min(k, len(vectors))
    if n_chosen == 0:
        return np.empty(0, np.int64)
    points = np.asarray(vectors, np.float64)
    chosen = [0]
    nearest = np.linalg.norm(points - points[0], axis=1)
    while len(chosen) < n_chosen:
        nearest[chosen] = -1.0  # copies of a chosen one still come before the chosen one itself
        farthest = int(np.argmax(nearest))
        chosen.append(farthest)
        nearest = np.minimum(nearest, np.linalg.norm(points - points[farthest], axis=1))
    return np.array(chosen, np.int64)
