"""Inner loops of the exact engine: one query against a block of rows, on one thread.

Rows stay in the dtype in which they are stored; sums are never taken in it. A float32 query is
brought to the rows' own dtype without loss that matters:

* **f16 rows**: the query is scaled by a power of two and written as the sum of two float16
  vectors, `q = high + low`, which together keep 22 bits of each component. Where the query is
  itself a stored row, `low` is zero and is left out.
* **u8 rows**: the query is shifted and scaled to 24-bit integers, and written as three planes of
  8 bits; the sums are exact integers. A query of whole numbers from 0 to 255 is one plane.

Every kernel takes `(b, d)` rows and returns `(b,)` float64.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import cv2
import faiss
import numkong
import numpy as np
import numpy.typing as npt

from bilderatlas.arrays import Embeddings

Rows: TypeAlias = npt.NDArray[Any]  # (b, d) uint8, float16 or float32, contiguous
Values: TypeAlias = npt.NDArray[np.float64]  # (b,)
Kernel: TypeAlias = Callable[[Rows], Values]

# Loops that the stubs of faiss do not list: (out, query, rows, d, n), the last (out, rows, d, n).
_INNER_PRODUCTS: Callable[..., None] = vars(faiss)["fvec_inner_products_ny"]
_SQUARED_DISTANCES: Callable[..., None] = vars(faiss)["fvec_L2sqr_ny"]
_NORMS: Callable[..., None] = vars(faiss)["fvec_norms_L2sqr"]

MAX_U8_DIM = 33_000  # 33,000 × 255² still fits into a signed 32-bit sum
_F16_EXPONENT = 13  # the largest component of a scaled query lies between 2^12 and 2^13
_ABSDIFF_BYTES = 3 << 17  # rows, tiled query and difference together stay in a core's own cache


def as_float32(rows: Rows) -> Embeddings:
    """Return `rows` as contiguous float32."""
    if rows.dtype == np.float32:
        return np.ascontiguousarray(rows)
    return np.asarray(numkong.astype(rows, "float32"))


def lengths_of(rows: Rows) -> npt.NDArray[np.float32]:
    """Return the L2 norm of each row."""
    floats = as_float32(rows)
    norms = np.empty(len(floats), np.float32)
    _NORMS(faiss.swig_ptr(norms), faiss.swig_ptr(floats), floats.shape[1], len(floats))
    return np.sqrt(norms)


def inner_product(query: Embeddings, dtype: np.dtype[Any]) -> Kernel:
    """Return the kernel of `rows @ query` for rows of `dtype`; `query` is `(d,)` float32."""
    if dtype == np.float16:
        return _f16_inner_product(query)
    if dtype == np.uint8 and len(query) <= MAX_U8_DIM:
        return _u8_inner_product(query)
    return lambda rows: _f32_against(_INNER_PRODUCTS, query, rows)


def squared_distance(query: Embeddings, dtype: np.dtype[Any]) -> Kernel | None:
    """Return the kernel of `|row - query|²` where one pass gives it exactly, otherwise None."""
    if dtype == np.float32:
        return lambda rows: _f32_against(_SQUARED_DISTANCES, query, rows)
    if dtype == np.uint8 and len(query) <= MAX_U8_DIM and _is_u8(query):
        plane = query.astype(np.uint8)[None]
        return lambda rows: _cdist(plane, rows, "sqeuclidean")
    return None


def manhattan(query: Embeddings, dtype: np.dtype[Any]) -> Kernel:
    """Return the kernel of the L1 distance between rows of `dtype` and `query`."""
    if dtype == np.uint8 and len(query) <= MAX_U8_DIM and _is_u8(query):
        return _u8_manhattan(query.astype(np.uint8))

    def kernel(rows: Rows) -> Values:
        distances = faiss.pairwise_distances(query[None], as_float32(rows), metric=faiss.METRIC_L1)
        return np.asarray(distances[0], dtype=np.float64)

    return kernel


def _is_u8(query: Embeddings) -> bool:
    return bool(((query >= 0) & (query <= 255) & (query == np.rint(query))).all())


def _cdist(plane: Rows, rows: Rows, metric: Literal["dot", "sqeuclidean"]) -> Values:
    return np.asarray(numkong.cdist(plane, rows, metric=metric), dtype=np.float64).reshape(-1)


def _f32_against(function: Callable[..., None], query: Embeddings, rows: Rows) -> Values:
    floats = as_float32(rows)
    values = np.empty(len(floats), np.float32)
    function(
        faiss.swig_ptr(values),
        faiss.swig_ptr(query),
        faiss.swig_ptr(floats),
        len(query),
        len(floats),
    )
    return values.astype(np.float64)


def high_part(query: Embeddings) -> Embeddings:
    """Return `query` as one float16 vector times a power of two can say it: 11 bits a component."""
    exponent = _f16_exponent(query)
    high = np.ldexp(query.astype(np.float64), exponent).astype(np.float16)
    return np.ldexp(high.astype(np.float64), -exponent).astype(np.float32)


def _f16_exponent(query: Embeddings) -> int:
    return _F16_EXPONENT - int(np.frexp(float(np.abs(query).max(initial=0.0)))[1])


def _f16_inner_product(query: Embeddings) -> Kernel:
    exponent = _f16_exponent(query)
    scaled = np.ldexp(query.astype(np.float64), exponent)
    high = scaled.astype(np.float16)
    low = (scaled - high).astype(np.float16)
    unscale = float(np.ldexp(1.0, -exponent))
    has_low = bool(low.any())

    def kernel(rows: Rows) -> Values:
        total = _cdist(high[None], rows, "dot")
        if has_low:
            total += _cdist(low[None], rows, "dot")
        total *= unscale
        return total

    return kernel


def _u8_inner_product(query: Embeddings) -> Kernel:
    if _is_u8(query):
        plane = query.astype(np.uint8)[None]
        return lambda rows: _cdist(plane, rows, "dot")
    lowest = float(query.min())
    step = (float(query.max()) - lowest) / (2**24 - 1) or 1.0
    whole = np.rint((query.astype(np.float64) - lowest) / step).astype(np.uint32)
    terms = [(lowest, np.ones(len(query), np.uint8))]
    terms += [(step * 2.0**bits, (whole >> bits).astype(np.uint8)) for bits in (0, 8, 16)]
    planes = [(factor, plane[None]) for factor, plane in terms if factor and plane.any()]

    def kernel(rows: Rows) -> Values:
        total = np.zeros(len(rows))
        for factor, plane in planes:
            total += factor * _cdist(plane, rows, "dot")
        return total

    return kernel


def _u8_manhattan(query: npt.NDArray[np.uint8]) -> Kernel:
    height = max(1, _ABSDIFF_BYTES // len(query))
    tile = np.repeat(query[None], height, axis=0)

    def kernel(rows: Rows) -> Values:
        distances = np.empty(len(rows))
        for start in range(0, len(rows), height):
            part = rows[start : start + height]
            difference = cv2.absdiff(part, tile[: len(part)])
            sums = cv2.reduce(difference, 1, cv2.REDUCE_SUM, dtype=cv2.CV_32S)
            distances[start : start + height] = sums[:, 0]
        return distances

    return kernel
