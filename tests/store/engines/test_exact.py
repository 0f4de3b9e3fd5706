"""Every engine, every metric and every dtype against a float64 reference."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bilderatlas.arrays import Metric
from bilderatlas.errors import QueryError, SpaceMismatchError
from bilderatlas.store.engines import ENGINES, Engine, select_top
from bilderatlas.store.engines.exact import DTYPES, ExactEngine

ENGINE_NAMES = ENGINES.names()


class RowsInMemory:
    """The rows of a space, held as a list of blocks."""

    model_id = "rows.in_memory"

    def __init__(self, *held: npt.NDArray[Any]) -> None:
        self.held = held
        self.dim = held[0].shape[1]
        self.dtype = next(name for name, dtype in DTYPES.items() if dtype == held[0].dtype)
        self.n_rows = sum(len(block) for block in held)

    def blocks(self) -> Iterator[tuple[int, npt.NDArray[Any]]]:
        start = 0
        for block in self.held:
            yield start, block
            start += len(block)


def reference(rows: npt.NDArray[Any], vectors: npt.NDArray[Any], metric: Metric) -> Any:
    """Return the scores by their definition, in float64."""
    wide, queries = rows.astype(np.float64), vectors.astype(np.float64)
    difference = queries[:, None] - wide[None]
    if metric is Metric.EUCLIDEAN:
        return -np.sqrt((difference**2).sum(-1))
    if metric is Metric.MANHATTAN:
        return -np.abs(difference).sum(-1)
    if metric is Metric.DOT:
        return queries @ wide.T
    norms = np.linalg.norm(queries, axis=1)[:, None] * np.linalg.norm(wide, axis=1)
    return np.divide(queries @ wide.T, norms, out=np.zeros_like(norms), where=norms > 0)


def tolerance(rows: npt.NDArray[Any], vectors: npt.NDArray[Any], metric: Metric) -> float:
    """Return what float32 sums may be off by: a share of the largest sum of magnitudes."""
    wide, queries = np.abs(rows.astype(np.float64)), np.abs(vectors.astype(np.float64))
    if metric is Metric.ANGULAR:
        return 2e-6
    if metric is Metric.DOT:
        return 2e-6 * float((queries @ wide.T).max()) + 1e-30
    if metric is Metric.MANHATTAN:
        return 2e-6 * float((queries.sum(1)[:, None] + wide.sum(1)).max())
    return 2e-5 * float(np.linalg.norm(queries, axis=1).max() + np.linalg.norm(wide, axis=1).max())


def rows_of(dtype: str, n_rows: int, dim: int, seed: int) -> npt.NDArray[Any]:
    random = np.random.default_rng(seed)
    if dtype == "u8":
        return random.integers(0, 256, (n_rows, dim)).astype(np.uint8)
    scale = 10.0 ** random.integers(-2, 3)
    return (random.standard_normal((n_rows, dim)) * scale).astype(DTYPES[dtype])


@pytest.fixture(params=ENGINE_NAMES)
def engine(request: pytest.FixtureRequest) -> Engine:
    return ENGINES.get(request.param)


@pytest.mark.parametrize("metric", list(Metric))
@pytest.mark.parametrize("dtype", list(DTYPES))
@pytest.mark.parametrize("name", ENGINE_NAMES)
@settings(max_examples=25, deadline=None)
@given(
    sizes=st.lists(st.integers(0, 40), min_size=1, max_size=3),
    dim=st.sampled_from([1, 2, 3, 17, 64, 257, 512]),
    seed=st.integers(0, 2**32 - 1),
    kind=st.sampled_from(["stored row", "mean of rows", "difference", "anything"]),
)
def test_scores_are_those_of_the_definition(
    name: str, dtype: str, metric: Metric, sizes: list[int], dim: int, seed: int, kind: str
) -> None:
    held = [rows_of(dtype, size, dim, seed + i) for i, size in enumerate(sizes)]
    rows = np.concatenate(held)
    pool = rows.astype(np.float32) if len(rows) else np.ones((1, dim), np.float32)
    random = np.random.default_rng(seed)
    vectors = {
        "stored row": pool[:2],
        "mean of rows": pool.mean(axis=0, keepdims=True),
        "difference": 1.7 * pool[:1] - 0.7 * pool[-1:],
        "anything": random.standard_normal((3, dim)) * 10.0 ** random.integers(-3, 4),
    }[kind].astype(np.float32)
    if not vectors.any(axis=1).all():
        return  # a query without direction is refused: see below
    scores = ENGINES.get(name).score(RowsInMemory(*held), vectors, metric)
    assert scores.shape == (len(vectors), len(rows))
    assert scores.dtype == np.float32
    if len(rows):
        expected = reference(rows, vectors, metric)
        allowed = tolerance(rows, vectors, metric) + 1e-6 * np.abs(expected)
        assert (np.abs(scores - expected) <= allowed).all()


@pytest.mark.parametrize("metric", list(Metric))
@pytest.mark.parametrize("dtype", list(DTYPES))
def test_a_subset_scores_as_the_whole_does(engine: Engine, dtype: str, metric: Metric) -> None:
    held = [rows_of(dtype, size, 384, seed) for seed, size in enumerate((700, 1, 1500))]
    view = RowsInMemory(*held)
    vectors = rows_of("f32", 2, 384, 9)
    rows = np.random.default_rng(3).permutation(view.n_rows)[:901]
    rows[5] = rows[6]  # a row may be asked for twice
    whole = engine.score(view, vectors, metric)
    assert np.array_equal(engine.score(view, vectors, metric, rows), whole[:, rows])
    none = engine.score(view, vectors, metric, np.empty(0, np.int64))
    assert none.shape == (2, 0)
    with pytest.raises(IndexError):
        engine.score(view, vectors, metric, np.array([view.n_rows]))


def test_sums_are_never_taken_in_float16(engine: Engine) -> None:
    view = RowsInMemory(np.full((3, 3072), 1000, np.float16))
    query = np.full((1, 3072), 999.5, np.float32)
    assert engine.score(view, query, Metric.DOT)[0, 0] == pytest.approx(3072 * 999.5e3, rel=1e-5)
    assert engine.score(view, query, Metric.MANHATTAN)[0, 0] == -3072 * 0.5
    assert engine.score(view, query, Metric.EUCLIDEAN)[0, 0] == pytest.approx(-0.5 * 3072**0.5)


def test_raw_pixels_are_summed_exactly(engine: Engine) -> None:
    black, white = np.zeros((1, 3072), np.uint8), np.full((1, 3072), 255, np.uint8)
    view = RowsInMemory(np.concatenate([black, white]))
    query = white.astype(np.float32)
    assert engine.score(view, query, Metric.MANHATTAN).tolist() == [[-255 * 3072, 0]]
    assert engine.score(view, query, Metric.DOT).tolist() == [[0, 255 * 255 * 3072]]
    assert engine.score(view, query - 0.5, Metric.MANHATTAN).tolist() == [[-254.5 * 3072, -1536]]


@pytest.mark.parametrize("dtype", list(DTYPES))
def test_a_row_is_nearest_to_itself(engine: Engine, dtype: str) -> None:
    rows = rows_of(dtype, 50, 512, 4)
    rows[20] = rows[10]
    view = RowsInMemory(rows)
    own = rows[10:11].astype(np.float32)
    for metric in (Metric.EUCLIDEAN, Metric.MANHATTAN):
        scores = engine.score(view, own, metric)[0]
        assert scores[10] == scores[20] == 0 == scores.max()
    assert engine.score(view, own, Metric.ANGULAR)[0, 10] == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("metric", list(Metric))
def test_the_best_of_many_rows_are_those_of_the_whole_query(engine: Engine, metric: Metric) -> None:
    random = np.random.default_rng(5)
    rows = random.standard_normal((20_000, 96)).astype(np.float16)
    query = random.standard_normal((1, 96)).astype(np.float32)
    scores = engine.score(RowsInMemory(rows[:9000], rows[9000:]), query, metric)[0]
    expected = reference(rows, query, metric)[0]
    best = np.argsort(-expected, kind="stable")[:1000]
    assert scores[best] == pytest.approx(expected[best], rel=2e-6, abs=2e-6)
    assert select_top(scores, 30).tolist() == best[:30].tolist()
    scale = float(np.linalg.norm(query) * np.linalg.norm(rows.astype(float), axis=1).max())
    slack = 2**-11 * (1 if metric is Metric.ANGULAR else scale)
    assert np.abs(scores - expected).max() <= slack


def test_negative_scores_and_rows_of_zeros(engine: Engine) -> None:
    view = RowsInMemory(np.array([[1, 0], [-1, 0], [0, 0]], np.float16))
    query = np.array([[2, 0]], np.float32)
    assert engine.score(view, query, Metric.ANGULAR).tolist() == [[1, -1, 0]]
    assert engine.score(view, query, Metric.DOT).tolist() == [[2, -2, 0]]
    assert engine.score(view, query, Metric.EUCLIDEAN).tolist() == [[-1, -3, -2]]


@pytest.mark.parametrize("metric", list(Metric))
def test_a_query_that_cannot_be_compared_says_why(engine: Engine, metric: Metric) -> None:
    view = RowsInMemory(rows_of("f16", 5, 8, 0))
    with pytest.raises(SpaceMismatchError, match=r"dimension 7 .* 'rows.in_memory' has 8"):
        engine.score(view, np.ones((1, 7), np.float32), metric)
    for bad in (np.nan, np.inf):
        with pytest.raises(QueryError, match="not numbers"):
            engine.score(view, np.full((1, 8), bad, np.float32), metric)


@pytest.mark.parametrize("dtype", list(DTYPES))
def test_a_zero_query_has_places_but_no_direction(engine: Engine, dtype: str) -> None:
    view = RowsInMemory(rows_of(dtype, 5, 8, 0))
    zero = np.zeros((1, 8), np.float32)
    for metric in (Metric.ANGULAR, Metric.DOT):
        with pytest.raises(QueryError, match="no direction"):
            engine.score(view, zero, metric)
    for metric in (Metric.EUCLIDEAN, Metric.MANHATTAN):
        expected = reference(view.held[0], zero, metric)
        assert engine.score(view, zero, metric) == pytest.approx(expected, rel=1e-5)


def test_lengths_are_kept_as_long_as_a_file_is_mapped(tmp_path: Path) -> None:
    engine = ExactEngine()
    query = rows_of("f32", 1, 33, 2)
    rows = rows_of("f16", 300, 33, 8)
    rows.tofile(tmp_path / "rows.f16")
    mapped = np.memmap(tmp_path / "rows.f16", np.float16, "r", shape=rows.shape).view(np.ndarray)
    expected = reference(rows, query, Metric.ANGULAR)
    one_block = RowsInMemory(mapped)
    for _ in range(2):  # the second answer uses the lengths that the first one kept
        assert engine.score(one_block, query, Metric.ANGULAR) == pytest.approx(expected, abs=1e-6)
    assert len(engine._lengths._kept) == 1
    turned = RowsInMemory(mapped[200:], mapped[:200])  # the same mapping, other blocks
    expected_turned = np.concatenate([expected[:, 200:], expected[:, :200]], axis=1)
    scores = engine.score(turned, query, Metric.ANGULAR)
    assert scores == pytest.approx(expected_turned, abs=1e-6)
    some = engine.score(one_block, query, Metric.ANGULAR, np.array([299, 0]))
    assert some == pytest.approx(expected[:, [299, 0]], abs=1e-6)
    del mapped, one_block, turned
    gc.collect()
    assert len(engine._lengths._kept) == 0


def test_rows_in_memory_may_change_between_searches(engine: Engine) -> None:
    rows = np.array([[3, 4]], np.float32)
    query = np.array([[1, 0]], np.float32)
    assert engine.score(RowsInMemory(rows), query, Metric.ANGULAR)[0, 0] == pytest.approx(0.6)
    rows[:] = [[4, 3]]
    assert engine.score(RowsInMemory(rows), query, Metric.ANGULAR)[0, 0] == pytest.approx(0.8)
