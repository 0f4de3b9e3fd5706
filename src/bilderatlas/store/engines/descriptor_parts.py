"""Parts of the index over local features: inverted lists over runs of segments, in derived files.

A part holds the descriptors of some whole segments, a byte a dimension, sorted into the lists of a
coarse quantiser that all parts of a generation share. Nothing is lost with them: they are built
from the segments again whenever they are missing, damaged or of another generation.

    engine/descriptors.json              which files hold, and the segments that each stands for
    engine/coarse-<generation>.faiss     the centres of the lists
    engine/lists-<generation>-<n>.faiss  one part, memory-mapped where the platform can
"""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import faiss
import numpy as np
import numpy.typing as npt

from bilderatlas.arrays import Ints
from bilderatlas.store.disk import TEMPORARY_PREFIX, replace_file, sync_folder, unlink_quietly

FORMAT = 2
MANIFEST = "descriptors.json"
PART_ROWS = 1_000_000  # so that building one takes some 150 MB of memory
_BLOCK_ROWS = 1 << 16
_TRAINING_ROWS = 24  # for each list
_ROUNDS = 4
_MAX_LISTS = 4096
_YOUNG_S = 3600.0

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]


class SegmentView(Protocol):
    """A segment as far as the index looks at it: its rows, and what tells it from all others."""

    @property
    def entry(self) -> Any: ...
    @property
    def vectors(self) -> npt.NDArray[Any]: ...


@dataclass(frozen=True, slots=True)
class PartEntry:
    """What the manifest says of a part: its file, and the identities of its segments in order."""

    file: str
    n_bytes: int
    n_rows: int
    segments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    """The derived files that hold together: one generation of centres, and its parts.

    `recall` is what `DescriptorEngine.recall` says of them.
    """

    generation: str
    coarse: str
    parts: tuple[PartEntry, ...]
    recall: float | None = None

    def file_names(self) -> set[str]:
        """Return the names of all files that the manifest needs."""
        return {self.coarse, *(part.file for part in self.parts)}


def identity_of(segment: SegmentView) -> str:
    """Name a segment by number, rows and checksum: unlike its number alone it never comes twice."""
    entry = segment.entry
    vectors = entry.files.get("vectors")
    return f"{entry.number}:{entry.n_rows}:{vectors.crc32 if vectors else 0:08x}"


def list_count(n_rows: int) -> int:
    """Return how many lists suit so many rows: a power of two near 1.6 √n.

    >>> [list_count(n) for n in (20_000, 500_000, 5_000_000)]
    [256, 1024, 4096]
    """
    return int(min(_MAX_LISTS, max(16, 2 ** round(np.log2(1.6 * n_rows**0.5 + 1)))))


def train_coarse(sample: Bytes, n_lists: int) -> Any:
    """Return a quantiser over the centres of `sample` `(s, d)`; the same rows, the same centres."""
    clustering = faiss.Clustering(sample.shape[1], n_lists)
    clustering.niter = _ROUNDS
    clustering.seed = 1
    clustering.min_points_per_centroid = 1
    clustering.max_points_per_centroid = _TRAINING_ROWS * 4
    quantiser = faiss.IndexFlatL2(sample.shape[1])
    clustering.train(np.ascontiguousarray(sample, np.float32), quantiser)
    return quantiser


def training_sample(blocks: Sequence[npt.NDArray[Any]], n_lists: int) -> Bytes:
    """Return rows drawn evenly from mapped blocks, enough for `n_lists` centres."""
    lengths = np.array([len(block) for block in blocks])
    starts = np.concatenate([[0], np.cumsum(lengths)])
    wanted = min(int(starts[-1]), n_lists * _TRAINING_ROWS)
    rows = np.unique(np.linspace(0, starts[-1] - 1, wanted).astype(np.int64))
    chosen = [
        block[rows[(rows >= start) & (rows < stop)] - start]
        for block, start, stop in zip(blocks, starts[:-1], starts[1:], strict=True)
    ]
    return np.concatenate(chosen).astype(np.uint8, copy=False)


