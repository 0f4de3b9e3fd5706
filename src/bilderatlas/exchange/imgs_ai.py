"""Models of imgs.ai: `embeddings.hdf5` with one array an embedder, and `metadata.csv` beside it.

    embeddings.hdf5       clip_vit (N, 512) float32, vgg19 (N, 512) …, valid_idxs
    metadata.csv          no header: path or URL, page of the source, whatever else
    metadata.hdf5         the same as JSON lists, where the CSV is not there
    config.json           the metrics of each embedder
    vgg19_reducer.dill    a pickled PCA: never opened, the import says so

Row j of an array belongs to line j of the metadata. `valid_idxs` names the lines whose picture
could be read, in the order in which threads finished; it says which rows are filled, not where they
lie. An array that is as long as `valid_idxs` and shorter than the metadata was packed by it.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from bilderatlas.arrays import Ints, Mask
from bilderatlas.errors import Failure, PackageError, UsageError
from bilderatlas.exchange.base import (
    IMPORTERS,
    FeatureBatch,
    Features,
    Importer,
    ImportOptions,
)
from bilderatlas.exchange.foreign import (
    Vectors,
    batch_length,
    card_of_strangers,
    check_shape,
    dtype_name,
    sample_of,
    state_of,
    stored,
)
from bilderatlas.exchange.hdf5 import Hdf5File
from bilderatlas.records import Record
from bilderatlas.sources.delimited import MAX_CELL_CHARS
from bilderatlas.sources.places import is_url

EMBEDDINGS = "embeddings.hdf5"
VALID = "valid_idxs"
MAX_CONFIG_BYTES = 1 << 20
USUAL_METRICS = {"raw": "manhattan", "vgg19": "manhattan", "poses": "manhattan"}
NOT_READ = "imgs.ai could not read this picture when it made the model."


class ImgsAiFeatures(Features):
    """One embedder of a model."""

    def __init__(self, folder: Path, embedder: str, options: ImportOptions) -> None:
        """Open the arrays and count the metadata.

        Raises:
            UsageError: when no model is named, or there are several embedders and none is chosen.
            UnavailableError: when h5py is not installed.
            PackageError: when a file is missing, damaged or hostile, or the two do not fit.
        """
        self.folder = folder.expanduser().resolve()
        self._file = Hdf5File(self.folder / EMBEDDINGS)
        try:
            self._begin(embedder, options)
        except BaseException:
            self._file.close()
            raise

    def _begin(self, embedder: str, options: ImportOptions) -> None:
        self.embedder = self._chosen(embedder)
        self.address = f"{self.folder}#{self.embedder}"
        self._metadata = _Metadata(self.folder)
        array = self._file.arrays[self.embedder]
        n, dim = check_shape(array.shape, self.address)
        dtype = dtype_name(np.dtype(array.kind), self.address)
        self.n_items = self._metadata.count()
        self._row_of = self._rows(n)
        is_filled = self._row_of >= 0
        notes = []
        reducer = self.folder / f"{self.embedder}_reducer.dill"
        projection = None
        if reducer.exists():
            projection = {"kind": "unknown: pickled reducer not opened", "file": reducer.name}
            notes.append(
                f"{reducer.name} was not opened: it is a pickle, which could run any program. What "
                "projection the vectors went through is therefore unknown."
            )
        if not is_filled.all():
            n_empty = int((~is_filled).sum())
            have = "item has" if n_empty == 1 else "items have"
            notes.append(f"{n_empty:,} {have} no vector: {NOT_READ}")
        self.card, known = card_of_strangers(
            options,
            dim=dim,
            dtype=dtype,
            sample=self._filled_sample(n),
            address=self.address,
            form="an imgs.ai model",
            metric=self._metric(),
            projection=projection,
        )
        self.notes = (*known, *notes)

    def _chosen(self, embedder: str) -> str:
        names = [name for name in self._file.arrays if name != VALID]
        if embedder and embedder not in names:
            raise UsageError(
                f"Cannot import '{embedder[:80]}': the model has {', '.join(names)[:400]}."
            )
        if not embedder and len(names) != 1:
            raise UsageError(
                f"Cannot import '{self.folder}': it has several embedders. Choose one by adding "
                f"its name: {', '.join(f'{self.folder.name}#{name}' for name in names)[:400]}"
            )
        return embedder or names[0]

    def _rows(self, n: int) -> Ints:
        """Return the row `(items,)` of each item; −1 where it has none."""
        assert self.n_items is not None
        valid = self._valid()
        rows = np.full(self.n_items, -1, np.int64)
        if n == self.n_items:
            rows[valid] = valid
        elif n == len(valid):
            rows[valid] = np.arange(n)
        else:
            raise PackageError(
                "count",
                f"Cannot import '{self.address}': it has {n:,} rows, the metadata "
                f"{self.n_items:,} lines, and {len(valid):,} of them are said to be valid.",
            )
        return rows

    def _valid(self) -> Ints:
        assert self.n_items is not None
        if VALID not in self._file.arrays:
            return np.arange(self.n_items)
        array = self._file.arrays[VALID]
        if len(array.shape) != 1 or array.shape[0] > self.n_items or array.kind[1] not in "iu":
            raise PackageError(
                VALID, f"Cannot import '{self.folder}': {VALID} is no list of its lines."
            )
        found = self._file.numbers(VALID, 0, array.shape[0]).astype(np.int64)
        is_line = (found >= 0) & (found < self.n_items)
        if not is_line.all() or len(np.unique(found)) != len(found):
            raise PackageError(
                VALID,
                f"Cannot import '{self.folder}': {VALID} names a line that there is not, or one "
                "twice.",
            )
        return found

    def _metric(self) -> str:
        """Return the first metric that the configuration has for this embedder."""
        path = self.folder / "config.json"
        try:
            if path.stat().st_size <= MAX_CONFIG_BYTES:
                config = json.loads(path.read_text("utf-8"))
                return str(config["emb_types"][self.embedder]["metrics"][0])
        except (OSError, ValueError, RecursionError, KeyError, IndexError, TypeError):
            pass  # without it, what imgs.ai does by itself
        if self.embedder.startswith("clip"):
            return "angular"
        return USUAL_METRICS.get(self.embedder, "")

    def _filled_sample(self, n: int) -> Vectors:
        filled = np.sort(self._row_of[self._row_of >= 0])
        sample = sample_of(n, lambda start, stop: self._file.numbers(self.embedder, start, stop))
        return sample[(sample != 0).any(axis=1)] if len(filled) < n else sample

    @property
    def package_id(self) -> str:
        """A name for the state of the files."""
        return state_of([self.folder / EMBEDDINGS, self._metadata.path])

    def batches(self) -> Iterator[FeatureBatch]:
        """Yield the items in the order of the metadata."""
        length = batch_length(self.card.dim)
        waiting: list[Record] = []
        start = 0
        for record in self._metadata.records():
            waiting.append(record)
            if len(waiting) == length:
                yield self._batch(waiting, start)
                start += length
                waiting = []
        if waiting:
            yield self._batch(waiting, start)

    def _batch(self, records: list[Record], start: int) -> FeatureBatch:
        rows = self._row_of[start : start + len(records)]
        is_filled: Mask = rows >= 0
        failures = [
            None if filled else Failure(record.image_id, "fetch", "not-embedded", NOT_READ)
            for record, filled in zip(records, is_filled.tolist(), strict=True)
        ]
        return FeatureBatch(
            records,
            [None] * len(records),
            [None] * len(records),
            stored(self._read(rows[is_filled]), self.card.dtype),
            is_filled.astype(np.int64),
            is_filled,
            None,
            failures,
        )

    def _read(self, rows: Ints) -> Vectors:
        """Return rows in any order, read in stretches."""
        kind = np.dtype(self._file.arrays[self.embedder].kind)
        gathered = np.empty((len(rows), self.card.dim), kind)
        order = np.argsort(rows, kind="stable")
        length = batch_length(self.card.dim)
        at = 0
        while at < len(order):
            first = int(rows[order[at]])
            end = at + int(np.searchsorted(rows[order[at:]], first + length))
            chosen = order[at:end]
            last = int(rows[chosen[-1]])
            gathered[chosen] = self._file.numbers(self.embedder, first, last + 1)[
                rows[chosen] - first
            ]
            at = end
        return gathered

    def close(self) -> None:
        """End the child that reads the file."""
        self._file.close()


class _Metadata:
    """The lines of `metadata.csv`, or of `metadata.hdf5`."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "metadata.csv"
        if not self.path.is_file():
            self.path = folder / "metadata.hdf5"
        if not self.path.is_file():
            raise PackageError(
                "missing-part",
                f"Cannot import '{folder}': there is no metadata.csv and no metadata.hdf5 that "
                "says whose vectors these are.",
            )

    def count(self) -> int:
        if self.path.suffix == ".hdf5":
            with Hdf5File(self.path) as file:
                return self._texts_of(file)
        return sum(1 for _ in self._lines())

    def records(self) -> Iterator[Record]:
        """Yield a record a line.

        Raises:
            PackageError: at a line without a picture, or that cannot be read.
        """
        for number, cells in enumerate(self._lines(), start=1):
            if not cells or not cells[0].strip():
                raise self._bad(number, "it names no picture in its first column")
            yield _record(cells)

    def _lines(self) -> Iterator[list[str]]:
        if self.path.suffix == ".hdf5":
            yield from self._packed_lines()
            return
        csv.field_size_limit(max(csv.field_size_limit(), MAX_CELL_CHARS))
        number = 0
        try:
            with self.path.open(encoding="utf-8-sig", newline="") as file:
                for cells in csv.reader(file, strict=True):
                    number += 1
                    if cells:
                        yield [cell.replace("\0", "") for cell in cells]
        except (csv.Error, UnicodeDecodeError) as error:
            raise self._bad(number + 1, str(error)) from error

    def _packed_lines(self) -> Iterator[list[str]]:
        with Hdf5File(self.path) as file:
            n = self._texts_of(file)
            for start in range(0, n, 1000):
                for place, text in enumerate(file.texts("metadata", start, start + 1000)):
                    try:
                        cells = json.loads(text)
                    except (ValueError, RecursionError) as error:
                        raise self._bad(start + place + 1, "it is no JSON") from error
                    if not isinstance(cells, list):
                        raise self._bad(start + place + 1, "it is no list")
                    yield [str(cell) for cell in cells]

    def _texts_of(self, file: Hdf5File) -> int:
        array = file.arrays.get("metadata")
        if array is None or array.kind != "text":
            raise PackageError(
                "metadata", f"Cannot read '{self.path.name}': it has no texts called 'metadata'."
            )
        return array.shape[0]

    def _bad(self, number: int, why: str) -> PackageError:
        return PackageError(
            "metadata", f"Cannot read '{self.path.name}': line {number}: {why[:200]}."
        )


