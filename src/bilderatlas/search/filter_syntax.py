"""What a filter says once it is read: a tree of conditions that prints itself as filter text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

KEYWORDS = frozenset(("and", "or", "not", "in", "is", "null", "contains", "starts", "ends", "with"))
_BARE_NAME = re.compile(r"[^\W\d]\w*")

Value: TypeAlias = "str | int | float"


class Operator(StrEnum):
    """How a column is compared with one value; the value is how the filter text spells it."""

    EQUAL = "="
    NOT_EQUAL = "!="
    LESS = "<"
    AT_MOST = "<="
    MORE = ">"
    AT_LEAST = ">="
    CONTAINS = "contains"
    STARTS_WITH = "starts with"
    ENDS_WITH = "ends with"


TEXT_ONLY = frozenset((Operator.CONTAINS, Operator.STARTS_WITH, Operator.ENDS_WITH))


@dataclass(frozen=True, slots=True)
class Comparison:
    """`year >= 1600`, `title contains 'bridge'`."""

    column: str
    operator: Operator
    value: Value

    def __str__(self) -> str:
        """Spell the condition as filter text."""
        return f"{spell_name(self.column)} {self.operator} {spell_value(self.value)}"


@dataclass(frozen=True, slots=True)
class Membership:
    """`school in ('Dutch', 'Flemish')`."""

    column: str
    values: tuple[Value, ...]

    def __str__(self) -> str:
        """Spell the condition as filter text."""
        return f"{spell_name(self.column)} in ({', '.join(map(spell_value, self.values))})"


@dataclass(frozen=True, slots=True)
class Missing:
    """`year is null`."""

    column: str

    def __str__(self) -> str:
        """Spell the condition as filter text."""
        return f"{spell_name(self.column)} is null"


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite of a condition; of an unknown it is still unknown."""

    operand: Node

    def __str__(self) -> str:
        """Spell the condition as filter text."""
        if isinstance(self.operand, And | Or):
            return f"not ({self.operand})"
        return f"not {self.operand}"


@dataclass(frozen=True, slots=True)
class And:
    """Two or more conditions that all hold."""

    operands: tuple[Node, ...]

    def __str__(self) -> str:
        """Spell the condition as filter text."""
        return " and ".join(
            f"({operand})" if isinstance(operand, And | Or) else str(operand)
            for operand in self.operands
        )


@dataclass(frozen=True, slots=True)
class Or:
    """Two or more conditions of which one holds."""

    operands: tuple[Node, ...]

    def __str__(self) -> str:
        """Spell the condition as filter text."""
        return " or ".join(
            f"({operand})" if isinstance(operand, Or) else str(operand) for operand in self.operands
        )


Condition: TypeAlias = Comparison | Membership | Missing
Node: TypeAlias = Condition | Not | And | Or


def iter_conditions(node: Node) -> Iterator[Condition]:
    """Iterate over the conditions of a tree, from left to right."""
    match node:
        case Not(operand):
            yield from iter_conditions(operand)
        case And(operands) | Or(operands):
            for operand in operands:
                yield from iter_conditions(operand)
        case _:
            yield node


def spell_name(column: str) -> str:
    """Spell a column's name: bare where it can be, otherwise in backticks, doubled inside."""
    if _BARE_NAME.fullmatch(column) and column.lower() not in KEYWORDS:
        return column
    return "`" + column.replace("`", "``") + "`"


def spell_value(value: Value) -> str:
    """Spell a number, or a text in single quotes, doubled inside."""
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else repr(value)
