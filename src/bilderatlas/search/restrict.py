"""Which works may be hits at all: filter, full-text search, lists of ids; one mask.

The masks of filters and of full-text searches are kept for as long as their columns live. Columns
are made anew for each version of the records, so a mask never outlives the state that it shows.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from bilderatlas.arrays import Mask
from bilderatlas.search.filters import compile_filter
from bilderatlas.search.query import Query
from bilderatlas.store.collection import CollectionStore
from bilderatlas.store.columns import Columns

MAX_KEPT_MASKS = 16  # a collection; a mask has one byte a work


@dataclass(frozen=True, slots=True)
class Restriction:
    """The works that may be hits, `(n,)` in the order of the columns, and what to tell the user."""

    mask: Mask
    notes: tuple[str, ...] = ()

    @property
    def n_works(self) -> int:
        """Return how many works may be hits."""
        return int(np.count_nonzero(self.mask))


def restrict(collection: CollectionStore, columns: Columns, query: Query) -> Restriction:
    """Return which works pass the query's filter, full-text search and lists of ids.

    Raises:
        FilterError: when the filter cannot be read.
        UnknownNameError: when it names a column that the collection does not have.
    """
    mask = np.ones(columns.n, dtype=np.bool_)
    notes: list[str] = []
    if query.where.strip():
        text = query.where.strip()
        mask &= _KEPT.get(columns, f"where {text}", lambda: compile_filter(text).mask(columns))
    if query.match.strip():
        text = query.match.strip()
        mask &= _KEPT.get(columns, f"match {text}", lambda: _matching(collection, columns, text))
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
