"""How a question is spelled in Python and on the command line: criteria with weights, facets."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from bilderatlas.errors import QueryError
from bilderatlas.search.query import MAX_WEIGHT

PANEL_PREFIX = "panel:"

_CRITERION = re.compile(r"(?P<model_id>.+?)(?:\^(?P<weight>[0-9]+(?:\.[0-9]+)?|\.[0-9]+))?")

Blend = tuple[tuple[str, float], ...]


def read_criteria(texts: str | Sequence[str]) -> tuple[str, Blend]:
    """Return the criterion and, where several are mixed, all of them with their weights.

    >>> read_criteria("a.x"), read_criteria(["a.x^2", "b.y"])
    (('a.x', ()), ('a.x', (('a.x', 2.0), ('b.y', 1.0))))

    Raises:
        QueryError: for a weight of zero, a huge weight, or one criterion named twice.
    """
    named = [texts] if isinstance(texts, str) else texts
    blend = tuple(_read_criterion(text) for text in named if text.strip())
    model_ids = [model_id for model_id, _ in blend]
    for model_id in model_ids:
        if model_ids.count(model_id) > 1:
            raise QueryError(
                f"Cannot mix '{model_id}' with itself: it is named twice. Weigh it instead: "
                f"{model_id}^2."
            )
    return (model_ids[0] if model_ids else ""), (blend if len(blend) > 1 else ())


def _read_criterion(text: str) -> tuple[str, float]:
    match = _CRITERION.fullmatch(text.strip())
    assert match is not None  # any text is a name
    weight = float(match["weight"] or 1)
    if not 0 < weight <= MAX_WEIGHT:
        raise QueryError(
            f"Cannot weigh '{match['model_id']}' by {weight:g}: expected a weight larger than 0, "
            f"at most {MAX_WEIGHT:g}."
        )
    return match["model_id"], weight


def read_facets(chosen: Mapping[str, str | Sequence[str]]) -> tuple[tuple[str, str], ...]:
    """Return columns and values one by one.

    >>> read_facets({"school": ["Dutch", "Flemish"], "genre": "portrait"})
    (('school', 'Dutch'), ('school', 'Flemish'), ('genre', 'portrait'))
    """
    return tuple(
        (column, value)
        for column, values in chosen.items()
        for value in ([values] if isinstance(values, str) else values)
    )
