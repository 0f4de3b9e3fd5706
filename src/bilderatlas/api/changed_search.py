"""Search with a changed picture: where its own work comes, and which works are its neighbours.

Spaces with one row a work are scored whole, so that every rank is exact. Spaces with many rows
(details, figures) are searched as a user would search them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from bilderatlas.arrays import Ints, Mask, Metric
from bilderatlas.errors import QueryError
from bilderatlas.evaluation.invariance import neighbours_compared
from bilderatlas.extractors.base import ImageRows, rows_are
from bilderatlas.search.candidates import best_of_rows
from bilderatlas.search.hang import hang_works
from bilderatlas.search.query import Part, PartKind, Query
from bilderatlas.search.run import search
from bilderatlas.store.collection import CollectionStore
from bilderatlas.store.engines.base import ENGINES, select_top
from bilderatlas.store.spaces import SpaceView

_DEEP = 100  # how far down a searched list the work itself is looked for


@dataclass(frozen=True, slots=True)
class Place:
    """Where a picture lies among the works.

    Attributes:
        rank: Of the work that it was made from, 1 the first; None: not found.
        neighbours: `(k,)` the nearest other works, by their ordinals; None where works have no
            neighbours that could be compared, or the picture has no place at all.
        vector: `(d,)` its embedding; None where it has none, or several.
    """

    rank: int | None
    neighbours: Ints | None = None
    vector: npt.NDArray[np.float32] | None = None


class Searcher(ABC):
    """One version of a space, asked with rows."""

    max_works: ClassVar[int] = 60
    """How many works are tried at most: a list takes longer than scores."""

    def __init__(self, collection: CollectionStore, model_id: str) -> None:
        """Take a view of the newest version."""
        self._collection = collection
        space = collection.space(model_id)
        self.card: dict[str, Any] = space.card_json
        self._view: SpaceView = space.snapshot()
        alive = self._view.ordinals[self._view.ordinals >= 0]
        self._placed: Mask = np.zeros(self._view.columns.n, np.bool_)
        self._placed[alive] = True

    @property
    def version(self) -> int:
        """The collection's version that is searched."""
        return self._view.version

    @property
    def n_works(self) -> int:
        """How many works have a place in the space."""
        return int(np.count_nonzero(self._placed))

    @property
    @abstractmethod
    def k(self) -> int:
        """How many neighbours are compared; 0: none."""

    def sample(self, n_works: int, seed: int) -> list[str]:
        """Choose works that have a place, by lot: the same seed chooses the same."""
        ordinals = hang_works(self._view.columns, self._placed, seed, n_works)
        return [self._view.columns.image_ids[ordinal] for ordinal in ordinals.tolist()]

    @abstractmethod
    def place(self, image_id: str, rows: ImageRows) -> Place:
        """Search with `rows`, made from the work `image_id`."""

    @abstractmethod
    def stored(self, image_id: str) -> Place:
        """Search with the work as it was indexed."""


class ScoringSearcher(Searcher):
    """For one row a work: all works are scored."""

    @property
    def k(self) -> int:
        """How many neighbours are compared."""
        return neighbours_compared(self.n_works)

    def place(self, image_id: str, rows: ImageRows) -> Place:
        """Search with `rows`; a picture without direction or row has no place."""
        if not len(rows.vectors):
            return Place(None)
        vector = np.asarray(rows.vectors[:1], dtype=np.float32)
        metric = Metric(self.card["metrics"][0])
        try:
            scores = ENGINES.get("exact").score(self._view, vector, metric)[0]
        except QueryError:
            return Place(None)
        works = best_of_rows(scores, self._view.ordinals, self._view.columns.n)
        own = self._view.columns.ordinal_of(image_id)
        assert own is not None  # it was sampled from this very view
        rank = 1 + int(np.count_nonzero(works > works[own]))
        works[own] = -np.inf
        return Place(rank, select_top(works, self.k), vector[0])

    def stored(self, image_id: str) -> Place:
        """Search with the work's own row."""
        return self.place(image_id, ImageRows(self._view.vectors_of(image_id)))


class ListSearcher(Searcher):
    """For many rows a work: the search itself is asked, and the work is looked for in its list."""

    max_works = 30
    k = 0

    def place(self, image_id: str, rows: ImageRows) -> Place:
        """Search with `rows`; a detail counts as found only where it was verified."""
        if not len(rows.vectors):
            return Place(None)
        return self._place(image_id, Part(PartKind.UPLOAD, "changed"), rows)

    def stored(self, image_id: str) -> Place:
        """Search with the work's own rows."""
        return self._place(image_id, Part(PartKind.IMAGE, image_id), ImageRows(np.empty((0, 0))))

    def _place(self, image_id: str, part: Part, rows: ImageRows) -> Place:
        model_id = str(self.card["model_id"])
        query = Query(parts=(part,), model_id=model_id, k=_DEEP, include_query=True)
        vectors = np.asarray(rows.vectors, dtype=np.float32)
        try:
            hits = search(self._collection, query, lambda _: vectors, lambda _: rows)
        except QueryError:
            return Place(None)  # too little in it to search with
        verified = rows_are(self.card) == "detail"
        ranks = (
            hit.rank
            for hit in hits
            if hit.image_id == image_id and (hit.match is not None or not verified)
        )
        return Place(next(ranks, None))


def searcher_of(collection: CollectionStore, model_id: str) -> Searcher:
    """Return the searcher that suits a space.

    Raises:
        UnknownNameError: when the collection has no such space.
    """
    by_scores = rows_are(collection.space(model_id).card_json) == "image"
    kind = ScoringSearcher if by_scores else ListSearcher
    return kind(collection, model_id)
