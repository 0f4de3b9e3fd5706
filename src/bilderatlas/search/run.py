"""A search from query to hits: combine, candidates, filter, rerank, hits; one file a step."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bilderatlas.arrays import Metric
from bilderatlas.errors import NotFoundError, QueryError, UnknownNameError
from bilderatlas.extractors.base import ImageRows, rows_are
from bilderatlas.search.candidates import refine_best, score_query
from bilderatlas.search.figures import FigureMatches, rank_figures
from bilderatlas.search.hang import hang_works
from bilderatlas.search.hits import Criterion, Hit, Hits, Inactive, Pool, Share, StopLine
from bilderatlas.search.mixture import FeaturesOf, RowsIn, check_blend, mix_criteria
from bilderatlas.search.parts import Embed, rankable_works
from bilderatlas.search.query import SORTS, Part, PartKind, Query
from bilderatlas.search.rerank import Ranking, place_works
from bilderatlas.search.restrict import restrict
from bilderatlas.search.shown_lately import read_images
from bilderatlas.search.stop_line import find_stop_line
from bilderatlas.store.collection import CollectionStore
from bilderatlas.store.columns import Columns
from bilderatlas.store.spaces import SpaceStore

MAX_K = 1000
MAX_DEPTH = 10_000  # hits to which one can page
MAX_FACETS = 100
_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a search found, before its records are fetched."""

    query: Query
    criterion: Criterion | None
    columns: Columns
    version: int
    ranking: Ranking
    pool: Pool
    n_candidates: int
    notes: tuple[str, ...]
    inactive: tuple[Inactive, ...] = ()
    stop: StopLine | None = None
    figures: FigureMatches | None = None
    criteria: tuple[Criterion, ...] = ()
    shares: tuple[tuple[Share, ...], ...] = ()  # of each hit


def search(
    collection: CollectionStore,
    query: Query,
    embed: Embed,
    features_of: FeaturesOf | None = None,
    rows_in: RowsIn | None = None,
) -> Hits:
    """Answer `query` from one collection.

    Args:
        collection: Where to search.
        query: What is asked; without parts, a random hang of the works that pass its filters.
        embed: Turns uploads, regions, words and images of other collections into vectors `(m, d)`
            of the query's space. Images of this collection are read from the store.
        features_of: The same for spaces whose rows are details or figures.
        rows_in: The same for each space of a mixture, by its `model_id`.

    Returns:
        The hits; `hits.query` is the query with every default filled in.

    Raises:
        QueryError: when parts, rule and metric do not fit each other or the space.
        FilterError: when `query.where` cannot be read.
        UnknownNameError: for a space, rule or column that is not there, listing near names.
    """
    _check_extent(query)
    started = time.perf_counter()
    for attempt in range(_ATTEMPTS):
        try:
            return _search(collection, query, embed, features_of, rows_in, started)
        except _MovedOnError:
            if attempt == _ATTEMPTS - 1:
                raise
    raise AssertionError("unreachable")


class _MovedOnError(NotFoundError):
    """A writer removed works between the search and the reading of their records."""


def _search(
    collection: CollectionStore,
    query: Query,
    embed: Embed,
    features_of: FeaturesOf | None,
    rows_in: RowsIn | None,
    started: float,
) -> Hits:
    space = choose_space(collection, query)
    if not query.parts:
        return _hits(collection, _hang(collection, query, space), started)
    if space is None:
        raise QueryError(
            f"Cannot search '{collection.name}' by pictures or words: nothing in it is indexed "
            "yet. Run `bilderatlas index` on its source."
        )
    if len(query.blend) > 1:
        return _hits(collection, _rank_mixture(collection, query, rows_in or _no_rows), started)
    query = replace(query, model_id=space.model_id, metric=_choose_metric(query, space))
    if rows_are(space.card_json) == "detail":
        return _search_local_features(collection, query, features_of)
    if rows_are(space.card_json) == "figure":
        answer = _rank_figures(collection, query, space, features_of or _no_features)
        return _hits(collection, answer, started)
    return _hits(collection, _rank(collection, query, space, embed), started)


