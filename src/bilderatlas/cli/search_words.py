"""How `bilderatlas search` spells a facet, a span of years and a second way of judging."""

from __future__ import annotations

import re
from dataclasses import replace

from bilderatlas.api.asking import read_criteria
from bilderatlas.arrays import Metric
from bilderatlas.errors import QueryError, UnknownNameError
from bilderatlas.search.combine import RULES
from bilderatlas.search.query import Query, parse_metric

MAX_YEAR = 99_999  # before and after: a year without a bound on one side

_YEARS = re.compile(r"(-?[0-9]{1,5})?-(-?[0-9]{1,5})?")


def read_facet(text: str) -> tuple[str, str]:
    """Return a column and a value.

    >>> read_facet("school:Dutch: old")
    ('school', 'Dutch: old')

    Raises:
        QueryError: when there is no colon.
    """
    column, colon, value = text.partition(":")
    if not (column.strip() and colon and value.strip()):
        raise QueryError(
            f"Cannot choose '{text}': expected a column and a value, for example school:Dutch."
        )
    return column.strip(), value.strip()


def read_years(text: str) -> tuple[int, int] | None:
    """Return the first and the last year; one of them may be left open.

    >>> read_years("1600-1750"), read_years("1600-"), read_years("-200--100"), read_years("")
    ((1600, 1750), (1600, 99999), (-200, -100), None)

    Raises:
        QueryError: when they cannot be read.
    """
    spelled = text.replace(" ", "")
    if not spelled:
        return None
    match = _YEARS.fullmatch(spelled)
    if match is None or match[1] is match[2] is None:
        raise QueryError(
            f"Cannot search in the years '{text}': expected two years, the earlier one first, for "
            "example 1600-1750, 1600- or -200--100."
        )
    return int(match[1] or -MAX_YEAR), int(match[2] or MAX_YEAR)


def read_judging(query: Query, text: str) -> Query:
    """Return the query judged as `text` says: extractors, a metric and a rule, in any order.

    What is not named stays as it is; another extractor has its own metric.

    Raises:
        QueryError: when nothing is named.
        UnknownNameError: for what is none of them and cannot be an extractor, listing near names.
    """
    names = [name for each in text.split(",") if (name := each.strip())]
    metrics = [name for name in names if name in set(Metric)]
    rules = [name for name in names if name in RULES]
    extractors = [name for name in names if name not in metrics and name not in rules]
    if not names or len(metrics) > 1 or len(rules) > 1:
        raise QueryError(
            f"Cannot compare with '{text}': expected an extractor, a metric and a rule, or some of "
            "these, for example raw_32.pixels,euclidean."
        )
    for name in extractors:
        if "." not in name:
            known = [*(metric.value for metric in Metric), *RULES.names()]
            raise UnknownNameError("metric or rule", name, known)
    if extractors:
        model_id, blend = read_criteria(extractors)
        query = replace(query, model_id=model_id, blend=blend, metric=None)
    return replace(
        query,
        metric=parse_metric(metrics[0]) if metrics else query.metric,
        rule=rules[0] if rules else query.rule,
    )
