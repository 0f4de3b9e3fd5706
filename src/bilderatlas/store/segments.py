"""Segments: append-only files of vectors, with the keys of their images and a CRC each.

A segment is `vectors-000001.f16` (or `.f32`, `.u8`), `keys-000001.i64` and, for local features,
`geometry-000001.f32`; where some images have no row or many, `coverage-000001.i64` lists the
images that were looked at. All numbers are little-endian, rows lie one after another. A file is
never changed once it has its name; a number is never used twice in a space.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bilderatlas.arrays import Ints
from bilderatlas.errors import StoreError
from bilderatlas.store.disk import checksum, sync_folder, unlink_quietly, write_durably

DTYPES: dict[str, np.dtype[Any]] = {
    "f16": np.dtype("<f2"),
    "f32": np.dtype("<f4"),
    "u8": np.dtype("u1"),
}
_KEYS = np.dtype("<i8")
_GEOMETRY = np.dtype("<f4")
FILE_NAME = re.compile(r"(vectors|keys|geometry|coverage)-(\d{6,})\.(f16|f32|u8|i64)\Z")


@dataclass(frozen=True, slots=True)
class SegmentFile:
    """One file of a segment, as the commit knows it."""

    name: str
    n_bytes: int
    crc32: int


@dataclass(frozen=True, slots=True)
class SegmentEntry:
    """What SQL says about a segment; `files` by role: vectors, keys, geometry, coverage."""

    number: int
    n_rows: int
    n_images: int
    files: dict[str, SegmentFile]
    version: int = 0

    def files_json(self) -> str:
        """Return the files as the SQL row holds them."""
        return json.dumps(
            {
                role: {"name": f.name, "bytes": f.n_bytes, "crc32": f.crc32}
                for role, f in self.files.items()
            }
        )

    @classmethod
    def from_sql(
        cls, number: int, n_rows: int, n_images: int, files_json: str, version: int
    ) -> SegmentEntry:
        """Rebuild an entry from its SQL row."""
        files = {
            role: SegmentFile(f["name"], f["bytes"], f["crc32"])
            for role, f in json.loads(files_json).items()
        }
        return cls(number, n_rows, n_images, files, version)

    @property
    def n_bytes(self) -> int:
        """Return the size of all files together."""
        return sum(file.n_bytes for file in self.files.values())


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows on their way into a segment.

    Attributes:
        vectors: `(n, d)` in the dtype of the space.
        keys: `(n,)` int64, the image of each row.
        covered: `(m,)` int64, every image that was looked at, also those without a row.
        geometry: `(n, 4)` float32, or None.
    """

    vectors: npt.NDArray[Any]
    keys: Ints
    covered: Ints
    geometry: npt.NDArray[np.float32] | None = None


class Segment:
    """One memory-mapped segment; opening it reads nothing but the sizes of its files."""

    def __init__(self, folder: Path, entry: SegmentEntry, dim: int, dtype: str) -> None:
        """Map the files of `entry` in `folder`.

        Raises:
            FileNotFoundError: when a file is gone.
            StoreError: when a file has not the length that was committed.
        """
        self.entry = entry
        self._folder = folder
        n = entry.n_rows
        self.vectors: npt.NDArray[Any] = self._map("vectors", DTYPES[dtype], (n, dim))
        self.image_keys: Ints = self._map("keys", _KEYS, (n,))
        self.geometry: npt.NDArray[np.float32] | None = (
            self._map("geometry", _GEOMETRY, (n, 4)) if "geometry" in entry.files else None
        )

    def _map(self, role: str, dtype: np.dtype[Any], shape: tuple[int, ...]) -> npt.NDArray[Any]:
        file = self.entry.files.get(role)
        if file is None:
            return np.empty(shape if 0 in shape else (0, *shape[1:]), dtype)
        path = self._folder / file.name
        expected = int(np.prod(shape)) * dtype.itemsize
        found = path.stat().st_size
        if found != file.n_bytes or expected != file.n_bytes:
            raise StoreError(
                f"Cannot open '{path}': it has {found} bytes and {file.n_bytes} were committed. "
                "Run `bilderatlas collections check --repair`, then index again."
            )
        return np.memmap(path, dtype=dtype, mode="r", shape=shape).view(np.ndarray)

    @cached_property
    def covered_keys(self) -> Ints:
        """Return the keys `(m,)` of the images that were looked at, in the order of indexing."""
        if "coverage" not in self.entry.files:
            return self.image_keys
        return self._map("coverage", _KEYS, (self.entry.n_images,))

    def rows(self) -> Rows:
        """Return the content, still mapped."""
        return Rows(self.vectors, self.image_keys, self.covered_keys, self.geometry)


def write_segment(folder: Path, number: int, dtype: str, rows: Rows) -> SegmentEntry:
    """Write the files of a new segment and sync them and their folder.

    Raises:
        FileExistsError: when the number was used before.
        OSError: when the disk is full; what was written is removed again.
    """
    parts: dict[str, tuple[str, npt.NDArray[Any]]] = {}
    if len(rows.keys):
        parts["vectors"] = (dtype, rows.vectors.astype(DTYPES[dtype], copy=False))
        parts["keys"] = ("i64", rows.keys.astype(_KEYS, copy=False))
        if rows.geometry is not None:
            parts["geometry"] = ("f32", rows.geometry.astype(_GEOMETRY, copy=False))
    if not np.array_equal(rows.keys, rows.covered):
        parts["coverage"] = ("i64", rows.covered.astype(_KEYS, copy=False))
    folder.mkdir(parents=True, exist_ok=True)
    files: dict[str, SegmentFile] = {}
    try:
        for role, (suffix, values) in parts.items():
            name = f"{role}-{number:06d}.{suffix}"
            files[role] = SegmentFile(name, 0, 0)
            content = np.ascontiguousarray(values).view(np.uint8).reshape(-1).data
            files[role] = SegmentFile(name, *write_durably(folder / name, [content]))
        sync_folder(folder)
    except FileExistsError:
        raise
    except BaseException:
        remove_files(folder, files)
        raise
    return SegmentEntry(number, len(rows.keys), len(rows.covered), files)


def broken_files(folder: Path, entry: SegmentEntry) -> list[str]:
    """Return the names of a segment's files that are gone or have not the committed CRC."""
    broken = []
    for file in entry.files.values():
        try:
            is_sound = checksum(folder / file.name) == (file.n_bytes, file.crc32)
        except OSError:
            is_sound = False
        if not is_sound:
            broken.append(file.name)
    return broken


def remove_files(folder: Path, files: dict[str, SegmentFile]) -> None:
    """Remove files that no commit ever named."""
    for file in files.values():
        unlink_quietly(folder / file.name)


def joined_rows(parts: list[Rows], dim: int, dtype: str) -> Rows:
    """Put several parts one after another, in memory; geometry stays if any part has it."""
    has_geometry = any(part.geometry is not None and len(part.keys) for part in parts)
    empty = np.empty((0, dim), DTYPES[dtype])
    no_keys = np.empty(0, np.int64)
    return Rows(
        np.concatenate([empty, *(part.vectors for part in parts)]),
        np.concatenate([no_keys, *(part.keys for part in parts)]),
        np.concatenate([no_keys, *(part.covered for part in parts)]),
        np.concatenate([_geometry_of(part) for part in parts]) if has_geometry else None,
    )


def _geometry_of(part: Rows) -> npt.NDArray[np.float32]:
    if part.geometry is not None:
        return part.geometry
    return np.full((len(part.keys), 4), np.nan, np.float32)
