"""Ratio classes: near enough to be justified, and every class has its rule."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from bilderatlas.web.ratios import NARROWEST, WIDEST, ratio_class, ratio_rules

RULES = dict(re.findall(r"\.(r\d+)\{--r:([\d.]+)\}", ratio_rules()))


@given(st.integers(1, 5000), st.integers(1, 5000))
def test_every_picture_has_a_rule_near_its_ratio(width: int, height: int) -> None:
    ratio = min(max(width / height, NARROWEST), WIDEST)
    assert abs(float(RULES[ratio_class(width, height)]) / ratio - 1) < 0.0055


def test_sizes_that_are_not_known() -> None:
    assert ratio_class(0, 0) == ratio_class(1, 1)
