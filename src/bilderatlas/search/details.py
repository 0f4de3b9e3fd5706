"""Search over local features: candidates by shared details, then proof by laying them over.

The engine ranks all works by the details that they share with the query; the best of them are
verified one by one: is there one homography under which many details lie upon each other? What is
verified comes first, by the number of details that agree; the others follow by their votes.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from bilderatlas.arrays import Ints, Mask, check_dimension
from bilderatlas.errors import NotFoundError, QueryError
from bilderatlas.extractors.base import ImageRows
from bilderatlas.extractors.details import mirror_rows
from bilderatlas.search.hits import Criterion, Hit, Hits, Match, Pool
from bilderatlas.search.parts import OF_ONE_PART, LeftOut, local_id, rankable_works, whole_panel
from bilderatlas.search.query import Part, PartKind, Query
from bilderatlas.search.rerank import Ranking, place_works
from bilderatlas.search.restrict import restrict
from bilderatlas.search.verify import MIN_INLIERS, Features, find_agreement, match_of
from bilderatlas.store.collection import CollectionStore
from bilderatlas.store.engines.base import select_top
from bilderatlas.store.engines.descriptors import DescriptorEngine
from bilderatlas.store.engines.kept import engine_of
from bilderatlas.store.spaces import SpaceStore, SpaceView

N_CANDIDATES = 16
RULE = "ranking"  # the best answer to any of the examples

MAX_PICTURES = 20  # of one query: each takes as long as a search of its own

VERIFIED = 0.5  # the lowest score of a work that was verified

_ATTEMPTS = 5
_ALWAYS_VERIFIED = 6
_OUTSTANDING = 2.0  # times the votes of an ordinary work: candidates below are left unverified
_VOTES_HALFWAY = 20.0

FeaturesOf: TypeAlias = Callable[[Part], ImageRows]


@dataclass(frozen=True, slots=True)
class Asked:
    """One picture of the query, or its mirror image."""

    rows: ImageRows
    size_wh: tuple[int, int]
    mirrored: bool


@dataclass(slots=True)
class Evidence:
    """What was found, by place in the columns.

    Attributes:
        votes: `(n,)` best votes of any picture of the query.
        matches: The best verified match of a work.
        n_verified: How many candidates were laid over the query.
    """

    votes: npt.NDArray[np.float64]
    matches: dict[int, Match]
    n_verified: int = 0

    def scores(self) -> npt.NDArray[np.float32]:
        """Return `(n,)` scores: 0.5 to 1 for verified works, below 0.5 for votes alone."""
        scores = 0.5 * self.votes / (self.votes + _VOTES_HALFWAY)
        for ordinal, match in self.matches.items():
            scores[ordinal] = match.n_inliers / (match.n_inliers + MIN_INLIERS)
        return scores.astype(np.float32)


def search_details(
    collection: CollectionStore,
    query: Query,
    features_of: FeaturesOf,
    *,
    allowed: Mask | None = None,
) -> Hits:
    """Find works that contain details of the query's pictures.

    Args:
        collection: Where to search.
        query: Pictures to look for; several: a work is judged by the best of them. With
            `query.mirrored` their mirror images are looked for, too.
        features_of: Extracts uploads, regions and images of other collections; whole images of
            this collection are read from the store.
        allowed: `(n,)` works that may be hits, by place in the columns; None: as the query says.

    Returns:
        The hits, verified ones first. Works without any common detail are no hits.

    Raises:
        QueryError: when no picture has any details; words and counter-examples have none.
    """
    for _ in range(_ATTEMPTS - 1):
        try:
            return _search(collection, query, features_of, allowed)
        except NotFoundError:
            continue  # a writer removed works between the search and the reading of their records
    return _search(collection, query, features_of, allowed)


def _search(
    collection: CollectionStore, query: Query, features_of: FeaturesOf, allowed: Mask | None
) -> Hits:
    started = time.perf_counter()
    space = collection.space(query.model_id)
    view = space.snapshot()
    _check_number_of_pictures(query)
    restriction = restrict(collection, view.columns, query)
    asked, left_out = _ask(collection, view, query, features_of)
    covered = _layout_of(view).covered
    in_space = restriction.mask & covered
    mask = in_space if allowed is None else in_space & allowed
    n_candidates = int(np.count_nonzero(mask))
    mask = rankable_works(collection.name, view.columns, query, mask)
    engine = engine_of(collection, space)
    evidence = gather_evidence(engine, collection, view, asked, allowed=mask, exact=query.exact)
    scores = np.where(covered, evidence.scores(), np.float32(-np.inf))
    exact = engine.compares_all(view, mask, exact=query.exact)
    # Works without a common detail are no hits; verified ones are above the line.
    threshold = VERIFIED if evidence.matches else -math.inf
    pool = Pool.of(view.columns, scores, covered & (scores > 0), mask, threshold)
    ranking = place_works(pool, query)
    notes = left_out.notes
    if len(ranking.ordinals) < min(query.k, max(0, int(mask.sum()) - query.offset)):
        notes += ("No further work has a detail in common with the query.",)
    query = replace(query, rule=RULE)
    return Hits(
        hits=_hits(collection, view, ranking, evidence, query.offset),
        query=query,
        criterion=_criterion(space, query),
        recall=_recall(engine, exact=exact, evidence=evidence),
        n_candidates=n_candidates,
        n_works=view.columns.n,
        collection=collection.name,
        version=view.version,
        seconds=time.perf_counter() - started,
        notes=(*notes, *restriction.notes),
        inactive=left_out.inactive,
        pool=pool,
    )


def gather_evidence(
    engine: DescriptorEngine,
    collection: CollectionStore,
    view: SpaceView,
    asked: list[Asked],
    *,
    allowed: Mask,
    exact: bool = False,
) -> Evidence:
    """Collect votes and verified matches of every picture of the query."""
    n = view.columns.n
    evidence = Evidence(np.zeros(n), {})
    layout = _layout_of(view)
    for picture in asked:
        votes = engine.votes(view, picture.rows.vectors, n_images=n, allowed=allowed, exact=exact)
        evidence.votes = np.maximum(evidence.votes, votes)
        candidates = worth_verifying(votes)
        sizes = _sizes(collection, view, candidates)
        features = Features.from_rows(picture.rows, picture.size_wh)
        for ordinal, size_wh in zip(candidates.tolist(), sizes, strict=True):
            evidence.n_verified += 1
            hit = Features.from_rows(_stored_rows(view, layout.rows_of(ordinal)), size_wh)
            agreement = find_agreement(features, hit)
            if agreement is None:
                continue
            match = match_of(agreement, features, hit, mirrored=picture.mirrored)
            best = evidence.matches.get(ordinal)
            if best is None or match.n_inliers > best.n_inliers:
                evidence.matches[ordinal] = match
    return evidence


def worth_verifying(votes: npt.NDArray[np.float64]) -> Ints:
    """Choose the candidates: the first few, and of the next those that stand out from the rest."""
    best = select_top(np.where(votes > 0, votes, -np.inf), 3 * N_CANDIDATES)
    ordinary = float(np.median(votes[best[N_CANDIDATES:]])) if len(best) > N_CANDIDATES else 0.0
    best = best[:N_CANDIDATES]
    outstanding = votes[best] >= _OUTSTANDING * ordinary
    outstanding[:_ALWAYS_VERIFIED] = True
    return best[outstanding]


# What is asked


def _check_number_of_pictures(query: Query) -> None:
    if len(query.parts) > MAX_PICTURES:
        raise QueryError(
            f"Cannot search for the details of {len(query.parts)} pictures at once: at most "
            f"{MAX_PICTURES}. Leave out those that repeat others."
        )


def _ask(
    collection: CollectionStore, view: SpaceView, query: Query, features_of: FeaturesOf
) -> tuple[list[Asked], LeftOut]:
    """Return the pictures of the query, and the parts that had to be left out."""
    asked: list[Asked] = []
    left_out = LeftOut()
    for part in query.parts:
        try:
            rows, size_wh = _rows_of(part, collection, view, features_of)
        except OF_ONE_PART as error:
            left_out.add(part, error)
            continue
        asked.append(Asked(rows, size_wh, mirrored=False))
        if query.mirrored:
            asked.append(Asked(mirror_rows(rows), size_wh, mirrored=True))
    if not asked:
        raise left_out.nothing_left(query, "pictures")
    return asked, left_out


def _rows_of(
    part: Part, collection: CollectionStore, view: SpaceView, features_of: FeaturesOf
) -> tuple[ImageRows, tuple[int, int]]:
    _refuse_what_has_no_details(part, view)
    image_id = None
    if part.kind is PartKind.IMAGE and part.region is None:
        image_id = local_id(collection.name, view.columns, part.value)
    if image_id is None:
        rows = features_of(part)
        size_wh = rows.size_wh or (1, 1)
    else:
        rows = _stored_rows(view, view.rows_of(image_id))
        size_wh = collection.get_record(image_id).size_wh or (1, 1)
    check_dimension(rows.vectors, view.dim, view.model_id)
    if len(rows.vectors) < MIN_INLIERS:
        raise NotFoundError("It shows too few details to compare.")
    return rows, size_wh


def _refuse_what_has_no_details(part: Part, view: SpaceView) -> None:
    if part.kind is PartKind.TEXT:
        raise QueryError(
            f"Cannot search for the words '{part.value}': '{view.model_id}' compares pictures "
            "only. Search the metadata with --match, or choose an extractor with a text side."
        )
    if part.kind is PartKind.PANEL:
        raise whole_panel(part)
    if part.sign < 0:
        raise QueryError(
            f"Cannot search for works unlike '{part}': a detail is in a work or it is not, there "
            "is nothing in between to subtract. Leave works out with --without, or choose another "
            "criterion."
        )


# What is answered


class _Layout:
    """Where the rows of each image lie: found once for a view, in runs of rows of one image."""

    def __init__(self, view: SpaceView) -> None:
        ordinals = view.ordinals
        starts = np.flatnonzero(np.diff(ordinals, prepend=np.int32(-2)))
        by_ordinal = np.argsort(ordinals[starts], kind="stable")
        self._starts = starts[by_ordinal]
        self._stops = np.append(starts[1:], len(ordinals))[by_ordinal]
        self._ordinals = ordinals[starts][by_ordinal]
        self.covered: Mask = np.zeros(view.columns.n, np.bool_)
        self.covered[self._ordinals[self._ordinals >= 0]] = True

    def rows_of(self, ordinal: int) -> Ints:
        """Return the rows `(m,)` of the image at this place in the columns."""
        first, last = np.searchsorted(self._ordinals, (ordinal, ordinal + 1)).tolist()
        spans = [np.arange(self._starts[run], self._stops[run]) for run in range(first, last)]
        return np.concatenate([np.empty(0, np.int64), *spans])


_LAYOUTS: WeakKeyDictionary[SpaceView, _Layout] = WeakKeyDictionary()
_LAYOUTS_LOCK = threading.Lock()


def _layout_of(view: SpaceView) -> _Layout:
    with _LAYOUTS_LOCK:
        layout = _LAYOUTS.get(view)
        if layout is None:
            layout = _LAYOUTS[view] = _Layout(view)
        return layout


def _stored_rows(view: SpaceView, rows: Ints) -> ImageRows:
    return ImageRows(view.vectors_at(rows), view.geometry_at(rows))


def _sizes(collection: CollectionStore, view: SpaceView, ordinals: Ints) -> list[tuple[int, int]]:
    image_ids = [view.columns.image_ids[ordinal] for ordinal in ordinals.tolist()]
    return [stored.size_wh or (1, 1) for stored in collection.get_records(image_ids)]


def _hits(
    collection: CollectionStore,
    view: SpaceView,
    ranking: Ranking,
    evidence: Evidence,
    offset: int,
) -> tuple[Hit, ...]:
    ordinals = ranking.ordinals.tolist()
    stored = collection.get_records([view.columns.image_ids[ordinal] for ordinal in ordinals])
    return tuple(
        Hit(rank, image.image_id, score, percentile, image.record, evidence.matches.get(ordinal))
        for rank, (ordinal, image, score, percentile) in enumerate(
            zip(
                ordinals,
                stored,
                ranking.scores.tolist(),
                ranking.percentiles.tolist(),
                strict=True,
            ),
            offset + 1,
        )
    )


def _criterion(space: SpaceStore, query: Query) -> Criterion:
    card = space.card_json
    return Criterion(
        model_id=space.model_id,
        metric=str(query.metric or card["metrics"][0]),
        rule=RULE,
        weights_sha256=card.get("weights_sha256"),
        judges_by=card["judges_by"],
        sees=card["sees"],
    )


def _recall(engine: DescriptorEngine, *, exact: bool, evidence: Evidence) -> str:
    share = engine.recall
    if exact:
        candidates = "exact comparison"
    elif share is None:
        candidates = "compared by an index that could not be measured"
    else:
        candidates = f"{share:.2f} of the candidates of an exact comparison, measured"
    return f"{candidates}; the best {evidence.n_verified} verified"
