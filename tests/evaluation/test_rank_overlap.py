"""Rank-biased overlap: worked examples, and what holds of any two rankings."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bilderatlas.errors import UsageError
from bilderatlas.evaluation.rank_overlap import rank_biased_overlap

rankings = st.lists(st.integers(0, 30), unique=True, max_size=20)
persistences = st.floats(0.05, 0.99)


@pytest.mark.parametrize(
    ("a", "b", "p", "expected"),
    [
        # Agreement at depth 1 is 0, at depth 2 it is 1: (1-p)/p * p² + 1 * p² = p.
        ("ab", "ba", 0.9, 0.9),
        # 1, 1/2, 2/3 in common: (1-p)/p * (p + p²/2 + 2p³/3) + 2/3 * p³, with p = 1/2.
        ("abc", "acd", 0.5, 0.5 + 0.125 + 1 / 12 + 1 / 12),
        # One place against two. In common: 1 of 1, and 1 plus an assumed 1 of 2: all agree.
        ("a", "ab", 0.5, 1.0),
        # One place against two, found at the second: 0, then 1/2, both beyond the first list.
        ("b", "ab", 0.5, 1 / 8 + 1 / 8),
        ("abc", "def", 0.9, 0.0),
        ("", "", 0.9, 1.0),
        ("", "abc", 0.9, 0.0),
    ],
)
def test_worked_examples(a: str, b: str, p: float, expected: float) -> None:
    assert rank_biased_overlap(a, b, p) == pytest.approx(expected)


def _as_the_paper_says(a: list[int], b: list[int], p: float) -> float:
    """Equation 32, term by term, with the overlap counted anew at each depth."""
    short, long = sorted((a, b), key=len)
    s, n = len(short), len(long)

    def common(depth: int) -> int:
        return len(set(long[:depth]) & set(short[:depth]))

    first = sum(common(d) / d * p**d for d in range(1, n + 1))
    second = sum(common(s) * (d - s) / (s * d) * p**d for d in range(s + 1, n + 1))
    return (1 - p) / p * (first + second) + ((common(n) - common(s)) / n + common(s) / s) * p**n


@given(rankings.filter(bool), rankings.filter(bool), persistences)
def test_is_equation_32(a: list[int], b: list[int], p: float) -> None:
    assert rank_biased_overlap(a, b, p) == pytest.approx(_as_the_paper_says(a, b, p), abs=1e-9)


@given(rankings, rankings, persistences)
def test_is_symmetric_and_between_0_and_1(a: list[int], b: list[int], p: float) -> None:
    found = rank_biased_overlap(a, b, p)
    assert 0 <= found <= 1
    assert math.isclose(found, rank_biased_overlap(b, a, p), abs_tol=1e-12)


@given(rankings, persistences)
def test_a_ranking_agrees_with_itself_and_with_none_of_others(a: list[int], p: float) -> None:
    assert rank_biased_overlap(a, a, p) == pytest.approx(1.0)
    if a:
        assert rank_biased_overlap(a, [item + 100 for item in a], p) == 0.0


@given(st.permutations(list(range(8))), persistences)
def test_a_swap_higher_up_costs_more(order: list[int], p: float) -> None:
    def swapped(place: int) -> list[int]:
        changed = list(order)
        changed[place], changed[place + 1] = changed[place + 1], changed[place]
        return changed

    kept = [rank_biased_overlap(order, swapped(place), p) for place in range(7)]
    # what a swap at place d costs is (1-p) p^(d-1) / d, d from 1
    costs = [(1 - p) * p**place / (place + 1) for place in range(7)]
    assert kept == pytest.approx([1 - cost for cost in costs])


@given(st.lists(st.integers(0, 9), min_size=11, max_size=12))
def test_refuses_what_stands_twice(a: list[int]) -> None:
    with pytest.raises(UsageError, match="stands twice"):
        rank_biased_overlap(a, [1, 2])


@pytest.mark.parametrize("p", [0.0, 1.0, -0.5, float("nan")])
def test_refuses_a_persistence_that_is_no_probability(p: float) -> None:
    with pytest.raises(UsageError, match="above 0 and below 1"):
        rank_biased_overlap([1], [1], p)
