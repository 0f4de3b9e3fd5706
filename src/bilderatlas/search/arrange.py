"""Other orders of an answer: by date, by title, in groups; of the works above its stop line.

The order by likeness is `search/rerank.py`'s. What cannot be ordered (a work without a date or
without a title) stands at the end of either direction, most alike first.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from bilderatlas.arrays import Ints
from bilderatlas.errors import QueryError
from bilderatlas.search.column_values import values_of
from bilderatlas.search.filter_evaluate import years_of
from bilderatlas.search.hits import Pool
from bilderatlas.search.query import SORTS
from bilderatlas.store.columns import Columns
from bilderatlas.words import Said, said

CENTURY = "century"  # not a column: made from the first year of each work
MAX_GROUPS = 40

_LAST = np.iinfo(np.int64).max
_MANY = 16  # of one in so many works on, all titles are put in order
_RANKS: WeakKeyDictionary[Columns, npt.NDArray[np.int32]] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Group:
    """Works that have one value in common.

    Attributes:
        value: As a facet spells it; for centuries their number, `17`, before Christ `-2`; empty for
            the works of which it is not known.
        label: For a reader.
        n: Number of works.
        ordinals: `(m,)`, the first of them, most alike first.
    """

    value: str
    label: str
    n: int
    ordinals: Ints


def arrange(pool: Pool, sort: str, k: int, offset: int = 0) -> Ints:
    """Return the places `offset` to `offset + k` of the works above the stop line, in that order.

    Args:
        pool: All works behind an answer.
        sort: `date` (by first, then by last year), `-date` (latest first) or `title`.
        k: How many.
        offset: How many to skip.

    Returns:
        Ordinals `(≤ k,)`. Works that are equal stand by score, then in the order of the collection.

    Raises:
        QueryError: for another order.
    """
    works = np.flatnonzero(pool.better)
    if sort == "title":
        keys = _title_ranks(pool.columns, works)
    elif sort in ("date", "-date"):
        keys = _date_keys(pool.columns, works, latest_first=sort == "-date")
    else:
        raise QueryError(
            f"Cannot sort by '{sort}': expected {', '.join(name for name in SORTS if name)}."
        )
    wanted = offset + k
    if wanted < len(works):  # what lies behind the last wanted place needs no order
        near = keys <= np.partition(keys, wanted - 1)[wanted - 1]
        works, keys = works[near], keys[near]
    order = np.lexsort((works, -pool.scores[works], keys))
    return np.asarray(works[order][offset:wanted], np.int64)


def group(
    pool: Pool, column: str, per_group: int = 6, *, max_groups: int = MAX_GROUPS
) -> list[Group]:
    """Put the works above the stop line together by what they have in a column.

    Centuries stand in their order, other groups the largest first; the works of which it is not
    known come last. A work with several values is in several groups.

    Args:
        pool: All works behind an answer.
        column: A column of texts, or `century`.
        per_group: How many works of each group are named.
        max_groups: How many groups; the smallest ones are left out.

    Raises:
        UnknownNameError: when there is no such column, listing near ones.
        QueryError: when it holds numbers.
    """
    works = np.flatnonzero(pool.better)
    works = works[np.argsort(-pool.scores[works], kind="stable")]
    if column == CENTURY:
        return _by_century(pool.columns, works, per_group, max_groups)
    found = values_of(pool.columns, column)
    places, codes = found.of_works(works)
    values = found.values
    groups = _grouped(places, codes, per_group)
    known = sorted(
        (each for each in groups if each[0] >= 0), key=lambda each: (-each[1], values[each[0]])
    )
    listed = [Group(values[code], values[code], n, first) for code, n, first in known[:max_groups]]
    return listed + [
        Group("", said("Not known"), n, first) for code, n, first in groups if code < 0
    ]


def century_of(year: int) -> int:
    """Return the century of a year: 1600 to 1699 are the 17th, 99 to 1 before Christ the −1st.

    Sources write both 1600-1699 and 1601-1700 for the 17th; both begin in it when it is counted so.

    >>> [century_of(year) for year in (1600, 1601, 1699, 99, -1, -150)]
    [17, 17, 17, 1, -1, -2]
    """
    return year // 100 + (year >= 0)


def century_label(century: int) -> Said:
    """Name a century.

    >>> [str(century_label(century)) for century in (17, 21, 12, -2)]
    ['17th century', '21st century', '12th century', '2nd century BCE']
    """
    if century < 0:
        return said("%(century)s BCE", century=century_label(-century))
    ending = 0 if 10 < century % 100 < 20 else century % 10
    if ending == 1:
        return said("%(number)sst century", number=century)
    if ending == 2:
        return said("%(number)snd century", number=century)
    if ending == 3:
        return said("%(number)srd century", number=century)
    return said("%(number)sth century", number=century)


# By date and by title


def _date_keys(columns: Columns, works: Ints, *, latest_first: bool) -> Ints:
    """Return what sorts the works by date, rising: two years in one number; undated ones last."""
    begin, end, undated = years_of(columns)
    first, last = begin[works].astype(np.int64), end[works].astype(np.int64)
    keys = -last * 2**32 - first if latest_first else first * 2**32 + last
    keys[undated[works]] = _LAST
    return keys


def _title_ranks(columns: Columns, works: Ints) -> Ints:
    """Return the places of the works' titles in the alphabet, `(m,)`; those without one come last.

    A million titles take seconds to put in order: it is done once for each state of the records,
    and not at all for a few works.
    """
    ranks = _RANKS.get(columns)
    if ranks is None:
        codes, titles = columns.codes("title")
        if len(works) * _MANY < columns.n:
            found, places = np.unique(codes[works], return_inverse=True)
            few = [titles[code] if code >= 0 else "" for code in found.tolist()]
            return _ranks_of(few)[places].astype(np.int64)
        # a missing title's code, −1, picks the last entry
        ranks = _RANKS[columns] = _ranks_of([*titles, ""])[codes]
    return ranks[works].astype(np.int64)


def _ranks_of(titles: Sequence[str]) -> npt.NDArray[np.int32]:
    """Return the place of each title in the alphabet; those without a letter come last."""
    keys = [collated(title) for title in titles]
    rank_of = {key: rank for rank, key in enumerate(sorted(set(keys)))}
    return np.array([rank_of[key] if key else len(keys) for key in keys], np.int32)


def collated(title: str) -> str:
    """Return what a title is sorted by: no case, no accents, none of the marks that it begins with.

    >>> collated("«Élégie»"), collated("[Untitled]")
    ('elegie»', 'untitled]')
    """
    if not title.isascii():
        decomposed = unicodedata.normalize("NFKD", title)
        title = "".join(sign for sign in decomposed if not unicodedata.combining(sign))
    folded = title.casefold()
    for place, sign in enumerate(folded):
        if sign.isalnum():
            return folded[place:]
    return ""


# In groups


def _by_century(columns: Columns, works: Ints, per_group: int, max_groups: int) -> list[Group]:
    begin, _, undated = years_of(columns)
    first = begin[works]
    unknown = -(2**30)  # no year lies so long ago
    centuries = np.where(undated[works], unknown, first // 100 + (first >= 0))
    groups = _grouped(works, centuries, per_group)
    dated = sorted((each for each in groups if each[0] > unknown), key=lambda each: -each[1])
    kept = sorted(dated[:max_groups], key=lambda each: each[0])
    listed = [Group(str(code), century_label(code), n, firsts) for code, n, firsts in kept]
    rest = (each for each in groups if each[0] == unknown)
    return listed + [Group("", said("Not known"), n, firsts) for _, n, firsts in rest]


def _grouped(places: Ints, codes: npt.NDArray[np.int32], k: int) -> list[tuple[int, int, Ints]]:
    """Return each code with the number of its works and the first `k` of them."""
    order = np.argsort(codes, kind="stable")  # the order of the works stays within each code
    found, starts = np.unique(codes[order], return_index=True)
    ends = np.append(starts, len(codes))[1:]
    groups = []
    for code, start, end in zip(found.tolist(), starts.tolist(), ends.tolist(), strict=True):
        works = places[order[start:end]]
        groups.append((code, len(works), np.asarray(works[:k], np.int64)))
    return groups
