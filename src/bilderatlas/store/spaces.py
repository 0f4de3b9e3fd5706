"""Spaces: the embeddings of a collection under one card, as memory-mapped rows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, select

from bilderatlas.arrays import Embeddings, Ints
from bilderatlas.errors import NotFoundError
from bilderatlas.store.columns import Columns
from bilderatlas.store.schema import segments, spaces
from bilderatlas.store.segments import DTYPES, Segment, SegmentEntry


@dataclass(frozen=True, slots=True)
class SpaceEntry:
    """What SQL says about a space."""

    id: int
    model_id: str
    dim: int
    dtype: str
    card_json: dict[str, Any]
    next_segment: int
    created_at: str
    segments: tuple[SegmentEntry, ...]

    def features_json(self, collection: str) -> dict[str, Any]:
        """Return the content of `features.json`: the card, and a manifest of the segments."""
        return {
            "format": "bilderatlas-features",
            "format_version": 1,
            "collection": collection,
            "card": self.card_json,
            "dim": self.dim,
            "dtype": self.dtype,
            "n_rows": sum(entry.n_rows for entry in self.segments),
            "segments": [
                {
                    "number": entry.number,
                    "n_rows": entry.n_rows,
                    "n_images": entry.n_images,
                    "files": json.loads(entry.files_json()),
                }
                for entry in self.segments
            ],
        }


def select_spaces(
    connection: Connection, collection_id: int, model_id: str | None = None
) -> dict[str, SpaceEntry]:
    """Return the spaces of a collection by `model_id`, in the order of their making."""
    chosen = spaces.c.collection_id == collection_id
    if model_id is not None:
        chosen &= spaces.c.model_id == model_id
    statement = (
        select(spaces, segments)
        .select_from(spaces.outerjoin(segments, segments.c.space_id == spaces.c.id))
        .where(chosen)
        .order_by(spaces.c.id, segments.c.number)
    )
    found: dict[str, SpaceEntry] = {}
    parts: dict[str, list[SegmentEntry]] = {}
    for row in connection.execute(statement).mappings():
        name = row[spaces.c.model_id]
        found.setdefault(
            name,
            SpaceEntry(
                row[spaces.c.id],
                name,
                row[spaces.c.dim],
                row[spaces.c.dtype],
                json.loads(row[spaces.c.card_json]),
                row[spaces.c.next_segment],
                row[spaces.c.created_at],
                (),
            ),
        )
        if row[segments.c.number] is not None:
            parts.setdefault(name, []).append(
                SegmentEntry.from_sql(
                    row[segments.c.number],
                    row[segments.c.n_rows],
                    row[segments.c.n_images],
                    row[segments.c.files_json],
                    row[segments.c.version],
                )
            )
    return {name: _with_segments(entry, parts.get(name, [])) for name, entry in found.items()}


def _with_segments(entry: SpaceEntry, parts: list[SegmentEntry]) -> SpaceEntry:
    return SpaceEntry(
        entry.id,
        entry.model_id,
        entry.dim,
        entry.dtype,
        entry.card_json,
        entry.next_segment,
        entry.created_at,
        tuple(parts),
    )


class SpaceView:
    """One version of a space, immutable: its rows, and the columns of that same version.

    Attributes:
        version: The collection's version.
        model_id: The criterion.
        dim: Dimension `d` of a row.
        dtype: `f16`, `f32` or `u8`, as rows are stored.
        columns: The columns of the same version; `ordinals` point into *these*.
        segments: The mapped segments; rows are numbered through them in this order.
        n_rows: All rows, those of images that are gone included (their ordinal is −1).
    """

    def __init__(
        self, entry: SpaceEntry, version: int, columns: Columns, mapped: Sequence[Segment]
    ) -> None:
        """Put the mapped segments together."""
        self.model_id = entry.model_id
        self.dim = entry.dim
        self.dtype = entry.dtype
        self.version = version
        self.columns = columns
        self.segments = tuple(mapped)
        lengths = [segment.entry.n_rows for segment in mapped]
        self._starts: list[int] = np.concatenate([[0], np.cumsum(lengths)]).astype(int).tolist()
        self.n_rows: int = self._starts[-1]

    @cached_property
    def image_keys(self) -> Ints:
        """Return the key `(n,)` int64 of each row's image."""
        return np.concatenate([np.empty(0, np.int64), *(s.image_keys for s in self.segments)])

    @cached_property
    def ordinals(self) -> npt.NDArray[np.int32]:
        """Return the place `(n,)` int32 of each row's image in `columns`; −1 for dead rows."""
        return self.columns.ordinals_of_keys(self.image_keys)

    @cached_property
    def covered_ordinals(self) -> npt.NDArray[np.int32]:
        """Return the places, rising, of the images that were looked at, with or without rows."""
        keys = np.concatenate([np.empty(0, np.int64), *(s.covered_keys for s in self.segments)])
        ordinals = np.unique(self.columns.ordinals_of_keys(keys))
        return ordinals[ordinals >= 0]

    @property
    def n_images(self) -> int:
        """Return the number of images that were looked at and are still there."""
        return len(self.covered_ordinals)

    @cached_property
    def n_live_rows(self) -> int:
        """Return the number of rows whose image is still there."""
        return int((self.ordinals >= 0).sum())

    def blocks(self) -> Iterator[tuple[int, npt.NDArray[Any]]]:
        """Yield `(start_row, vectors (b, d))` in row order; the vectors stay on disk."""
        for start, segment in zip(self._starts, self.segments, strict=False):
            if segment.entry.n_rows:
                yield start, segment.vectors

    def rows_of(self, image_id: str) -> Ints:
        """Return the rows `(m,)` of an image, rising; none for an image without any.

        Raises:
            NotFoundError: when the collection has no such image.
        """
        ordinal = self.columns.ordinal_of(image_id)
        if ordinal is None:
            raise NotFoundError(
                f"There is no image '{image_id}' in this version of the collection."
            )
        return np.flatnonzero(self.ordinals == ordinal)

    def vectors_at(self, rows: Ints) -> npt.NDArray[Any]:
        """Return the rows `(m, d)` at these places, in the stored dtype, copied."""
        return self._gathered(rows, lambda segment: segment.vectors, (self.dim,), self.dtype)

    def geometry_at(self, rows: Ints) -> npt.NDArray[np.float32] | None:
        """Return the geometry `(m, 4)` at these places; None in a space without geometry."""
        if all(segment.geometry is None for segment in self.segments):
            return None
        return self._gathered(rows, lambda segment: segment.geometry, (4,), "f32")

    def _gathered(
        self,
        rows: Ints,
        part_of: Callable[[Segment], npt.NDArray[Any] | None],
        shape: tuple[int, ...],
        dtype: str,
    ) -> npt.NDArray[Any]:
        gathered = np.zeros((len(rows), *shape), DTYPES[dtype])
        homes = np.searchsorted(self._starts, rows, "right") - 1
        for home in np.unique(homes).tolist():
            chosen = homes == home
            part = part_of(self.segments[home])
            if part is not None:
                gathered[chosen] = part[np.asarray(rows)[chosen] - self._starts[home]]
        return gathered

    def vectors_of(self, image_id: str) -> Embeddings:
        """Return the rows `(m, d)` of an image as float32.

        Raises:
            NotFoundError: when the collection has no such image.
        """
        return self.vectors_at(self.rows_of(image_id)).astype(np.float32)


class SpaceStore:
    """The live space: always the newest version, from which `snapshot` takes a view.

    Attributes:
        model_id: The criterion.
        dim: Dimension of a row.
        dtype: `f16`, `f32` or `u8`, as rows are stored.
        folder: Where its files are; `folder / "engine"` holds what an engine derives.
    """

    def __init__(
        self, entry: SpaceEntry, folder: Path, take_view: Callable[[str], SpaceView]
    ) -> None:
        """Know the space by what SQL says of it; `take_view` reads the newest version."""
        self.model_id = entry.model_id
        self.dim = entry.dim
        self.dtype = entry.dtype
        self.card_json = entry.card_json
        self.folder = folder
        self._take_view = take_view

    def snapshot(self) -> SpaceView:
        """Return an immutable view of the newest version; cached as long as nothing changes."""
        return self._take_view(self.model_id)

    @property
    def segments(self) -> list[Segment]:
        """Return the mapped segments of the newest version."""
        return list(self.snapshot().segments)

    @property
    def n_rows(self) -> int:
        """Return the number of live rows."""
        return self.snapshot().n_live_rows

    @property
    def n_images(self) -> int:
        """Return the number of live images that were looked at."""
        return self.snapshot().n_images
