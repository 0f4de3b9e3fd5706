"""Filters on metadata, as `--where "year >= 1600 and school = 'Dutch'"` spells them.

The language is described in `docs/reference/filters.md`; it is read in filter_parse.py and answered
in filter_evaluate.py. Nothing of a filter ever reaches SQL or Python as code.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

from bilderatlas.arrays import Mask
from bilderatlas.search.filter_evaluate import YEAR, Columns, check, evaluate
from bilderatlas.search.filter_parse import (
    MAX_CONDITIONS,
    MAX_DEPTH,
    MAX_FILTER_BYTES,
    parse_filter,
)
from bilderatlas.search.filter_syntax import Node, iter_conditions

__all__ = ["MAX_CONDITIONS", "MAX_DEPTH", "MAX_FILTER_BYTES", "YEAR", "Filter", "compile_filter"]


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter that could be read; `str()` spells it as filter text that reads the same."""

    node: Node

    def __str__(self) -> str:
        """Spell the filter in its plainest form."""
        return str(self.node)

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the columns that the filter names, each once, as it spells them."""
        return tuple(dict.fromkeys(condition.column for condition in iter_conditions(self.node)))

    def check(self, columns: Columns) -> None:
        """Raise what `mask` would raise for this collection, at no cost."""
        check(self.node, columns)

    def mask(self, columns: Columns) -> Mask:
        """Return which works the filter keeps: `(n,)`, in the order of `columns`.

        Raises:
            UnknownNameError: for a column that the collection does not have.
            FilterError: for a text compared with numbers, or the other way round.
        """
        return evaluate(self.node, columns)


@functools.lru_cache(maxsize=256)
def compile_filter(text: str) -> Filter:
    """Read a filter.

    >>> str(compile_filter('year>=1600 AND school = "Dutch"'))
    "year >= 1600 and school = 'Dutch'"

    Raises:
        FilterError: saying at which character, what stands there and what was expected.
    """
    return Filter(parse_filter(text))
