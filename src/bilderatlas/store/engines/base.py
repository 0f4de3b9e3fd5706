"""What an engine is, and the one way in which the best rows are chosen from scores."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from bilderatlas.arrays import Embeddings, Ints, Metric, Scores, check_dimension
from bilderatlas.errors import QueryError
from bilderatlas.registry import Registry


class RowSource(Protocol):
    """The rows of one version of a space, as an engine reads them.

    Attributes:
        dim: Dimension of a row.
        dtype: How rows are stored: `f32`, `f16` or `u8`.
        n_rows: How many rows there are, dead ones included.
    """

    @property
    def dim(self) -> int: ...
    @property
    def dtype(self) -> str: ...
    @property
    def n_rows(self) -> int: ...

    def blocks(self) -> Iterator[tuple[int, npt.NDArray[Any]]]:
        """Yield `(start_row, vectors (b, d))` in ascending order, together all the rows."""
        ...


class Engine(ABC):
    """Scores rows. Distances end at its edge: whatever it computes inside, larger is better."""

    name: ClassVar[str]

    @abstractmethod
    def score(
        self, view: RowSource, vectors: Embeddings, metric: Metric, rows: Ints | None = None
    ) -> Scores:
        """Score the rows of `view` against each of `vectors`.

        Args:
            view: The rows; dead rows are scored too, hiding them is the caller's business.
            vectors: `(v, d)` float32 query vectors.
            metric: How to compare.
            rows: `(m,)` rows to score, in any order; None for all.

        Returns:
            `(v, n_rows)` float32, or `(v, m)` in the order of `rows`. Larger is better.

        Raises:
            SpaceMismatchError: when the dimension is not that of the space.
            QueryError: when a query vector holds NaN or infinity, or is zero where the metric
                needs a direction.
        """


ENGINES: Registry[Engine] = Registry(
    "engine", builtin=("bilderatlas.store.engines.exact",), group="bilderatlas.engines"
)


def check_queries(view: RowSource, vectors: Embeddings, metric: Metric) -> Embeddings:
    """Return `vectors` as contiguous float32 `(v, d)`, or say why they cannot be compared.

    Raises:
        SpaceMismatchError: when the dimension is not that of the space.
        QueryError: when a vector holds NaN or infinity, or is zero under angular or dot.
    """
    queries = np.ascontiguousarray(np.atleast_2d(vectors), dtype=np.float32)
    check_dimension(queries, view.dim, getattr(view, "model_id", "of these rows"))
    if not np.isfinite(queries).all():
        raise QueryError(
            "Cannot search: the query vector holds values that are not numbers. "
            "Leave out the picture or text that it came from, or index that picture again."
        )
    if metric in (Metric.ANGULAR, Metric.DOT) and not queries.any(axis=1).all():
        raise QueryError(
            f"Cannot search by {metric.value}: the query vector is zero, so it has no direction. "
            "Its parts cancel out, or the picture is empty under this criterion: change the parts, "
            "or choose euclidean or manhattan."
        )
    return queries


def select_top(scores: npt.NDArray[Any], k: int) -> Ints:
    """Return the rows of the `k` best of `scores` `(n,)`, best first.

    Equal scores stand in the order of their rows, so that the answer is the same each time. Rows
    whose score is NaN or minus infinity are never chosen.

    Example:
        >>> select_top(np.array([0.5, np.nan, 0.9, 0.5]), 2).tolist()
        [2, 0]
    """
    if k <= 0:
        return np.empty(0, np.int64)
    excluded = np.isnan(scores)
    if excluded.any():
        scores = np.where(excluded, -np.inf, scores)
    chosen = np.arange(len(scores))
    if k < len(scores):
        threshold = np.partition(scores, len(scores) - k)[len(scores) - k]
        better = np.flatnonzero(scores > threshold)
        equal = np.flatnonzero(scores == threshold)[: k - len(better)]
        chosen = np.sort(np.concatenate([better, equal]))
    chosen = chosen[scores[chosen] > -np.inf]
    order = np.argsort(-scores[chosen], kind="stable")
    return np.asarray(chosen[order], dtype=np.int64)
