"""The exact engine: every row is compared, on one thread, where it lies on the disk.

Rows are read through memory-mapped blocks, so a search holds no copy of the collection. Under
angular and euclidean the norms of the rows are needed; they are derived once for each mapped
block and kept (4 bytes a row).

A row of zeros has no direction: under angular it scores 0, neither like nor unlike anything.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, TypeAlias

import numpy as np
import numpy.typing as npt

from bilderatlas.arrays import Embeddings, Ints, Metric, Scores
from bilderatlas.store.engines import kernels
from bilderatlas.store.engines.base import ENGINES, Engine, RowSource, check_queries
from bilderatlas.store.engines.kernels import Rows, Values

Norms: TypeAlias = npt.NDArray[np.float32]  # (b,) squared L2 norms of rows
Scorer: TypeAlias = Callable[[Rows, Norms], Values]  # rows (b, d), their norms → scores (b,)

DTYPES: dict[str, np.dtype[Any]] = {
    "u8": np.dtype(np.uint8),
    "f16": np.dtype(np.float16),
    "f32": np.dtype(np.float32),
}

_PART_BYTES = 1 << 19  # a part stays in a core's own cache while each query passes over it
_MAX_NORMS = 16_000_000  # rows whose norms are kept
_NEAR = 1e-3  # below this share of |q|² + |r|² the difference of the two has lost its digits


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
            return self._score_rows(view, scorers, np.asarray(rows, np.int64), needs_norms)
        scores = np.empty((len(queries), view.n_rows), np.float32)
        for start, block in view.blocks():
            norms = self._norms.of(block) if needs_norms else _NO_NORMS
            for part in _parts(len(block), block.shape[1] * block.itemsize):
                place = slice(start + part.start, start + part.stop)
                for i, scorer in enumerate(scorers):
                    scores[i, place] = scorer(block[part], norms[part])
        return scores

    def _score_rows(
        self, view: RowSource, scorers: list[Scorer], rows: Ints, needs_norms: bool
    ) -> Scores:
        """Score the named rows only, gathered part by part; `(v, m)` in the order of `rows`."""
        if len(rows) and not (rows.min() >= 0 and rows.max() < view.n_rows):
            raise IndexError(f"rows must lie from 0 to {view.n_rows - 1}")
        order = np.argsort(rows, kind="stable")
        ascending = rows[order]
        scores = np.empty((len(scorers), len(rows)), np.float32)
        for start, block in view.blocks():
            first, last = np.searchsorted(ascending, (start, start + len(block)))
            for part in _parts(last - first, block.shape[1] * block.itemsize):
                places = order[first:last][part]
                wanted = rows[places] - start
                gathered = np.take(block, wanted, axis=0)
                norms = self._norms.of_some(block, wanted, gathered) if needs_norms else _NO_NORMS
                for i, scorer in enumerate(scorers):
                    scores[i, places] = scorer(gathered, norms)
        return scores


_NO_NORMS: Norms = np.empty(0, np.float32)


def _scorer(query: Embeddings, metric: Metric, dtype: np.dtype[Any]) -> Scorer:
    if metric is Metric.ANGULAR:
        return _angular(query, dtype)
    if metric is Metric.EUCLIDEAN:
        return _euclidean(query, dtype)
    if metric is Metric.DOT:
        dot = kernels.inner_product(query, dtype)
        return lambda rows, _: dot(rows)
    distance = kernels.manhattan(query, dtype)
    return lambda rows, _: -distance(rows)


def _angular(query: Embeddings, dtype: np.dtype[Any]) -> Scorer:
    dot = kernels.inner_product(query, dtype)
    own = float(np.linalg.norm(query.astype(np.float64)))

    def scorer(rows: Rows, norms: Norms) -> Values:
        lengths = np.sqrt(norms, dtype=np.float64)
        lengths[lengths == 0] = 1
        cosines = dot(rows) / (own * lengths)
        return np.asarray(np.clip(cosines, -1, 1))

    return scorer


def _euclidean(query: Embeddings, dtype: np.dtype[Any]) -> Scorer:
    direct = kernels.squared_distance(query, dtype)
    if direct is not None:
        return lambda rows, _: -np.sqrt(direct(rows))
    dot = kernels.inner_product(query, dtype)
    exact_query = query.astype(np.float64)
    own = float(exact_query @ exact_query)

    def scorer(rows: Rows, norms: Norms) -> Values:
        both = own + norms.astype(np.float64)
        squares = both - 2 * dot(rows)
        near = np.flatnonzero(squares < _NEAR * both)
        if len(near):
            difference = rows[near].astype(np.float64) - exact_query
            squares[near] = np.einsum("nd,nd->n", difference, difference)
        return np.asarray(-np.sqrt(squares))

    return scorer


def _parts(n_rows: int, row_bytes: int) -> Iterator[slice]:
    """Cut `n_rows` into slices of consecutive rows that fit a core's own cache."""
    height = max(1, _PART_BYTES // max(1, row_bytes))
    for begin in range(0, n_rows, height):
        yield slice(begin, min(begin + height, n_rows))


class _NormCache:
    """Squared norms of mapped blocks, by file and place; a mapped file never changes."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, int, int], Norms] = OrderedDict()
        self._n_kept = 0
        self._lock = threading.Lock()

    def of(self, block: Rows) -> Norms:
        """Return the squared norms of `block`, and keep them if it is memory-mapped."""
        place = _mapped_place(block)
        norms = self._find(place)
        if norms is None:
            norms = np.empty(len(block), np.float32)
            for part in _parts(len(block), block.shape[1] * block.itemsize):
                norms[part] = kernels.squared_norms(block[part])
            self._keep(place, norms)
        return norms

    def of_some(self, block: Rows, wanted: Ints, gathered: Rows) -> Norms:
        """Return the squared norms of the rows `wanted` of `block`, which stand in `gathered`."""
        norms = self._find(_mapped_place(block))
        return kernels.squared_norms(gathered) if norms is None else norms[wanted]

    def _find(self, place: tuple[str, int, int] | None) -> Norms | None:
        with self._lock:
            if place is None or place not in self._kept:
                return None
            self._kept.move_to_end(place)
            return self._kept[place]

    def _keep(self, place: tuple[str, int, int] | None, norms: Norms) -> None:
        with self._lock:
            if place is None or place in self._kept:
                return
            self._kept[place] = norms
            self._n_kept += len(norms)
            while self._n_kept > _MAX_NORMS and len(self._kept) > 1:
                self._n_kept -= len(self._kept.popitem(last=False)[1])


def _mapped_place(block: Rows) -> tuple[str, int, int] | None:
    """Return `(file, offset in its mapping, bytes)` of a memory-mapped block, otherwise None."""
    mapping = getattr(block, "_mmap", None)
    filename = getattr(block, "filename", None)
    if mapping is None or filename is None:
        return None
    base = np.frombuffer(mapping, np.uint8, 1).ctypes.data
    return str(filename), block.ctypes.data - base, block.nbytes


ENGINES.register(ExactEngine.name, ExactEngine())
