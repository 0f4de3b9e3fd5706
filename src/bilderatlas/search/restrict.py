"""Which works may be hits at all: filter, full-text search, facets, years, lists of ids; one mask.

The masks of filters and of full-text searches are kept for as long as their columns live. Columns
are made anew for each version of the records, so a mask never outlives the state that it shows.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from weakref import WeakKeyDictionary

import numpy as np

from bilderatlas.arrays import Mask
from bilderatlas.errors import QueryError
from bilderatlas.records import FieldKind
from bilderatlas.search.filter_evaluate import years_of
from bilderatlas.search.filters import compile_filter
from bilderatlas.search.query import Query
from bilderatlas.store.collection import CollectionStore
from bilderatlas.store.columns import Columns

MAX_KEPT_MASKS = 16  # a collection; a mask has one byte a work
YEARS = "years"  # to lift the choice of years


@dataclass(frozen=True, slots=True)
class Restriction:
    """The works that may be hits, `(n,)` in the order of the columns, and what to tell the user."""

    mask: Mask
    notes: tuple[str, ...] = ()

    @property
    def n_works(self) -> int:
        """Return how many works may be hits."""
        return int(np.count_nonzero(self.mask))


def restrict(
    collection: CollectionStore, columns: Columns, query: Query, *, lifting: str = ""
) -> Restriction:
    """Return which works pass all that the query asks of their metadata, and its lists of ids.

    Args:
        collection: Whose full text is searched.
        columns: The metadata.
        query: Its filter, full-text search, facets, years, `within` and `without` count.
        lifting: A column whose facet is not asked for, or `years`: so the other values of that
            facet can be counted.

    Raises:
        FilterError: when the filter cannot be read.
        UnknownNameError: when the filter or a facet names a column that the collection lacks.
        QueryError: when a facet asks a column of numbers for words.
    """
    mask = np.ones(columns.n, dtype=np.bool_)
    for asked, make in _conditions(collection, columns, query, lifting):
        mask &= _KEPT.get(columns, asked, make)
    notes: list[str] = []
    if query.within is not None:
        listed, n_unknown = listed_mask(columns, query.within)
        mask &= listed
        if n_unknown:
            notes.append(
                f"{n_unknown} of the {len(query.within)} ids to search within "
                f"{'is' if n_unknown == 1 else 'are'} not in this collection."
            )
    if query.without:
        mask &= ~listed_mask(columns, query.without)[0]
    return Restriction(mask, tuple(notes))


def _conditions(
    collection: CollectionStore, columns: Columns, query: Query, lifting: str
) -> Iterator[tuple[str, Callable[[], Mask]]]:
    """Yield what is asked of the metadata: a name under which its mask is kept, and its maker."""
    if where := query.where.strip():
        yield f"where {where}", lambda: compile_filter(where).mask(columns)
    if match := query.match.strip():
        yield f"match {match}", lambda: _matching(collection, columns, match)
    for column in dict.fromkeys(column for column, _ in query.facets):
        if column != lifting:
            values = sorted({value for name, value in query.facets if name == column})
            yield f"facet {column!r} {values!r}", partial(facet_mask, columns, column, values)
    if query.years is not None and lifting != YEARS:
        first, last = query.years
        yield f"years {first} {last}", lambda: years_mask(columns, first, last)


def facet_mask(columns: Columns, column: str, values: Sequence[str]) -> Mask:
    """Return which works have one of `values`, as they are spelled, in `column`: `(n,)`.

    Raises:
        UnknownNameError: when there is no such column.
        QueryError: when the column holds numbers and a value is none.
    """
    kind = columns.info_of(column).kind
    if kind in (FieldKind.YEAR, "number"):
        numbers, missing = columns.numbers(column)
        return np.asarray(np.isin(numbers, [_number(column, value) for value in values]) & ~missing)
    if kind == FieldKind.TEXTS:
        offsets, codes, texts = columns.lists(column)
        mask = np.zeros(columns.n, dtype=np.bool_)
        places = np.flatnonzero(_is_one_of(values, texts)[codes])
        mask[np.searchsorted(offsets, places, side="right") - 1] = True
        return mask
    codes, texts = columns.codes(column)
    return np.asarray(_is_one_of(values, texts)[codes])


def years_mask(columns: Columns, first: int, last: int) -> Mask:
    """Return which works were made, at least perhaps, between two years: `(n,)`.

    A work whose date is an interval passes when the two overlap; one without a date does not.
    """
    begin, end, undated = years_of(columns)
    return np.asarray((begin <= last) & (end >= first) & ~undated)


def _is_one_of(values: Sequence[str], texts: Sequence[str]) -> Mask:
    """Look each text up once; one more entry, False, stands for a missing text (code −1)."""
    wanted = frozenset(values)
    return np.fromiter((*map(wanted.__contains__, texts), False), np.bool_, len(texts) + 1)


def _number(column: str, value: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise QueryError(
            f"Cannot choose '{value}' in '{column}': the column holds numbers. Choose a number."
        ) from None


def listed_mask(columns: Columns, image_ids: Iterable[str]) -> tuple[Mask, int]:
    """Return which works are listed, `(n,)`, and how many of the ids are no work's."""
    mask = np.zeros(columns.n, dtype=np.bool_)
    n_unknown = 0
    for image_id in image_ids:
        ordinal = columns.ordinal_of(image_id)
        if ordinal is None:
            n_unknown += 1
        else:
            mask[ordinal] = True
    return mask, n_unknown


def _matching(collection: CollectionStore, columns: Columns, text: str) -> Mask:
    mask = np.zeros(columns.n, dtype=np.bool_)
    ordinals = columns.ordinals_of_keys(collection.match_text(text))
    mask[ordinals[ordinals >= 0]] = True
    return mask


class _KeptMasks:
    """The masks last used, by columns and by what was asked of them."""

    def __init__(self) -> None:
        self._masks: WeakKeyDictionary[Columns, OrderedDict[str, Mask]] = WeakKeyDictionary()
        self._lock = threading.Lock()

    def get(self, columns: Columns, asked: str, make: Callable[[], Mask]) -> Mask:
        with self._lock:
            kept = self._masks.setdefault(columns, OrderedDict())
            if asked in kept:
                kept.move_to_end(asked)
                return kept[asked]
        mask = make()  # outside the lock: two threads may make the same mask, which harms nobody
        mask.flags.writeable = False
        with self._lock:
            kept[asked] = mask
            while len(kept) > MAX_KEPT_MASKS:
                kept.popitem(last=False)
        return mask


_KEPT = _KeptMasks()
