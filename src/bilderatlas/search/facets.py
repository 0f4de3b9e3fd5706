"""Facets: what the works of an answer have in common, counted by value and by year.

Counts follow the answer: the works above the stop line. A facet in which something is chosen counts
what its other values would give, so it is counted over the answer without its own choice.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from bilderatlas.arrays import Ints, Mask
from bilderatlas.records import FieldKind
from bilderatlas.search.column_values import values_of
from bilderatlas.search.filter_evaluate import years_of
from bilderatlas.search.hits import Pool
from bilderatlas.search.restrict import YEARS
from bilderatlas.store.columns import ColumnInfo, Columns
from bilderatlas.words import said

MAX_FACETS = 6  # of values, beside that of years
MAX_BINS = 24
MAX_RAW_VALUES = 200
MAX_RAW_LENGTH = 40  # signs of a value, on average: what is longer is prose

# Columns of a record that are worth choosing from, best first, and what a reader calls them.
TITLES = {
    "creators": said("Maker"),
    "school": said("School"),
    "genre": said("Genre"),
    "object_type": said("Kind of object"),
    "medium": said("Medium"),
    "place": said("Place"),
    "style": said("Style"),
    "culture": said("Culture"),
    "institution": said("Held by"),
    "tags": said("Keywords"),
    "rights": said("Rights"),
}
YEARS_TITLE = said("Date")
_STEPS = (1, 2, 5, 10, 20, 25, 50, 100, 200, 500, 1000, 2000, 5000)


@dataclass(frozen=True, slots=True)
class FacetValue:
    """One value: how many works of the answer have it, and whether it is chosen."""

    value: str
    n: int
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class YearBin:
    """The years from `begin` to `end`, inclusive, and how many works may be of one of them."""

    begin: int
    end: int
    n: int
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Facet:
    """One column to choose from.

    Attributes:
        column: As the address and `--facet` spell it; `years` for the histogram.
        title: For a reader.
        kind: `values` or `years`.
        values: The most frequent ones and those that are chosen.
        n_more: How many further values works of the answer have.
        bins: The histogram, without gaps.
    """

    column: str
    title: str
    kind: str
    values: tuple[FacetValue, ...] = ()
    n_more: int = 0
    bins: tuple[YearBin, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the facet as JSON-ready values."""
        base: dict[str, Any] = {"column": self.column, "title": self.title, "kind": self.kind}
        if self.kind == YEARS:
            return base | {"bins": [_fields(one) for one in self.bins]}
        return base | {"values": [_fields(one) for one in self.values], "n_more": self.n_more}


def count_facets(
    pool: Pool,
    *,
    chosen: Iterable[tuple[str, str]] = (),
    years: tuple[int, int] | None = None,
    lifted: Mapping[str, Mask] | None = None,
    n_values: int = 8,
) -> list[Facet]:
    """Count what can be chosen: at most six columns, best first, those in use always, then years.

    Args:
        pool: All works behind an answer.
        chosen: What is chosen: `(column, value)`.
        years: The years that are chosen.
        lifted: By column (or `years`) in which something is chosen, `(n,)`: which works would be
            above the stop line without that choice.
        n_values: How many values of each column are named.
    """
    picked = list(chosen)
    masks = lifted or {}
    columns = facet_columns(pool.columns, [column for column, _ in picked])
    facets = count_values(pool, columns, chosen=picked, lifted=masks, n_values=n_values)
    histogram = count_years([(pool.columns, _works_of(pool, masks, YEARS))], years)
    return [*facets, histogram] if histogram.bins else facets


def count_values(
    pool: Pool,
    names: Iterable[str],
    *,
    chosen: Iterable[tuple[str, str]],
    lifted: Mapping[str, Mask],
    n_values: int,
) -> list[Facet]:
    """Count the values of columns by name; those that no work of the answer has are left out.

    Columns that hold numbers, or that the collection does not have, are left out, too. The rest is
    as in `count_facets`.
    """
    picked: dict[str, list[str]] = {}
    for column, value in chosen:
        picked.setdefault(column, []).append(value)
    infos = {info.name: info for info in pool.columns.info()}
    facets = [
        _count_values(
            pool.columns, name, _works_of(pool, lifted, name), picked.get(name, []), n_values
        )
        for name in names
        if _is_texts(infos, name)
    ]
    return [facet for facet in facets if facet.values]


def _works_of(pool: Pool, lifted: Mapping[str, Mask], name: str) -> Ints:
    return np.flatnonzero(lifted.get(name, pool.better))


def facet_columns(columns: Columns, in_use: Iterable[str] = ()) -> list[str]:
    """Return the columns worth choosing from, best first; those `in_use` among them in any case.

    They depend on the collection alone, so that they do not change places between two answers.
    """
    infos = {info.name: info for info in columns.info()}
    own = [name for name in TITLES if name in infos and _divides(infos[name], columns.n)]
    raw = [
        info.name
        for info in infos.values()
        if info.raw and info.n_distinct <= MAX_RAW_VALUES and _divides(info, columns.n)
    ]
    raw.sort(key=lambda name: (infos[name].n_missing, infos[name].n_distinct))
    best = list(own[:MAX_FACETS])
    for name in raw:
        if len(best) < MAX_FACETS and _is_short(columns, name):
            best.append(name)
    asked = [name for name in dict.fromkeys(in_use) if name not in best and _is_texts(infos, name)]
    return best + asked


def facet_title(column: str) -> str:
    """Return what a reader calls a column: `object_type` is `Kind of object`."""
    return TITLES.get(column) or column.replace("_", " ").strip().capitalize()


# Which columns


