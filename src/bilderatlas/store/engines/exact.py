"""The exact engine: every row is compared, on one thread, where it lies on the disk.

Rows are read through memory-mapped blocks, so a search holds no copy of the collection. Under
angular and euclidean the lengths of the rows are needed; they are derived once for each mapped
block and kept while it stays mapped (4 bytes a row).

A row of zeros has no direction: under angular it scores 0, neither like nor unlike anything.

A single query against many float16 rows passes over them once, rounded as the rows themselves
are; every row that may be among the best 1,024 is then scored again with the whole query. Their
scores and their order are those of the definition; scores further down are off by less than
2^-11 of the product of the lengths.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from mmap import mmap
from typing import Any, ClassVar, TypeAlias
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from bilderatlas.arrays import Embeddings, Ints, Metric, Scores
from bilderatlas.store.engines import kernels
from bilderatlas.store.engines.base import ENGINES, Engine, RowSource, check_queries
from bilderatlas.store.engines.kernels import Kernel, Rows, Values

Lengths: TypeAlias = npt.NDArray[np.float32]  # (b,) L2 lengths of rows
Finish: TypeAlias = Callable[[Rows, Lengths, Values], Values]  # what a kernel gave → scores

DTYPES: dict[str, np.dtype[Any]] = {
    "u8": np.dtype(np.uint8),
    "f16": np.dtype(np.float16),
    "f32": np.dtype(np.float32),
}

_PART_BYTES = 1 << 20  # a part stays in a core's own cache while each query passes over it
_STRETCH_ROWS = 1 << 15  # finished at once: enough to make the calls cheap, little memory
_BEST_ROWS = 1024  # whose order must not depend on how the query is rounded
_TINY = 1e-300  # in place of the length of a row of zeros
_NEAR = 1e-3  # below this share of |q|² + |r|² the difference of the two has lost its digits
_NEED_LENGTHS = frozenset({Metric.ANGULAR, Metric.EUCLIDEAN})
_NO_LENGTHS: Lengths = np.empty(0, np.float32)


class ExactEngine(Engine):
    """Compares every row; the measure against which other engines state their recall."""

    name: ClassVar[str] = "exact"

    def __init__(self) -> None:
        """Create an engine; it holds nothing but derived lengths."""
        self._lengths = _LengthCache()

    def score(
        self, view: RowSource, vectors: Embeddings, metric: Metric, rows: Ints | None = None
    ) -> Scores:
        """Score rows as `Engine.score` says; thread-safe, each call on one thread."""
        queries = check_queries(view, vectors, metric)
        dtype = DTYPES[view.dtype]
        if rows is not None:
            return self._score_some(view, queries, metric, np.asarray(rows, np.int64))
        one_product = len(queries) == 1 and metric is not Metric.MANHATTAN
        if one_product and dtype == np.float16 and view.n_rows > 8 * _BEST_ROWS:
            return self._score_in_two_steps(view, queries, metric)
        return self._score_all(view, queries, metric)

    def _score_in_two_steps(self, view: RowSource, queries: Embeddings, metric: Metric) -> Scores:
        """Score float16 rows with the query's high part, then the best of them with all of it.

        The first step is off by at most `slack`. So any row that may be among the best 1,024 is
        scored again; what stays is off by less than the rounding of the rows themselves may be.
        """
        rounded = kernels.high_part(queries)
        scores = self._score_all(view, rounded, metric)
        if np.array_equal(rounded, queries):
            return scores
        slack = float(np.linalg.norm(queries.astype(np.float64) - rounded))
        if metric is Metric.ANGULAR:
            slack *= 2 / float(np.linalg.norm(queries))
        elif metric is Metric.DOT:
            slack *= max(float(self._lengths.of(block).max()) for _, block in view.blocks())
        last_best = np.partition(scores[0], view.n_rows - _BEST_ROWS)[view.n_rows - _BEST_ROWS]
        again = np.flatnonzero(scores[0] >= last_best - 2 * slack)
        if len(again) > view.n_rows // 4:
            return self._score_all(view, queries, metric)
        scores[:, again] = self._score_some(view, queries, metric, again)
        return scores

    def _score_all(self, view: RowSource, queries: Embeddings, metric: Metric) -> Scores:
        scorers = [_scorer(query, metric, DTYPES[view.dtype]) for query in queries]
        scores = np.empty((len(queries), view.n_rows), np.float32)
        for start, block in view.blocks():
            lengths = self._lengths.of(block) if metric in _NEED_LENGTHS else _NO_LENGTHS
            for stretch in _slices(len(block), _STRETCH_ROWS):
                place = slice(start + stretch.start, start + stretch.stop)
                scores[:, place] = _score_stretch(scorers, block[stretch], lengths[stretch])
        return scores

    def _score_some(
        self, view: RowSource, queries: Embeddings, metric: Metric, rows: Ints
    ) -> Scores:
        """Score the named rows only, gathered part by part; `(v, m)` in the order of `rows`."""
        if len(rows) and not (rows.min() >= 0 and rows.max() < view.n_rows):
            raise IndexError(f"rows must lie from 0 to {view.n_rows - 1}")
        scorers = [_scorer(query, metric, DTYPES[view.dtype]) for query in queries]
        order = np.argsort(rows, kind="stable")
        ascending = rows[order]
        scores = np.empty((len(scorers), len(rows)), np.float32)
        for start, block in view.blocks():
            first, last = np.searchsorted(ascending, (start, start + len(block)))
            for part in _slices(int(last - first), _part_rows(block)):
                places = order[first:last][part]
                wanted = rows[places] - start
                gathered = np.take(block, wanted, axis=0)
                lengths = _NO_LENGTHS
                if metric in _NEED_LENGTHS:
                    lengths = self._lengths.of_some(block, wanted, gathered)
                scores[:, places] = _score_stretch(scorers, gathered, lengths)
        return scores


@dataclass(frozen=True, slots=True)
class _Scorer:
    """One query under one metric: what passes over the rows, and what makes scores of it."""

    kernel: Kernel
    finish: Finish


def _score_stretch(scorers: list[_Scorer], rows: Rows, lengths: Lengths) -> npt.NDArray[np.float64]:
    """Score `rows` `(b, d)`: `(v, b)`; every query passes over a part while it is in the cache."""
    values = np.empty((len(scorers), len(rows)))
    for part in _slices(len(rows), _part_rows(rows)):
        for i, scorer in enumerate(scorers):
            values[i, part] = scorer.kernel(rows[part])
    for i, scorer in enumerate(scorers):
        values[i] = scorer.finish(rows, lengths, values[i])
    return values


def _scorer(query: Embeddings, metric: Metric, dtype: np.dtype[Any]) -> _Scorer:
    if metric is Metric.ANGULAR:
        return _Scorer(kernels.inner_product(query, dtype), _cosines(query))
    if metric is Metric.DOT:
        return _Scorer(
            kernels.inner_product(query, dtype), lambda rows, lengths, products: products
        )
    if metric is Metric.MANHATTAN:
        return _Scorer(kernels.manhattan(query, dtype), lambda rows, lengths, distances: -distances)
    direct = kernels.squared_distance(query, dtype)
    if direct is not None:
        return _Scorer(direct, lambda rows, lengths, squares: -np.sqrt(squares))
    return _Scorer(kernels.inner_product(query, dtype), _distances(query))


def _cosines(query: Embeddings) -> Finish:
    own = float(np.linalg.norm(query.astype(np.float64)))

    def finish(rows: Rows, lengths: Lengths, products: Values) -> Values:
        products /= np.maximum(own * lengths.astype(np.float64), _TINY)
        return np.asarray(np.clip(products, -1, 1, out=products))

    return finish


def _distances(query: Embeddings) -> Finish:
    """Return minus |q - r| from |q|² + |r|² - 2 q·r, and from q - r itself where these are near."""
    exact_query = query.astype(np.float64)
    own = float(exact_query @ exact_query)

    def finish(rows: Rows, lengths: Lengths, products: Values) -> Values:
        both = own + lengths.astype(np.float64) ** 2
        squares = both - 2 * products
        for few in _slices(len(near := np.flatnonzero(squares < _NEAR * both)), 256):
            difference = rows[near[few]].astype(np.float64) - exact_query
            squares[near[few]] = np.einsum("nd,nd->n", difference, difference)
        return np.asarray(-np.sqrt(squares))

    return finish


def _part_rows(rows: Rows) -> int:
    return max(1, _PART_BYTES // max(1, rows[:1].nbytes or rows.itemsize))


def _slices(n_rows: int, height: int) -> Iterator[slice]:
    """Cut `n_rows` into slices of `height` consecutive rows, the last one shorter."""
    for begin in range(0, n_rows, height):
        yield slice(begin, min(begin + height, n_rows))


class _LengthCache:
    """Lengths of the rows of mapped blocks; they live as long as the mapping itself."""

    def __init__(self) -> None:
        self._kept: WeakKeyDictionary[mmap, dict[tuple[int, int], Lengths]] = WeakKeyDictionary()
        self._lock = threading.Lock()

    def of(self, block: Rows) -> Lengths:
        """Return the lengths of `block`, and keep them if it is memory-mapped."""
        lengths = self._find(block)
        if lengths is None:
            lengths = np.empty(len(block), np.float32)
            for part in _slices(len(block), _part_rows(block)):
                lengths[part] = kernels.lengths_of(block[part])
            self._keep(block, lengths)
        return lengths

    def of_some(self, block: Rows, wanted: Ints, gathered: Rows) -> Lengths:
        """Return the lengths of the rows `wanted` of `block`, which stand in `gathered`."""
        lengths = self._find(block)
        return kernels.lengths_of(gathered) if lengths is None else lengths[wanted]

    def _find(self, block: Rows) -> Lengths | None:
        mapping = _mapping_of(block)
        if mapping is None:
            return None
        with self._lock:
            return self._kept.get(mapping, {}).get((block.ctypes.data, block.nbytes))

    def _keep(self, block: Rows, lengths: Lengths) -> None:
        mapping = _mapping_of(block)
        if mapping is not None:
            with self._lock:
                self._kept.setdefault(mapping, {})[block.ctypes.data, block.nbytes] = lengths


def _mapping_of(block: Rows) -> mmap | None:
    """Return the mapping that holds a block, None for rows in memory."""
    owner: object = block
    while isinstance(owner, np.ndarray):
        owner = owner.base
    return owner if isinstance(owner, mmap) else None


ENGINES.register(ExactEngine.name, ExactEngine())
