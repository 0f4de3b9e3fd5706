"""What the works of an answer have in common: facets to choose from, and groups to look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bilderatlas.arrays import Mask
from bilderatlas.search.arrange import Group, group
from bilderatlas.search.facets import Facet, count_facets
from bilderatlas.search.hang import hang_works
from bilderatlas.search.hits import Hit, Hits, Pool
from bilderatlas.search.query import Query
from bilderatlas.search.rerank import percentiles_of
from bilderatlas.search.restrict import YEARS, restrict
from bilderatlas.store.collection import CollectionStore


@dataclass(frozen=True, slots=True)
class GroupOfHits:
    """Hits that have one value in common, the best of them first.

    Attributes:
        value: As a facet spells it; for centuries their number, `17` or `-2`; empty where it is
            not known.
        label: For a reader.
        n: How many works of the answer are in the group.
        hits: The first of them.
    """

    value: str
    label: str
    n: int
    hits: tuple[Hit, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the group as `search --json --group` prints it."""
        base = {"value": self.value, "label": str(self.label), "n": self.n}
        return base | {"hits": [hit.to_json() for hit in self.hits]}


def count_answer(collection: CollectionStore, hits: Hits, n_values: int = 8) -> list[Facet]:
    """Count what can be chosen within an answer.

    Args:
        collection: The collection that gave it.
        hits: The answer; all works behind it are counted, not those alone that it shows.
        n_values: How many values of each column are named.
    """
    pool, query = pool_of(collection, hits), hits.query
    lifted = lifted_of(collection, pool, query)
    return count_facets(
        pool, chosen=query.facets, years=query.years, lifted=lifted, n_values=n_values
    )


def lifted_of(collection: CollectionStore, pool: Pool, query: Query) -> dict[str, Mask]:
    """Return what each choice hides: by column (or `years`) the works above the line without it."""
    in_use = dict.fromkeys(column for column, _ in query.facets)
    names = [*in_use, *([YEARS] if query.years else ())]
    return {
        name: pool.better_of(restrict(collection, pool.columns, query, lifting=name).mask)
        for name in names
    }


def group_answer(
    collection: CollectionStore, hits: Hits, column: str, per_group: int = 6
) -> list[GroupOfHits]:
    """Put an answer's works together by what they have in a column, or by `century`.

    Raises:
        UnknownNameError: when there is no such column, listing near ones.
        QueryError: when it holds numbers.
    """
    pool = pool_of(collection, hits)
    if hits.criterion is None:
        pool = _hung(pool, hits.query)
    groups = group(pool, column, per_group)
    found = _hits_of(collection, hits, pool, groups)
    return [
        GroupOfHits(
            one.value,
            one.label,
            one.n,
            tuple(
                replace(found[ordinal], rank=rank)
                for rank, ordinal in enumerate(one.ordinals.tolist(), 1)
            ),
        )
        for one in groups
    ]


def pool_of(collection: CollectionStore, hits: Hits) -> Pool:
    """Return the works behind an answer; all that pass its filters where it does not name them."""
    if hits.pool is not None:
        return hits.pool
    columns = collection.columns
    every = np.ones(columns.n, np.bool_)
    allowed = restrict(collection, columns, hits.query).mask
    return Pool.of(columns, np.zeros(columns.n, np.float32), every, allowed)


def _hung(pool: Pool, query: Query) -> Pool:
    """Let works that nobody judged stand in the order in which they hang."""
    n_works = int(np.count_nonzero(pool.better))
    hung = hang_works(pool.columns, pool.better, query.seed, n_works)
    scores = np.zeros(pool.columns.n, np.float32)
    scores[hung] = np.arange(n_works, 0, -1)
    return replace(pool, scores=scores)


def _hits_of(
    collection: CollectionStore, hits: Hits, pool: Pool, groups: Sequence[Group]
) -> dict[int, Hit]:
    """Return the hits of all groups by ordinal; one that the answer shows is taken from it."""
    shown = {hit.image_id: hit for hit in hits}
    ordinals = np.unique(np.concatenate([np.empty(0, np.int64), *(one.ordinals for one in groups)]))
    image_ids = [pool.columns.image_ids[ordinal] for ordinal in ordinals.tolist()]
    scores = pool.scores[ordinals]
    judged = hits.criterion is not None
    percentiles = percentiles_of(pool.scores, scores) if judged else np.zeros(len(ordinals))
    stored = collection.get_records(image_ids)
    made = (
        shown.get(image.image_id)
        or Hit(0, image.image_id, score if judged else 0.0, percentile, image.record)
        for image, score, percentile in zip(
            stored, scores.tolist(), percentiles.tolist(), strict=True
        )
    )
    return dict(zip(ordinals.tolist(), made, strict=True))
