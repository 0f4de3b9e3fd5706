"""Embeddings for others: a space handed out piece by piece, or by id, content or address."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import JSON, ColumnElement, Connection, Row, cast, func, select

from bilderatlas.arrays import Ints
from bilderatlas.errors import ConflictError, NotFoundError, UsageError
from bilderatlas.exchange.format import NO_PICTURE, NOT_EXTRACTED
from bilderatlas.exchange.public_record import public_record
from bilderatlas.store.collection import CollectionStore
from bilderatlas.store.images import ImageState, select_images
from bilderatlas.store.library import LibraryStore
from bilderatlas.store.schema import images

MAX_ITEMS = 1_000
MAX_VECTOR_BYTES = 16 << 20
_MAX_READERS = 2
_ATTEMPTS = 4
_ADDRESSES = ("image_url", "iiif_service")


@dataclass(frozen=True, slots=True)
class Item:
    """One image and its rows.

    Attributes:
        image_id: Its id in the collection.
        sha256: Of the picture that was embedded; None where there is none.
        size_wh: Width and height of that picture, oriented.
        record: All that is known about the work, its rights included, as JSON.
        failure: Why there is no embedding: code, stage and reason; None where there is.
        vectors: `(m, d)` in the dtype of the space; `m` is 1 in most spaces.
        geometry: `(m, 4)` float32 for local features.
    """

    image_id: str
    sha256: str | None
    size_wh: tuple[int, int] | None
    record: Mapping[str, Any]
    failure: tuple[str, str, str] | None
    vectors: npt.NDArray[Any]
    geometry: npt.NDArray[np.float32] | None


@dataclass(frozen=True, slots=True)
class EmbeddingPage:
    """Some items of one version of a space.

    Attributes:
        collection: Its name.
        title: Its title.
        created_at: With the version it names a state: a collection may be removed and made anew.
        version: Of the collection.
        model_ids: Its spaces.
        card: The facts of this one.
        n_items: Images of the whole collection.
        items: By rising cursor, or in the order asked for.
        next_after: Cursor of what follows; None at the end.
        not_found: What was asked for and is not there.
        left_out: Ids of what was asked for and did not fit into one answer; the first thousand.
    """

    collection: str
    title: str
    created_at: str
    version: int
    model_ids: Sequence[str]
    card: Mapping[str, Any]
    n_items: int
    items: Sequence[Item]
    next_after: int | None = None
    not_found: Sequence[str] = ()
    left_out: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody asks for by name; at most 1,000 in all."""

    image_ids: tuple[str, ...] = ()
    sha256: tuple[str, ...] = ()
    source_urls: tuple[str, ...] = field(default=())

    def __len__(self) -> int:
        """Return how many names there are."""
        return len(self.image_ids) + len(self.sha256) + len(self.source_urls)


class _MovedError(Exception):
    """A writer came between the rows and the records."""


