"""The random hang: an empty query shows the collection in an order drawn by lot.

The lot of a work depends on the seed and on its id alone. So the same seed hangs the same works
again, after others were added too, and on another machine.
"""

from __future__ import annotations

import zlib
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from bilderatlas.arrays import Ints, Mask
from bilderatlas.store.columns import Columns
from bilderatlas.store.engines.base import select_top
from bilderatlas.store.images import ImageState

_HASHES: WeakKeyDictionary[Columns, npt.NDArray[np.uint64]] = WeakKeyDictionary()


def hang_works(columns: Columns, allowed: Mask, seed: int, k: int, offset: int = 0) -> Ints:
    """Return the places `offset` to `offset + k` of the hang: ordinals among the `allowed`.

    Works without a picture hang behind all others.
    """
    # 53 bits of the lot fit a float64 exactly; the next one holds back works without a picture.
    lots = (_draw_lots(_hashes_of(columns), seed) >> np.uint64(11)).astype(np.float64)
    lots[~_has_picture(columns)] += 2.0**53
    return select_top(np.where(allowed, -lots, -np.inf), offset + k)[offset:]


def _has_picture(columns: Columns) -> Mask:
    codes, states = columns.codes("state")
    is_indexed = np.array([state == ImageState.INDEXED for state in states] + [False], np.bool_)
    return np.asarray(is_indexed[codes])


def _hashes_of(columns: Columns) -> npt.NDArray[np.uint64]:
    hashes = _HASHES.get(columns)
    if hashes is None:
        encoded = (image_id.encode("utf-8", "surrogatepass") for image_id in columns.image_ids)
        hashes = np.fromiter(map(zlib.crc32, encoded), np.uint64, columns.n)
        _HASHES[columns] = hashes
    return hashes


def _draw_lots(hashes: npt.NDArray[np.uint64], seed: int) -> npt.NDArray[np.uint64]:
    """Mix the seed into each hash by the finaliser of SplitMix64 (Steele, Lea and Flood, 2014)."""
    state = hashes + np.uint64(seed * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        state = (state ^ (state >> np.uint64(shift))) * np.uint64(factor)
    return np.asarray(state ^ (state >> np.uint64(31)))
