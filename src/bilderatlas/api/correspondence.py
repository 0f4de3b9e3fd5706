"""Two pictures laid beside each other: what agrees between them, and how near they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from bilderatlas.errors import BilderatlasError
from bilderatlas.extractors.base import ImageRows, rows_are
from bilderatlas.extractors.details import DetailsSift
from bilderatlas.search.correspondence import Correspondence, find_correspondence
from bilderatlas.search.query import Part, PartKind, Query

if TYPE_CHECKING:
    from bilderatlas.api.collection import Collection, SpaceInfo
    from bilderatlas.api.library import Library

Work: TypeAlias = "tuple[Collection, str]"  # a collection and the id of one of its images


@dataclass(frozen=True, slots=True)
class Nearness:
    """How near the second of two works is to the first under one criterion.

    Attributes:
        space: The criterion.
        percentile: The share of the works that are farther from the first one.
        rank: Its place among the first one's neighbours, from 1.
        n_works: How many works have a place there.
    """

    space: SpaceInfo
    percentile: float
    rank: int
    n_works: int


def correspond(library: Library, first: Work, second: Work) -> Correspondence | None:
    """Return which points of two pictures agree; None where no more than chance would give do.

    Stored features are used where the collection has them, else they are extracted now.

    Raises:
        NotFoundError: when one of them is not there.
        QueryError: when one of the pictures cannot be read.
    """
    sizes = [work[0].record(work[1]).size_wh or (1, 1) for work in (first, second)]
    rows = [_details_of(library, *work) for work in (first, second)]
    return find_correspondence(rows[0], sizes[0], rows[1], sizes[1])


def nearness(collection: Collection, first_id: str, second_id: str) -> list[Nearness]:
    """Return how near two works of a collection are, under each criterion that has both."""
    found = []
    for space in collection.spaces():
        if rows_are(space.card) == "detail":
            continue  # details agree or they do not: `correspond` says it
        part = Part(PartKind.IMAGE, collection.record(first_id).record.image_id)
        try:
            pool = collection.run(Query(parts=(part,), model_id=space.model_id, k=1)).pool
        except BilderatlasError:
            continue  # the first one is not in this space
        ordinal = pool.columns.ordinal_of(second_id) if pool else None
        if pool is None or ordinal is None or not pool.rankable[ordinal]:
            continue
        scores = pool.scores[pool.rankable]
        score = pool.scores[ordinal]
        n_works = len(scores)
        percentile = float(np.count_nonzero(scores < score)) / max(n_works - 1, 1)
        rank = 1 + int(np.count_nonzero(scores > score))
        found.append(Nearness(space, percentile, rank, n_works))
    return found


def _details_of(library: Library, collection: Collection, image_id: str) -> ImageRows:
    extractor = DetailsSift()
    if extractor.card.model_id in collection.store.model_ids():
        view = collection.store.space(extractor.card.model_id).snapshot()
        rows = view.rows_of(image_id)
        if len(rows):
            return ImageRows(view.vectors_at(rows), view.geometry_at(rows))
    pixels, _ = library.pictures.pixels(collection.store, image_id, extractor.card.side_px)
    return extractor.extract_batch([pixels])[0]
