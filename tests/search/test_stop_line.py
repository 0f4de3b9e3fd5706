"""The stop line: planted works are found, chance is not, and it belongs to the query alone."""

from __future__ import annotations

import json
import math
import runpy
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bilderatlas.arrays import Metric, unit_rows
from bilderatlas.extractors.base import ImageRows
from bilderatlas.search.hits import Hits
from bilderatlas.search.query import Query, parse_part
from bilderatlas.search.run import search
from bilderatlas.search.stop_line import LEVEL, MAX_SAMPLE, _log_tail, find_stop_line
from bilderatlas.store.collection import CollectionStore
from bilderatlas.store.library import LibraryStore
from tests.search.conftest import ANGLES, image

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "stop_line.py"


def background(seed: int, n: int = 2000) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.2, 0.05, n).astype(np.float32)


def n_above(scores: np.ndarray, **options: float) -> int:
    line = find_stop_line(scores, **options)
    assert line is not None
    return int((scores >= line.threshold).sum())


def test_planted_works_are_found_and_few_others() -> None:
    n_wrong, n_found = 0, 0
    for seed in range(60):
        scores = background(seed)
        scores[:25] += 0.3  # six spreads above the rest
        line = find_stop_line(scores)
        assert line is not None
        above = scores >= line.threshold
        n_found += int(above[:25].sum())
        n_wrong += int(above[25:].sum())
        assert line.centre == pytest.approx(0.2, abs=0.01)
        assert line.spread == pytest.approx(0.05, abs=0.006)
    assert n_found >= 0.99 * 60 * 25
    assert n_wrong / (n_wrong + n_found) < 0.13  # 0.1 was promised, on average


def test_where_there_is_nothing_hardly_ever_a_work_is_called_better() -> None:
    found = [n_above(background(seed)) for seed in range(300)]
    assert np.mean([n > 0 for n in found]) < 0.16  # 0.1 was promised, on average
    assert np.mean(found) < 1


def test_a_third_of_the_works_may_be_what_was_looked_for() -> None:
    scores = background(1, 300)
    scores[:90] += 0.4
    assert 88 <= n_above(scores) <= 104


@given(st.floats(-3, 3), st.sampled_from([0.01, 1.0, 30.0]), st.integers(0, 40))
def test_only_the_shape_of_the_scores_counts(shift: float, scale: float, seed: int) -> None:
    scores = background(seed, 500).astype(np.float64)
    scores[:9] += 0.3
    moved = (scores * scale + shift).astype(np.float64)
    assert abs(n_above(moved) - n_above(scores)) <= 1


def test_the_line_follows_the_number_of_works() -> None:
    # One work four spreads above: rare among 100, to be expected among 100,000.
    few, many = background(3, 100), background(4, 100_000)
    few[0] = many[0] = 0.2 + 4.2 * 0.05
    assert few[0] >= find_stop_line(few).threshold
    assert many[0] < find_stop_line(many).threshold


def test_a_sample_tells_the_background_of_many() -> None:
    scores = background(5, 20 * MAX_SAMPLE)
    line = find_stop_line(scores)
    assert line is not None
    assert line.centre == pytest.approx(0.2, abs=0.002)
    assert line.spread == pytest.approx(0.05, rel=0.03)


def test_where_chance_cannot_be_told_there_is_no_line() -> None:
    assert find_stop_line(background(0, 59)) is None
    assert find_stop_line(np.full(100, 0.5, np.float32)) is None
    assert find_stop_line(np.zeros(100, np.float32)) is None
    # The works reach so near to what is asked that a perfect one would be no surprise.
    near = -np.abs(np.random.default_rng(0).normal(1, 0.6, 200)).astype(np.float32)
    assert find_stop_line(near, perfect=0.0) is None
    assert find_stop_line(near - 9, perfect=0.0) is not None


def test_the_tail_is_that_of_the_normal_distribution() -> None:
    z = np.linspace(0.01, 30, 999)
    exact = [math.log(math.erfc(each / math.sqrt(2)) / 2) for each in z]
    assert _log_tail(z) == pytest.approx(exact, abs=1e-4)


# In a search

