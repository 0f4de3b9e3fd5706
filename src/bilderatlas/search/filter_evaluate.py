"""Evaluates a filter over the columns of a collection: one mask, no record is looked at twice.

A condition on something that is not known is neither true nor false, as in SQL: neither
`year >= 1600` nor `not year >= 1600` holds for an undated work, only `year is null` does. The tree
is walked with its negations pushed down to the conditions, so that each needs one mask only:
where it is known and holds, or where it is known and does not.

A condition on several values (`creators`, `tags`, the years of `year`) holds if one value does;
its negation therefore holds if none does.
"""

from __future__ import annotations

import operator
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from bilderatlas.arrays import Ints, Mask
from bilderatlas.errors import FilterError, UnknownNameError
from bilderatlas.records import FieldKind
from bilderatlas.search.filter_syntax import (
    TEXT_ONLY,
    And,
    Comparison,
    Condition,
    Membership,
    Missing,
    Node,
    Not,
    Operator,
    Or,
    Value,
    iter_conditions,
    spell_name,
    spell_value,
)

FEW = 16  # years that are faster compared one by one than looked up in a sorted list
YEAR = "year"  # not a column: the whole interval from year_begin to year_end

Numbers: TypeAlias = npt.NDArray[Any]
TextTest: TypeAlias = Callable[[str], bool]

_COMPARE: dict[Operator, Callable[[Any, Any], Any]] = {
    Operator.EQUAL: operator.eq,
    Operator.NOT_EQUAL: operator.ne,
    Operator.LESS: operator.lt,
    Operator.AT_MOST: operator.le,
    Operator.MORE: operator.gt,
    Operator.AT_LEAST: operator.ge,
    Operator.CONTAINS: operator.contains,
    Operator.STARTS_WITH: str.startswith,
    Operator.ENDS_WITH: str.endswith,
}


class ColumnInfo(Protocol):
    """What a filter needs to know of a column; `kind` is a `FieldKind` or `number`."""

    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> str: ...


class Columns(Protocol):
    """What a filter needs of the columns of a collection of `n` works (store/columns.py)."""

    @property
    def n(self) -> int: ...
    def info(self) -> Sequence[ColumnInfo]: ...
    def numbers(self, name: str) -> tuple[Numbers, Mask]: ...
    def codes(self, name: str) -> tuple[npt.NDArray[np.int32], Sequence[str]]: ...
    def lists(self, name: str) -> tuple[Ints, npt.NDArray[np.int32], Sequence[str]]: ...


@dataclass(frozen=True, slots=True)
class _Field:
    """A column that a condition names, found."""

    name: str
    kind: str  # year, number, text or texts

    @property
    def holds_text(self) -> bool:
        return self.kind in ("text", "texts")


@dataclass(frozen=True, slots=True)
class _Truth:
    """Where a condition holds, `(n,)`, and where it cannot be answered."""

    holds: Mask
    unknown: Mask

    def mask(self, negated: bool) -> Mask:
        return (~self.holds if negated else self.holds) & ~self.unknown


def evaluate(node: Node, columns: Columns) -> Mask:
    """Return where the filter holds, `(n,)` in the order of `columns`.

    Raises:
        UnknownNameError: for a column that the collection does not have.
        FilterError: for a text compared with numbers, or the other way round.
    """
    fields = _resolve(node, columns)
    return _walk(node, columns, fields, negated=False)


def check(node: Node, columns: Columns) -> None:
    """Raise what `evaluate` would raise, without looking at a single work."""
    _resolve(node, columns)


def fold(text: str) -> str:
    """Return the form in which texts are compared: upper and lower case alike, accents kept."""
    return text.lower() if text.isascii() else unicodedata.normalize("NFC", text).casefold()


def _walk(node: Node, columns: Columns, fields: dict[str, _Field], *, negated: bool) -> Mask:
    match node:
        case Not(operand):
            return _walk(operand, columns, fields, negated=not negated)
        case And(operands) | Or(operands):
            join = np.logical_and if isinstance(node, And) != negated else np.logical_or
            mask = _walk(operands[0], columns, fields, negated=negated)
            for operand in operands[1:]:
                join(mask, _walk(operand, columns, fields, negated=negated), out=mask)
            return mask
        case Missing(column):
            missing = _missing(fields[column], columns)
            return ~missing if negated else missing.copy()
        case _:
            return _truth(node, fields[node.column], columns).mask(negated)


# Finding the columns, before anything is evaluated


def _resolve(node: Node, columns: Columns) -> dict[str, _Field]:
    kinds = {info.name: str(info.kind) for info in columns.info()}
    fields: dict[str, _Field] = {}
    for condition in iter_conditions(node):
        field = _find_field(condition.column, kinds)
        _check_values(condition, field)
        fields[condition.column] = field
    return fields


def spellings_of(column: str) -> tuple[str, str, str]:
    """Return the names under which a column is looked for that a filter spells so."""
    lowered = column.lower()
    return column, lowered, re.sub(r"\W+", "_", lowered).strip("_")


def _find_field(column: str, kinds: dict[str, str]) -> _Field:
    for name in spellings_of(column):
        if name == YEAR and {"year_begin", "year_end"} <= kinds.keys():
            return _Field(YEAR, "year")
        if name in kinds:
            kind = kinds[name]
            if kind in (FieldKind.YEAR, "number"):
                return _Field(name, "number")
            return _Field(name, "texts" if kind == FieldKind.TEXTS else "text")
    raise UnknownNameError("column", column, {*kinds, YEAR})


