"""Search over figures: a work is as near as that figure of its which is nearest to what is asked.

A picture shows no figure, one or many. Each part of the query is asked figure by figure, and a work
has one score a part: the best over all pairs of a figure that is asked and one that it shows. The
rules then combine the parts as they combine whole pictures, work by work: two examples may be
answered by two figures of one work, and a counter-example by a third.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from bilderatlas.arrays import Embeddings, Ints, Mask, Metric, Scores, check_dimension
from bilderatlas.errors import NotFoundError, QueryError
from bilderatlas.extractors.base import ImageRows
from bilderatlas.extractors.pose_vectors import (
    DIM,
    SEEN,
    Box,
    box_of,
    in_region,
    joints_of,
    mirror_vectors,
)
from bilderatlas.search.candidates import best_of_rows
from bilderatlas.search.combine import LINEAR, RULES, Examples
from bilderatlas.search.hits import FigureMatch, Pool
from bilderatlas.search.parts import (
    OF_ONE_PART,
    LeftOut,
    check_number_of_parts,
    local_id,
    rankable_works,
    whole_panel,
    why_no_row,
)
from bilderatlas.search.query import Part, PartKind, Query
from bilderatlas.search.rerank import Ranking, place_works
from bilderatlas.store.collection import CollectionStore
from bilderatlas.store.engines.base import ENGINES, select_top
from bilderatlas.store.spaces import SpaceView

MAX_FIGURES = 200  # of one query: each is compared with all
FIGURE_RULES = ("difference", "ranking", "contrast")

_AT_ONCE = 8  # vectors scored in one go: memory is their number times the rows
_MARGIN = 64

FeaturesOf: TypeAlias = Callable[[Part], ImageRows]
Joint: TypeAlias = tuple[float, float] | None
Decide: TypeAlias = Callable[[Scores], Scores]


@dataclass(frozen=True, slots=True)
class AskedFigures:
    """The figures of one part of the query.

    Attributes:
        part: As it was asked.
        rows: One a figure, with its geometry.
        size_wh: Of the picture that shows them.
        vectors: `(f, d)`; where mirror images are accepted, followed by theirs: `(2 f, d)`.
    """

    part: Part
    rows: ImageRows
    size_wh: tuple[int, int]
    vectors: Embeddings

    def match(self, place: int, vector: Embeddings, hit: ImageRows, score: float) -> FigureMatch:
        """Return what is told of a hit whose only row is like the vector at `place`."""
        n_figures = len(self.rows.vectors)
        asked = place % n_figures
        joints, box = _outline(vector, hit, 0, hit.size_wh or (1, 1))
        query_box = None
        if self.rows.geometry is not None:
            _, query_box = _outline(self.rows.vectors[asked], self.rows, asked, self.size_wh)
        return FigureMatch(box, joints, str(self.part), query_box, score, place >= n_figures)


@dataclass(frozen=True, slots=True)
class FigureMatches:
    """Which figures of the hits match: found for all of them at once, told one by one."""

    view: SpaceView
    asked: tuple[AskedFigures, ...]
    best: dict[int, tuple[int, int, int, float]]  # ordinal → row, part, vector of the part, score

    def of(self, image_id: str, size_wh: tuple[int, int] | None) -> FigureMatch | None:
        """Return the match in this hit; None where there was nothing to be like."""
        ordinal = self.view.columns.ordinal_of(image_id)
        found = self.best.get(-1 if ordinal is None else ordinal)
        if found is None:
            return None
        row, part, place, score = found
        rows = np.array([row])
        hit = ImageRows(self.view.vectors_at(rows), self.view.geometry_at(rows), size_wh)
        if hit.geometry is None:
            return None
        return self.asked[part].match(place, hit.vectors[0].astype(np.float32), hit, score)


@dataclass(frozen=True, slots=True)
class ScoredFigures:
    """All works under a query of figures.

    Attributes:
        view: The space of figures.
        asked: The figures of each part, examples first.
        left_out: The parts that show none.
        parts: `(p, n)`, the best score of each work for each part; minus infinity without figures.
        covered: `(n,)`, the works that show figures.
        decide: What the rule makes of the scores of the parts.
    """

    view: SpaceView
    asked: tuple[AskedFigures, ...]
    left_out: LeftOut
    parts: Scores
    covered: Mask
    decide: Decide

    @property
    def scores(self) -> Scores:
        """Return one score a work, `(n,)`; minus infinity without figures."""
        return _decided(self.decide, self.parts, self.covered)


@dataclass(frozen=True, slots=True)
class RankedFigures:
    """The answer of `rank_figures`: places, works in question, matches, and what was left out."""

    ranking: Ranking
    pool: Pool
    n_candidates: int
    matches: FigureMatches
    left_out: LeftOut


def rank_figures(
    collection: CollectionStore,
    view: SpaceView,
    query: Query,
    features_of: FeaturesOf,
    mask: Mask,
) -> RankedFigures:
    """Rank the works that show figures.

    Args:
        collection: Where to search.
        view: The space of figures.
        query: Pictures, or regions of pictures: a region asks the figures whose centre is in it.
            With `query.mirrored` a figure may also be like the mirror image of one that is asked.
        features_of: Extracts uploads and images of other collections.
        mask: `(n,)` works that may be hits.

    Raises:
        QueryError: for a rule that means nothing here, when there are too many figures and when no
            picture that hits should be like shows any.
    """
    assert query.metric is not None
    found = score_figures(collection, view, query, features_of)
    rankable = rankable_works(collection.name, view.columns, query, found.covered)
    depth = query.offset + query.k
    parts = _refined(found, query.metric, rankable & mask, depth)
    pool = Pool.of(view.columns, replace(found, parts=parts).scores, rankable, mask)
    ranking = place_works(pool, query)
    best = _best_figures(view, found.asked, query.metric, ranking.ordinals)
    n_candidates = int(np.count_nonzero(mask & found.covered))
    matches = FigureMatches(view, found.asked, best)
    return RankedFigures(ranking, pool, n_candidates, matches, found.left_out)


def score_figures(
    collection: CollectionStore, view: SpaceView, query: Query, features_of: FeaturesOf
) -> ScoredFigures:
    """Score all works by their figures; arguments and errors as of `rank_figures`."""
    assert query.metric is not None
    _refuse(query, view.dim)
    asked, left_out = _ask(collection, view, query, features_of)
    decide = _decision(query.rule, asked, query.metric, query.lambda_)
    parts = _score_parts(view, asked, query.metric, None)
    return ScoredFigures(view, asked, left_out, parts, parts[0] > -np.inf, decide)


def _outline(
    vector: Embeddings, rows: ImageRows, place: int, size_wh: tuple[int, int]
) -> tuple[tuple[Joint, ...], Box]:
    """Return the joints and the box of one figure; without joints, a square of its scale."""
    assert rows.geometry is not None
    geometry = rows.geometry[place]
    if vector.shape[-1] != DIM:
        x, y, half = geometry[0], geometry[1], geometry[2] * max(size_wh) / 2
        low = np.clip([x - half / size_wh[0], y - half / size_wh[1]], 0, 1).tolist()
        high = np.clip([x + half / size_wh[0], y + half / size_wh[1]], 0, 1).tolist()
        return (), (low[0], low[1], high[0], high[1])
    found = joints_of(vector, geometry, size_wh)
    joints = tuple((x, y) if seen >= SEEN else None for x, y, seen in found.round(4).tolist())
    return joints, box_of(found, size_wh)


# What is asked


def _refuse(query: Query, dim: int) -> None:
    check_number_of_parts(query)
    if query.mirrored and dim != DIM:
        raise QueryError(
            f"Cannot accept mirror images under '{query.model_id}': its figures are not described "
            "by their joints. Ask without mirror images."
        )
    if RULES.get(query.rule).name not in FIGURE_RULES:
        raise QueryError(
            f"Cannot combine figures by '{query.rule}': a picture may show several, so there is "
            f"no one direction to follow or to take out. Choose {_listed(FIGURE_RULES)}."
        )


def _ask(
    collection: CollectionStore, view: SpaceView, query: Query, features_of: FeaturesOf
) -> tuple[tuple[AskedFigures, ...], LeftOut]:
    """Return the figures of each part, examples first, and the parts that were left out."""
    asked: list[AskedFigures] = []
    left_out = LeftOut()
    for part in (*query.positives, *query.negatives):
        try:
            found = _figures_of(part, collection, view, features_of)
        except OF_ONE_PART as error:
            left_out.add(part, error)
            continue
        if query.mirrored:
            both = np.concatenate([found.vectors, mirror_vectors(found.vectors)])
            found = replace(found, vectors=both)
        asked.append(found)
    # Counter-examples alone would turn the question round: least similar first.
    if not asked or (query.positives and asked[0].part.sign < 0):
        raise left_out.nothing_left(query, "pictures")
    n_figures = sum(len(each.rows.vectors) for each in asked)
    if n_figures > MAX_FIGURES:
        raise QueryError(
            f"Cannot search for {n_figures} figures at once: at most {MAX_FIGURES}. Choose some "
            "of them by a region of the picture, or leave out a picture."
        )
    return tuple(asked), left_out


def _figures_of(
    part: Part, collection: CollectionStore, view: SpaceView, features_of: FeaturesOf
) -> AskedFigures:
    if part.kind is PartKind.TEXT:
        raise QueryError(
            f"Cannot search for the words '{part.value}': '{view.model_id}' compares the poses of "
            "figures only. Search the metadata with --match, or choose an extractor with a text "
            "side."
        )
    if part.kind is PartKind.PANEL:
        raise whole_panel(part)
    image_id = None
    if part.kind is PartKind.IMAGE:
        image_id = local_id(collection.name, view.columns, part.value)
    if image_id is None:
        # The whole picture: a figure that a region cuts would be seen without its legs.
        rows = features_of(replace(part, region=None))
        size_wh, reason = rows.size_wh, "There is no figure in it."
    else:
        places = view.rows_of(image_id)
        rows = ImageRows(view.vectors_at(places), view.geometry_at(places))
        size_wh = collection.get_record(image_id).size_wh
        reason = "" if len(places) else why_no_row(collection, view, image_id)
    check_dimension(rows.vectors, view.dim, view.model_id)
    if not len(rows.vectors):
        raise NotFoundError(reason)
    vectors = rows.vectors.astype(np.float32)
    geometry = rows.geometry
    if part.region is not None:
        region = part.region
        if geometry is None:
            raise QueryError(
                f"Cannot search by '{part}': the space '{view.model_id}' does not say where its "
                "figures stand. Ask by the whole picture, or index the collection again."
            )
        inside = in_region(geometry, (region.x, region.y, region.w, region.h))
        if not inside.any():
            raise NotFoundError("No figure has its middle in that region.")
        vectors, geometry = vectors[inside], geometry[inside]
    return AskedFigures(part, ImageRows(vectors, geometry), size_wh or (1, 1), vectors)


# How it is answered


def _decision(
    rule_name: str, asked: tuple[AskedFigures, ...], metric: Metric, lambda_: float
) -> Decide:
    """Return what makes the scores of the works, `(n,)`, of those of the parts, `(p, n)`."""
    rule = RULES.get(rule_name)
    positives, negatives = (
        Examples.of(
            np.array([each.vectors[0] for each in asked if each.part.sign == sign], np.float32)
            if any(each.part.sign == sign for each in asked)
            else np.empty((0, asked[0].vectors.shape[1]), np.float32),
            [each.part.weight for each in asked if each.part.sign == sign],
        )
        for sign in (1, -1)
    )
    if rule.name != "difference":
        return rule.build(positives, negatives, metric, lambda_).combine
    rule.check(positives, negatives, metric, lambda_)
    return lambda scores: _differences(scores, positives, negatives, metric, lambda_)


def _differences(
    scores: Scores, positives: Examples, negatives: Examples, metric: Metric, lambda_: float
) -> Scores:
    """Return the mean score of the examples less that of the counter-examples, `(n,)`.

    For works of one figure this ranks under the angular metric as the difference of the vectors
    does; under a distance it goes from the examples further away, as there, by λ.
    """
    n_positives = len(positives)
    if not n_positives:
        return np.asarray(-_mean(scores, negatives), np.float32)
    like = _mean(scores[:n_positives], positives)
    if not len(negatives):
        return np.asarray(like, np.float32)
    strength = negatives.strength / positives.strength
    unlike = _mean(scores[n_positives:], negatives)
    if metric in LINEAR:
        return np.asarray(like - strength * unlike, np.float32)
    return np.asarray(like + lambda_ * strength * (like - unlike), np.float32)


def _mean(scores: Scores, examples: Examples) -> npt.NDArray[np.float64]:
    return np.asarray(examples.weights @ scores.astype(np.float64) / examples.weights.sum())


def _score_parts(
    view: SpaceView, asked: tuple[AskedFigures, ...], metric: Metric, rows: Ints | None
) -> Scores:
    """Return the best score of each work for each part `(p, n)`; minus infinity without figures."""
    ordinals = view.ordinals if rows is None else view.ordinals[rows]
    parts = []
    for each in asked:
        best = np.full(len(ordinals), -np.inf, np.float32)
        for start in range(0, len(each.vectors), _AT_ONCE):
            vectors = each.vectors[start : start + _AT_ONCE]
            found = ENGINES.get("exact").score(view, vectors, metric, rows)
            np.maximum(best, found.max(axis=0), out=best)
        parts.append(best_of_rows(best, ordinals, view.columns.n))
    return np.stack(parts)


def _decided(decide: Decide, scores: Scores, covered: Mask) -> Scores:
    """Decide over the works that show figures; no rule can subtract infinity from infinity."""
    final = np.full(len(covered), -np.inf, np.float32)
    final[covered] = decide(scores[:, covered])
    return final


def _refined(found: ScoredFigures, metric: Metric, allowed: Mask, depth: int) -> Scores:
    """Score the best allowed works again, as `candidates.refine_best` does and for its reason."""
    margin = depth + depth // 2 + _MARGIN
    places = select_top(np.where(allowed, found.scores, -np.inf), margin)
    again = _score_parts(found.view, found.asked, metric, _rows_of(found.view, places))
    refined = found.parts.copy()
    refined[:, places] = again[:, places]
    return refined


def _best_figures(
    view: SpaceView, asked: tuple[AskedFigures, ...], metric: Metric, ordinals: Ints
) -> dict[int, tuple[int, int, int, float]]:
    """Return for each hit the figure that is most like one of the examples, and which."""
    rows = _rows_of(view, ordinals)
    best: dict[int, tuple[int, int, int, float]] = {}
    if not len(rows):
        return best
    works = view.ordinals[rows].tolist()
    for number, each in enumerate(asked):
        if each.part.sign < 0:
            continue
        scores = ENGINES.get("exact").score(view, each.vectors, metric, rows)
        for row, work, place, score in zip(
            rows.tolist(), works, scores.argmax(axis=0).tolist(), scores.max(axis=0).tolist(),
            strict=True,
        ):  # fmt: skip
            if work not in best or score > best[work][3]:
                best[work] = (row, number, place, score)
    return best


def _rows_of(view: SpaceView, ordinals: Ints) -> Ints:
    """Return the rows of several works, rising."""
    chosen = np.zeros(view.columns.n + 1, np.bool_)  # one more place, for rows that are dead: −1
    chosen[ordinals] = True
    return np.flatnonzero(chosen[view.ordinals])


def _listed(names: tuple[str, ...]) -> str:
    quoted = [f"'{name}'" for name in names]
    return f"{', '.join(quoted[:-1])} or {quoted[-1]}"
