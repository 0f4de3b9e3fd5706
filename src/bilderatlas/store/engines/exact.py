"""The exact engine: every row is compared, on one thread, where it lies on the disk.

Rows are read through memory-mapped blocks, so a search holds no copy of the collection. Under
angular and euclidean the norms of the rows are needed; they are derived once for each mapped
block and kept while it stays mapped (4 bytes a row).

A row of zeros has no direction: under angular it scores 0, neither like nor unlike anything.
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

Norms: TypeAlias = npt.NDArray[np.float32]  # (b,) squared L2 norms of rows
Finish: TypeAlias = Callable[[Rows, Norms, Values], Values]  # what a kernel gave → scores

DTYPES: dict[str, np.dtype[Any]] = {
    "u8": np.dtype(np.uint8),
    "f16": np.dtype(np.float16),
    "f32": np.dtype(np.float32),
}

_PART_BYTES = 1 << 20  # a part stays in a core's own cache while each query passes over it
_STRETCH_ROWS = 1 << 15  # finished at once: enough to make the calls cheap, little memory
_NEAR = 1e-3  # below this share of |q|² + |r|² the difference of the two has lost its digits
_NO_NORMS: Norms = np.empty(0, np.float32)


class ExactEngine(Engine):
    """Compares every row; the measure against which other engines state their recall."""

    name: ClassVar[str] = "exact"

    def __init__(self) -> None:
        """Create an engine; it holds nothing but derived norms."""
        self._norms = _NormCache()

    def score(
        self, view: RowSource, vectors: Embeddings, metric: Metric, rows: Ints | None = None
    ) -> Scores:
        """Score rows as `Engine.score` says; thread-safe, each call on one thread."""
        queries = check_queries(view, vectors, metric)
        scorers = [_scorer(query, metric, DTYPES[view.dtype]) for query in queries]
        needs_norms = metric in (Metric.ANGULAR, Metric.EUCLIDEAN)
        if rows is not None:
            return self._score_some(view, scorers, np.asarray(rows, np.int64), needs_norms)
        scores = np.empty((len(queries), view.n_rows), np.float32)
        for start, block in view.blocks():
            norms = self._norms.of(block) if needs_norms else _NO_NORMS
            for stretch in _slices(len(block), _STRETCH_ROWS):
                place = slice(start + stretch.start, start + stretch.stop)
                scores[:, place] = _score_stretch(scorers, block[stretch], norms[stretch])
        return scores

    def _score_some(
        self, view: RowSource, scorers: list[_Scorer], rows: Ints, needs_norms: bool
    ) -> Scores:
        """Score the named rows only, gathered part by part; `(v, m)` in the order of `rows`."""
        if len(rows) and not (rows.min() >= 0 and rows.max() < view.n_rows):
            raise IndexError(f"rows must lie from 0 to {view.n_rows - 1}")
        order = np.argsort(rows, kind="stable")
        ascending = rows[order]
        scores = np.empty((len(scorers), len(rows)), np.float32)
        for start, block in view.blocks():
            first, last = np.searchsorted(ascending, (start, start + len(block)))
            for part in _slices(int(last - first), _part_rows(block)):
                places = order[first:last][part]
                wanted = rows[places] - start
                gathered = np.take(block, wanted, axis=0)
                norms = self._norms.of_some(block, wanted, gathered) if needs_norms else _NO_NORMS
                scores[:, places] = _score_stretch(scorers, gathered, norms)
        return scores


@dataclass(frozen=True, slots=True)
class _Scorer:
    """One query under one metric: what passes over the rows, and what makes scores of it."""

    kernel: Kernel
    finish: Finish


def _score_stretch(scorers: list[_Scorer], rows: Rows, norms: Norms) -> npt.NDArray[np.float64]:
    """Score `rows` `(b, d)`: `(v, b)`; every query passes over a part while it is in the cache."""
    values = np.empty((len(scorers), len(rows)))
    for part in _slices(len(rows), _part_rows(rows)):
        for i, scorer in enumerate(scorers):
            values[i, part] = scorer.kernel(rows[part])
    for i, scorer in enumerate(scorers):
        values[i] = scorer.finish(rows, norms, values[i])
    return values


def _scorer(query: Embeddings, metric: Metric, dtype: np.dtype[Any]) -> _Scorer:
    if metric is Metric.ANGULAR:
        return _Scorer(kernels.inner_product(query, dtype), _cosines(query))
    if metric is Metric.DOT:
        return _Scorer(kernels.inner_product(query, dtype), lambda rows, norms, products: products)
    if metric is Metric.MANHATTAN:
        return _Scorer(kernels.manhattan(query, dtype), lambda rows, norms, distances: -distances)
    direct = kernels.squared_distance(query, dtype)
    if direct is not None:
        return _Scorer(direct, lambda rows, norms, squares: -np.sqrt(squares))
    return _Scorer(kernels.inner_product(query, dtype), _distances(query))


def _cosines(query: Embeddings) -> Finish:
    own = float(np.linalg.norm(query.astype(np.float64)))

    def finish(rows: Rows, norms: Norms, products: Values) -> Values:
        lengths = own * np.sqrt(norms, dtype=np.float64)
        lengths[lengths == 0] = 1
        return np.asarray(np.clip(products / lengths, -1, 1))

    return finish


def _distances(query: Embeddings) -> Finish:
    """Return minus |q - r| from |q|² + |r|² - 2 q·r, and from q - r itself where these are near."""
    exact_query = query.astype(np.float64)
    own = float(exact_query @ exact_query)

    def finish(rows: Rows, norms: Norms, products: Values) -> Values:
        both = own + norms.astype(np.float64)
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


class _NormCache:
    """Squared norms of mapped blocks; they live as long as the mapping that holds the rows."""

    def __init__(self) -> None:
        self._kept: WeakKeyDictionary[mmap, dict[tuple[int, int], Norms]] = WeakKeyDictionary()
        self._lock = threading.Lock()

    def of(self, block: Rows) -> Norms:
        """Return the squared norms of `block`, and keep them if it is memory-mapped."""
        norms = self._find(block)
        if norms is None:
            norms = np.empty(len(block), np.float32)
            for part in _slices(len(block), _part_rows(block)):
                norms[part] = kernels.squared_norms(block[part])
            self._keep(block, norms)
        return norms

    def of_some(self, block: Rows, wanted: Ints, gathered: Rows) -> Norms:
        """Return the squared norms of the rows `wanted` of `block`, which stand in `gathered`."""
        norms = self._find(block)
        return kernels.squared_norms(gathered) if norms is None else norms[wanted]

    def _find(self, block: Rows) -> Norms | None:
        mapping = _mapping_of(block)
        if mapping is None:
            return None
        with self._lock:
            return self._kept.get(mapping, {}).get((block.ctypes.data, block.nbytes))

    def _keep(self, block: Rows, norms: Norms) -> None:
        mapping = _mapping_of(block)
        if mapping is not None:
            with self._lock:
                self._kept.setdefault(mapping, {})[block.ctypes.data, block.nbytes] = norms


def _mapping_of(block: Rows) -> mmap | None:
    """Return the mapping that holds a block, None for rows in memory."""
    owner: object = block
    while isinstance(owner, np.ndarray):
        owner = owner.base
    return owner if isinstance(owner, mmap) else None


ENGINES.register(ExactEngine.name, ExactEngine())
