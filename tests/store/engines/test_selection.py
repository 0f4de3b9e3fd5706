"""How the best rows are chosen from scores."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bilderatlas.store.engines import select_top

SCORES = st.lists(
    st.sampled_from([-1.0, -0.5, 0.0, 0.25, 1.0, float("nan"), float("-inf"), float("inf")]),
    max_size=40,
)


@given(SCORES, st.integers(-1, 50))
def test_the_best_come_first_and_ties_by_row(scores: list[float], k: int) -> None:
    array = np.array(scores, np.float32)
    eligible = [row for row, score in enumerate(array) if score > -np.inf]
    expected = sorted(eligible, key=lambda row: (-array[row], row))[: max(k, 0)]
    chosen = select_top(array, k)
    assert chosen.tolist() == expected
    assert chosen.dtype == np.int64


def test_all_negative_scores_are_kept() -> None:
    assert select_top(np.array([-3.0, -1.0, -2.0]), 2).tolist() == [1, 2]


def test_the_scores_are_left_as_they_were() -> None:
    scores = np.array([np.nan, 1.0, -np.inf])
    select_top(scores, 2)
    assert np.isnan(scores[0]) and scores[2] == -np.inf
