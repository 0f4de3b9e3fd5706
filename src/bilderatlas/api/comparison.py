"""Show what criteria call alike: a few different works, and their neighbours under each of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bilderatlas.api.collection import Collection, SpaceInfo
from bilderatlas.evaluation.spread import choose_spread
from bilderatlas.extractors.base import rows_are
from bilderatlas.search.hang import hang_works
from bilderatlas.search.hits import Hit
from bilderatlas.store.spaces import SpaceView

N_WORKS = 5
N_NEIGHBOURS = 6
_DRAWN = 16  # by lot, of which the most different ones are chosen; more would be all oddities


@dataclass(frozen=True, slots=True)
class Comparison:
    """One work and its nearest neighbours by criterion; none where it has no place in a space."""

    image_id: str
    neighbours: dict[str, tuple[Hit, ...]]


def compare_criteria(
    collection: Collection, *, n_works: int = N_WORKS, k: int = N_NEIGHBOURS, seed: int = 0
) -> list[Comparison]:
    """Choose works by `seed`, unlike each other, and find their neighbours in every space.

    Under a criterion of details only verified agreements are neighbours.
    """
    of_details = {space.model_id for space in collection.spaces() if shows_details(space)}
    compared = []
    for image_id in choose_examples(collection, n_works, seed):
        found = collection.neighbours(image_id, k)
        near = {
            model_id: tuple(hit for hit in hits if hit.match or model_id not in of_details)
            for model_id, hits in found.items()
        }
        compared.append(Comparison(image_id, near))
    return compared


def shows_details(space: SpaceInfo) -> bool:
    """Tell whether works are neighbours there only where details were verified."""
    return rows_are(space.card) == "detail"


def choose_examples(collection: Collection, n_works: int, seed: int) -> list[str]:
    """Draw works by lot and keep those that differ most under the first criterion.

    The same seed chooses the same works as long as the collection stays as it is.
    """
    spaces = [space for space in collection.spaces() if rows_are(space.card) == "image"]
    columns = collection.store.columns
    if not spaces:
        drawn = hang_works(columns, np.ones(columns.n, np.bool_), seed, n_works)
        return [columns.image_ids[ordinal] for ordinal in drawn.tolist()]
    view = collection.store.space(spaces[0].model_id).snapshot()
    return _different_ones(view, n_works, seed)


def _different_ones(view: SpaceView, n_works: int, seed: int) -> list[str]:
    placed = np.zeros(view.columns.n, np.bool_)
    placed[view.ordinals[view.ordinals >= 0]] = True
    drawn = hang_works(view.columns, placed, seed, max(_DRAWN, n_works)).tolist()
    image_ids = [view.columns.image_ids[ordinal] for ordinal in drawn]
    if not image_ids:
        return []
    vectors = np.concatenate([view.vectors_of(image_id)[:1] for image_id in image_ids])
    return [image_ids[row] for row in choose_spread(vectors, n_works).tolist()]
