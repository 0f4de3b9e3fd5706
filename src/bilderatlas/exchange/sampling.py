"""A sample of a package's items whose pictures can be had here, to be extracted again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from bilderatlas.checksums import file_sha256
from bilderatlas.exchange.deviation import Vectors
from bilderatlas.exchange.format import Manifest
from bilderatlas.exchange.parts import vector_fields
from bilderatlas.exchange.read import iter_tables, open_part, vectors_in

MAX_FILES = 100_000

ReadPicture = Callable[[str], bytes | None]
"""From the sha256 of an encoded picture to its bytes; None where it cannot be had."""


@dataclass(frozen=True, slots=True)
class SampledItem:
    """One item of the package, and its picture as encoded."""

    place: int
    item_id: str
    vectors: Vectors
    picture: bytes


class PictureFolder:
    """Pictures in a folder, found by the SHA-256 of their bytes."""

    def __init__(self, folder: Path) -> None:
        """Hash every file below `folder`, at most `MAX_FILES`."""
        self._paths: dict[str, Path] = {}
        for number, path in enumerate(sorted(folder.rglob("*"))):
            if number >= MAX_FILES:
                break
            if path.is_file():
                self._paths.setdefault(file_sha256(path), path)

    def known(self) -> set[str]:
        """Return the hashes that can be read."""
        return set(self._paths)

    def read(self, sha256: str) -> bytes | None:
        """Return the bytes of one picture."""
        path = self._paths.get(sha256)
        return path.read_bytes() if path is not None else None


def tables(folder: Path, manifest: Manifest, names: list[str]) -> Iterator[pa.RecordBatch]:
    """Yield the columns `names` of all parts, a bounded number of items at a time.

    Raises:
        PackageError: when a part cannot be read.
    """
    for part in manifest.integrity.parts:
        with open_part(folder, part, manifest.vectors) as file:
            yield from iter_tables(file, manifest.vectors, names)


def sample_items(
    folder: Path, manifest: Manifest, known: set[str], read: ReadPicture, *, n: int, seed: int = 0
) -> list[SampledItem]:
    """Return up to `n` items at random whose pictures are among `known` hashes.

    Raises:
        PackageError: when a part cannot be read.
    """
    places: list[tuple[int, str, str]] = []
    at = 0
    for table in tables(folder, manifest, ["item_id", "status", "image_sha256"]):
        if "image_sha256" not in table.schema.names:
            return []
        columns = (table.column(name).to_pylist() for name in ("item_id", "status", "image_sha256"))
        for offset, (item_id, status, sha256) in enumerate(zip(*columns, strict=True)):
            if status == "ok" and sha256 in known:
                places.append((at + offset, item_id, sha256))
        at += table.num_rows
    random = np.random.default_rng(seed)
    order = random.permutation(len(places))[: 2 * n].tolist()
    chosen: dict[int, tuple[str, bytes]] = {}
    for number in order:
        place, item_id, sha256 = places[number]
        picture = read(sha256)
        if picture is not None:
            chosen[place] = (item_id, picture)
        if len(chosen) == n:
            break
    found = vectors_at(folder, manifest, sorted(chosen))
    return [
        SampledItem(place, chosen[place][0], vectors, chosen[place][1])
        for place, vectors in found.items()
    ]


def vectors_at(folder: Path, manifest: Manifest, places: list[int]) -> dict[int, Vectors]:
    """Return `{place: rows (m, d)}` of the items at some places of the package.

    Raises:
        PackageError: when a part cannot be read.
    """
    spec = manifest.vectors
    found: dict[int, Vectors] = {}
    at = 0
    for table in tables(folder, manifest, [one.name for one in vector_fields(spec)]):
        inside = [place - at for place in places if at <= place < at + table.num_rows]
        if inside:
            vectors, n_rows, _ = vectors_in(table, spec)
            ends = np.cumsum(n_rows)
            for offset in inside:
                rows = vectors[ends[offset] - n_rows[offset] : ends[offset]]
                found[at + offset] = np.array(rows)
        at += table.num_rows
    return found


def nearest_items(
    folder: Path, manifest: Manifest, wanted: npt.NDArray[Any]
) -> list[tuple[str, int, float]]:
    """Return for each of `(s, d)` vectors the item with the most similar one: id, place, cosine.

    Raises:
        PackageError: when a part cannot be read.
    """
    spec = manifest.vectors
    exact = np.asarray(wanted, np.float32)
    exact = exact / np.maximum(np.linalg.norm(exact, axis=1, keepdims=True), 1e-30)
    best = np.full(len(exact), -2.0, np.float32)
    names = [("", -1)] * len(exact)
    at = 0
    columns = ["item_id", *(one.name for one in vector_fields(spec))]
    for table in tables(folder, manifest, columns):
        vectors, n_rows, _ = vectors_in(table, spec)
        owners = np.repeat(np.arange(table.num_rows), n_rows)
        if len(vectors):
            rows = np.nan_to_num(vectors.astype(np.float32), posinf=0, neginf=0)
            norms = np.maximum(np.linalg.norm(rows, axis=1), 1e-30)
            scores = (exact @ rows.T) / norms
            tops = scores.argmax(axis=1)
            for number, top in enumerate(tops.tolist()):
                if scores[number, top] > best[number]:
                    best[number] = scores[number, top]
                    owner = int(owners[top])
                    names[number] = (table.column("item_id")[owner].as_py(), at + owner)
        at += table.num_rows
    return [(name, place, float(cos)) for (name, place), cos in zip(names, best, strict=True)]
