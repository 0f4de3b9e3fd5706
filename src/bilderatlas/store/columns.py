"""Memory-mapped columns of a collection's records: what filters and facets are evaluated over.

They are derived: a file `columns-000000012-….bin` holds them for one state of the records (12),
and may be deleted at any time. Layout: 8 bytes magic, 8 bytes length of the header (little-endian),
a JSON header that names every array with dtype, offset and length, then the arrays, each at a
multiple of 64 bytes. Strings lie as UTF-8, separated by NUL.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from bilderatlas.arrays import Ints, Mask
from bilderatlas.errors import StoreError, UnknownNameError, UsageError
from bilderatlas.records import FieldKind
from bilderatlas.store.columns_build import ColumnData, ColumnTable
from bilderatlas.store.columns_texts import iter_packed, packed_size

MAGIC = b"BAcols\x00\x01"
_ALIGNMENT = 64


@dataclass(frozen=True, slots=True)
class ColumnInfo:
    """What a column holds: `kind` is a `FieldKind` or `"number"`."""

    name: str
    kind: FieldKind | str
    n_missing: int
    n_distinct: int
    raw: bool = False


class StringList(Sequence[str]):
    """Strings that lie in a mapped file and are decoded when they are asked for."""

    def __init__(self, text: npt.NDArray[np.uint8], offsets: Ints) -> None:
        """Take the UTF-8 bytes and the `(n + 1,)` starts in them; NUL ends each string."""
        self._text = text
        self._offsets = offsets

    def __len__(self) -> int:
        """Return the number of strings."""
        return len(self._offsets) - 1

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> list[str]: ...
    def __getitem__(self, place: int | slice) -> str | list[str]:
        """Decode one string, or a slice of them."""
        if isinstance(place, slice):
            return [self[row] for row in range(*place.indices(len(self)))]
        n = len(self)
        if not -n <= place < n:
            raise IndexError(place)
        start, end = self._offsets[place % n], self._offsets[place % n + 1] - 1
        return self._text[start:end].tobytes().decode()

    def __iter__(self) -> Iterator[str]:
        """Decode all of them at once."""
        return iter(self.to_list())

    def to_list(self) -> list[str]:
        """Return all strings."""
        return self._text.tobytes().decode().split("\0")[:-1] if len(self) else []


class Columns:
    """The columns of one state of the records, images by rising key (order of first insertion).

    Attributes:
        version: The state of the records that they show (`records_version` of the collection).
        n: Number of images, those without a picture included.
        keys: `(n,)` int64, rising.
        image_ids: The ids in that order.
    """

    def __init__(self, file: npt.NDArray[np.uint8]) -> None:
        """Read the header of a mapped file, or of the same bytes in memory.

        Raises:
            StoreError: when the bytes are no columns.
        """
        self._file = file
        header = _header_of(file)
        self.version: int = header["version"]
        self.n: int = header["n"]
        self._arrays: dict[str, list[Any]] = header["arrays"]
        self._infos: dict[str, dict[str, Any]] = header["columns"]
        self._decoded: dict[str, list[str]] = {}
        self.keys: Ints = self._array("keys")
        self.image_ids: Sequence[str] = StringList(
            self._array("ids.text"), self._array("ids.offsets")
        )

    @classmethod
    def open(cls, path: Path) -> Columns:
        """Map a file of columns.

        Raises:
            StoreError: when it is damaged or cut short.
        """
        if path.stat().st_size < len(MAGIC) + 8:
            raise StoreError(f"Cannot read the columns in '{path}': the file is cut short.")
        return cls(np.memmap(path, dtype=np.uint8, mode="r").view(np.ndarray))

    def _array(self, name: str) -> npt.NDArray[Any]:
        dtype, offset, n_bytes = self._arrays[name]
        part = self._file[offset : offset + n_bytes]
        if len(part) != n_bytes:
            raise StoreError("Cannot read the columns: their file is cut short.")
        return part.view(np.dtype(dtype))

    def ordinal_of(self, image_id: str) -> int | None:
        """Return the place of an image in this order, or None if it has none."""
        asked = zlib.crc32(image_id.encode("utf-8", "surrogatepass"))
        hashes: npt.NDArray[np.uint32] = self._array("ids.hashes")
        start = int(np.searchsorted(hashes, np.uint32(asked), "left"))
        end = int(np.searchsorted(hashes, np.uint32(asked), "right"))
        for ordinal in self._array("ids.by_hash")[start:end].tolist():
            if self.image_ids[ordinal] == image_id:
                return int(ordinal)
        return None

    def ordinals_of_keys(self, keys: npt.ArrayLike) -> npt.NDArray[np.int32]:
        """Return the places `(m,)` int32 of images by key; −1 for keys that are no longer alive."""
        asked = np.asarray(keys, np.int64)
        if self.n == 0:
            return np.full(asked.shape, -1, np.int32)
        places = np.minimum(np.searchsorted(self.keys, asked), self.n - 1)
        return np.where(self.keys[places] == asked, places, -1).astype(np.int32)

    def __contains__(self, name: object) -> bool:
        """Tell whether there is a column called `name`."""
        return name in self._infos or name == "image_id"

    def names(self) -> list[str]:
        """Return the names of all columns, `image_id` first."""
        return ["image_id", *self._infos]

    def info(self) -> list[ColumnInfo]:
        """Return what every column holds, `image_id` first."""
        own = ColumnInfo("image_id", FieldKind.TEXT, 0, self.n)
        return [own, *(self.info_of(name) for name in self._infos)]

    def info_of(self, name: str) -> ColumnInfo:
        """Return what one column holds.

        Raises:
            UnknownNameError: listing the nearest columns.
        """
        if name == "image_id":
            return ColumnInfo(name, FieldKind.TEXT, 0, self.n)
        if name not in self._infos:
            raise UnknownNameError("column", name, self.names())
        said = self._infos[name]
        kind = said["kind"]
        return ColumnInfo(
            name,
            kind if kind == "number" else FieldKind(kind),
            said["n_missing"],
            said["n_distinct"],
            said["raw"],
        )

    def numbers(self, name: str) -> tuple[npt.NDArray[Any], Mask]:
        """Return the values `(n,)` (int32 for years, else float64) and where they are missing.

        Raises:
            UnknownNameError: when there is no such column.
            UsageError: when it does not hold numbers.
        """
        self._require(name, "numbers", "numbers")
        return self._array(f"{name}.numbers"), self._array(f"{name}.missing").view(np.bool_)

    def codes(self, name: str) -> tuple[npt.NDArray[np.int32], list[str]]:
        """Return codes `(n,)` into the values, −1 where missing, and the distinct values.

        Raises:
            UnknownNameError: when there is no such column.
            UsageError: when an image can have several values there, or it holds years.
        """
        if name == "image_id":
            return np.arange(self.n, dtype=np.int32), list(self.image_ids)
        self._require(name, "codes", "single texts")
        if f"{name}.offsets" in self._arrays:
            raise self._wrong_kind(name, "single texts")
        return self._array(f"{name}.codes"), self._values(name)

    def lists(self, name: str) -> tuple[Ints, npt.NDArray[np.int32], list[str]]:
        """Return offsets `(n + 1,)` into the codes, the codes, and the distinct values.

        Raises:
            UnknownNameError: when there is no such column.
            UsageError: when an image has at most one value there.
        """
        self._require(name, "offsets", "lists of texts")
        return self._array(f"{name}.offsets"), self._array(f"{name}.codes"), self._values(name)

    def _require(self, name: str, part: str, what: str) -> None:
        if name not in self:
            raise UnknownNameError("column", name, self.names())
        if f"{name}.{part}" not in self._arrays:
            raise self._wrong_kind(name, what)

    def _wrong_kind(self, name: str, what: str) -> UsageError:
        return UsageError(
            f"Cannot read column '{name}' as {what}: it holds {self.info_of(name).kind}."
        )

    def _values(self, name: str) -> list[str]:
        if name not in self._decoded:
            text, n = self._array(f"{name}.values"), self._infos[name]["n_distinct"]
            self._decoded[name] = text.tobytes().decode().split("\0")[:-1] if n else []
        return self._decoded[name]

    @cached_property
    def n_bytes(self) -> int:
        """Return the size of the file."""
        return len(self._file)

    def to_table(self) -> ColumnTable:
        """Return what was written, for extending it."""
        columns = {}
        for name, said in self._infos.items():
            arrays = {
                part: self._array(f"{name}.{part}")
                for part in ("numbers", "missing", "codes", "offsets")
                if f"{name}.{part}" in self._arrays
            }
            if "missing" in arrays:
                arrays["missing"] = arrays["missing"].view(np.bool_)
            values = self._values(name) if "codes" in arrays else ()
            columns[name] = ColumnData(name, said["kind"], said["raw"], values=values, **arrays)
        return ColumnTable(self.keys, self.image_ids, columns)


def _header_of(file: npt.NDArray[np.uint8]) -> dict[str, Any]:
    start = len(MAGIC) + 8
    if file[: len(MAGIC)].tobytes() != MAGIC:
        raise StoreError("Cannot read the columns: their file begins with something else.")
    n_bytes = int(file[len(MAGIC) : start].view("<u8")[0])
    try:
        header: dict[str, Any] = json.loads(file[start : start + n_bytes].tobytes())
    except ValueError as error:
        raise StoreError("Cannot read the columns: the header of their file is damaged.") from error
    return header


def packed_columns(table: ColumnTable, version: int) -> bytes:
    """Return the bytes of a file of columns."""
    return b"".join(iter_packed_columns(table, version))


def iter_packed_columns(table: ColumnTable, version: int) -> Iterator[bytes]:
    """Yield the bytes of a file of columns in parts, so that they need not be held at once."""
    arrays: dict[str, npt.NDArray[Any] | Sequence[str]] = {"keys": table.keys.astype("<i8")}
    arrays |= _packed_ids(table.image_ids)
    infos: dict[str, dict[str, Any]] = {}
    for name, column in table.columns.items():
        infos[name] = _packed_info(column)
        for part in ("numbers", "missing", "codes", "offsets"):
            values = getattr(column, part)
            if values is not None:
                arrays[f"{name}.{part}"] = values.view(np.uint8) if part == "missing" else values
        if column.codes is not None:
            arrays[f"{name}.values"] = column.values
    return _iter_packed(arrays, {"version": version, "n": len(table.keys), "columns": infos})


def _packed_ids(image_ids: Sequence[str]) -> dict[str, npt.NDArray[Any] | Sequence[str]]:
    n = len(image_ids)
    offsets, hashes = np.zeros(n + 1, "<i8"), np.empty(n, "<u4")
    for place, image_id in enumerate(image_ids):
        text = image_id.encode()
        offsets[place + 1] = len(text) + 1
        hashes[place] = zlib.crc32(text)
    np.cumsum(offsets, out=offsets)
    by_hash = np.argsort(hashes, kind="stable").astype("<i4")
    return {
        "ids.text": image_ids,
        "ids.offsets": offsets,
        "ids.hashes": hashes[by_hash],
        "ids.by_hash": by_hash,
    }


def _packed_info(column: ColumnData) -> dict[str, Any]:
    if column.offsets is not None:
        n_missing = int((np.diff(column.offsets) == 0).sum())
    elif column.missing is not None:
        n_missing = int(column.missing.sum())
    else:
        assert column.codes is not None
        n_missing = int((column.codes < 0).sum())
    if column.codes is not None:
        n_distinct = len(column.values)
    else:
        assert column.numbers is not None and column.missing is not None
        n_distinct = len(np.unique(column.numbers[~column.missing]))
    return {
        "kind": str(column.kind),
        "raw": column.raw,
        "n_missing": n_missing,
        "n_distinct": n_distinct,
    }


def _iter_packed(
    arrays: dict[str, npt.NDArray[Any] | Sequence[str]], header: dict[str, Any]
) -> Iterator[bytes]:
    # The header's own length moves the arrays: place them from 0, then say where 0 is, by
    # making the header as long as a generous multiple of the alignment.
    offset = 0
    places: dict[str, tuple[str, int, int]] = {}
    for name, values in arrays.items():
        if isinstance(values, np.ndarray):
            dtype, n_bytes = values.dtype.str, values.nbytes
        else:
            dtype, n_bytes = "|u1", packed_size(values)
        places[name] = (dtype, offset, n_bytes)
        offset += -(-n_bytes // _ALIGNMENT) * _ALIGNMENT
    start = len(MAGIC) + 8
    draft = json.dumps(header | {"arrays": places}).encode()
    n_header = -(-(len(draft) + 24 * len(places) + start) // _ALIGNMENT) * _ALIGNMENT - start
    moved = {
        name: (dtype, place + start + n_header, n) for name, (dtype, place, n) in places.items()
    }
    final = json.dumps(header | {"arrays": moved}).encode().ljust(n_header)
    yield MAGIC + len(final).to_bytes(8, "little") + final
    for name, values in arrays.items():
        if isinstance(values, np.ndarray):
            yield values.tobytes()
        else:
            yield from iter_packed(values)
        yield bytes(-places[name][2] % _ALIGNMENT)
