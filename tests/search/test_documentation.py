"""The pages on filters and on combination rules say what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bilderatlas.arrays import Metric
from bilderatlas.errors import FilterError
from bilderatlas.search.combine import RULES
from bilderatlas.search.filters import (
    MAX_CONDITIONS,
    MAX_DEPTH,
    MAX_FILTER_BYTES,
    compile_filter,
)

DOCS = Path(__file__).parents[2] / "docs"
FILTERS = (DOCS / "reference" / "filters.md").read_text("utf-8")
RULES_PAGE = (DOCS / "explanation" / "combination-rules.md").read_text("utf-8")
EXAMPLES = [
    text
    for text in re.findall(r"(?<!`)`([^`\n…]+)`(?!`)", FILTERS.split("## Grammar")[0])
    if re.search(r"\w (=|!=|<|>=|is|contains|in|starts) ?", text) and "(…)" not in text
]


def test_there_are_examples() -> None:
    assert len(EXAMPLES) > 20


@pytest.mark.parametrize("text", EXAMPLES)
def test_every_filter_on_the_page_can_be_read(text: str) -> None:
    assert str(compile_filter(text))


def test_the_error_on_the_page_is_the_one_that_is_given() -> None:
    with pytest.raises(FilterError) as caught:
        compile_filter("school = Dutch")
    assert str(caught.value) in FILTERS


def test_the_limits_on_the_page_are_those_of_the_code() -> None:
    assert f"{MAX_FILTER_BYTES:,} bytes, {MAX_CONDITIONS} conditions" in FILTERS
    assert f"{MAX_DEPTH} levels" in FILTERS


@pytest.mark.parametrize("rule", list(RULES), ids=lambda rule: rule.name)
def test_every_rule_has_its_section_and_its_row(rule) -> None:
    assert f"\n## `{rule.name}`: " in RULES_PAGE
    row = [
        "no" if not rule.accepts(metric) else "yes, with λ" if rule.uses_lambda(metric) else "yes"
        for metric in (Metric.ANGULAR, Metric.DOT, Metric.EUCLIDEAN, Metric.MANHATTAN)
    ]
    assert f"| `{rule.name}` | {' | '.join(row)} |" in RULES_PAGE
