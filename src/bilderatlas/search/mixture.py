"""Several criteria at once: their scores become percentiles, and these are averaged by weight.

Scores of two spaces cannot be compared: a cosine of 0.3 may be the best there is in one and
nothing at all in another. What can be compared is how many works score lower. A work that a space
does not hold counts as the last there. See `docs/explanation/mixed-criteria.md`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from bilderatlas.arrays import Embeddings, Ints, Metric, Scores
from bilderatlas.errors import BilderatlasError, ConflictError, QueryError
from bilderatlas.extractors.base import ImageRows, rows_are
from bilderatlas.search.candidates import score_query
from bilderatlas.search.combine import RULES
from bilderatlas.search.figures import score_figures
from bilderatlas.search.hits import Inactive, Share
from bilderatlas.search.parts import OF_ONE_PART, LeftOut
from bilderatlas.search.query import MAX_WEIGHT, Part, Query
from bilderatlas.store.collection import CollectionStore
from bilderatlas.store.spaces import SpaceView

MAX_CRITERIA = 8

_ATTEMPTS = 5

FeaturesOf: TypeAlias = Callable[[Part], ImageRows]
RowsIn: TypeAlias = Callable[[str], FeaturesOf]  # by model_id
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one criterion of a mixture says of all works.

    Attributes:
        card: Of its space, as JSON.
        query: The query as it was put to this space.
        weight: In the mixture, as asked.
        percentiles: `(n,)`, the share of the works in its space that score lower; 0 for works that
            it does not hold.
        held: `(n,)`, the works that it holds.
    """

    card: dict[str, Any]
    query: Query
    weight: float
    percentiles: Floats
    held: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Mixture:
    """What several criteria say of all works together.

    Attributes:
        view: Of the first space; all are of one version.
        judgements: Of those criteria that could judge.
        scores: `(n,)`, the weighted mean of their percentiles; minus infinity for works that none
            of them holds.
        inactive: Parts that no criterion could take.
        notes: On parts and criteria that were left out.
    """

    view: SpaceView
    judgements: tuple[Judgement, ...]
    scores: Scores
    inactive: tuple[Inactive, ...]
    notes: tuple[str, ...]

    def shares_of(self, ordinals: Ints) -> tuple[tuple[Share, ...], ...]:
        """Return what each criterion gave to the score of each of these works."""
        weights = np.array([each.weight for each in self.judgements])
        percentiles = np.array([each.percentiles[ordinals] for each in self.judgements])
        given = weights[:, np.newaxis] * percentiles
        whole = given.sum(axis=0)
        even = np.broadcast_to((weights / weights.sum())[:, np.newaxis], given.shape)
        shares = np.divide(given, whole, out=even.copy(), where=whole > 0)
        return tuple(
            tuple(
                Share(
                    each.query.model_id,
                    each.card["judges_by"],
                    each.weight,
                    float(percentiles[row, place]),
                    float(shares[row, place]),
                )
                for row, each in enumerate(self.judgements)
            )
            for place in range(len(ordinals))
        )


def check_blend(query: Query) -> None:
    """Refuse criteria that cannot be mixed, whatever the collection.

    Raises:
        QueryError: for too many, for one named twice, and for weights that are none.
    """
    names = [model_id for model_id, _ in query.blend]
    if len(names) > MAX_CRITERIA:
        raise QueryError(
            f"Cannot mix {len(names)} criteria: at most {MAX_CRITERIA}. Leave out some of them."
        )
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise QueryError(
            f"Cannot mix '{twice}' with itself: it is named twice. Give it one weight."
        )
    for model_id, weight in query.blend:
        if not (math.isfinite(weight) and 0 < weight <= MAX_WEIGHT):
            raise QueryError(
                f"Cannot weigh '{model_id}' by {weight:g}: expected a weight larger than 0, at "
                f"most {MAX_WEIGHT:g}. Leave the criterion out instead."
            )


