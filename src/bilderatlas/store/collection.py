"""One collection: its records, its columns, its spaces, and the door to its writer."""

from __future__ import annotations

import difflib
import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, Row, select

from bilderatlas.arrays import Ints
from bilderatlas.errors import (
    Failure,
    ForbiddenError,
    NotFoundError,
    StoreError,
    UnknownNameError,
)
from bilderatlas.store.columns import Columns
from bilderatlas.store.columns_files import ColumnFiles
from bilderatlas.store.disk import explained_disk_errors
from bilderatlas.store.fulltext import match_keys
from bilderatlas.store.images import (
    ImageState,
    StoredImage,
    first_key,
    image_of,
    last_key,
    select_images,
)
from bilderatlas.store.locks import FileLock
from bilderatlas.store.schema import collections, images
from bilderatlas.store.segments import Segment
from bilderatlas.store.spaces import SpaceEntry, SpaceStore, SpaceView, select_spaces
from bilderatlas.store.thumbnails import ThumbnailStore

if TYPE_CHECKING:
    from bilderatlas.store.check import Finding
    from bilderatlas.store.writer import CollectionWriter

_OPEN_ATTEMPTS = 8


@dataclass(frozen=True, slots=True)
class CollectionInfo:
    """A collection at a glance.

    Attributes:
        name: As in addresses and on the command line.
        title: As a reader sees it.
        source_kind: `folder`, `table`, `museum` …
        source_address: Where it comes from.
        n_images: Images, failed ones included.
        n_failed: Images whose picture could not be read.
        version: Rises at every commit.
        created_at: ISO 8601, UTC.
        updated_at: ISO 8601, UTC.
        model_ids: Its spaces, in the order of their making.
    """

    name: str
    title: str
    source_kind: str
    source_address: str
    n_images: int
    n_failed: int
    version: int
    created_at: str
    updated_at: str
    model_ids: tuple[str, ...]


@dataclass(slots=True)
class _Cached:
    """What was read last, and for which version it holds."""

    version: int
    view: SpaceView


