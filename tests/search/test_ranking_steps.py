"""The steps between scores and hits: the best row of a work, places, percentiles."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bilderatlas.search.candidates import best_of_rows
from bilderatlas.search.rerank import percentiles_of, rank_works

NOWHERE = -np.inf
coarse = st.integers(-3, 3).map(float)


def floats(values) -> np.ndarray:
    return np.array(values, dtype=np.float32)


def test_the_best_row_stands_for_a_work_and_dead_rows_for_none() -> None:
    scores = floats([0.5, -0.9, 0.1, 9.0, -0.2])
    ordinals = np.array([2, 0, 2, -1, 0], dtype=np.int32)
    assert (
        best_of_rows(scores, ordinals, 4).tolist() == floats([-0.2, NOWHERE, 0.5, -np.inf]).tolist()
    )


@given(st.lists(st.tuples(st.integers(-1, 4), coarse), max_size=30))
def test_best_of_rows_agrees_with_a_loop(rows: list[tuple[int, float]]) -> None:
    ordinals = np.array([work for work, _ in rows], dtype=np.int32)
    found = best_of_rows(floats([score for _, score in rows]), ordinals, 5)
    for work in range(5):
        own = [score for each, score in rows if each == work]
        assert found[work] == max(own, default=NOWHERE)


def test_ties_stand_in_the_order_of_the_collection() -> None:
    scores = floats([0.5, 0.7, 0.5, 0.7, 0.5])
    everything = np.ones(5, dtype=bool)
    assert rank_works(scores, everything, 5).ordinals.tolist() == [1, 3, 0, 2, 4]
    assert rank_works(scores, everything, 3).ordinals.tolist() == [1, 3, 0]
    assert rank_works(scores, everything, 2, offset=3).ordinals.tolist() == [2, 4]
    assert rank_works(scores, everything, 2, offset=5).ordinals.tolist() == []


def test_percentiles_count_all_works_of_the_space_also_hidden_ones() -> None:
    scores = floats([-0.9, -0.5, 0.1, NOWHERE, 0.1])
    allowed = np.array([True, True, False, True, False])
    ranking = rank_works(scores, allowed, 10)
    assert ranking.ordinals.tolist() == [1, 0]  # the fourth is not in the space
    assert ranking.percentiles.tolist() == [0.25, 0.0]


@given(st.lists(st.one_of(coarse, st.just(NOWHERE)), max_size=25), st.data())
def test_ranking_agrees_with_sorting_everything(values: list[float], data) -> None:
    allowed = np.array(
        data.draw(st.lists(st.booleans(), min_size=len(values), max_size=len(values))), dtype=bool
    )
    k, offset = data.draw(st.integers(1, 8)), data.draw(st.integers(0, 8))
    ranking = rank_works(floats(values), allowed, k, offset)
    places = [n for n, value in enumerate(values) if allowed[n] and value > NOWHERE]
    expected = sorted(places, key=lambda n: (-values[n], n))[offset : offset + k]
    assert ranking.ordinals.tolist() == expected
    in_space = [value for value in values if value > NOWHERE]
    for place, share in zip(expected, ranking.percentiles, strict=True):
        assert share == sum(value < values[place] for value in in_space) / len(in_space)


def test_no_hits_have_no_percentiles() -> None:
    assert percentiles_of(floats([0.1]), floats([])).shape == (0,)
