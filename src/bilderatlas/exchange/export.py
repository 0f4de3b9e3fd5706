"""Export one space of a collection as a feature package, with bounded memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from sqlalchemy import Row, select

from bilderatlas.arrays import Ints
from bilderatlas.exchange.canary import environment_of, make_canary
from bilderatlas.exchange.format import NO_PICTURE, NOT_EXTRACTED, Manifest, Origin, Vectors
from bilderatlas.exchange.manifest import model_of, preprocessing_of, vectors_of
from bilderatlas.exchange.parts import ITEM_FIELDS, geometry_column, rows_per_group, vector_column
from bilderatlas.exchange.public_record import public_record
from bilderatlas.exchange.write import Identity, PackageWriter
from bilderatlas.extractors.base import Card, Extractor
from bilderatlas.extractors.neural import NeuralExtractor
from bilderatlas.extractors.reduced import ReducedExtractor
from bilderatlas.extractors.runtimes.onnx import OnnxRuntime
from bilderatlas.settings import for_anybody
from bilderatlas.store.collection import CollectionStore
from bilderatlas.store.images import ImageState
from bilderatlas.store.projections import projection_file, read_projection
from bilderatlas.store.schema import images
from bilderatlas.store.segments import DTYPES, Segment
from bilderatlas.store.spaces import SpaceStore, SpaceView

MAPPED_BYTES = 64 << 20
_LINKS = {"source_url": "image_url", "page_url": "page_url", "iiif_image": "iiif_service"}


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What an export wrote."""

    path: Path
    manifest: Manifest

    def to_json(self) -> dict[str, Any]:
        """Return what `features export --json` prints."""
        integrity = self.manifest.integrity
        return {
            "path": str(self.path),
            "id": self.manifest.id,
            "model_id": self.manifest.model.name,
            "items": integrity.n_ok + integrity.n_failed,
            "failed": integrity.n_failed,
            "vectors": self.manifest.vectors.count,
            "parts": len(integrity.parts),
            "bytes": sum(part.n_bytes for part in integrity.parts),
            "canary": integrity.canary is not None,
            "no_canary_because": integrity.no_canary_because,
        }


def export_space(
    collection: CollectionStore,
    model_id: str,
    destination: Path,
    identity: Identity,
    *,
    extractor: Extractor | None = None,
    why_no_extractor: str = "",
    replace: bool = False,
    on_progress: Callable[[int, int], None] | None = None,
) -> ExportReport:
    """Write the space `model_id` of a collection as the package `destination`.

    Rows keep their dtype to the bit. Images that could not be read, or that the space has not
    looked at, are rows too, with the reason. `extractor` computes the canary.

    Raises:
        UnknownNameError: listing the spaces that there are.
        ConflictError: when something is at `destination` and `replace` was not asked for.
        DiskFullError: nothing is left at the destination.
    """
    space = collection.space(model_id)
    view = space.snapshot()
    card = Card.from_json(space.card_json)
    has_geometry = any(segment.geometry is not None for segment in view.segments)
    vectors = vectors_of(card, count=0, geometry=has_geometry and card.many_rows)
    rows = _SpaceRows(space, view)
    canary, why_none = make_canary(extractor) if extractor else (None, why_no_extractor)
    why_none = for_anybody(why_none, collection.root)  # a package is read elsewhere, for ever
    model = model_of(card).model_copy(update={"onnx_sha256": _onnx_sha256(extractor)})
    writer = PackageWriter(destination, model, preprocessing_of(card), vectors, replace=replace)
    n_done, n_items = 0, view.columns.n
    with writer:
        per_group = rows_per_group(vectors, view.n_rows / max(n_items, 1))
        for chunk in _chunks(collection, view, per_group):
            batch, n_vectors, n_failed = _batch_of(chunk, rows, vectors, writer.schema)
            writer.add(batch, n_vectors=n_vectors, n_failed=n_failed)
            n_done += batch.num_rows
            if on_progress is not None:
                on_progress(n_done, n_items)
        if name := projection_file(space.card_json):
            writer.attach(name, read_projection(space.folder, space.card_json))
        if not identity.derived_from:
            identity = _with_origin(identity, collection)
        environment = environment_of(extractor, card.computed)
        manifest = writer.finish(identity, environment, canary, no_canary_because=why_none)
    return ExportReport(writer.destination, manifest)


def _onnx_sha256(extractor: Extractor | None) -> str | None:
    """Return the sha256 of the ONNX file that embeds pictures here, where it is such a file."""
    one = extractor.base if isinstance(extractor, ReducedExtractor) else extractor
    if not isinstance(one, NeuralExtractor) or OnnxRuntime.name not in one.possible_runtimes()[:1]:
        return None
    name, record = f"{one.towers[0]}.onnx", one.model_files.record
    facts = record.exports.get(name) or record.files.get(name)
    return facts.sha256 if facts is not None else None


def _with_origin(identity: Identity, collection: CollectionStore) -> Identity:
    """Name the kind of the source, and its address where that is no path of this machine."""
    address = collection.source_address
    public = address if "://" in address and not address.startswith("file:") else ""
    origin = Origin(
        title=collection.title,
        address=public or f"a local {collection.source_kind}",
        version=f"version {collection.version}, {collection.info().updated_at}",
    )
    return Identity(
        identity.title, identity.creator, identity.licence, identity.citation, (origin,)
    )


