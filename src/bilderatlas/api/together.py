"""Facets and groups of an answer that several collections gave together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from bilderatlas.api.facets import (
    GroupOfHits,
    count_answer,
    group_answer,
    lifted_of,
    pool_of,
)
from bilderatlas.api.several import likeness_key
from bilderatlas.arrays import Ints, Mask
from bilderatlas.search.arrange import CENTURY, MAX_GROUPS
from bilderatlas.search.facets import (
    MAX_FACETS,
    Facet,
    FacetValue,
    count_values,
    count_years,
    facet_columns,
)
from bilderatlas.search.hits import Hit, Hits, Pool
from bilderatlas.search.restrict import YEARS
from bilderatlas.store.collection import CollectionStore
from bilderatlas.store.columns import Columns

if TYPE_CHECKING:
    from bilderatlas.api.library import Library

MAX_VALUES = 5000  # of one column and collection that are added up


def count_together(library: Library, hits: Hits, n_values: int = 8) -> list[Facet]:
    """Count what can be chosen within an answer, over all collections that gave it.

    Columns that are worth choosing from in one collection are counted in all that have them. With
    one collection it is `Collection.facets`.
    """
    if len(hits.answers) < 2:
        alone = _alone(hits)
        return count_answer(library[alone.collection].store, alone, n_values)
    query = hits.query
    counted = [_Counted.of(library[each.collection].store, each) for each in hits.answers]
    best = dict.fromkeys(name for one in counted for name in facet_columns(one.pool.columns))
    chosen = dict.fromkeys(column for column, _ in query.facets)
    facets: dict[str, list[Facet]] = {name: [] for name in [*list(best)[:MAX_FACETS], *chosen]}
    for one in counted:
        for facet in count_values(
            one.pool, facets, chosen=query.facets, lifted=one.lifted, n_values=MAX_VALUES
        ):
            facets[facet.column].append(facet)
    added = [_added(parts, n_values) for parts in facets.values() if parts]
    histogram = count_years([one.dated for one in counted], query.years)
    return [*added, histogram] if histogram.bins else added


@dataclass(frozen=True, slots=True)
class _Counted:
    """The works behind one collection's answer, and what each choice hides."""

    pool: Pool
    lifted: dict[str, Mask]

    @classmethod
    def of(cls, collection: CollectionStore, hits: Hits) -> _Counted:
        pool = pool_of(collection, hits)
        return cls(pool, lifted_of(collection, pool, hits.query))

    @property
    def dated(self) -> tuple[Columns, Ints]:
        """The columns, and the works whose years are counted."""
        return self.pool.columns, np.flatnonzero(self.lifted.get(YEARS, self.pool.better))


def _alone(hits: Hits) -> Hits:
    """Return the answer of the one collection that gave it."""
    return hits.answers[0] if hits.answers else hits


def group_together(
    library: Library, hits: Hits, column: str, per_group: int = 6
) -> list[GroupOfHits]:
    """Put the works of all collections that answered together by a column, or by `century`.

    A collection that does not have the column has no work in a group. With one collection it is
    `Collection.grouped`.

    Raises:
        UnknownNameError: when no collection has such a column, listing near ones.
        QueryError: when it holds numbers.
    """
    if len(hits.answers) < 2:
        alone = _alone(hits)
        return group_answer(library[alone.collection].store, alone, column, per_group)
    key = likeness_key(hits.answers)
    groups: dict[str, list[tuple[Hits, GroupOfHits]]] = {}
    stores = [library[answer.collection].store for answer in hits.answers]
    has_it = [column == CENTURY or column in store.columns for store in stores]
    for answer, store, has in zip(hits.answers, stores, has_it, strict=True):
        if has or not any(has_it):
            for one in group_answer(store, answer, column, per_group):
                groups.setdefault(one.value, []).append((answer, one))
    found = [_joined(parts, key, per_group) for parts in groups.values()]
    return _in_order(found, column)


def _added(facets: Sequence[Facet], n_values: int) -> Facet:
    counts: dict[str, FacetValue] = {}
    for facet in facets:
        for one in facet.values:
            before = counts.get(one.value, FacetValue(one.value, 0))
            counts[one.value] = FacetValue(one.value, before.n + one.n, before.chosen or one.chosen)
    ranked = sorted(counts.values(), key=lambda one: (-one.n, one.value.casefold(), one.value))
    listed = [one for row, one in enumerate(ranked) if (row < n_values and one.n) or one.chosen]
    n_present = sum(one.n > 0 for one in ranked)
    n_more = n_present - sum(one.n > 0 for one in listed) + max(f.n_more for f in facets)
    return replace(facets[0], values=tuple(listed), n_more=n_more)


def _joined(
    parts: Sequence[tuple[Hits, GroupOfHits]], key: Callable[[Hit, Hits], float], per_group: int
) -> GroupOfHits:
    ranked = sorted(
        ((key(hit, answer), hit.rank, place, replace(hit, collection=answer.collection))
         for place, (answer, one) in enumerate(parts) for hit in one.hits),
        key=lambda each: each[:3],
    )  # fmt: skip
    best = [replace(each[3], rank=rank) for rank, each in enumerate(ranked[:per_group], 1)]
    return replace(parts[0][1], n=sum(one.n for _, one in parts), hits=tuple(best))


def _in_order(groups: Sequence[GroupOfHits], column: str) -> list[GroupOfHits]:
    """Return centuries in their order, other groups the largest first; what is not known last."""
    known = sorted((one for one in groups if one.value), key=lambda one: (-one.n, one.value))
    kept = known[:MAX_GROUPS]
    if column == CENTURY:
        kept.sort(key=lambda one: int(one.value))
    return kept + [one for one in groups if not one.value]