class EmbeddingServer:
    """Hands out the spaces of a library; for any number of threads."""

    def __init__(self, library: LibraryStore) -> None:
        """Serve `library`."""
        self._library = library
        self._readers: OrderedDict[tuple[str, str, str], _Reader] = OrderedDict()
        self._lock = threading.Lock()

    def listed(
        self,
        collection: str,
        model_id: str = "",
        *,
        after: int = -1,
        limit: int = 100,
        version: int | None = None,
    ) -> EmbeddingPage:
        """Return up to `limit` items beyond the cursor `after`.

        Args:
            collection: Its name.
            model_id: The space; empty: the collection's first.
            after: `next_after` of the page before.
            limit: At most 1,000; fewer are given where vectors are large.
            version: The version that earlier pages were of.

        Raises:
            UnknownNameError: when there is no such collection or space.
            ConflictError: when the collection has another version now.
            UsageError: for an impossible limit.
        """
        if not 1 <= limit <= MAX_ITEMS:
            raise UsageError(f"Cannot give {limit} items at once: expected 1 to {MAX_ITEMS:,}.")
        return self._read(collection, model_id, version, lambda reader: reader.listed(after, limit))

    def found(
        self, collection: str, wanted: Wanted, model_id: str = "", *, version: int | None = None
    ) -> EmbeddingPage:
        """Return the items that have one of the names asked for, each once.

        Raises:
            UnknownNameError: when there is no such collection or space.
            ConflictError: when the collection has another version than `version` now.
            UsageError: when nothing, or more than 1,000, is asked for.
        """
        if not 1 <= len(wanted) <= MAX_ITEMS:
            raise UsageError(
                f"Cannot look up {len(wanted):,} images at once: name 1 to {MAX_ITEMS:,} by "
                "image_ids, sha256 or source_urls."
            )
        return self._read(collection, model_id, version, lambda reader: reader.found(wanted))

    def _read(
        self,
        name: str,
        model_id: str,
        version: int | None,
        read: Callable[[_Reader], EmbeddingPage],
    ) -> EmbeddingPage:
        store = self._library.get_collection(name)
        model_id = model_id or next(iter(store.model_ids()), "")
        if not model_id:
            raise NotFoundError(f"There are no embeddings of '{name}' yet.")
        for _ in range(_ATTEMPTS):
            reader = self._reader(store, model_id)
            if version is not None and version != reader.view.version:
                raise ConflictError(
                    f"'{name}' has changed: it has version {reader.view.version} now, you have "
                    f"read from version {version}. Begin again without a version."
                )
            try:
                return read(reader)
            except _MovedError:
                continue
        raise ConflictError(f"'{name}' is being written to. Ask again in a moment.")

    def _reader(self, store: CollectionStore, model_id: str) -> _Reader:
        key = (store.name, store.created_at, model_id)
        with self._lock:
            known = self._readers.pop(key, None)
            if known is None or known.view.version != store.version:
                known = _Reader(store, model_id)
            self._readers[key] = known
            while len(self._readers) > _MAX_READERS:
                self._readers.popitem(last=False)
            return known