def _check_values(condition: Condition, field: _Field) -> None:
    match condition:
        case Missing():
            return
        case Comparison(_, op, value):
            if op in TEXT_ONLY and not field.holds_text:
                raise FilterError(
                    f"Cannot filter by '{condition}': '{field.name}' holds numbers, and `{op}` "
                    "compares texts. Use = != < <= > >=."
                )
            values: tuple[Value, ...] = (value,)
        case Membership(_, values):
            pass
    for value in values:
        _check_value(condition, field, value)


def _check_value(condition: Condition, field: _Field, value: Value) -> None:
    if field.holds_text and not isinstance(value, str):
        raise FilterError(
            f"Cannot filter by '{condition}': '{field.name}' holds texts. "
            f"Write {spell_value(str(value))}, in quotes."
        )
    if not field.holds_text and isinstance(value, str):
        raise FilterError(
            f"Cannot filter by '{condition}': '{field.name}' holds numbers. "
            f"Write one without quotes, as in `{spell_name(field.name)} >= 1600`."
        )
    if field.kind == "year" and not isinstance(value, str) and value != int(value):
        raise FilterError(
            f"Cannot filter by '{condition}': a year is a whole number. Write {int(value)}."
        )


# Answering one condition


def _truth(condition: Comparison | Membership, field: _Field, columns: Columns) -> _Truth:
    if field.kind == "year":
        return _truth_of_years(condition, columns)
    if field.kind == "number":
        values, missing = columns.numbers(field.name)
        return _Truth(_test_numbers(condition, values), missing)
    test = _text_test(condition)
    if field.kind == "text":
        codes, texts = columns.codes(field.name)
        # A code is -1 where the text is missing, which picks the last entry: False.
        return _Truth(_lookup(test, texts)[codes], codes < 0)
    offsets, codes, texts = columns.lists(field.name)
    holds = np.zeros(columns.n, dtype=np.bool_)
    places = np.flatnonzero(_lookup(test, texts)[codes])
    holds[np.searchsorted(offsets, places, side="right") - 1] = True
    return _Truth(holds, _is_empty(offsets))


def _missing(field: _Field, columns: Columns) -> Mask:
    match field.kind:
        case "year":
            return years_of(columns)[2]
        case "number":
            return columns.numbers(field.name)[1]
        case "text":
            return columns.codes(field.name)[0] < 0
        case _:
            return _is_empty(columns.lists(field.name)[0])


def _is_empty(offsets: Ints) -> Mask:
    return np.asarray(offsets[1:] == offsets[:-1])


def years_of(columns: Columns) -> tuple[Numbers, Numbers, Mask]:
    """Return first years, last years and where both are missing; one that is known serves as both.

    An interval that a source wrote backwards is turned round.
    """
    begin, no_begin = columns.numbers("year_begin")
    end, no_end = columns.numbers("year_end")
    if not np.array_equal(no_begin, no_end):
        begin, end = np.where(no_begin, end, begin), np.where(no_end, begin, end)
    return np.minimum(begin, end), np.maximum(begin, end), no_begin & no_end


def _truth_of_years(condition: Comparison | Membership, columns: Columns) -> _Truth:
    """Tell where one year at least, of those from `first` to `last`, fits the condition."""
    first, last, undated = years_of(columns)
    if isinstance(condition, Membership):
        years = np.unique(np.array([float(value) for value in condition.values]))
        if len(years) <= FEW:
            holds = np.zeros(columns.n, dtype=np.bool_)
            for each in map(_number, years):
                holds |= (first <= each) & (last >= each)
            return _Truth(holds, undated)
        n_up_to_last = np.searchsorted(years, last, side="right")
        return _Truth(n_up_to_last > np.searchsorted(years, first, side="left"), undated)
    year = _number(condition.value)
    match condition.operator:
        case Operator.EQUAL:
            holds = (first <= year) & (last >= year)
        case Operator.NOT_EQUAL:
            holds = (first != year) | (last != year)
        case Operator.LESS | Operator.AT_MOST:
            holds = _COMPARE[condition.operator](first, year)
        case _:
            holds = _COMPARE[condition.operator](last, year)
    return _Truth(holds, undated)


def _test_numbers(condition: Comparison | Membership, values: Numbers) -> Mask:
    if isinstance(condition, Membership):
        return np.isin(values, np.array([float(value) for value in condition.values]))
    holds: Mask = _COMPARE[condition.operator](values, _number(condition.value))
    return holds


def _number(value: Value | np.floating[Any]) -> int | float:
    """Return a whole number as such where it fits, so that integers are not widened to compare."""
    number = float(value)
    return int(number) if number.is_integer() and abs(number) < 2**31 else number


def _text_test(condition: Comparison | Membership) -> TextTest:
    if isinstance(condition, Membership):
        return frozenset(fold(str(value)) for value in condition.values).__contains__
    wanted, compare = fold(str(condition.value)), _COMPARE[condition.operator]
    return lambda text: bool(compare(text, wanted))


def _lookup(test: TextTest, texts: Sequence[str]) -> Mask:
    """Test each distinct text once; one more entry, False, stands for a missing text."""
    answers = np.zeros(len(texts) + 1, dtype=np.bool_)
    answers[:-1] = np.fromiter(map(test, _fold_all(texts)), np.bool_, len(texts))
    return answers


def _fold_all(texts: Sequence[str]) -> Sequence[str]:
    """Fold many texts in one call, which is several times faster than one by one."""
    folded = fold("\0".join(texts)).split("\0") if texts else []
    return folded if len(folded) == len(texts) else [fold(text) for text in texts]