CROWD = replace(
    ANGLES, model_id="crowd.fake", dim=24, metrics=(Metric.ANGULAR, Metric.EUCLIDEAN, Metric.DOT)
)
N_CROWD, N_ALIKE = 200, 12


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CollectionStore]:
    """Return 200 works that point anywhere, of which w0 to w11 point almost the same way."""
    rng = np.random.default_rng(8)
    vectors = rng.standard_normal((N_CROWD, 24)).astype(np.float32)
    vectors[:N_ALIKE] = vectors[0] + 0.3 * rng.standard_normal((N_ALIKE, 24)).astype(np.float32)
    with LibraryStore.create(tmp_path_factory.mktemp("crowd") / "library") as library:
        collection = library.create_collection("crowd", source_kind="folder", source_address="/x")
        works = [
            image(f"w{n}", school="Even" if n % 2 == 0 else "Odd", year_begin=1900 - n)
            for n in range(N_CROWD)
        ]
        rows = [(f"w{n}", ImageRows(each[np.newaxis])) for n, each in enumerate(unit_rows(vectors))]
        with collection.writer() as writer:
            writer.ensure_space(CROWD)
            writer.commit_batch(works, {CROWD.model_id: rows})
        yield collection


def ask(crowd: CollectionStore, *likes: str, unlikes: tuple[str, ...] = (), **asked) -> Hits:
    parts = [parse_part(each) for each in likes]
    parts += [parse_part(each, sign=-1) for each in unlikes]
    query = Query(parts=tuple(parts), **asked)
    return search(crowd, query, lambda part: np.zeros((1, 24), np.float32))


def test_the_answer_says_where_it_stops(crowd: CollectionStore) -> None:
    hits = ask(crowd, "w3", k=200)
    assert hits.stop is not None
    assert hits.pool is not None
    better = [hit for hit in hits if hit.score >= hits.stop.threshold]
    assert len(better) == hits.stop.n_better == int(hits.pool.better.sum())
    assert {f"w{n}" for n in range(N_ALIKE) if n != 3} <= {hit.image_id for hit in better}
    assert hits.stop.n_better <= N_ALIKE + 2
    assert hits.stop.level == LEVEL
    assert hits.stop.sentence.startswith(f"The first {hits.stop.n_better} works are more like")
    told = json.loads(json.dumps(hits.to_json()["stop"]))
    assert told["n_better"] == hits.stop.n_better


def test_filters_do_not_move_the_line_but_count_anew(crowd: CollectionStore) -> None:
    whole, half = ask(crowd, "w3").stop, ask(crowd, "w3", where="school = 'Odd'").stop
    assert whole is not None
    assert half is not None
    assert half.threshold == whole.threshold
    assert 5 <= half.n_better <= 6 < whole.n_better


def test_only_what_is_better_is_put_in_order_by_date(crowd: CollectionStore) -> None:
    hits = ask(crowd, "w3", sort="date", k=200)
    assert hits.stop is not None
    assert len(hits) == hits.stop.n_better
    years = [hit.record.year_begin for hit in hits]
    assert years == sorted(years)


def test_a_query_like_nothing_has_nothing_above_the_line(crowd: CollectionStore) -> None:
    hits = ask(crowd, "w104", k=200)
    assert hits.stop is not None
    assert hits.stop.n_better == 0
    assert hits.stop.sentence == "No work stands out from the rest; the nearest come first."
    assert hits.stop.threshold > hits[0].score
    assert hits.pool is not None
    assert int(hits.pool.better.sum()) == 199  # nothing to tell apart: all may be sorted
    json.dumps(hits.to_json(), allow_nan=False)


@pytest.mark.parametrize("rule", ["difference", "ranking", "contrast"])
@pytest.mark.parametrize("metric", CROWD.metrics)
def test_other_rules_and_metrics_have_their_line(crowd: CollectionStore, rule, metric) -> None:
    hits = ask(crowd, "w1", "w2", rule=rule, metric=metric)
    assert hits.stop is not None
    assert 9 <= hits.stop.n_better <= 13


def test_some_questions_have_none(crowd: CollectionStore) -> None:
    assert ask(crowd, unlikes=("w1",)).stop is None  # unlike: most works are
    assert ask(crowd, "w1", unlikes=("w100",), rule="ranking").stop is None  # two scales
    assert ask(crowd, "w1", unlikes=("w100",), rule="difference").stop is not None
    assert ask(crowd, "w1", "w2", rule="svm").stop is None
    assert ask(crowd).stop is None  # a random hang


# In the synthetic museum, which knows what it painted


@pytest.mark.slow
def test_the_synthetic_museum_agrees(tmp_path: Path) -> None:
    found = runpy.run_path(str(BENCHMARK))["measure"](works=300, seed=7, folder=tmp_path)
    words = found["words for what is shown"]
    assert words["precision"] > 0.6
    assert words["recall"] > 0.35
    assert found["words for what is in no work"]["n_better"] < 1
    assert found["random directions"]["n_better"] < 3