def mix_criteria(collection: CollectionStore, query: Query, rows_in: RowsIn) -> Mixture:
    """Score all works by the criteria of `query.blend`.

    A criterion that cannot take any part of the query, such as words where it compares pictures
    only, is left out with a note, as long as one is left.

    Args:
        collection: Where to search.
        query: Its metric counts in the spaces that know it; elsewhere the space's own default does.
        rows_in: Turns parts into vectors of a space, by its `model_id`.

    Raises:
        UnknownNameError: for a space or a rule that is not there.
        QueryError: for a space of details, and when no criterion can judge.
    """
    RULES.get(query.rule)
    cards = {model_id: collection.space(model_id).card_json for model_id, _ in query.blend}
    for model_id, card in cards.items():
        if rows_are(card) == "detail":
            raise QueryError(
                f"Cannot mix '{model_id}' with other criteria: a detail is in a work or it is not, "
                "so it gives no order of all works. Search by it alone."
            )
    views = _views_of_one_version(collection, list(cards))
    judgements: list[Judgement] = []
    left_out: list[tuple[str, LeftOut]] = []
    errors: list[BilderatlasError] = []
    notes: list[str] = []
    for (model_id, weight), view in zip(query.blend, views, strict=True):
        card = cards[model_id]
        own = replace(query, model_id=model_id, metric=_choose_metric(card, query), blend=())
        try:
            scores, dropped = _score(collection, view, card, own, rows_in(model_id))
        except OF_ONE_PART as error:
            errors.append(error)
            notes.append(f"The criterion '{card['judges_by']}' took no part. {error}")
            continue
        left_out.append((card["judges_by"], dropped))
        judgements.append(Judgement(card, own, weight, *_percentiles(scores)))
    if not judgements:
        raise errors[0]
    inactive, more = _told(left_out)
    return Mixture(views[0], tuple(judgements), _mean(judgements), inactive, (*more, *notes))


def _views_of_one_version(collection: CollectionStore, model_ids: list[str]) -> list[SpaceView]:
    for _ in range(_ATTEMPTS):
        views = [collection.space(model_id).snapshot() for model_id in model_ids]
        if len({view.version for view in views}) == 1:
            return views
    raise ConflictError(
        f"Cannot search '{collection.name}' by several criteria just now: it changes faster than "
        "it can be read. Search again."
    )


def _choose_metric(card: dict[str, Any], query: Query) -> Metric:
    """Return the metric that is asked for, where the space knows it; else the first that fits."""
    known = [Metric(name) for name in card["metrics"]]
    if query.metric in known:
        return query.metric
    rule = RULES.get(query.rule)
    return next((metric for metric in known if rule.accepts(metric)), known[0])


def _score(
    collection: CollectionStore,
    view: SpaceView,
    card: dict[str, Any],
    query: Query,
    features_of: FeaturesOf,
) -> tuple[Scores, LeftOut]:
    if rows_are(card) == "figure":
        figures = score_figures(collection, view, query, features_of)
        return figures.scores, figures.left_out

    def embed(part: Part) -> Embeddings:
        return np.asarray(features_of(part).vectors, np.float32)

    found = score_query(collection, view, query, embed)
    return found.scores, found.left_out


def _percentiles(scores: Scores) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Return the share of works that score lower, `(n,)`, 0 outside the space; and who is in it."""
    held = scores > -np.inf
    inside = scores[held]
    order = np.argsort(inside)
    rising = inside[order]
    n_lower = np.arange(len(inside))
    n_lower[1:][rising[1:] == rising[:-1]] = 0  # a work that is level with the one before it …
    np.maximum.accumulate(n_lower, out=n_lower)  # … has as many below it as that one
    shares = np.empty(len(inside))
    shares[order] = n_lower / max(1, len(inside))
    percentiles = np.zeros(len(scores))
    percentiles[held] = shares
    return percentiles, held


def _mean(judgements: list[Judgement]) -> Scores:
    whole = math.fsum(each.weight for each in judgements)
    mean = sum(each.weight / whole * each.percentiles for each in judgements)
    held = np.logical_or.reduce([each.held for each in judgements])
    return np.where(held, mean, -np.inf).astype(np.float32)


def _told(left_out: list[tuple[str, LeftOut]]) -> tuple[tuple[Inactive, ...], list[str]]:
    """Return the parts that no criterion takes, and notes on these and on what some do not take."""
    everywhere = set.intersection(
        *({(each.part, each.sign) for each in dropped.inactive} for _, dropped in left_out)
    )
    inactive = [each for each in left_out[0][1].inactive if (each.part, each.sign) in everywhere]
    notes = [f"The part '{each.part}' was left out. {each.reason}" for each in inactive]
    notes += [
        f"By '{judges_by}' the part '{each.part}' took no part. {each.reason}"
        for judges_by, dropped in left_out
        for each in dropped.inactive
        if (each.part, each.sign) not in everywhere
    ]
    return tuple(inactive), notes