def build_lists(coarse: Any, blocks: Iterator[npt.NDArray[Any]]) -> Any:
    """Return an inverted file in memory over the rows of `blocks`, numbered from 0."""
    index = faiss.IndexIVFScalarQuantizer(
        coarse,
        coarse.d,
        coarse.ntotal,
        faiss.ScalarQuantizer.QT_8bit_direct,
        faiss.METRIC_L2,
        False,
    )
    index.is_trained = True  # bytes are stored as they are; the centres are trained
    for block in blocks:
        for start in range(0, len(block), _BLOCK_ROWS):
            index.add(np.ascontiguousarray(block[start : start + _BLOCK_ROWS], np.float32))
    return index


def search_lists(
    index: Any, queries: Floats, lists: tuple[Floats, Ints], *, k: int, parameters: Any
) -> tuple[Floats, Ints]:
    """Search the lists that the coarse quantiser named, once for all parts.

    faiss' own wrapper of this call takes no parameters, so the call below it is made. `lists` are
    the squared distances to the nearest centres and their numbers, both `(q, nprobe)`.

    Returns:
        `(q, k)` squared distances, ascending, and rows of the part, −1 where there are fewer.
    """
    centre_squares, centres = lists
    squares = np.empty((len(queries), k), np.float32)
    rows = np.empty((len(queries), k), np.int64)
    index.search_preassigned_c(
        len(queries),
        faiss.swig_ptr(queries),
        k,
        faiss.swig_ptr(centres),
        faiss.swig_ptr(centre_squares),
        faiss.swig_ptr(squares),
        faiss.swig_ptr(rows),
        False,
        parameters,
    )
    return squares, rows


def write_index(index: Any, folder: Path, name: str) -> int:
    """Write a faiss index under a name that is new: temporary name, fsync, rename; its bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f"{TEMPORARY_PREFIX}{uuid.uuid4().hex}-{name}"
    try:
        faiss.write_index(index, str(temporary))
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        n_bytes = temporary.stat().st_size
        os.replace(temporary, folder / name)  # noqa: PTH105  as everywhere in the store
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(folder)
    return n_bytes


def read_index(path: Path, *, n_bytes: int | None = None, mapped: bool = False) -> Any:
    """Open a derived index; lists stay on disk where the platform can map them.

    Raises:
        OSError: when the file is gone or has not the length that the manifest says.
        RuntimeError: when faiss cannot read it.
    """
    if n_bytes is not None and path.stat().st_size != n_bytes:
        raise OSError(f"'{path}' has not the length that its manifest says")
    if mapped:
        try:
            return faiss.read_index(str(path), faiss.IO_FLAG_MMAP | faiss.IO_FLAG_READ_ONLY)
        except (RuntimeError, AttributeError):
            pass  # faiss maps lists on POSIX only; elsewhere they are read into memory
    return faiss.read_index(str(path))


def read_manifest(folder: Path) -> Manifest | None:
    """Return the manifest in `folder`, or None where none is understood."""
    try:
        found = json.loads((folder / MANIFEST).read_text("utf-8"))
        if found["format"] != FORMAT:
            return None
        parts = tuple(
            PartEntry(p["file"], p["n_bytes"], p["n_rows"], tuple(p["segments"]))
            for p in found["parts"]
        )
        return Manifest(found["generation"], found["coarse"], parts, found["recall"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Put the manifest in place; from then on its files are the ones that count."""
    content = {"format": FORMAT, **asdict(manifest)}
    replace_file(folder / MANIFEST, json.dumps(content, indent=1).encode())


def sweep(folder: Path, manifest: Manifest | None) -> None:
    """Remove derived files that no manifest names: those of old generations and broken writes.

    Young ones stay: another process may be about to name them.
    """
    kept = manifest.file_names() if manifest else set()
    for path in folder.glob("*.faiss"):
        if path.name not in kept and time.time() - path.stat().st_mtime > _YOUNG_S:
            unlink_quietly(path)


def runs_of(lengths: Ints, limit: int) -> list[slice]:
    """Cut a row of segments into runs of at most `limit` rows (a longer segment stands alone).

    >>> runs_of(np.array([4, 4, 4, 9, 1]), 8)
    [slice(0, 2, None), slice(2, 3, None), slice(3, 4, None), slice(4, 5, None)]
    """
    runs: list[slice] = []
    start = total = 0
    for place, length in enumerate(lengths.tolist()):
        if place > start and total + length > limit:
            runs.append(slice(start, place))
            start, total = place, 0
        total += length
    return [*runs, slice(start, len(lengths))] if len(lengths) > start else runs