class CollectionStore:
    """A collection for readers; may be used from several threads at once."""

    def __init__(
        self,
        row: Row[Any],
        folder: Path,
        database: Engine,
        thumbnails: ThumbnailStore,
        *,
        read_only: bool = False,
    ) -> None:
        """Know the collection by its SQL row; `LibraryStore.get_collection` makes these."""
        self.id: int = row.id
        self.name: str = row.name
        self.title: str = row.title
        self.source_kind: str = row.source_kind
        self.source_address: str = row.source_address
        self.source_options: dict[str, Any] = json.loads(row.source_options_json)
        self.created_at: str = row.created_at
        self.folder = folder
        self.database = database
        self.thumbnails = thumbnails
        self.read_only = read_only
        self._columns = ColumnFiles(folder / "columns", self.id, read_only=read_only)
        self._views: dict[str, _Cached] = {}
        self._lock = threading.RLock()

    @property
    def root(self) -> Path:
        """Return the folder of the library."""
        return self.folder.parent.parent

    def space_folder(self, model_id: str) -> Path:
        """Return the folder of a space's files."""
        return self.folder / "features" / model_id

    def writer_lock(self) -> FileLock:
        """Return the lock of the one writer, not taken."""
        return FileLock(self.folder / "writer.lock", f"write to collection '{self.name}'")

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a transaction in which every statement sees the same version."""
        with explained_disk_errors(self.root), self.database.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield connection

    def state(self, connection: Connection) -> Row[Any]:
        """Return the collection's SQL row as `connection` sees it.

        Raises:
            NotFoundError: when it was removed meanwhile.
        """
        row = connection.execute(select(collections).where(collections.c.id == self.id)).first()
        if row is None:
            raise NotFoundError(f"The collection '{self.name}' was removed meanwhile.")
        return row

    def _state(self) -> Row[Any]:
        with self.reading() as connection:
            return self.state(connection)

    @property
    def version(self) -> int:
        """Return the newest version; it rises at every commit."""
        return int(self._state().version)

    @property
    def n_images(self) -> int:
        """Return the number of images, failed ones included."""
        return int(self._state().n_images)

    @property
    def n_failed(self) -> int:
        """Return the number of images whose picture could not be read."""
        return int(self._state().n_failed)

    def info(self) -> CollectionInfo:
        """Return the collection at a glance."""
        with self.reading() as connection:
            model_ids = tuple(select_spaces(connection, self.id))
            return info_of(self.state(connection), model_ids)

    # Records ---------------------------------------------------------------------------------

    def find_record(self, image_id: str) -> StoredImage | None:
        """Return one image, or None if there is none with this id."""
        with self.reading() as connection:
            row = select_images(connection, self.id, [image_id]).get(image_id)
        return image_of(row) if row is not None else None

    def get_record(self, image_id: str) -> StoredImage:
        """Return one image.

        Raises:
            NotFoundError: naming ids that look alike.
        """
        return self.get_records([image_id])[0]

    def get_records(self, image_ids: Sequence[str]) -> list[StoredImage]:
        """Return images in the order of `image_ids`; an id may occur twice.

        Raises:
            NotFoundError: for the first id that is not there, naming ids that look alike.
        """
        with self.reading() as connection:
            rows = select_images(connection, self.id, image_ids)
            for image_id in image_ids:
                if image_id not in rows:
                    raise self._unknown_image(image_id, connection)
        return [image_of(rows[image_id]) for image_id in image_ids]

    def _unknown_image(self, image_id: str, connection: Connection) -> NotFoundError:
        asked = image_id[:200]
        own = images.c.collection_id == self.id
        alike = select(images.c.image_id).where(
            own, images.c.image_id.startswith(asked[: max(1, len(asked) // 2)], autoescape=True)
        )
        anything = select(images.c.image_id).where(own).order_by(images.c.key)
        found: list[str] = []
        if asked and asked.isprintable():
            found = list(connection.execute(alike.limit(500)).scalars())
        found = found or list(connection.execute(anything.limit(3)).scalars())
        near = difflib.get_close_matches(asked, found, n=3, cutoff=0.3) or found[:3]
        advice = f" Ids look like: {', '.join(repr(name) for name in near)}." if near else ""
        return NotFoundError(f"There is no image {asked!r} in collection '{self.name}'.{advice}")

    def iter_images(self, state: ImageState | str | None = None) -> Iterator[StoredImage]:
        """Yield all images, or those of one state, by rising key; reads 500 at a time."""
        after = -1
        while True:
            statement = select(images).where(
                images.c.collection_id == self.id, images.c.key > after
            )
            if state is not None:
                statement = statement.where(images.c.state == ImageState(state).value)
            with self.reading() as connection:
                rows = connection.execute(statement.order_by(images.c.key).limit(500)).all()
            if not rows:
                return
            yield from map(image_of, rows)
            after = rows[-1].key

    def failures(self) -> list[Failure]:
        """Return what could not be read, by rising key."""
        statement = (
            select(images)
            .where(images.c.collection_id == self.id, images.c.failure_code.is_not(None))
            .order_by(images.c.key)
        )
        with self.reading() as connection:
            found = [image_of(row).failure for row in connection.execute(statement)]
        return [failure for failure in found if failure is not None]

    def match_text(self, text: str) -> Ints:
        """Return the keys `(m,)` int64, rising, of images whose metadata match what a user typed.

        All words must occur; "words in quotes" stand side by side; `water*` begins a word. Never
        raises on odd input: a text without a word matches nothing.
        """
        with self.reading() as connection:
            return match_keys(connection, text, first_key(self.id), last_key(self.id))

    # Columns and spaces ----------------------------------------------------------------------

    @property
    def columns(self) -> Columns:
        """Return the columns of the newest records; built when they are asked for.

        A search must take `SpaceView.columns` instead: those are of the same version as its rows.
        """
        with self._lock, self.reading() as connection:
            return self._columns.read(connection, self.state(connection).records_version)

    def model_ids(self) -> list[str]:
        """Return the spaces, in the order of their making."""
        with self.reading() as connection:
            return list(select_spaces(connection, self.id))

    def space(self, model_id: str) -> SpaceStore:
        """Return a space.

        Raises:
            UnknownNameError: listing the spaces of this collection.
        """
        with self.reading() as connection:
            entry = self._space_entry(connection, model_id)
        return SpaceStore(entry, self.space_folder(model_id), self._view)

    def _space_entry(self, connection: Connection, model_id: str) -> SpaceEntry:
        found = select_spaces(connection, self.id, model_id)
        if model_id not in found:
            raise UnknownNameError(
                "space",
                model_id,
                select_spaces(connection, self.id),
                advice=f"Index '{self.name}' with --extractor {model_id} to make it.",
            )
        return found[model_id]

    def _view(self, model_id: str) -> SpaceView:
        # Between reading the list of segments and mapping them, a writer may have merged them and
        # the next one swept them away: then the list is read again.
        with self._lock:
            for attempt in range(_OPEN_ATTEMPTS):
                try:
                    return self._open_view(model_id)
                except FileNotFoundError as error:
                    if attempt == _OPEN_ATTEMPTS - 1:
                        raise StoreError(
                            f"Cannot open space '{model_id}' of '{self.name}': the file "
                            f"'{error.filename}' is gone. Run `bilderatlas collections check "
                            "--repair`, then index again."
                        ) from error
        raise AssertionError("unreachable")

    def _open_view(self, model_id: str) -> SpaceView:
        with self.reading() as connection:
            state = self.state(connection)
            cached = self._views.get(model_id)
            if cached is not None and cached.version == state.version:
                return cached.view
            entry = self._space_entry(connection, model_id)
            columns = self._columns.read(connection, state.records_version)
        known = {s.entry.number: s for s in cached.view.segments} if cached else {}
        folder = self.space_folder(model_id)
        mapped = [
            known[part.number]
            if part.number in known and known[part.number].entry == part
            else Segment(folder, part, entry.dim, entry.dtype)
            for part in entry.segments
        ]
        view = SpaceView(entry, state.version, columns, mapped)
        self._views[model_id] = _Cached(state.version, view)
        return view

    def sweep_columns(self, records_version: int) -> None:
        """Remove the column files of older records; the writer does so when it opens."""
        with self._lock:
            self._columns.sweep(records_version)

    def rebuild_columns(self) -> None:
        """Forget all columns; they are built from the records when they are next asked for."""
        with self._lock:
            self._columns.remove()
            self._views.clear()

    # Writing ---------------------------------------------------------------------------------

    def writer(self) -> CollectionWriter:
        """Return the one writer; use it in a `with` statement.

        Raises:
            ConflictError: when another process writes, naming it.
            ForbiddenError: when the library was opened read-only.
        """
        from bilderatlas.store.writer import CollectionWriter

        self.refuse_if_read_only()
        return CollectionWriter(self)

    def refuse_if_read_only(self) -> None:
        """Refuse to write to a library that was opened read-only.

        Raises:
            ForbiddenError: if it was.
        """
        if self.read_only:
            raise ForbiddenError(
                f"Cannot write to collection '{self.name}': the library was opened read-only."
            )

    def check(self, repair: bool = False) -> list[Finding]:
        """Prove that everything agrees, every CRC included; with `repair` mend what is derived.

        Raises:
            ConflictError: when `repair` is asked for while another process writes.
        """
        from bilderatlas.store.check import check_collection
        from bilderatlas.store.repair import repair_collection

        findings = check_collection(self)
        if repair and findings:
            repair_collection(self, findings)
        return findings


def info_of(row: Row[Any], model_ids: tuple[str, ...]) -> CollectionInfo:
    """Return the glance that an SQL row of `collections` gives."""
    return CollectionInfo(
        row.name,
        row.title,
        row.source_kind,
        row.source_address,
        row.n_images,
        row.n_failed,
        row.version,
        row.created_at,
        row.updated_at,
        model_ids,
    )
