"""Bare arrays: a `.npy` file of vectors, and a table that says whose they are.

The array stays on disk and is read a piece at a time. Arrays of Python objects, which only a
pickle can hold, are refused by their header.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy.typing as npt
from numpy.lib.format import open_memmap

from bilderatlas.errors import PackageError, UsageError
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
    check_shape,
    dtype_name,
    plain_batch,
    sample_of,
    state_of,
    stored,
    take,
)


def open_array(path: Path) -> npt.NDArray[Any]:
    """Map a `.npy` file of vectors `(n, d)`, without reading it.

    Raises:
        PackageError: when it is no such file, is cut off, or holds something else than vectors.
    """
    try:
        array = open_memmap(path, mode="r")
    except FileNotFoundError as error:
        raise PackageError("missing-part", f"Cannot read '{path}': it is not there.") from error
    except (ValueError, OSError, EOFError, TypeError, SyntaxError, OverflowError) as error:
        why = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        if "object" in why.lower() or "pickle" in why.lower():
            why = "it holds Python objects, which would have to be unpickled"
        raise PackageError("npy", f"Cannot read '{path}' as an array of numbers: {why}.") from error
    check_shape(array.shape, str(path))
    dtype_name(array.dtype, str(path))
    return array


class NpyFeatures(Features):
    """The rows of one array, and of a table beside it."""

    def __init__(self, path: Path, options: ImportOptions) -> None:
        """Open both, and count their rows.

        Raises:
            UsageError: when no table or model is named.
            PackageError: when one of them cannot be read, or their rows differ in number.
        """
        if options.table is None:
            raise UsageError(
                f"Cannot import '{path}': nothing in it says whose vectors these are. Name a table "
                "with one row a vector with --table (CSV, TSV, JSON lines or Parquet)."
            )
        check_model_id(options, str(path))
        self.path = path.expanduser().resolve()
        self.address = str(self.path)
        self._array = open_array(self.path)
        self.n_items = len(self._array)
        self._items = ItemTable(
            [options.table.expanduser()], id_column=options.id_column, first_is_id=True
        )
        (n_rows,) = self._items.counts()
        if n_rows != self.n_items:
            raise PackageError(
                "count",
                f"Cannot import '{self.path.name}': it has {self.n_items:,} rows, and "
                f"'{options.table.name}' {n_rows:,} below its line of names. Row i of the one "
                "belongs to row i of the other.",
            )
        dtype = dtype_name(self._array.dtype, self.address)
        self.card, notes = card_of_strangers(
            options,
            dim=self._array.shape[1],
            dtype=dtype,
            sample=sample_of(self.n_items, lambda start, stop: self._array[start:stop]),
            address=self.address,
            form="a bare array",
        )
        if self._array.dtype.itemsize == 8:
            notes.append("The numbers were float64 and are stored as float32.")
        self.notes = (*notes, f"Ids are read from: {', '.join(self._items.id_columns)}.")

    @property
    def package_id(self) -> str:
        """A name for the state of the two files."""
        return state_of([self.path, *self._items.paths])

    def batches(self) -> Iterator[FeatureBatch]:
        """Yield the rows in order."""
        records = self._items.records()
        length = batch_length(self.card.dim)
        for start in range(0, len(self._array), length):
            piece = self._array[start : start + length]
            vectors = stored(piece, self.card.dtype)
            yield plain_batch(take(records, len(piece), self.address), vectors)


class NpyImporter(Importer):
    """Recognises a `.npy` file."""

    name: ClassVar[str] = "array of vectors"
    example: ClassVar[str] = "vectors.npy --table ids.csv"

    def recognises(self, address: str) -> bool:
        """Tell by the name."""
        try:
            return address.lower().endswith(".npy") and Path(address).expanduser().is_file()
        except (OSError, ValueError, RuntimeError):
            return False

    def open(self, address: str, options: ImportOptions) -> NpyFeatures:
        """Open the array and its table."""
        return NpyFeatures(Path(address), options)


IMPORTERS.register(NpyImporter.name, NpyImporter())
