"""Fewer numbers for a space: a projection fitted on a collection's own rows, stored with them.

A reduced space holds for the collection that it was fitted on: two collections share one only
where they share the projection, to the byte.
"""

from __future__ import annotations

import hashlib
import io
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from tokenize import TokenError
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib import format as npy

from bilderatlas.arrays import Embeddings, Metric, Pixels, check_dimension
from bilderatlas.errors import StoreError, UsageError
from bilderatlas.extractors.base import Card, Extractor, ImageRows, Readiness

MARK = "~pca"
_MAX_SIDE = 1 << 24
Matrix = npt.NDArray[np.float64]
Blocks = Callable[[], Iterable[npt.NDArray[Any]]]


@dataclass(frozen=True, slots=True)
class Projection:
    """An affine map from `d` to `k` numbers; whitening, where asked for, is part of it.

    Attributes:
        mean: `(d,)` float32, taken away first.
        components: `(k, d)` float32; the scalar product with each is one of the new numbers.
    """

    mean: npt.NDArray[np.float32]
    components: npt.NDArray[np.float32]

    def apply(self, vectors: npt.NDArray[Any]) -> Embeddings:
        """Project `(n, d)` of any number type to `(n, k)` float32."""
        check_dimension(vectors, len(self.mean), "the rows that the projection was fitted on")
        centred = vectors.astype(np.float32) - self.mean
        return np.asarray(centred @ self.components.T, dtype=np.float32)

    def to_bytes(self) -> bytes:
        """Return the file: a `.npy` of `(1 + k, d)` float32, the mean first."""
        written = io.BytesIO()
        matrix = np.concatenate([self.mean[None], self.components])
        np.save(written, np.ascontiguousarray(matrix, dtype="<f4"))
        return written.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> Projection:
        """Read what `to_bytes` wrote.

        Raises:
            StoreError: when it is no such file, or a number in it is not finite.
        """
        matrix = _matrix_of(content)
        return cls(matrix[0], matrix[1:])


def _matrix_of(content: bytes) -> npt.NDArray[np.float32]:
    """Return the `(1 + k, d)` numbers of a `.npy` file, as views of its bytes.

    Nothing is allocated for what a header merely claims, and a zip or a pickle is never looked at.
    """
    file = io.BytesIO(content)
    try:
        version = npy.read_magic(file)
        read_header = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
        shape, is_fortran, dtype = read_header[version](file)
    except KeyError as error:
        raise StoreError("Cannot read a projection: its version of .npy is unknown.") from error
    except (ValueError, OSError, TypeError, SyntaxError, RecursionError, TokenError) as error:
        raise StoreError(f"Cannot read a projection: {str(error)[:200]}.") from error
    is_matrix = len(shape) == 2 and 2 <= shape[0] <= _MAX_SIDE and 1 <= shape[1] <= _MAX_SIDE
    if not is_matrix or is_fortran or dtype != "<f4":
        raise StoreError(
            f"Cannot read a projection: it has shape {str(shape)[:60]} and dtype "
            f"{str(dtype)[:60]}, expected (1 + k, d) float32, row by row."
        )
    n_bytes, n_given = math.prod(shape) * 4, len(content) - file.tell()
    if n_given != n_bytes:
        raise StoreError(
            f"Cannot read a projection: shape {shape} takes {n_bytes:,} bytes, and {n_given:,} are "
            "there."
        )
    matrix = np.frombuffer(content, "<f4", offset=file.tell()).reshape(shape)
    if not np.isfinite(matrix).all():
        raise StoreError("Cannot read a projection: some of its numbers are not finite.")
    return matrix


@dataclass(frozen=True, slots=True)
class FittedPca:
    """A principal component analysis, and what it was fitted on.

    Attributes:
        projection: The map.
        n_rows: Rows that it was fitted on.
        explained_variance: Share of the rows' variance that is kept, 0 to 1.
        whitened: Whether every new number has variance 1 on these rows.
    """

    projection: Projection
    n_rows: int
    explained_variance: float
    whitened: bool

    def facts(self, base: Card, fitted_on: str) -> dict[str, Any]:
        """Return what the card of the reduced space says about its projection."""
        content = self.projection.to_bytes()
        sha256 = hashlib.sha256(content).hexdigest()
        return {
            "kind": "pca",
            "base": base.model_id,
            "base_dim": base.dim,
            "dim": len(self.projection.components),
            "whitened": self.whitened,
            "sha256": sha256,
            "file": f"projection-{sha256[:16]}.npy",
            "fitted_on": fitted_on,
            "n_rows": self.n_rows,
            "explained_variance": round(self.explained_variance, 6),
        }


