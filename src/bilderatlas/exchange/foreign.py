"""What all formats have in common that hold vectors and do not say how these were made."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bilderatlas.arrays import Metric
from bilderatlas.errors import Failure, PackageError, SourceError, UsageError
from bilderatlas.exchange.base import FeatureBatch, ImportOptions
from bilderatlas.extractors.base import Card
from bilderatlas.records import Record
from bilderatlas.sources.formats import open_table
from bilderatlas.sources.mapping import ColumnMapping, RecordReader
from bilderatlas.sources.places import Placement
from bilderatlas.sources.rows import Row

Vectors = npt.NDArray[Any]

UNKNOWN = "unknown"
MAX_DIM = 65_536
BATCH_BYTES = 16 << 20
BATCH_ITEMS = 16_384
SAMPLE_ROWS = 2_048
NORM_TOLERANCE = 1e-2  # of rows that were stored in half precision after they were normalised
DTYPE_NAMES = {"float16": "f16", "float32": "f32", "float64": "f32", "uint8": "u8"}
_MODEL_ID = re.compile(r"[a-z0-9][a-z0-9_.-]{0,120}\Z")


def check_model_id(options: ImportOptions, address: str) -> str:
    """Return the name that the user gives to the model.

    Raises:
        UsageError: when there is none, or it cannot be the name of a space.
    """
    if not options.extractor:
        raise UsageError(
            f"Cannot import '{address}': nothing in it says which model made the vectors. Name it "
            "with --extractor, as architecture.weights: clip_vit_l14.openai."
        )
    if not _MODEL_ID.match(options.extractor):
        raise UsageError(
            f"Cannot call a space '{options.extractor[:100]}': expected small letters, digits, "
            "dots, dashes and underscores, as in clip_vit_l14.openai."
        )
    return options.extractor


def dtype_name(dtype: np.dtype[Any], address: str) -> str:
    """Return how numbers of `dtype` are stored here: `f16`, `f32` or `u8`.

    Raises:
        PackageError: for numbers that are no embeddings, and for what are no numbers.
    """
    name = DTYPE_NAMES.get(dtype.newbyteorder("=").name)
    if name is None:
        raise PackageError(
            "dtype",
            f"Cannot import '{address}': it holds {dtype.name[:40]}, expected float16, float32, "
            "float64 or uint8.",
        )
    return name


def check_shape(shape: Sequence[int], address: str) -> tuple[int, int]:
    """Return `(n, d)`.

    Raises:
        PackageError: when there are not two axes, or one of them is empty or too long.
    """
    if len(shape) != 2 or not 0 < shape[1] <= MAX_DIM or not 0 < shape[0] < 1 << 40:
        raise PackageError(
            "shape",
            f"Cannot import '{address}': its shape is {tuple(shape)}, expected one row a picture "
            f"and 1 to {MAX_DIM:,} numbers a row.",
        )
    return int(shape[0]), int(shape[1])


def batch_length(dim: int) -> int:
    """Return how many rows are read at once."""
    return max(1, min(BATCH_ITEMS, BATCH_BYTES // (dim * 8)))


def sample_of(n: int, read: Callable[[int, int], Vectors]) -> Vectors:
    """Return up to 2,048 rows from the beginning, the middle and the end of `n`."""
    each = SAMPLE_ROWS // 4
    if n <= SAMPLE_ROWS:
        return read(0, n)
    starts = [0, n // 3, 2 * n // 3, n - each]
    return np.concatenate([read(start, start + each) for start in starts])


def stored(vectors: Vectors, dtype: str) -> Vectors:
    """Return rows in the byte order and precision that are stored; a copy, not a map."""
    wanted = {"f16": "<f2", "f32": "<f4", "u8": "u1"}[dtype]
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite and is refused
        return np.array(vectors, dtype=wanted, order="C")


def card_of_strangers(
    options: ImportOptions,
    *,
    dim: int,
    dtype: str,
    sample: Vectors,
    address: str,
    form: str,
    metric: str = "",
    projection: dict[str, Any] | None = None,
) -> tuple[Card, list[str]]:
    """Return a card that says what is known, and `unknown` of all else; and what was guessed.

    Args:
        options: What the user said.
        dim: Dimension of a row.
        dtype: How rows are stored.
        sample: Some rows `(m, d)`.
        address: Where they come from.
        form: The format in words: `a clip-retrieval folder`.
        metric: What the format says of the metric.
        projection: What the format says of a projection.

    Raises:
        UsageError: for a model or metric that the user named wrongly, or did not name.
        PackageError: when the user says that rows have length 1, and they have not.
    """
    model_id = check_model_id(options, address)
    normalised, notes = _normalised(options, sample, address)
    chosen = _metric(options.metric or metric or _usual_metric(normalised))
    if not (options.metric or metric):
        notes.append(f"Nothing says how rows are compared: {chosen} distance was assumed.")
    others = (Metric.ANGULAR, Metric.EUCLIDEAN)
    knows_only = (
        f"Taken from {form}, which does not say how the vectors were made: nobody can verify "
        "them, or add to them with certainty."
    )
    notes.insert(0, f"'{model_id}' is the name that you gave. {knows_only}")
    card = Card(
        model_id=model_id,
        judges_by=f"what ‘{model_id}’ saw elsewhere",
        sees=f"Not known: the vectors were made elsewhere by a model called '{model_id}'.",
        dim=dim,
        dtype=dtype,
        metrics=tuple(dict.fromkeys((chosen, *others))),
        side_px=1,
        preprocessing=({"step": UNKNOWN},),
        licence=UNKNOWN,
        normalised=normalised,
        tap=UNKNOWN,
        pooling=UNKNOWN,
        training_data=UNKNOWN,
        projection=projection,
        knows_only=knows_only,
    )
    return card, notes


def _normalised(options: ImportOptions, sample: Vectors, address: str) -> tuple[Any, list[str]]:
    if options.normalised not in {"", "l2", "none"}:
        raise UsageError(
            f"Cannot use normalised '{options.normalised[:40]}': expected 'l2' or 'none'."
        )
    with np.errstate(over="ignore", invalid="ignore"):
        norms = np.linalg.norm(sample.astype(np.float64), axis=1)
    off = np.abs(norms - 1) > NORM_TOLERANCE
    if options.normalised == "l2" and off.any():
        raise PackageError(
            "not-normalised",
            f"Cannot import '{address}' as rows of length 1: one has length "
            f"{norms[off][0]:.4g}. Leave out --normalised, or say 'none'.",
        )
    if options.normalised:
        return options.normalised, []
    measured = "none" if off.any() or not len(norms) else "l2"
    said = "have length 1" if measured == "l2" else "are not of length 1"
    return measured, [f"Rows {said}; this was measured on {len(norms):,} of them."]


def _usual_metric(normalised: str) -> str:
    return Metric.ANGULAR if normalised == "l2" else Metric.EUCLIDEAN


def _metric(name: str) -> Metric:
    try:
        return Metric(name)
    except ValueError as error:
        known = ", ".join(Metric)
        raise UsageError(f"There is no metric '{name[:40]}'. Known: {known}.") from error


def state_of(paths: Iterable[Path]) -> str:
    """Return a name for the present state of some files: it changes when one of them does."""
    digest = hashlib.sha256()
    for path in paths:
        status = path.stat()
        digest.update(f"{path.name}\0{status.st_size}\0{status.st_mtime_ns}\0".encode())
    return digest.hexdigest()


class ItemTable:
    """Tables of metadata that lie beside vectors: their rows, one after another, are the items."""

    def __init__(self, paths: Sequence[Path], *, id_column: str = "", first_is_id: bool) -> None:
        """Open the tables and find what identifies an item.

        Args:
            paths: One or several tables with the same columns.
            id_column: As the user named it; empty: recognised.
            first_is_id: Whether the first column is the id where none is recognised; otherwise
                the picture's path or address is.

        Raises:
            PackageError: when a table cannot be read.
            UnknownNameError: when there is no such column.
        """
        self.paths = tuple(paths)
        try:
            self._tables = [open_table(path) for path in paths]
            sample = [row for row in _first(self._tables[0].iter_rows()) if isinstance(row, Row)]
        except (SourceError, OSError) as error:
            raise PackageError("metadata", f"Cannot read the metadata: {error}") from error
        columns = self._tables[0].columns
        overrides = {"id": id_column} if id_column else {}
        self._mapping = ColumnMapping(columns, overrides, sample)
        if first_is_id and "id" not in self._mapping.places:
            self._mapping = ColumnMapping(columns, {"id": columns[0]}, sample)
        self.id_columns = [place.column for place in self._mapping.places.get("id", ())]

    def counts(self) -> list[int]:
        """Return the number of rows of each table; reads those that do not state it."""
        counts = []
        for table in self._tables:
            stated = table.count()
            counts.append(sum(1 for _ in table.read_rows()) if stated is None else stated)
        return counts

    def records(self) -> Iterator[Record]:
        """Yield one record a row, in order.

        Raises:
            PackageError: at a row that cannot be read: all after it would belong to others.
        """
        for path, table in zip(self.paths, self._tables, strict=True):
            reader = RecordReader(self._mapping, Placement(path.parent.resolve(), absolute=True))
            for row in table.read_rows():
                record = reader.read(row) if isinstance(row, Row) else row
                if isinstance(record, Failure):
                    raise PackageError(
                        "metadata", f"Cannot use the metadata '{path.name}': {record.reason}"
                    )
                yield record


def _first(rows: Iterator[Any], n: int = 200) -> list[Any]:
    return [row for row, _ in zip(rows, range(n), strict=False)]


def plain_batch(records: list[Record], vectors: Vectors) -> FeatureBatch:
    """Return items that each have one row of `vectors` `(n, d)`."""
    n = len(records)
    return FeatureBatch(
        records,
        [None] * n,
        [None] * n,
        vectors,
        np.ones(n, np.int64),
        np.ones(n, bool),
        None,
        [None] * n,
    )


def take(records: Iterator[Record], n: int, where: str) -> list[Record]:
    """Return the next `n` records.

    Raises:
        PackageError: when there are fewer.
    """
    taken = [record for _, record in zip(range(n), records, strict=False)]
    if len(taken) < n:
        raise PackageError("count", f"Cannot import '{where}': the metadata end before the rows.")
    return taken
