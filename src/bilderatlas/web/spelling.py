"""How facets, mixed criteria and fields of forms are spelled in the address of a search."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import unquote

MAX_YEAR = 99_999  # before and after: a year without a bound on one side
WEIGHT_FIELD = "weight:"  # of a form without scripts: one number a criterion
YEAR_FIELDS = ("from", "to")
YEARS = re.compile(r"^(-?[0-9]{1,5})-(-?[0-9]{1,5})$")
_CRITERION = re.compile(r"^(?P<model_id>.+?)(?:\^(?P<weight>[0-9]+(?:\.[0-9]+)?|\.[0-9]+))?$")


def is_form_field(name: str) -> bool:
    """Tell whether a parameter is a form's own, which the address of a search does not have."""
    return name in YEAR_FIELDS or name.startswith(WEIGHT_FIELD)


def take_fields(
    fields: Sequence[tuple[str, str]], many: dict[str, list[str]], one: dict[str, str]
) -> None:
    """Take what forms can say in fields of their own only: weights of criteria, two years."""
    weights = {
        name.removeprefix(WEIGHT_FIELD): value
        for name, value in fields
        if name.startswith(WEIGHT_FIELD)
    }
    if weights:
        used = {model_id: text for model_id, text in weights.items() if text.strip("0.") != ""}
        alone = len(used) == 1
        many["by"] = [
            model_id if alone or text in {"1", "1.0"} else f"{model_id}^{text}"
            for model_id, text in used.items()
        ]
    years = dict(fields)
    if any(name in years for name in YEAR_FIELDS):
        begin, end = (years.get(name, "") for name in YEAR_FIELDS)
        one["years"] = f"{begin or -MAX_YEAR}-{end or MAX_YEAR}"


def read_criterion(text: str) -> tuple[str, float]:
    """Return the id and the weight of a criterion.

    >>> read_criterion("clip.x^2"), read_criterion("clip.x")
    (('clip.x', 2.0), ('clip.x', 1.0))
    """
    match = _CRITERION.match(text)
    if match is None:
        return text, 1.0
    return match["model_id"], float(match["weight"] or 1)


def spell_facet(column: str, value: str) -> str:
    """Spell a value of a column as in addresses; a colon in the column's name is escaped.

    >>> spell_facet("school", "Dutch: old"), spell_facet("dc:type", "print")
    ('school:Dutch: old', 'dc%3Atype:print')
    """
    return f"{column.replace('%', '%25').replace(':', '%3A')}:{value}"


def read_facet(text: str) -> tuple[str, str]:
    """Return the column and the value of a facet; two empty texts where it is none.

    >>> read_facet("dc%3Atype:print"), read_facet("Dutch")
    (('dc:type', 'print'), ('', ''))
    """
    column, colon, value = text.partition(":")
    return (unquote(column), value) if column and colon and value else ("", "")