def _record(cells: list[str]) -> Record:
    """Return the record of a line; its picture is its name, for nothing else is said to last."""
    picture = cells[0].strip()
    page = cells[1].strip() if len(cells) > 1 else ""
    raw: dict[str, Any] = {"image": picture, "page": page}
    raw |= {f"column_{place}": cell for place, cell in enumerate(cells[2:], start=3)}
    return Record(
        image_id=picture,
        image_url=picture if is_url(picture) else None,
        image_path=None if is_url(picture) else picture,
        page_url=page if is_url(page) else None,
        raw=raw,
    )


class ImgsAiImporter(Importer):
    """Recognises a folder with `embeddings.hdf5`, or that file; `#name` chooses an embedder."""

    name: ClassVar[str] = "imgs.ai model"
    example: ClassVar[str] = "./models/rijks#clip_vit"

    def recognises(self, address: str) -> bool:
        """Tell by the name of the file."""
        try:
            folder, _ = _split(address)
            return (folder / EMBEDDINGS).is_file()
        except (OSError, ValueError, RuntimeError):
            return False

    def open(self, address: str, options: ImportOptions) -> ImgsAiFeatures:
        """Open one embedder."""
        folder, embedder = _split(address)
        return ImgsAiFeatures(folder, embedder, options)


def _split(address: str) -> tuple[Path, str]:
    path, _, embedder = address.partition("#")
    folder = Path(path).expanduser()
    return (folder.parent if folder.name == EMBEDDINGS else folder), embedder


IMPORTERS.register(ImgsAiImporter.name, ImgsAiImporter())