# The steps


def _check_extent(query: Query) -> None:
    if not 1 <= query.k <= MAX_K:
        raise QueryError(f"Cannot return {query.k} hits: expected 1 to {MAX_K:,} at a time.")
    if query.offset < 0 or query.offset + query.k > MAX_DEPTH:
        raise QueryError(
            f"Cannot skip {query.offset} hits: only the first {MAX_DEPTH:,} can be paged through. "
            "Narrow the search with a filter."
        )
    check_blend(query)
    if query.sort not in SORTS:
        raise UnknownNameError("order", query.sort, [name for name in SORTS if name])
    if len(query.facets) > MAX_FACETS:
        raise QueryError(
            f"Cannot narrow a search by {len(query.facets)} values at once: at most {MAX_FACETS}. "
            "Leave out some of them, or write a filter."
        )
    if query.years is not None and query.years[0] > query.years[1]:
        first, last = query.years
        raise QueryError(
            f"Cannot search from {first} to {last}: the first year is later than the last. "
            "Name the earlier one first."
        )


def choose_space(collection: CollectionStore, query: Query) -> SpaceStore | None:
    """Return the space that is named; else the first, or the first that takes words if there are.

    A collection without any space has none to return.
    """
    model_id = query.blend[0][0] if query.blend else query.model_id
    if model_id:
        return collection.space(model_id)
    spaces = map(collection.space, collection.model_ids())
    first = next(spaces, None)
    if first is None or all(part.kind is not PartKind.TEXT for part in query.parts):
        return first
    takes_words = (space for space in (first, *spaces) if space.card_json.get("embeds_text"))
    return next(takes_words, first)


def _choose_metric(query: Query, space: SpaceStore) -> Metric:
    allowed = [Metric(name) for name in space.card_json["metrics"]]
    if query.metric is None:
        return allowed[0]
    if query.metric not in allowed:
        names = " or ".join(f"'{metric}'" for metric in allowed)
        raise QueryError(
            f"Cannot search '{space.model_id}' under the metric '{query.metric}': this space is "
            f"made for {names}. Choose one of these, or another extractor."
        )
    return query.metric


def _rank(collection: CollectionStore, query: Query, space: SpaceStore, embed: Embed) -> _Answer:
    view = space.snapshot()
    allowed = restrict(collection, view.columns, query)
    found = score_query(collection, view, query, embed)
    in_space = found.scores > -np.inf
    rankable = rankable_works(collection.name, view.columns, query, in_space)
    depth = query.offset + query.k
    scores = refine_best(view, found.scorer, found.scores, rankable & allowed.mask, depth)
    line = None
    if found.scorer.perfect is not None:
        line = find_stop_line(scores[rankable], perfect=found.scorer.perfect)
    threshold = line.threshold if line else -math.inf
    pool = Pool.of(view.columns, scores, rankable, allowed.mask, threshold)
    if found.scorer.perfect is not None:
        pool = replace(pool, perfect=found.scorer.perfect)
    return _Answer(
        query,
        _criterion(space.card_json, query),
        view.columns,
        view.version,
        place_works(pool, query),
        pool,
        int(np.count_nonzero(in_space & allowed.mask)),
        (*found.left_out.notes, *allowed.notes, *_ignored(query)),
        found.left_out.inactive,
        line.drawn_in(pool) if line else None,
    )


def _rank_figures(
    collection: CollectionStore, query: Query, space: SpaceStore, features_of: FeaturesOf
) -> _Answer:
    view = space.snapshot()
    allowed = restrict(collection, view.columns, query)
    found = rank_figures(collection, view, query, features_of, allowed.mask)
    return _Answer(
        query,
        _criterion(space.card_json, query),
        view.columns,
        view.version,
        found.ranking,
        found.pool,
        found.n_candidates,
        (*found.left_out.notes, *allowed.notes),
        found.left_out.inactive,
        figures=found.matches,
    )