def _chunks(collection: CollectionStore, view: SpaceView, n_items: int) -> Iterator[list[Row[Any]]]:
    """Yield the SQL rows of all images of the view's version, by rising key."""
    newest = int(view.columns.keys[-1]) if view.columns.n else -1
    after = -1
    while True:
        statement = (
            select(images)
            .where(
                images.c.collection_id == collection.id,
                images.c.key > after,
                images.c.key <= newest,
            )
            .order_by(images.c.key)
            .limit(n_items)
        )
        with collection.reading() as connection:
            rows = list(connection.execute(statement).all())
        if not rows:
            return
        yield rows
        after = rows[-1].key


class _SpaceRows:
    """The rows of one view by image key; maps a segment only while it is read.

    The view's own maps stay untouched: pages that were read through a map count as memory of this
    process for as long as it is mapped.
    """

    def __init__(self, space: SpaceStore, view: SpaceView) -> None:
        self._space = space
        self._view = view
        keys = view.image_keys
        self._order = np.argsort(keys, kind="stable")
        self._keys = keys[self._order]
        lengths = [segment.entry.n_rows for segment in view.segments]
        self._starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        self._last: tuple[int, Segment] | None = None
        self._read_bytes = 0
        self._row_bytes = space.dim * DTYPES[space.dtype].itemsize

    @cached_property
    def _covered(self) -> Ints:
        keys = [np.empty(0, np.int64), *(part.covered_keys for part in self._view.segments)]
        return np.unique(np.concatenate(keys))

    def take(
        self, keys: Ints
    ) -> tuple[npt.NDArray[Any], Ints, npt.NDArray[np.bool_], npt.NDArray[np.float32] | None]:
        """Return vectors `(m, d)`, rows of each key `(n,)`, whether looked at, and geometry."""
        begin = np.searchsorted(self._keys, keys, "left")
        end = np.searchsorted(self._keys, keys, "right")
        n_rows = (end - begin).astype(np.int64)
        first = np.repeat(begin - np.concatenate([[0], np.cumsum(n_rows)[:-1]]), n_rows)
        places = self._order[first + np.arange(n_rows.sum())]
        vectors = np.empty((len(places), self._space.dim), DTYPES[self._space.dtype])
        geometry = np.full((len(places), 4), np.nan, np.float32)
        has_geometry = False
        homes = np.searchsorted(self._starts, places, "right") - 1
        for home in np.unique(homes).tolist():
            chosen = np.flatnonzero(homes == home)
            segment = self._segment(home, len(chosen))
            vectors[chosen] = segment.vectors[places[chosen] - self._starts[home]]
            if segment.geometry is not None:
                geometry[chosen] = segment.geometry[places[chosen] - self._starts[home]]
                has_geometry = True
        spots = np.minimum(np.searchsorted(self._covered, keys), max(len(self._covered) - 1, 0))
        covered = self._covered[spots] == keys if len(self._covered) else np.zeros(len(keys), bool)
        return vectors, n_rows, covered, geometry if has_geometry else None

    def _segment(self, home: int, n_rows: int) -> Segment:
        """Map a segment, or map it anew when much of it was read: a segment may be large."""
        self._read_bytes += n_rows * self._row_bytes
        if self._last is None or self._last[0] != home or self._read_bytes > MAPPED_BYTES:
            self._read_bytes = 0
            entry = self._view.segments[home].entry
            folder = self._space.folder
            self._last = (home, Segment(folder, entry, self._space.dim, self._space.dtype))
        return self._last[1]


def _batch_of(
    chunk: list[Row[Any]], rows: _SpaceRows, spec: Vectors, schema: pa.Schema
) -> tuple[pa.RecordBatch, int, int]:
    """Return the record batch of a chunk, its number of vectors, and of failed items."""
    keys = np.array([row.key for row in chunk], np.int64)
    vectors, n_rows, covered, geometry = rows.take(keys)
    table: dict[str, list[Any]] = {field.name: [] for field in ITEM_FIELDS}
    for row, is_covered in zip(chunk, covered.tolist(), strict=True):
        _add_item(table, row, is_covered)
    columns = [pa.array(table[field.name], field.type) for field in ITEM_FIELDS]
    columns.append(vector_column(vectors, n_rows, spec, covered))
    if spec.many_rows and spec.geometry:
        if geometry is None:
            geometry = np.full((len(vectors), 4), np.nan, np.float32)
        columns.append(geometry_column(geometry, n_rows, covered))
    n_failed = sum(status == "failed" for status in table["status"])
    return pa.RecordBatch.from_arrays(columns, schema=schema), len(vectors), n_failed


def _add_item(table: dict[str, list[Any]], row: Row[Any], is_covered: bool) -> None:
    record = public_record(json.loads(row.record_json))
    code, stage, reason = _failure_of(row, is_covered)
    rights = record.get("rights")
    values = {
        "item_id": row.image_id,
        "status": "failed" if code else "ok",
        "code": code,
        "stage": stage,
        "reason": reason,
        "image_sha256": row.content_sha256,
        "width": row.width_px,
        "height": row.height_px,
        "rights_uri": rights if str(rights).startswith(("http:", "https:")) else None,
        # escaped as the store has it: half a surrogate pair in a museum's title stays readable
        "record": json.dumps(record),
    }
    values |= {column: _storable(record.get(field)) for column, field in _LINKS.items()}
    for name, value in values.items():
        table[name].append(value)


def _storable(text: str | None) -> str | None:
    if text is None or text.isascii():
        return text
    return text.encode("utf-8", "replace").decode("utf-8")


def _failure_of(row: Row[Any], is_covered: bool) -> tuple[str | None, str | None, str | None]:
    if is_covered:
        return None, None, None
    if row.failure_code is not None:
        return row.failure_code, row.failure_stage, row.failure_reason
    if row.state == ImageState.RECORDED.value:
        return NO_PICTURE, "fetch", "There is a record and no picture."
    return NOT_EXTRACTED, "extract", "The picture has not been through this extractor."