def fit_pca(blocks: Blocks, dim: int, *, whiten: bool = False) -> FittedPca:
    """Fit an exact principal component analysis in two passes over rows that stay on disk.

    Sums are in float64. A component's sign is chosen so that its largest entry is positive.

    Args:
        blocks: Called twice; yields the rows as blocks `(b, d)`, the same both times.
        dim: Components to keep; fewer than `d`, and fewer than there are rows.
        whiten: Divide each new number by its standard deviation.

    Raises:
        UsageError: when the rows do not suffice, or vary in fewer than `dim` directions.
    """
    n_rows, total = 0, np.float64(0)
    for block in blocks():
        n_rows += len(block)
        total = total + block.sum(axis=0, dtype=np.float64)
    if n_rows <= dim:
        raise UsageError(
            f"Cannot reduce to {dim} numbers: there are only {n_rows} works to fit on. Index more "
            "works first, or choose a smaller --dim."
        )
    mean = np.asarray(total / n_rows)
    centred = (block.astype(np.float64) - mean for block in blocks())
    by_rows = n_rows <= len(mean)
    variances, components, whole = (_of_few_rows if by_rows else _of_many_rows)(centred, dim)
    least = 1e-12 * whole
    if whole <= 0 or (whiten and variances[-1] <= least):
        n_varying = int(np.count_nonzero(variances > max(least, 0)))
        raise UsageError(
            f"Cannot reduce to {dim} numbers: the works differ in {n_varying} directions only. "
            "Choose a smaller --dim."
        )
    strongest = components[np.arange(dim), np.abs(components).argmax(axis=1)]
    components = components * np.where(strongest < 0, -1.0, 1.0)[:, None]
    if whiten:
        components = components / np.sqrt(variances / (n_rows - 1))[:, None]
    projection = Projection(mean.astype(np.float32), components.astype(np.float32))
    return FittedPca(projection, n_rows, float(variances.sum() / whole), whiten)


def _of_many_rows(centred: Iterator[Matrix], dim: int) -> tuple[Matrix, Matrix, float]:
    """Return squared singular values `(k,)`, components `(k, d)`, and the sum of all the former.

    Memory holds one block and two matrices `(d, d)`.
    """
    products: Matrix | None = None
    for block in centred:
        if products is None:
            products = np.zeros((block.shape[1], block.shape[1]))
        products += block.T @ block
    assert products is not None
    values, vectors = np.linalg.eigh(products)
    return np.maximum(values[::-1][:dim], 0), vectors.T[::-1][:dim], float(np.trace(products))


def _of_few_rows(centred: Iterator[Matrix], dim: int) -> tuple[Matrix, Matrix, float]:
    """Return the same from the products of rows `(n, n)`, which is much less work where n < d."""
    rows = np.concatenate(list(centred))
    products = rows @ rows.T
    values, vectors = np.linalg.eigh(products)
    # Orthonormal again, for directions in which the rows hardly vary are mostly rounding.
    components = np.linalg.qr(rows.T @ vectors[:, ::-1][:, :dim])[0].T
    return np.maximum(values[::-1][:dim], 0), components, float(np.trace(products))


def reduced_id(model_id: str, dim: int, *, whiten: bool = False) -> str:
    """Return the id of a reduced space: `vgg19_fc2.imagenet1k~pca512`, with `w` if whitened."""
    return f"{model_id}{MARK}{dim}{'w' if whiten else ''}"


def reduced_card(base: Card, facts: Mapping[str, Any]) -> Card:
    """Return the card of the space that a projection with these facts makes of `base`'s.

    Euclidean distance comes first among the metrics: it is what a projection keeps. Between rows
    of length 1 it ranks as the angle does.
    """
    others = [metric for metric in base.metrics if metric is not Metric.EUCLIDEAN]
    share = f"{100 * facts['explained_variance']:.0f} %"
    return replace(
        base,
        model_id=reduced_id(base.model_id, facts["dim"], whiten=facts["whitened"]),
        judges_by=f"{base.judges_by}, reduced to {facts['dim']} numbers",
        sees=(
            f"{base.sees} Reduced from {base.dim} to {facts['dim']} numbers, which keep {share} of "
            f"the differences between the works of '{facts['fitted_on'].rpartition('@')[0]}'."
        ),
        dim=facts["dim"],
        dtype="f16" if base.dtype == "f16" else "f32",
        metrics=(Metric.EUCLIDEAN, *others),
        normalised="none",
        projection=dict(facts),
    )


class ReducedExtractor(Extractor):
    """An extractor, and a projection of its rows."""

    def __init__(self, base: Extractor, projection: Projection, facts: Mapping[str, Any]) -> None:
        """Project the rows of `base`; `facts` are those of the stored card."""
        self.base = base
        self.projection = projection
        self._facts = dict(facts)

    @property
    def threads_itself(self) -> bool:
        """Tell what the base tells."""
        return self.base.threads_itself

    @property
    def card(self) -> Card:
        """The base's card with the facts of the projection."""
        return reduced_card(self.base.card, self._facts)

    def readiness(self) -> Readiness:
        """Tell whether the base can run here."""
        return self.base.readiness()

    def is_default_for(self, source_kind: str) -> bool:
        """Never: it belongs to the one collection that it was fitted on."""
        return False

    def extract_batch(self, images: Sequence[Pixels]) -> list[ImageRows]:
        """Extract with the base, then project: one row of `(k,)` float32 each."""
        found = self.base.extract_batch(images)
        return [ImageRows(self.projection.apply(rows.vectors)) for rows in found]

    def embed_texts(self, texts: Sequence[str]) -> Embeddings:
        """Embed with the base, then project: `(n, k)` float32.

        Raises:
            QueryError: when the base has no text side.
        """
        return self.projection.apply(self.base.embed_texts(texts))
