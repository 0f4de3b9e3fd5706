"""The writer's side of one space: what is covered, which segment comes next, what to merge."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, delete, insert, update

from bilderatlas.arrays import Ints
from bilderatlas.errors import SpaceMismatchError, StoreError
from bilderatlas.extractors.base import ImageRows
from bilderatlas.store.disk import replace_file
from bilderatlas.store.schema import segments, spaces
from bilderatlas.store.segments import (
    DTYPES,
    FILE_NAME,
    Rows,
    Segment,
    SegmentEntry,
    broken_files,
    joined_rows,
    remove_files,
    write_segment,
)
from bilderatlas.store.spaces import SpaceEntry

MERGE_FAN_IN = 16
MERGED_BYTES = 64 << 20
"""Segments of this size are left alone, so that a row is copied a few times at most."""


class CoveredKeys:
    """The keys of the images that a space has looked at: one sorted array."""

    def __init__(self, keys: Ints) -> None:
        """Begin with `keys` `(m,)`."""
        self._sorted = np.unique(keys)

    def add(self, keys: Iterable[int]) -> None:
        """Add keys that were committed."""
        added = np.unique(np.fromiter(keys, np.int64))
        is_newer = not len(self._sorted) or not len(added) or added[0] > self._sorted[-1]
        joined = np.concatenate([self._sorted, added])
        self._sorted = joined if is_newer else np.unique(joined)

    def not_among(self, keys: Ints) -> npt.NDArray[np.bool_]:
        """Return which of `keys` `(m,)` were not looked at."""
        if not len(self._sorted):
            return np.ones(len(keys), np.bool_)
        places = np.minimum(np.searchsorted(self._sorted, keys), len(self._sorted) - 1)
        return np.asarray(self._sorted[places] != keys)


@dataclass(slots=True)
class SegmentChange:
    """A new segment on disk that waits for its commit, and the older ones that it replaces."""

    added: list[SegmentEntry] = field(default_factory=list)
    replaced: list[SegmentEntry] = field(default_factory=list)
    covered: list[int] = field(default_factory=list)


class SpaceWriter:
    """Writes the segments of one space; used by the one writer of the collection only."""

    def __init__(self, entry: SpaceEntry, folder: Path) -> None:
        """Read what is covered from the segments of `entry`."""
        self.id = entry.id
        self.model_id = entry.model_id
        self.dim = entry.dim
        self.dtype = entry.dtype
        self.card_json = entry.card_json
        self.folder = folder
        self.created_at = entry.created_at
        self.entries = list(entry.segments)
        self.next_number = max(entry.next_segment, _highest_number(folder) + 1)
        keys = [self.open(part).covered_keys for part in entry.segments]
        self.covered = CoveredKeys(np.concatenate([np.empty(0, np.int64), *keys]))

    def open(self, entry: SegmentEntry) -> Segment:
        """Map one of the space's segments."""
        return Segment(self.folder, entry, self.dim, self.dtype)

    def write(self, rows: Sequence[tuple[int, ImageRows]]) -> SegmentChange:
        """Write the rows of images `(key, rows)` as one segment, merged with small ones before.

        Images that the space has looked at already are left as they are.

        Raises:
            SpaceMismatchError: for rows of another dimension.
            StoreError: for rows that the dtype cannot hold.
            OSError: when the disk is full; nothing is left behind.
        """
        is_new = self.covered.not_among(np.array([key for key, _ in rows], np.int64))
        new = [row for row, is_unknown in zip(rows, is_new.tolist(), strict=True) if is_unknown]
        if not new:
            return SegmentChange()
        part = self._rows(new)
        replaced = self._mergeable(part)
        if replaced and self.are_sound(replaced):
            parts = [self.open(entry).rows() for entry in replaced]
            part = joined_rows([*parts, part], self.dim, self.dtype)
        else:
            replaced = []
        return SegmentChange([self.write_rows(part)], replaced, [key for key, _ in new])

    def are_sound(self, entries: Iterable[SegmentEntry]) -> bool:
        """Tell whether every CRC holds: a merge must not give damaged rows a fresh one."""
        return not any(broken_files(self.folder, entry) for entry in entries)

    def write_rows(self, rows: Rows) -> SegmentEntry:
        """Write one segment under the next number, which is used up even when this fails."""
        number, self.next_number = self.next_number, self.next_number + 1
        return write_segment(self.folder, number, self.dtype, rows)

    def _rows(self, new: Sequence[tuple[int, ImageRows]]) -> Rows:
        vectors = [found.vectors for _, found in new if self._fits(found.vectors)]
        lengths = [len(found.vectors) for _, found in new]
        keys = np.array([key for key, _ in new], np.int64)
        geometry = None
        if any(found.geometry is not None for _, found in new):
            geometry = np.concatenate([_geometry(found) for _, found in new])
        return Rows(
            self._stored_vectors(vectors),
            np.repeat(keys, lengths),
            keys,
            geometry,
        )

    def _fits(self, vectors: npt.NDArray[Any]) -> bool:
        """Tell whether there are rows, and refuse those of another dimension."""
        if vectors.ndim != 2 or (len(vectors) and vectors.shape[1] != self.dim):
            raise SpaceMismatchError(
                f"Cannot store rows of shape {vectors.shape} in space '{self.model_id}': expected "
                f"(m, {self.dim}). The extractor and its card do not agree."
            )
        return len(vectors) > 0

    def _stored_vectors(self, parts: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
        """Join rows and give them the dtype of the space: at once, since images are many."""
        if not parts:
            return np.empty((0, self.dim), DTYPES[self.dtype])
        vectors = np.concatenate(parts)
        with np.errstate(over="ignore"):
            stored = vectors.astype(DTYPES[self.dtype], copy=False)
        if self.dtype == "u8":
            is_kept = np.array_equal(stored, vectors)
        else:
            is_kept = bool(np.isfinite(stored).all())
        if not is_kept:
            raise StoreError(
                f"Cannot store a row in space '{self.model_id}' as {self.dtype}: it holds a value "
                "that is not finite or too large there. The extractor's card names a wrong dtype."
            )
        return stored

    def _mergeable(self, new: Rows) -> list[SegmentEntry]:
        """Return the newest segments of about this size, if they are many by now."""
        size = max(1, new.vectors.nbytes + new.covered.nbytes)
        chosen: list[SegmentEntry] = []
        for entry in reversed(self.entries):
            if entry.n_bytes > max(size * MERGE_FAN_IN // 2, 4096) or size >= MERGED_BYTES:
                break
            chosen.append(entry)
            if len(chosen) == MERGE_FAN_IN - 1:
                chosen += self._next_tier(chosen, size)
                return chosen[::-1]
        return []

    def _next_tier(self, chosen: Sequence[SegmentEntry], size: int) -> list[SegmentEntry]:
        """Return the older segments that this merge completes a group of, tier by tier."""
        rest = self.entries[: len(self.entries) - len(chosen)]
        total = size + sum(entry.n_bytes for entry in chosen)
        taken: list[SegmentEntry] = []
        while total < MERGED_BYTES:
            group = [e for e in rest[-(MERGE_FAN_IN - 1) :] if e.n_bytes <= total * 8]
            if len(group) < MERGE_FAN_IN - 1:
                break
            taken += reversed(group)
            rest = rest[: len(rest) - len(group)]
            total += sum(entry.n_bytes for entry in group)
        return taken

    def small_tail(self) -> list[SegmentEntry]:
        """Return the newest segments that are better merged when the writer closes, or none."""
        tail: list[SegmentEntry] = []
        total = 0
        for entry in reversed(self.entries):
            total += entry.n_bytes
            if total > MERGED_BYTES:
                break
            tail.append(entry)
        return tail[::-1] if len(tail) > 4 else []

    def commit(self, connection: Connection, change: SegmentChange, version: int) -> None:
        """Name the new segments in SQL, and no longer those that they replace."""
        for entry in change.replaced:
            connection.execute(
                delete(segments).where(
                    segments.c.space_id == self.id, segments.c.number == entry.number
                )
            )
        for entry in change.added:
            connection.execute(
                insert(segments).values(
                    space_id=self.id,
                    number=entry.number,
                    n_rows=entry.n_rows,
                    n_images=entry.n_images,
                    files_json=entry.files_json(),
                    version=version,
                )
            )
        connection.execute(
            update(spaces).where(spaces.c.id == self.id).values(next_segment=self.next_number)
        )

    def accept(self, change: SegmentChange) -> None:
        """Take over what was committed."""
        gone = {entry.number for entry in change.replaced}
        self.entries = [entry for entry in self.entries if entry.number not in gone] + change.added
        self.covered.add(change.covered)

    def discard(self, change: SegmentChange) -> None:
        """Remove the files of a change that was certainly not committed."""
        for entry in change.added:
            remove_files(self.folder, entry.files)

    def write_manifest(self, collection: str) -> None:
        """Write `features.json` if it does not say so already: the card and the segments."""
        path = self.folder / "features.json"
        content = manifest_bytes(self.entry(), collection)
        if not path.is_file() or path.read_bytes() != content:
            replace_file(path, content)

    def entry(self) -> SpaceEntry:
        """Return what SQL says about the space by now."""
        return SpaceEntry(
            self.id,
            self.model_id,
            self.dim,
            self.dtype,
            self.card_json,
            self.next_number,
            self.created_at,
            tuple(self.entries),
        )


def _highest_number(folder: Path) -> int:
    """Return the highest number that a file still has; on Windows a mapped one outlives a sweep."""
    if not folder.is_dir():
        return 0
    matches = (FILE_NAME.match(path.name) for path in folder.iterdir())
    return max((int(match[2]) for match in matches if match), default=0)


def manifest_bytes(entry: SpaceEntry, collection: str) -> bytes:
    """Return `features.json` as it stands on disk."""
    return json.dumps(entry.features_json(collection), indent=2, ensure_ascii=False).encode()


def _geometry(found: ImageRows) -> npt.NDArray[np.float32]:
    if found.geometry is None:
        return np.full((len(found.vectors), 4), np.nan, np.float32)
    if found.geometry.shape != (len(found.vectors), 4):
        raise StoreError(
            f"Cannot store geometry of shape {found.geometry.shape} beside "
            f"{len(found.vectors)} rows: expected ({len(found.vectors)}, 4)."
        )
    return found.geometry
