"""New generations of segments: small ones merged, dead rows left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from bilderatlas.arrays import Ints
from bilderatlas.errors import StoreError
from bilderatlas.store.segments import Rows, SegmentEntry, joined_rows
from bilderatlas.store.space_writer import MERGED_BYTES, SegmentChange, SpaceWriter

_PURGED_BYTES = 4 * MERGED_BYTES


def merged_change(space: SpaceWriter, entries: Sequence[SegmentEntry]) -> SegmentChange:
    """Write one segment with the rows of `entries`, dead ones included.

    Raises:
        OSError: when the disk is full; nothing is left behind.
    """
    parts = [space.open(entry).rows() for entry in entries]
    merged = space.write_rows(joined_rows(parts, space.dim, space.dtype))
    return SegmentChange([merged], list(entries))


def purged_change(space: SpaceWriter, live_keys: Ints) -> tuple[SegmentChange, int]:
    """Write the live rows of a space anew, if it has dead ones.

    Args:
        space: The space.
        live_keys: Keys `(m,)` of the images that are there, rising.

    Returns:
        The change (empty if nothing is dead), and the number of dead rows.

    Raises:
        StoreError: when a segment is damaged.
        OSError: when the disk is full; nothing is left behind.
    """
    opened = [space.open(entry) for entry in space.entries]
    n_dead = sum(int((~_alive(part.image_keys, live_keys)).sum()) for part in opened)
    n_gone = sum(int((~_alive(part.covered_keys, live_keys)).sum()) for part in opened)
    change = SegmentChange()
    if not n_dead and not n_gone:
        return change, 0
    if not space.are_sound(space.entries):
        raise StoreError(
            f"Cannot purge space '{space.model_id}': one of its files is damaged. Run "
            "`bilderatlas collections check --repair`, then index again."
        )
    change.replaced = list(space.entries)
    try:
        for group in _groups([_live_rows(part.rows(), live_keys) for part in opened]):
            joined = joined_rows(group, space.dim, space.dtype)
            if len(joined.covered):
                change.added.append(space.write_rows(joined))
    except BaseException:
        space.discard(change)
        raise
    return change, n_dead


def _alive(keys: Ints, live_keys: Ints) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    if not len(live_keys):
        return np.zeros(len(keys), np.bool_)
    places = np.minimum(np.searchsorted(live_keys, keys), len(live_keys) - 1)
    return np.asarray(live_keys[places] == keys)


def _live_rows(rows: Rows, live_keys: Ints) -> Rows:
    alive = _alive(rows.keys, live_keys)
    covered = rows.covered[_alive(rows.covered, live_keys)]
    if alive.all():  # stays mapped until it is written
        return Rows(rows.vectors, rows.keys, covered, rows.geometry)
    geometry = None if rows.geometry is None else rows.geometry[alive]
    return Rows(rows.vectors[alive], rows.keys[alive], covered, geometry)


def _groups(parts: list[Rows]) -> Iterator[list[Rows]]:
    group: list[Rows] = []
    for part in parts:
        n_bytes = sum(other.vectors.nbytes for other in group)
        if group and n_bytes + part.vectors.nbytes > _PURGED_BYTES:
            yield group
            group = []
        group.append(part)
    if group:
        yield group
