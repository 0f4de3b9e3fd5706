"""Read a feature package: its parts as batches, a row group at a time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from bilderatlas.arrays import Mask
from bilderatlas.errors import Failure, PackageError
from bilderatlas.exchange.base import FeatureBatch, Features
from bilderatlas.exchange.format import NO_PICTURE, NOT_EXTRACTED, PartFacts, Vectors
from bilderatlas.exchange.manifest import card_of, read_manifest
from bilderatlas.exchange.parts import (
    ITEM_FIELDS,
    fixed_rows,
    missing_columns,
    read_vectors,
    vector_fields,
)
from bilderatlas.exchange.projection import MAX_PROJECTION_BYTES
from bilderatlas.exchange.records_json import checked_record, record_from
from bilderatlas.store.projections import projection_file

MAX_GROUP_BYTES = 1 << 30
_BATCH_ITEMS = 8_192
_BATCH_BYTES = 32 << 20
_TEXT_BYTES = 128 << 20
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")


def open_part(folder: Path, part: PartFacts, spec: Vectors) -> pq.ParquetFile:
    """Open one part, its columns and the size of its row groups proved.

    Raises:
        PackageError: naming the part and what is wrong with it.
    """
    path = folder / part.name
    try:
        # Without pre-buffering, which keeps all row groups of a part in memory until its end.
        file = pq.ParquetFile(path, pre_buffer=False)
    except FileNotFoundError as error:
        raise PackageError(
            "missing-part",
            f"Cannot read '{path}': {part.name} is missing, the manifest lists it. Get the "
            "package again.",
        ) from error
    except (pa.ArrowException, OSError) as error:
        raise PackageError(
            "damaged-part", f"Cannot read '{path}': it is no whole Parquet file ({error})."
        ) from error
    if wrong := missing_columns(file.schema_arrow, spec):
        raise PackageError("columns", f"Cannot read '{path}': {'; '.join(wrong)}.")
    for number in range(file.num_row_groups):
        n_bytes = file.metadata.row_group(number).total_byte_size
        if n_bytes > MAX_GROUP_BYTES:
            raise PackageError(
                "large-group",
                f"Cannot read '{path}': row group {number} takes {n_bytes:,} bytes, at most "
                f"{MAX_GROUP_BYTES:,} are read at once. Write it with smaller row groups.",
            )
    return file


def iter_tables(file: pq.ParquetFile, spec: Vectors, names: list[str]) -> Iterator[pa.RecordBatch]:
    """Yield the columns `names` of a part, a bounded number of items at a time.

    Raises:
        PackageError: when the file breaks off or is damaged.
    """
    present = [name for name in names if name in file.schema_arrow.names]
    row_bytes = spec.dim * {"f16": 2, "f32": 4, "u8": 1}[spec.dtype]
    n_items = max(16, min(_BATCH_ITEMS, _BATCH_BYTES // row_bytes))
    if spec.many_rows:
        n_items = 64
    n_items = max(1, min(n_items, _TEXT_BYTES // _longest_repeated(file)))
    try:
        yield from file.iter_batches(batch_size=n_items, columns=present, use_threads=False)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise PackageError(
            "damaged-part", f"Cannot read a part of the package: it is damaged ({error})."
        ) from error


def _longest_repeated(file: pq.ParquetFile) -> int:
    """Return how long, at most, a text can be that a part stores once for many of its items."""
    longest = 1
    for number in range(file.num_row_groups):
        group = file.metadata.row_group(number)
        for place in range(group.num_columns):
            chunk = group.column(place)
            is_shared = any("DICTIONARY" in name for name in chunk.encodings)
            if chunk.physical_type == "BYTE_ARRAY" and (
                is_shared or "DELTA" in str(chunk.encodings)
            ):
                longest = max(longest, chunk.total_uncompressed_size)
    return longest


def read_attachment(folder: Path, name: str) -> bytes:
    """Return the file of a projection that lies beside the parts; its content is not proved.

    Raises:
        PackageError: when it is not there, or larger than any projection.
    """
    try:
        with (folder / name).open("rb") as file:
            content = file.read(MAX_PROJECTION_BYTES + 1)
    except OSError as error:
        raise PackageError(
            "missing-part",
            f"Cannot use '{folder}': {name} cannot be read, the manifest lists it. Get it again.",
        ) from error
    if len(content) > MAX_PROJECTION_BYTES:
        raise PackageError("projection", f"Cannot use '{folder}': {name} is larger than 1 GiB.")
    return content


class PackageFeatures(Features):
    """The items of a package."""

    def __init__(self, folder: Path) -> None:
        """Read and prove the manifest.

        Raises:
            PackageError: naming what is wrong.
        """
        self.folder = folder.expanduser().resolve()
        self.address = str(self.folder)
        self._proved: dict[str, tuple[int, ...]] = {}
        self.manifest = read_manifest(self.folder)
        self.card = card_of(self.manifest)
        self.title = self.manifest.title
        integrity = self.manifest.integrity
        self.n_items = integrity.n_ok + integrity.n_failed
        name = projection_file(self.card.to_json())
        if name in {one.name for one in integrity.attachments}:
            self.projection = read_attachment(self.folder, str(name))

    @property
    def package_id(self) -> str:
        """The id of the package: another content has another one."""
        return self.manifest.id

    def check(self) -> bool:
        """Prove everything that `features validate` proves; True, since that is all.

        Raises:
            PackageError: the first fault.
        """
        from bilderatlas.exchange.validate import faults_of

        states = {part.name: self._state_of(part) for part in self.manifest.integrity.parts}
        fault = next(faults_of(self.folder, self.manifest), None)
        if fault is not None:
            raise PackageError(fault.code, f"Cannot use '{self.folder}': {fault.sentence}")
        self._proved = states
        return True

    def _state_of(self, part: PartFacts) -> tuple[int, ...]:
        """Return what changes when the file of a part does; nothing where there is none."""
        try:
            found = (self.folder / part.name).stat()
        except OSError:
            return ()
        return (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)

    def batches(self) -> Iterator[FeatureBatch]:
        """Yield all items in the order of the parts."""
        spec = self.manifest.vectors
        names = [field.name for field in (*ITEM_FIELDS, *vector_fields(spec))]
        for part in self.manifest.integrity.parts:
            with open_part(self.folder, part, spec) as file:
                # What this very process has just proved of an unchanged file holds still.
                is_proved = self._proved.get(part.name) == self._state_of(part)
                for table in iter_tables(file, spec, names):
                    yield batch_of(table, spec, is_proved=is_proved)


def batch_of(table: pa.RecordBatch, spec: Vectors, *, is_proved: bool = False) -> FeatureBatch:
    """Return the items of a record batch; `is_proved`: the fields of its records were checked.

    Raises:
        PackageError: naming the item whose row cannot be used.
    """
    values = ItemColumns(table)
    links = {
        "image_url": values.column("source_url"),
        "page_url": values.column("page_url"),
        "iiif_service": values.column("iiif_image"),
        "rights": values.column("rights_uri"),
    }
    records = []
    rows = zip(values.ids, values.column("record"), *links.values(), strict=True)
    for image_id, text, *found in rows:
        try:
            given = dict(zip(links, found, strict=True))
            records.append(record_from(image_id, text, given, is_proved=is_proved))
        except ValueError as error:
            raise _record_error(image_id, error) from error
    vectors, n_rows, geometry = vectors_in(table, spec)
    return FeatureBatch(
        records,
        values.hashes(),
        values.sizes(),
        vectors,
        n_rows,
        values.covered(),
        geometry,
        values.failures(),
    )


def check_items(table: pa.RecordBatch) -> ItemColumns:
    """Prove everything but the vectors of a record batch, as `batch_of` would.

    Raises:
        PackageError: naming the item whose row cannot be used.
    """
    values = ItemColumns(table)
    for image_id, text in zip(values.ids, values.column("record"), strict=True):
        try:
            checked_record(text)
        except ValueError as error:
            raise _record_error(image_id, error) from error
    values.hashes()
    values.covered()
    return values


def _record_error(image_id: str, error: ValueError) -> PackageError:
    return PackageError("record", f"Cannot read the package: the record of '{image_id}': {error}.")


def vectors_in(
    table: pa.RecordBatch, spec: Vectors
) -> tuple[npt.NDArray[Any], npt.NDArray[np.int64], npt.NDArray[np.float32] | None]:
    """Return vectors `(m, d)`, rows of each item `(n,)`, and geometry `(m, 4)` where there is.

    Raises:
        PackageError: when numbers are missing, or geometry is not of the length of the vectors.
    """
    try:
        column = table.column("vectors" if spec.many_rows else "vector")
        vectors, n_rows = read_vectors(column, spec)
        geometry = None
        if spec.many_rows and spec.geometry:
            geometry = fixed_rows(table.column("geometry").flatten(), 4)
            if len(geometry) != len(vectors):
                raise ValueError("geometry and vectors differ in number")
    except (pa.ArrowException, ValueError) as error:
        raise PackageError("not-finite", f"Cannot read the package: {error}.") from error
    return vectors, n_rows, geometry


class ItemColumns:
    """The columns of a record batch as Python lists; absent ones are full of None."""

    def __init__(self, table: pa.RecordBatch) -> None:
        """Read the ids.

        Raises:
            PackageError: when an item has none.
        """
        self._table = table
        self._names = set(table.schema.names)
        self.ids: list[str] = self.column("item_id")
        if not all(self.ids):
            raise PackageError("no-id", "Cannot read the package: an item has no item_id.")

    def column(self, name: str) -> list[Any]:
        """Return one column."""
        if name not in self._names:
            return [None] * self._table.num_rows
        values: list[Any] = self._table.column(name).to_pylist()
        return values

    def covered(self) -> Mask:
        """Return which items `(n,)` the extractor looked at.

        Raises:
            PackageError: for a status that there is not.
        """
        statuses = self.column("status")
        for image_id, status in zip(self.ids, statuses, strict=True):
            if status not in ("ok", "failed"):
                raise PackageError(
                    "status",
                    f"Cannot read the package: the status of '{image_id}' is {status!r}, expected "
                    "'ok' or 'failed'.",
                )
        return np.array([status == "ok" for status in statuses], bool)

    def hashes(self) -> list[str | None]:
        """Return the hashes of the pictures.

        Raises:
            PackageError: for what is no SHA-256.
        """
        hashes: list[str | None] = self.column("image_sha256")
        for image_id, sha256 in zip(self.ids, hashes, strict=True):
            if sha256 is not None and not _SHA256.match(sha256):
                raise PackageError(
                    "image-sha256",
                    f"Cannot read the package: image_sha256 of '{image_id}' is {sha256[:80]!r}, "
                    "expected 64 hexadecimal digits.",
                )
        return hashes

    def sizes(self) -> list[tuple[int, int] | None]:
        """Return the sizes of the pictures; those that no picture has are left out."""
        pairs = zip(self.column("width"), self.column("height"), strict=True)
        return [
            (width, height)
            if width and height and 0 < width < 1_000_000 and 0 < height < 1_000_000
            else None
            for width, height in pairs
        ]

    def failures(self) -> list[Failure | None]:
        """Return why an item has no picture, where it failed for a reason of its own."""
        covered = self.covered()
        failures: list[Failure | None] = [None] * len(covered)
        if covered.all():
            return failures
        stages, codes, reasons = map(self.column, ("stage", "code", "reason"))
        for place in np.flatnonzero(~covered).tolist():
            if codes[place] not in (NO_PICTURE, NOT_EXTRACTED):
                failures[place] = Failure(
                    self.ids[place],
                    stages[place] or "extract",
                    codes[place] or "failed",
                    reasons[place] or "Not said.",
                )
        return failures