def _rank_mixture(collection: CollectionStore, query: Query, rows_in: RowsIn) -> _Answer:
    found = mix_criteria(collection, query, rows_in)
    columns = found.view.columns
    allowed = restrict(collection, columns, query)
    in_space = found.scores > -np.inf
    rankable = rankable_works(collection.name, columns, query, in_space)
    pool = Pool.of(columns, found.scores, rankable, allowed.mask)
    ranking = place_works(pool, query)
    criteria = tuple(_criterion(each.card, each.query) for each in found.judgements)
    return _Answer(
        replace(query, model_id=query.blend[0][0]),
        criteria[0],
        columns,
        found.view.version,
        ranking,
        pool,
        int(np.count_nonzero(in_space & allowed.mask)),
        (*found.notes, *allowed.notes),
        found.inactive,
        criteria=criteria,
        shares=found.shares_of(ranking.ordinals),
    )


def _ignored(query: Query) -> tuple[str, ...]:
    if not query.mirrored:
        return ()
    return (
        "Mirror images are looked for among details and poses only; here that wish was left aside.",
    )


def _hang(collection: CollectionStore, query: Query, space: SpaceStore | None) -> _Answer:
    if space is None:
        version, columns = collection.version, collection.columns
    else:
        view = space.snapshot()
        version, columns = view.version, view.columns
        query = replace(query, model_id=space.model_id)
        if len(query.blend) < 2:
            query = replace(query, metric=_choose_metric(query, space))
    restriction = restrict(collection, columns, query)
    every = np.ones(columns.n, np.bool_)
    pool = Pool.of(columns, np.zeros(columns.n, np.float32), every, restriction.mask)
    if query.sort:
        ranking = place_works(pool, query)
    else:
        ordinals = hang_works(columns, restriction.mask, query.seed, query.k, query.offset)
        ranking = Ranking(ordinals, pool.scores[ordinals], np.zeros(len(ordinals)))
    return _Answer(
        query, None, columns, version, ranking, pool, restriction.n_works, restriction.notes
    )


def _search_local_features(
    collection: CollectionStore, query: Query, features_of: FeaturesOf | None
) -> Hits:
    from bilderatlas.search.details import search_details

    return search_details(collection, query, features_of or _no_features)


def _no_features(part: Part) -> ImageRows:
    raise QueryError(
        f"Cannot search by '{part}' here: only whole images of the collection have features."
    )


def _no_rows(model_id: str) -> FeaturesOf:
    return _no_features


def _criterion(card: dict[str, Any], query: Query) -> Criterion:
    return Criterion(
        model_id=query.model_id,
        metric=str(query.metric),
        rule=query.rule,
        weights_sha256=card.get("weights_sha256"),
        judges_by=card["judges_by"],
        sees=card["sees"],
    )


def _hits(collection: CollectionStore, answer: _Answer, started: float) -> Hits:
    ranking = answer.ranking
    image_ids = [answer.columns.image_ids[ordinal] for ordinal in ranking.ordinals.tolist()]
    try:
        stored = read_images(collection, answer.version, image_ids)
    except NotFoundError as error:
        raise _MovedOnError(str(error)) from error
    places = zip(stored, ranking.scores.tolist(), ranking.percentiles.tolist(), strict=True)
    figures = answer.figures
    shares = answer.shares or ((),) * len(stored)
    hits = tuple(
        Hit(
            rank,
            image.image_id,
            score,
            percentile,
            image.record,
            figure=figures.of(image.image_id, image.size_wh) if figures else None,
            shares=shares[rank - answer.query.offset - 1],
        )
        for rank, (image, score, percentile) in enumerate(places, answer.query.offset + 1)
    )
    return Hits(
        hits=hits,
        query=answer.query,
        criterion=answer.criterion,
        recall="exact",
        n_candidates=answer.n_candidates,
        n_works=answer.columns.n,
        collection=collection.name,
        version=answer.version,
        seconds=time.perf_counter() - started,
        notes=answer.notes,
        inactive=answer.inactive,
        stop=answer.stop,
        criteria=answer.criteria,
        pool=answer.pool,
    )