class _Reader:
    """One version of one space, with its rows in the order of images."""

    def __init__(self, store: CollectionStore, model_id: str) -> None:
        self._store = store
        space = store.space(model_id)
        self.card = space.card_json
        self.view = space.snapshot()
        self._order = np.argsort(self.view.image_keys, kind="stable")
        self._keys = self.view.image_keys[self._order]

    def listed(self, after: int, limit: int) -> EmbeddingPage:
        statement = (
            select(images)
            .where(images.c.collection_id == self._store.id, images.c.key > after)
            .order_by(images.c.key)
            .limit(limit + 1)
        )
        with self._reading() as (connection, page):
            rows = list(connection.execute(statement).all())
        items = self._items(rows[:limit])
        more = len(items) < len(rows)
        return page(items, next_after=rows[len(items) - 1].key if more else None)

    def found(self, wanted: Wanted) -> EmbeddingPage:
        with self._reading() as (connection, page):
            by_name = self._named(connection, wanted)
            ids = {key: image_id for named in by_name.values() for key, image_id in named}
            rows = select_images(connection, self._store.id, list(ids.values())[:MAX_ITEMS])
        items = self._items([rows[image_id] for image_id in ids.values() if image_id in rows])
        given = {item.image_id for item in items}
        left_out = [image_id for image_id in ids.values() if image_id not in given]
        return page(
            items,
            not_found=[name for name, named in by_name.items() if not named],
            left_out=left_out[:MAX_ITEMS],
        )

    @contextmanager
    def _reading(self) -> Iterator[tuple[Connection, Callable[..., EmbeddingPage]]]:
        """Open a transaction on the very version of the view."""
        with self._store.reading() as connection:
            state = self._store.state(connection)
            if state.version != self.view.version:
                raise _MovedError

            def page(items: Sequence[Item], **more: Any) -> EmbeddingPage:
                return EmbeddingPage(
                    collection=self._store.name,
                    title=self._store.title,
                    created_at=self._store.created_at,
                    version=self.view.version,
                    model_ids=self._store.model_ids(),
                    card=self.card,
                    n_items=state.n_images,
                    items=items,
                    **more,
                )

            yield connection, page

    def _named(self, connection: Connection, wanted: Wanted) -> dict[str, list[tuple[int, str]]]:
        """Return name → key and id of its images.

        A picture may be that of a million images: of those a bounded number is returned, and the
        first of every name is among them.
        """
        found: dict[str, list[tuple[int, str]]] = {
            name: [] for name in dict.fromkeys(wanted.image_ids)
        }
        columns = (images.c.key, images.c.image_id)
        known = select_images(connection, self._store.id, wanted.image_ids, columns)
        for image_id, row in known.items():
            found[image_id].append((row.key, image_id))
        for sha256 in wanted.sha256:
            found.setdefault(sha256, [])
        for name, key, image_id in self._where(connection, images.c.content_sha256, wanted.sha256):
            found[name].append((key, image_id))
        for url in wanted.source_urls:
            found.setdefault(url, [])
        for address in _ADDRESSES:
            field_of = _field(connection, address)
            for name, key, image_id in self._where(connection, field_of, wanted.source_urls):
                found[name].append((key, image_id))
        return found

    def _where(
        self, connection: Connection, column: ColumnElement[Any], values: Sequence[str]
    ) -> Iterator[tuple[str, int, str]]:
        """Yield value, key and id of up to `MAX_ITEMS + 1` images, the first of each value first.

        One statement: there are at most `MAX_ITEMS` values, so that none is crowded out.
        """
        asked = [value for value in dict.fromkeys(values) if "\0" not in value]
        if not asked:
            return
        rank = func.row_number().over(partition_by=column, order_by=images.c.key)
        ranked = (
            select(column.label("value"), images.c.key, images.c.image_id, rank.label("rank"))
            .where(images.c.collection_id == self._store.id, column.in_(asked))
            .subquery()
        )
        statement = (
            select(ranked.c.value, ranked.c.key, ranked.c.image_id)
            .order_by(ranked.c.rank, ranked.c.key)
            .limit(MAX_ITEMS + 1)
        )
        yield from (tuple(row) for row in connection.execute(statement))

    def _items(self, rows: Sequence[Row[Any]]) -> list[Item]:
        """Return the items of `rows`, as many as one answer holds, and at least one."""
        keys = np.array([row.key for row in rows], np.int64)
        begins = np.searchsorted(self._keys, keys, "left")
        ends = np.searchsorted(self._keys, keys, "right")
        row_bytes = self.view.dim * {"f16": 2, "f32": 4, "u8": 1}[self.view.dtype]
        fits = np.cumsum((ends - begins) * row_bytes) <= MAX_VECTOR_BYTES
        n = max(1, int(fits.sum())) if len(rows) else 0
        covered = np.isin(self.view.columns.ordinals_of_keys(keys), self.view.covered_ordinals)
        return [
            self._item(row, self._order[begin:end], is_covered)
            for row, begin, end, is_covered in zip(
                rows[:n], begins.tolist(), ends.tolist(), covered.tolist(), strict=False
            )
        ]

    def _item(self, row: Row[Any], places: Ints, is_covered: bool) -> Item:
        return Item(
            image_id=row.image_id,
            sha256=row.content_sha256,
            size_wh=(row.width_px, row.height_px) if row.width_px and row.height_px else None,
            record=public_record(json.loads(row.record_json)),
            failure=None if is_covered else _failure_of(row),
            vectors=self.view.vectors_at(places),
            geometry=self.view.geometry_at(places),
        )


def _failure_of(row: Row[Any]) -> tuple[str, str, str]:
    if row.failure_code is not None:
        return row.failure_code, row.failure_stage, row.failure_reason
    if row.state == ImageState.RECORDED.value:
        return NO_PICTURE, "fetch", "There is a record and no picture."
    return NOT_EXTRACTED, "extract", "The picture has not been through this extractor."


def _field(connection: Connection, name: str) -> ColumnElement[Any]:
    """Return the SQL that reads one field of the record."""
    if connection.dialect.name == "sqlite":
        extracted: ColumnElement[Any] = func.json_extract(images.c.record_json, f"$.{name}")
        return extracted
    read: ColumnElement[Any] = cast(images.c.record_json, JSON)[name].as_string()
    return read
