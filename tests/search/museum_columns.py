"""A handful of works as columns in memory, and a second, slow and plain reading of every filter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bilderatlas.records import FieldKind
from bilderatlas.search.filter_evaluate import fold
from bilderatlas.search.filter_syntax import (
    And,
    Comparison,
    Membership,
    Missing,
    Node,
    Not,
    Operator,
    Or,
)

KINDS: dict[str, str] = {
    "year_begin": FieldKind.YEAR,
    "year_end": FieldKind.YEAR,
    "school": FieldKind.TEXT,
    "title": FieldKind.TEXT,
    "creators": FieldKind.TEXTS,
    "tags": FieldKind.TEXTS,
    "height_cm": "number",
}


@dataclass
class Info:
    name: str
    kind: str


class ListColumns:
    """Columns made from plain dictionaries: a key that is absent, None or () is missing."""

    def __init__(self, works: Sequence[dict[str, Any]], kinds: dict[str, str] = KINDS) -> None:
        self.works = list(works)
        self.kinds = kinds
        self.n = len(self.works)

    def info(self) -> list[Info]:
        return [Info(name, kind) for name, kind in self.kinds.items()]

    def numbers(self, name: str):
        values = [work.get(name) for work in self.works]
        dtype = np.int32 if self.kinds[name] == FieldKind.YEAR else np.float64
        filled = np.array([0 if value is None else value for value in values], dtype=dtype)
        return filled, np.array([value is None for value in values], dtype=bool)

    def codes(self, name: str):
        texts = sorted({work[name] for work in self.works if work.get(name) is not None})
        codes = [-1 if (t := work.get(name)) is None else texts.index(t) for work in self.works]
        return np.array(codes, dtype=np.int32), texts

    def lists(self, name: str):
        rows = [work.get(name, ()) for work in self.works]
        texts = sorted({text for row in rows for text in row})
        offsets = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
        codes = np.array([texts.index(text) for row in rows for text in row], dtype=np.int32)
        return offsets, codes, texts


def naive_truth(node: Node, work: dict[str, Any]) -> bool | None:
    """Answer a filter for one work: True, False, or None where it is not known."""
    match node:
        case Not(operand):
            truth = naive_truth(operand, work)
            return None if truth is None else not truth
        case And(operands):
            truths = [naive_truth(operand, work) for operand in operands]
            return False if False in truths else (None if None in truths else True)
        case Or(operands):
            truths = [naive_truth(operand, work) for operand in operands]
            return True if True in truths else (None if None in truths else False)
        case Missing(column):
            return not values_of(work, column)
        case Membership(column, wanted):
            values = values_of(work, column)
            if not values:
                return None
            return any(_is_equal(value, each) for value in values for each in wanted)
        case Comparison(column, operator, wanted):
            values = values_of(work, column)
            return any(_compare(value, operator, wanted) for value in values) if values else None
    raise AssertionError(node)


def values_of(work: dict[str, Any], column: str) -> list[Any]:
    """Return every value that a column has for one work; for `year`, every year, one by one."""
    if column == "year":
        known = [y for y in (work.get("year_begin"), work.get("year_end")) if y is not None]
        return list(range(min(known), max(known) + 1)) if known else []
    value = work.get(column)
    if value is None:
        return []
    return list(value) if isinstance(value, tuple) else [value]


def _is_equal(value: Any, wanted: Any) -> bool:
    return bool(fold(value) == fold(wanted) if isinstance(value, str) else value == wanted)


def _compare(value: Any, operator: Operator, wanted: Any) -> bool:
    if isinstance(value, str):
        value, wanted = fold(value), fold(wanted)
    match operator:
        case Operator.EQUAL:
            return value == wanted
        case Operator.NOT_EQUAL:
            return value != wanted
        case Operator.LESS:
            return value < wanted
        case Operator.AT_MOST:
            return value <= wanted
        case Operator.MORE:
            return value > wanted
        case Operator.AT_LEAST:
            return value >= wanted
        case Operator.CONTAINS:
            return wanted in value
        case Operator.STARTS_WITH:
            return value.startswith(wanted)
        case Operator.ENDS_WITH:
            return value.endswith(wanted)
