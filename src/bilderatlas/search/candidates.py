"""Scores of all works under a scorer: the engine scores rows, the best row stands for its image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from bilderatlas.arrays import Mask, Scores
from bilderatlas.search.combine import RULES, Scorer
from bilderatlas.search.parts import Embed, LeftOut, gather_parts
from bilderatlas.search.query import Query
from bilderatlas.store.collection import CollectionStore
from bilderatlas.store.engines.base import ENGINES, select_top
from bilderatlas.store.spaces import SpaceView

_MARGIN = 64

Ordinals: TypeAlias = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class ScoredWorks:
    """What a query says of all works of a space.

    Attributes:
        scorer: What its rule made of its parts.
        scores: `(n,)` in the order of `view.columns`; minus infinity outside the space.
        left_out: The parts that take no part.
    """

    scorer: Scorer
    scores: Scores
    left_out: LeftOut


def score_query(
    collection: CollectionStore, view: SpaceView, query: Query, embed: Embed
) -> ScoredWorks:
    """Score every work of the space by the parts and the rule of `query`.

    Raises:
        QueryError: when parts, rule and metric do not fit each other or the space.
    """
    assert query.metric is not None
    rule = RULES.get(query.rule)
    parts = gather_parts(collection, view, query, embed)
    scorer = rule.build(parts.positives, parts.negatives, query.metric, query.lambda_)
    return ScoredWorks(scorer, score_works(view, scorer), parts.left_out)


def score_works(view: SpaceView, scorer: Scorer) -> Scores:
    """Score every work of the space, exactly: `(n,)` in the order of `view.columns`.

    Works without a row in the space have minus infinity.

    Raises:
        QueryError: when a vector cannot be compared under the metric.
    """
    rows = ENGINES.get("exact").score(view, scorer.vectors, scorer.metric)
    return best_of_rows(scorer.combine(rows), view.ordinals, view.columns.n)


def refine_best(
    view: SpaceView, scorer: Scorer, scores: Scores, allowed: Mask, depth: int
) -> Scores:
    """Score the best `depth` allowed works again, whatever rank they have among all works.

    The engine vouches for the last bit of the best thousand of a large space only; under a filter,
    or far down a list, hits lie deeper than that. Half as many again are scored, so that none can
    have been kept out by a rounding.
    """
    margin = depth + depth // 2 + _MARGIN
    places = select_top(np.where(allowed, scores, -np.inf), margin)
    chosen = np.zeros(view.columns.n + 1, np.bool_)  # one more place, for rows that are dead: −1
    chosen[places] = True
    rows = np.flatnonzero(chosen[view.ordinals])
    again = ENGINES.get("exact").score(view, scorer.vectors, scorer.metric, rows)
    refined = scores.copy()
    best = best_of_rows(scorer.combine(again), view.ordinals[rows], view.columns.n)
    refined[places] = best[places]
    return refined


def best_of_rows(scores: Scores, ordinals: Ordinals, n_works: int) -> Scores:
    """Return the best score of each work's rows: from `(n_rows,)` to `(n_works,)`.

    Args:
        scores: Of the rows.
        ordinals: The work of each row; −1 for rows that no longer count.
        n_works: Number of works.
    """
    works = np.full(n_works, -np.inf, dtype=np.float32)
    alive = ordinals >= 0
    if not alive.all():
        scores, ordinals = scores[alive], ordinals[alive]
    works[ordinals] = scores  # right at once where no work has two rows, which is cheap to check
    if (works[ordinals] < scores).any():
        np.maximum.at(works, ordinals, scores)
    return works
