"""The Parquet parts of a package: their columns, and arrays in and out of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from bilderatlas.arrays import Ints
from bilderatlas.exchange.canonical import canonical_json
from bilderatlas.exchange.format import (
    DESCRIPTION_KEY,
    FORMAT,
    FORMAT_VERSION,
    Model,
    Preprocessing,
    Vectors,
)

ARROW_TYPES: dict[str, pa.DataType] = {"f16": pa.float16(), "f32": pa.float32(), "u8": pa.uint8()}

ITEM_FIELDS: tuple[pa.Field, ...] = (
    pa.field("item_id", pa.string(), nullable=False),
    pa.field("status", pa.string(), nullable=False),
    pa.field("code", pa.string()),
    pa.field("stage", pa.string()),
    pa.field("reason", pa.string()),
    pa.field("source_url", pa.string()),
    pa.field("page_url", pa.string()),
    pa.field("iiif_image", pa.string()),
    pa.field("image_sha256", pa.string()),
    pa.field("width", pa.int32()),
    pa.field("height", pa.int32()),
    pa.field("rights_uri", pa.string()),
    pa.field("record", pa.string()),
)
"""One row an item. `record` is JSON: everything that is known about the work."""

REQUIRED = ("item_id", "status")


def vector_type(dim: int, dtype: str) -> pa.DataType:
    """Return the Arrow type of one vector: a fixed-size list of the own dtype."""
    return pa.list_(pa.field("element", ARROW_TYPES[dtype], nullable=False), dim)


def vector_fields(vectors: Vectors) -> list[pa.Field]:
    """Return the columns that hold vectors and their geometry."""
    one = vector_type(vectors.dim, vectors.dtype)
    if not vectors.many_rows:
        return [pa.field("vector", one)]
    fields = [pa.field("vectors", pa.list_(pa.field("element", one, nullable=False)))]
    if vectors.geometry:
        place = vector_type(4, "f32")
        fields.append(pa.field("geometry", pa.list_(pa.field("element", place, nullable=False))))
    return fields


def description_of(model: Model, preprocessing: Preprocessing, vectors: Vectors) -> bytes:
    """Return what every part repeats in its own metadata, so that a part alone is no riddle."""
    return canonical_json(
        {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "model": model.model_dump(mode="json"),
            "preprocessing": preprocessing.model_dump(mode="json"),
            "vectors": vectors.model_dump(mode="json", exclude={"count"}),
        }
    )


def part_schema(model: Model, preprocessing: Preprocessing, vectors: Vectors) -> pa.Schema:
    """Return the schema of a part, the description among its key-value metadata."""
    metadata = {DESCRIPTION_KEY: description_of(model, preprocessing, vectors)}
    return pa.schema([*ITEM_FIELDS, *vector_fields(vectors)], metadata=metadata)


def stated_description(schema: pa.Schema) -> dict[str, Any] | None:
    """Return the description that a part carries; None where it carries none that can be read."""
    try:
        values = json.loads((schema.metadata or {})[DESCRIPTION_KEY])
    except (KeyError, ValueError, RecursionError):
        return None
    return values if isinstance(values, dict) else None


def vector_column(
    vectors: npt.NDArray[Any], n_rows: Ints, spec: Vectors, looked_at: npt.NDArray[np.bool_]
) -> pa.Array:
    """Return the column of `(m, d)` vectors, `n_rows` `(n,)` of them an item."""
    values = pa.array(np.ascontiguousarray(vectors).reshape(-1), ARROW_TYPES[spec.dtype])
    one = vector_type(spec.dim, spec.dtype)
    if spec.many_rows:
        return _lists(pa.FixedSizeListArray.from_arrays(values, type=one), n_rows, looked_at)
    if len(vectors) == len(n_rows) and bool((n_rows == 1).all()):
        return pa.FixedSizeListArray.from_arrays(values, type=one)
    slots = np.zeros((len(n_rows), spec.dim), vectors.dtype)
    slots[n_rows == 1] = vectors
    return pa.FixedSizeListArray.from_arrays(
        pa.array(slots.reshape(-1), ARROW_TYPES[spec.dtype]), type=one, mask=pa.array(n_rows == 0)
    )


def geometry_column(
    geometry: npt.NDArray[np.float32], n_rows: Ints, looked_at: npt.NDArray[np.bool_]
) -> pa.Array:
    """Return the column of geometries `(m, 4)`."""
    values = pa.array(np.ascontiguousarray(geometry, np.float32).reshape(-1))
    places = pa.FixedSizeListArray.from_arrays(values, type=vector_type(4, "f32"))
    return _lists(places, n_rows, looked_at)


def _lists(values: pa.Array, n_rows: Ints, looked_at: npt.NDArray[np.bool_]) -> pa.Array:
    offsets = np.concatenate([[0], np.cumsum(n_rows)]).astype(np.int32)
    kind = pa.list_(pa.field("element", values.type, nullable=False))
    return pa.ListArray.from_arrays(
        pa.array(offsets), values, type=kind, mask=pa.array(~np.asarray(looked_at, bool))
    )


def read_vectors(column: pa.Array, spec: Vectors) -> tuple[npt.NDArray[Any], Ints]:
    """Return the vectors `(m, d)` of a column and how many each item has `(n,)`.

    Raises:
        ValueError: when a vector has a missing number.
    """
    n_rows = np.zeros(len(column), np.int64)
    if spec.many_rows:
        lengths = column.value_lengths().fill_null(0)
        n_rows = np.asarray(lengths.to_numpy(zero_copy_only=False), np.int64)
        column = column.flatten()
    else:
        n_rows[np.asarray(column.is_valid())] = 1
    return fixed_rows(column, spec.dim), n_rows


def fixed_rows(column: pa.Array, dim: int) -> npt.NDArray[Any]:
    """Return a column of fixed-size lists as `(m, dim)`; empty lists are left out.

    Raises:
        ValueError: when a number is missing.
    """
    flat = column.flatten()
    if flat.null_count:
        raise ValueError("a vector has missing numbers")
    return np.asarray(flat.to_numpy(zero_copy_only=True)).reshape(-1, dim)


def rows_per_group(spec: Vectors, vectors_an_item: float = 1.0) -> int:
    """Return how many items make a row group of about 16 MB of vectors."""
    n_bytes = spec.dim * ARROW_TYPES[spec.dtype].bit_width / 8 * max(vectors_an_item, 1e-3)
    return int(min(16_384, max(16, (16 << 20) // n_bytes)))


def missing_columns(schema: pa.Schema, spec: Vectors) -> Sequence[str]:
    """Return what a part has not, or has in another type: `vector (fixed_size_list …)`."""
    wrong = []
    optional = {field.name for field in ITEM_FIELDS} - set(REQUIRED)
    for wanted in [*ITEM_FIELDS, *vector_fields(spec)]:
        place = schema.get_field_index(wanted.name)
        if place < 0:
            if wanted.name not in optional:
                wrong.append(f"no column '{wanted.name}'")
        elif not _fits(schema.field(place).type, wanted.type):
            wrong.append(
                f"column '{wanted.name}' is {schema.field(place).type}, expected {wanted.type}"
            )
    return wrong


def _fits(found: pa.DataType, wanted: pa.DataType) -> bool:
    """Compare types; names and nullability of list elements and large strings do not matter."""
    if pa.types.is_fixed_size_list(wanted):
        is_alike = pa.types.is_fixed_size_list(found) and found.list_size == wanted.list_size
        return bool(is_alike) and _fits(found.value_type, wanted.value_type)
    if pa.types.is_list(wanted):
        return bool(pa.types.is_list(found)) and _fits(found.value_type, wanted.value_type)
    if pa.types.is_string(wanted):
        return bool(pa.types.is_string(found) or pa.types.is_large_string(found))
    if pa.types.is_integer(wanted) and wanted != pa.uint8():
        return bool(pa.types.is_integer(found))
    return bool(found == wanted)
