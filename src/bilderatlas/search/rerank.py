"""From scores to places: the best works that may be hits, in a stable order, with percentiles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bilderatlas.arrays import Ints, Mask, Scores
from bilderatlas.search.arrange import arrange
from bilderatlas.search.hits import Pool
from bilderatlas.search.query import Query
from bilderatlas.store.engines.base import select_top


@dataclass(frozen=True, slots=True)
class Ranking:
    """The places of the hits, best first.

    Attributes:
        ordinals: `(k,)`, the works in the order of the columns.
        scores: `(k,)`, falling where works stand by score.
        percentiles: `(k,)`, the share of all works in the space that score lower, 0 to 1.
    """

    ordinals: Ints
    scores: Scores
    percentiles: npt.NDArray[np.float64]


def place_works(pool: Pool, query: Query) -> Ranking:
    """Choose the hits of `query` in the order that it asks for: by score, or by date or title.

    Raises:
        QueryError: for an order that is not known.
    """
    if not query.sort:
        return rank_works(pool.scores, pool.mask, query.k, query.offset)
    ordinals = arrange(pool, query.sort, query.k, query.offset)
    scores = pool.scores[ordinals]
    return Ranking(ordinals, scores, percentiles_of(pool.scores, scores))


def rank_works(scores: Scores, allowed: Mask, k: int, offset: int = 0) -> Ranking:
    """Choose the places from `offset` to `offset + k` among the `allowed` works.

    Works of equal score stand in the order of the collection.

    Args:
        scores: `(n,)`; minus infinity for works that are not in the space.
        allowed: `(n,)`, which works may be hits.
        k: How many.
        offset: How many to skip.
    """
    chosen = select_top(np.where(allowed, scores, np.float32(-np.inf)), offset + k)[offset:]
    return Ranking(chosen, scores[chosen], percentiles_of(scores, scores[chosen]))


def percentiles_of(scores: Scores, wanted: Scores) -> npt.NDArray[np.float64]:
    """Return the share of works in the space that score lower than each of `wanted`, `(k,)`.

    The share is of all works, also of those that a filter hides: a hit among the few that a filter
    leaves may be unlike the query, and its percentile says so.
    """
    n_works = int(np.count_nonzero(scores > -np.inf))
    if not len(wanted):
        return np.empty(0)
    # Nothing below the lowest hit needs to be sorted to be counted.
    upper = np.sort(scores[scores >= wanted.min()])
    n_below = n_works - len(upper)
    return (n_below + np.searchsorted(upper, wanted, side="left")) / n_works
