from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bilderatlas.evaluation.metrics import average_precision


def ap(scores: list[float], relevant: list[int]) -> float:
    return average_precision(np.array(scores), np.array(relevant, bool))


def test_a_textbook_ranking() -> None:
    # relevant at places 1, 3 and 6: (1/1 + 2/3 + 3/6) / 3
    assert ap([6, 5, 4, 3, 2, 1], [1, 0, 1, 0, 0, 1]) == pytest.approx((1 + 2 / 3 + 1 / 2) / 3)


def test_negative_scores_count_like_any_others() -> None:
    assert ap([-0.1, -0.2, -0.3], [1, 1, 0]) == 1
    assert ap([-0.1, -0.2, -0.3], [0, 0, 1]) == pytest.approx(1 / 3)


def test_equal_scores_are_ranked_by_place() -> None:
    assert ap([0, 0], [1, 0]) == 1
    assert ap([0, 0], [0, 1]) == 0.5


def test_nothing_relevant_is_no_zero() -> None:
    assert math.isnan(ap([1, 2], [0, 0]))


@given(st.lists(st.tuples(st.floats(-1, 1), st.booleans()), min_size=1, max_size=40))
def test_only_the_order_matters(pairs) -> None:
    scores = np.array([score for score, _ in pairs])
    relevant = np.array([one for _, one in pairs])
    if not relevant.any():
        return
    ranks = np.empty(len(scores))
    ranks[np.argsort(-scores, kind="stable")] = -np.arange(len(scores))
    found = average_precision(scores, relevant)
    assert found == average_precision(ranks, relevant)
    assert 0 < found <= 1
