"""The values of works in a column of texts, one or several each: what groups and facets read.

A blank value counts as none, and a value that a record names twice counts once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from bilderatlas.arrays import Ints
from bilderatlas.errors import QueryError, UnknownNameError
from bilderatlas.records import FieldKind
from bilderatlas.store.columns import Columns

Codes = npt.NDArray[np.int32]

_MANY = 8  # of one in so many works on, reading a whole column is faster than picking from it


@dataclass(frozen=True, slots=True)
class ColumnValues:
    """One column of texts.

    Attributes:
        codes: `(n,)` int32 into `values`, −1 where nothing is known; for several values a work,
            one after another and without −1.
        values: The distinct texts.
        offsets: `(n + 1,)`, where the codes of each work begin; None: one each.
    """

    codes: Codes
    values: Sequence[str]
    offsets: Ints | None = None

    def of_works(self, works: Ints) -> tuple[Ints, Codes]:
        """Return works and codes, a work as often as it has values, once with −1 if it has none.

        The order of `works` `(m,)`, ordinals, stays.
        """
        if self.offsets is None:
            return works, self.codes[works]
        n_values = (self.offsets[1:] - self.offsets[:-1])[works]
        lengths = np.maximum(n_values, 1)
        places = np.repeat(works, lengths)
        nth = np.arange(len(places)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        padded = np.append(self.codes, np.int32(-1))  # what those without a value pick
        picked = np.where(np.repeat(n_values == 0, lengths), -1, self.offsets[places] + nth)
        return places, padded[picked]

    def count(self, works: Ints, n: int) -> Ints:
        """Return how many of `works` `(m,)`, rising ordinals of `n`, have each value: `(v,)`."""
        if len(works) == n:
            codes = self.codes
        elif self.offsets is None:
            codes = self.codes[works]
        elif len(works) * _MANY < n:
            codes = self.of_works(works)[1]
        else:
            is_asked = np.zeros(n, np.bool_)
            is_asked[works] = True
            codes = self.codes[np.repeat(is_asked, np.diff(self.offsets))]
        # the first place is that of −1
        return np.bincount(codes + np.int32(1), minlength=len(self.values) + 1)[1:]


_KEPT: WeakKeyDictionary[Columns, dict[str, ColumnValues]] = WeakKeyDictionary()


def values_of(columns: Columns, name: str) -> ColumnValues:
    """Return the values in a column of texts; numbers of an original row count as texts.

    Raises:
        UnknownNameError: when there is no such column, listing near ones.
        QueryError: when it holds numbers.
    """
    kept = _KEPT.setdefault(columns, {})
    if name not in kept:
        kept[name] = _read(columns, name)
    return kept[name]


def _read(columns: Columns, name: str) -> ColumnValues:
    if name == "image_id":
        raise UnknownNameError("column", name, columns.names()[1:])
    info = columns.info_of(name)
    if info.kind in (FieldKind.YEAR, "number") and not info.raw:
        raise QueryError(
            f"Cannot put works together by '{name}': it holds numbers. Name a column of texts, or "
            "'century'."
        )
    if info.kind != FieldKind.TEXTS:
        codes, values = columns.codes(name)
        blank = _blank(values)
        return ColumnValues(np.where(np.isin(codes, blank), -1, codes) if blank else codes, values)
    offsets, codes, values = columns.lists(name)
    kept = ~np.isin(codes, _blank(values)) & ~_repeats(offsets, codes, len(values))
    if kept.all():
        return ColumnValues(codes, values, offsets)
    n_kept = np.concatenate([[0], np.cumsum(kept)])
    return ColumnValues(codes[kept], values, n_kept[offsets])


def _blank(values: Sequence[str]) -> list[int]:
    return [code for code, value in enumerate(values) if not value.strip()]


def _repeats(offsets: Ints, codes: Codes, n_values: int) -> npt.NDArray[np.bool_]:
    """Return which of the codes stand in the same list before."""
    repeats = np.zeros(len(codes), np.bool_)
    lengths = np.diff(offsets)
    several = np.flatnonzero(np.repeat(lengths > 1, lengths))
    rows = np.searchsorted(offsets, several, side="right") - 1
    pairs = rows.astype(np.int64) * n_values + codes[several]
    order = np.argsort(pairs, kind="stable")
    again = order[1:][pairs[order[1:]] == pairs[order[:-1]]]
    repeats[several[again]] = True
    return repeats
