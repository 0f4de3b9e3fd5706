"""Folders as clip-retrieval writes them.

    img_emb/img_emb_0.npy           vectors of pictures, float16 or float32
    metadata/metadata_0.parquet     one row a vector: image_path, caption, url, key …
    text_emb/text_emb_0.npy         vectors of the captions: not imported, an image has one place

Row i of a part belongs to row i of the metadata of the same number. `sha256` in such metadata is
that of the picture before it was scaled down and encoded again: it stays in the raw record, and is
not taken for the picture that was embedded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy.typing as npt

from bilderatlas.errors import PackageError
from bilderatlas.exchange.base import (
    IMPORTERS,
    FeatureBatch,
    Features,
    Importer,
    ImportOptions,
)
from bilderatlas.exchange.foreign import (
    ItemTable,
    batch_length,
    card_of_strangers,
    check_model_id,
    dtype_name,
    plain_batch,
    sample_of,
    state_of,
    stored,
    take,
)
from bilderatlas.exchange.npy import open_array

VECTORS = re.compile(r"img_emb_0*(\d{1,9})\.npy\Z")
METADATA = re.compile(r"metadata_0*(\d{1,9})\.parquet\Z")


class ClipRetrievalFeatures(Features):
    """All parts of a folder, in the order of their numbers."""

    def __init__(self, folder: Path, options: ImportOptions) -> None:
        """Open all parts, and prove that they belong together.

        Raises:
            UsageError: when no model is named.
            PackageError: when a part is missing or damaged, or parts do not fit each other.
        """
        check_model_id(options, str(folder))
        self.folder = folder.expanduser().resolve()
        self.address = str(self.folder)
        vectors, metadata = self._parts()
        self._arrays = [open_array(path) for path in vectors]
        self._check_alike(vectors)
        self._items = ItemTable(metadata, id_column=options.id_column, first_is_id=False)
        self._check_counts(vectors)
        self._files = [*vectors, *metadata]
        self.n_items = sum(map(len, self._arrays))
        first = self._arrays[0]
        self.card, notes = card_of_strangers(
            options,
            dim=first.shape[1],
            dtype=dtype_name(first.dtype, self.address),
            sample=sample_of(len(first), lambda start, stop: first[start:stop]),
            address=self.address,
            form="a clip-retrieval folder",
        )
        ids = ", ".join(self._items.id_columns) or "the path or address of the picture"
        notes.append(f"Ids are read from: {ids}.")
        if (self.folder / "text_emb").is_dir():
            notes.append("Vectors of captions (text_emb) were left out: an image has one place.")
        self.notes = tuple(notes)

    @property
    def package_id(self) -> str:
        """A name for the state of all files."""
        return state_of(self._files)

    def _parts(self) -> tuple[list[Path], list[Path]]:
        vectors = _numbered(self.folder / "img_emb", VECTORS)
        metadata = _numbered(self.folder / "metadata", METADATA)
        for number in sorted(vectors.keys() ^ metadata.keys()):
            missing = "metadata of it" if number in vectors else "vectors for its metadata"
            raise PackageError(
                "missing-part",
                f"Cannot import '{self.folder}': of part {number} there are no {missing}. Get the "
                "folder again.",
            )
        numbers = sorted(vectors)
        return [vectors[number] for number in numbers], [metadata[number] for number in numbers]

    def _check_alike(self, paths: list[Path]) -> None:
        first = self._arrays[0]
        for path, array in zip(paths, self._arrays, strict=True):
            if array.shape[1] != first.shape[1] or array.dtype != first.dtype:
                raise PackageError(
                    "dim",
                    f"Cannot import '{self.folder}': {path.name} has {array.shape[1]} numbers a "
                    f"row ({array.dtype}), {paths[0].name} {first.shape[1]} ({first.dtype}). They "
                    "are of two models.",
                )

    def _check_counts(self, paths: list[Path]) -> None:
        counts = self._items.counts()
        for path, array, count in zip(paths, self._arrays, counts, strict=True):
            if len(array) != count:
                raise PackageError(
                    "count",
                    f"Cannot import '{self.folder}': {path.name} has {len(array):,} rows, its "
                    f"metadata {count:,}. Row i of the one belongs to row i of the other.",
                )

    def batches(self) -> Iterator[FeatureBatch]:
        """Yield the rows of all parts in order."""
        records = self._items.records()
        for array in self._arrays:
            for piece in _pieces(array, batch_length(self.card.dim)):
                vectors = stored(piece, self.card.dtype)
                yield plain_batch(take(records, len(piece), self.address), vectors)


def _pieces(array: npt.NDArray[Any], length: int) -> Iterator[npt.NDArray[Any]]:
    for start in range(0, len(array), length):
        yield array[start : start + length]


def _numbered(folder: Path, pattern: re.Pattern[str]) -> dict[int, Path]:
    """Return the files of a folder by their number.

    Raises:
        PackageError: when two have the same.
    """
    found: dict[int, Path] = {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        matched = pattern.match(path.name)
        if matched is None:
            continue
        if int(matched[1]) in found:
            raise PackageError(
                "duplicate-part",
                f"Cannot import '{folder.parent}': {path.name} and {found[int(matched[1])].name} "
                "have the same number.",
            )
        found[int(matched[1])] = path
    return found


class ClipRetrievalImporter(Importer):
    """Recognises a folder with `img_emb/img_emb_0.npy` and the like."""

    name: ClassVar[str] = "clip-retrieval folder"
    example: ClassVar[str] = "./laion-part/"

    def recognises(self, address: str) -> bool:
        """Tell by the first file in `img_emb`."""
        try:
            folder = Path(address).expanduser() / "img_emb"
            return folder.is_dir() and any(VECTORS.match(path.name) for path in folder.iterdir())
        except (OSError, ValueError, RuntimeError):
            return False

    def open(self, address: str, options: ImportOptions) -> ClipRetrievalFeatures:
        """Open all parts."""
        return ClipRetrievalFeatures(Path(address), options)


IMPORTERS.register(ClipRetrievalImporter.name, ClipRetrievalImporter())