def _divides(info: ColumnInfo, n: int) -> bool:
    """Tell whether choosing a value leaves some works and takes others away, for most works."""
    n_known = n - info.n_missing
    return info.n_distinct >= 2 and 2 * n_known >= n and 2 * info.n_distinct <= n_known


def _is_texts(infos: Mapping[str, ColumnInfo], name: str) -> bool:
    info = infos.get(name)
    numeric = (FieldKind.YEAR, "number")
    return info is not None and name != "image_id" and (info.raw or info.kind not in numeric)


def _is_short(columns: Columns, name: str) -> bool:
    if columns.info_of(name).kind == "number":
        return False  # a measurement, a page: numbers are asked for by a filter
    values = values_of(columns, name).values
    return sum(map(len, values)) <= MAX_RAW_LENGTH * len(values)


# Values


def _count_values(
    columns: Columns, column: str, works: Ints, chosen: list[str], n_values: int
) -> Facet:
    found = values_of(columns, column)
    counts = found.count(works, columns.n)
    listed = [
        FacetValue(found.values[code], int(counts[code]), found.values[code] in chosen)
        for code in _most_frequent(counts, found.values, n_values)
    ]
    named = {one.value for one in listed}
    if rest := [value for value in dict.fromkeys(chosen) if value not in named]:
        code_of = {value: code for code, value in enumerate(found.values) if value in rest}
        counted = {value: int(counts[code]) for value, code in code_of.items()}
        listed += [FacetValue(value, counted.get(value, 0), True) for value in rest]
    n_more = int(np.count_nonzero(counts)) - sum(one.n > 0 for one in listed)
    return Facet(column, facet_title(column), "values", tuple(listed), n_more)


def _most_frequent(counts: Ints, values: Any, k: int) -> list[int]:
    """Return the codes of the `k` most frequent values; equally frequent ones by the alphabet."""
    codes = np.flatnonzero(counts)
    if len(codes) > k:
        least = np.partition(counts[codes], len(codes) - k)[len(codes) - k]
        codes = codes[counts[codes] >= least]
    return heapq.nsmallest(
        k, codes.tolist(), key=lambda code: (-counts[code], values[code].casefold(), values[code])
    )


# Years


@dataclass(frozen=True, slots=True)
class _Axis:
    """The bins of a collection's years, `(m + 1,)` first years of each and of what comes after."""

    starts: npt.NDArray[np.int64]
    first: npt.NDArray[np.int8]  # (n,) the bin of the first year of each work, −1: undated
    last: npt.NDArray[np.int8]

    def count(self, works: Ints) -> Ints:
        """Return how many of the works touch each bin: `(m,)`."""
        n_bins = len(self.starts) - 1
        everything = len(works) == len(self.first)
        begun, ended = (
            np.bincount((each if everything else each[works]) + 1, minlength=n_bins + 1)[1:]
            for each in (self.first, self.last)
        )
        return np.asarray(np.cumsum(begun) - np.cumsum(ended) + ended)


_AXES: WeakKeyDictionary[Columns, _Axis] = WeakKeyDictionary()


def count_years(parts: Sequence[tuple[Columns, Ints]], years: tuple[int, int] | None) -> Facet:
    """Count how many works may be of each span of years: a work counts in all that it touches.

    Args:
        parts: The columns of each collection that answered, and its works, rising ordinals.
        years: The years that are chosen.
    """
    if len(parts) == 1:
        (columns, works), axis = parts[0], _AXES.get(parts[0][0])
        if axis is None:
            axis = _AXES[columns] = _axis_of(years_of(columns))
    else:
        spans = [years_of(columns) for columns, _ in parts]
        axis = _axis_of([np.concatenate(each) for each in zip(*spans, strict=True)])
        starts = np.cumsum([0, *(columns.n for columns, _ in parts)])
        works = np.concatenate(
            [own + start for (_, own), start in zip(parts, starts, strict=False)]
        )
    counts = axis.count(works).tolist()
    if not any(counts):
        return Facet(YEARS, YEARS_TITLE, YEARS)
    bins = tuple(
        YearBin(begin, end - 1, n, years is not None and years[0] <= begin and end - 1 <= years[1])
        for (begin, end), n in zip(pairwise(axis.starts.tolist()), counts, strict=True)
    )
    return Facet(YEARS, YEARS_TITLE, YEARS, bins=bins)


def _axis_of(spans: Sequence[npt.NDArray[Any]]) -> _Axis:
    """Lay out the years of all works in bins of one width; a few far-off years widen the ends.

    It is made once for each state of the records, and is the same for every answer.

    Args:
        spans: First years, last years and where both are missing: `(n,)` each.
    """
    begin, end, undated = spans
    dated = ~undated
    if not dated.any():
        none = np.full(len(dated), -1, np.int8)
        return _Axis(np.zeros(1, np.int64), none, none)
    low, high = (int(year) for year in np.percentile(begin[dated], (1, 99), method="nearest"))
    fitting = (step for step in _STEPS if high // step - low // step < MAX_BINS)
    width = next(fitting, (high - low) // MAX_BINS + 1)
    edge, n_bins = low // width * width, high // width - low // width + 1
    starts = edge + width * np.arange(n_bins + 1, dtype=np.int64)
    first, last = (
        np.where(dated, np.clip((each - np.int64(edge)) // width, 0, n_bins - 1), -1)
        for each in (begin, end)
    )
    starts[0] = min(edge, int(begin[dated].min()))
    starts[-1] = max(starts[-1], int(end[dated].max()) + 1)
    return _Axis(starts, first.astype(np.int8), last.astype(np.int8))


def _fields(one: FacetValue | YearBin) -> dict[str, Any]:
    return {name: getattr(one, name) for name in one.__slots__}
