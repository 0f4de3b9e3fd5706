"""A library: one folder that holds everything, found by its `library.toml`."""

from __future__ import annotations

import json
import re
import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from sqlalchemy import Engine, delete, insert, select, update

from bilderatlas.errors import ConflictError, ForbiddenError, UnknownNameError, UsageError
from bilderatlas.store.backup import restore_backup, write_backup
from bilderatlas.store.collection import CollectionInfo, CollectionStore, info_of
from bilderatlas.store.database import open_database, utc_now, write_transaction
from bilderatlas.store.disk import explained_disk_errors
from bilderatlas.store.fulltext import remove_texts
from bilderatlas.store.images import shown_contents
from bilderatlas.store.locks import FileLock
from bilderatlas.store.manifest import LibraryManifest
from bilderatlas.store.migrate import migrate
from bilderatlas.store.schema import collections, images, seen_images, spaces
from bilderatlas.store.thumbnails import ThumbnailStore
from bilderatlas.store.uploads import UploadStore

__all__ = ["CollectionInfo", "CollectionStore", "LibraryStore"]

MAX_NAME_CHARS = 100
_NAME = re.compile(rf"[a-z0-9][a-z0-9_-]{{0,{MAX_NAME_CHARS - 1}}}\Z")
_TRASH_PREFIX = ".removed-"
_NAMING_WAIT_S = 30.0


def check_collection_name(name: str) -> None:
    """Make sure that a collection can have this name.

    Raises:
        UsageError: when it is not lower-case letters, digits, `_` and `-`.
    """
    if not _NAME.match(name):
        raise UsageError(
            f"Cannot call a collection '{name[:120]}': expected lower-case letters, digits, "
            "'_' and '-', beginning with a letter or digit, at most 100 of them."
        )


class LibraryStore:
    """An open library; may be used from several threads at once.

    Attributes:
        root: Its folder.
        id: A random name that a backup keeps.
        database: Where the records, jobs and everything else in SQL are.
        thumbnails: Small pictures by content hash.
        uploads: Pictures that visitors brought along.
    """

    def __init__(
        self, root: Path, manifest: LibraryManifest, database: Engine, *, read_only: bool
    ) -> None:
        """Use `create` or `open` instead: they prove that the folder can be read."""
        self.root = root
        self.id = manifest.id
        self.database = database
        self.read_only = read_only
        self.thumbnails = ThumbnailStore(root / "thumbnails")
        self.uploads = UploadStore(root / "uploads")

    @classmethod
    def create(cls, path: Path | str, *, database_url: str | None = None) -> LibraryStore:
        """Make an empty library in a folder, which is made if need be.

        Args:
            path: The folder; it may hold other things, but no library.
            database_url: SQLAlchemy URL of a database for the records, instead of a file.

        Raises:
            ConflictError: when there is a library already.
            DiskFullError: when there is no space.
        """
        root = Path(path).expanduser().resolve()
        if LibraryManifest.path_in(root).exists():
            raise ConflictError(
                f"Cannot create a library in '{root}': there is one already. Open it, or choose "
                "another folder."
            )
        manifest = LibraryManifest.new(database_url)
        with explained_disk_errors(root if root.exists() else root.parent):
            for folder in (root, root / "collections", root / "thumbnails", root / "uploads"):
                folder.mkdir(parents=True, exist_ok=True)
            database = open_database(root, database_url)
            try:
                migrate(root, manifest, database)
                manifest.write(root)
            except BaseException:
                database.dispose()
                raise
        return cls(root, manifest, database, read_only=False)

    @classmethod
    def open(cls, path: Path | str, *, read_only: bool = False) -> LibraryStore:
        """Open a library, bringing an older one up to date after an automatic backup.

        Args:
            path: Its folder.
            read_only: Refuse every change; needs no right to write.

        Raises:
            NotFoundError: when there is no library.
            LibraryVersionError: when a newer version wrote it.
            ConflictError: when another process is bringing it up to date.
            StoreError: when it cannot be read.
        """
        root = Path(path).expanduser().resolve()
        manifest = LibraryManifest.read(root)
        database = open_database(root, manifest.database_url, read_only=read_only)
        try:
            with explained_disk_errors(root):
                migrate(root, manifest, database, read_only=read_only)
        except BaseException:
            database.dispose()
            raise
        return cls(root, manifest, database, read_only=read_only)

    @property
    def url(self) -> str:
        """Return the URL of the database, without its password."""
        return self.database.url.render_as_string(hide_password=True)

    # Collections -----------------------------------------------------------------------------

    def list_collections(self) -> list[CollectionInfo]:
        """Return all collections at a glance, in the order of their making."""
        with explained_disk_errors(self.root), self.database.connect() as connection:
            rows = connection.execute(select(collections).order_by(collections.c.id)).all()
            named = select(spaces.c.collection_id, spaces.c.model_id).order_by(spaces.c.id)
            model_ids: dict[int, list[str]] = {}
            for collection_id, model_id in connection.execute(named):
                model_ids.setdefault(collection_id, []).append(model_id)
        return [info_of(row, tuple(model_ids.get(row.id, ()))) for row in rows]

    def get_collection(self, name: str) -> CollectionStore:
        """Return a collection.

        Raises:
            UnknownNameError: listing the collections with near names.
        """
        with explained_disk_errors(self.root), self.database.connect() as connection:
            row = connection.execute(select(collections).where(collections.c.name == name)).first()
            if row is None:
                known: Sequence[str] = (
                    connection.execute(select(collections.c.name)).scalars().all()
                )
                raise UnknownNameError("collection", name, known)
        return CollectionStore(
            row,
            self.root / "collections" / name,
            self.database,
            self.thumbnails,
            read_only=self.read_only,
        )

    def create_collection(
        self,
        name: str,
        *,
        source_kind: str,
        source_address: str,
        title: str | None = None,
        source_options: Mapping[str, Any] | None = None,
    ) -> CollectionStore:
        """Make an empty collection, or return the one of this name and the same source.

        `source_options` are kept, so that the source can be opened again as it was; None keeps
        those that there are.

        Raises:
            UsageError: for a name that is not lower-case letters, digits, `_` and `-`.
            ConflictError: when the name belongs to another source.
        """
        self._refuse_if_read_only()
        check_collection_name(name)
        row = {
            "name": name,
            "title": title or name,
            "source_kind": source_kind,
            "source_address": source_address,
            "version": 0,
            "records_version": 0,
            "next_key": 1,
            "n_images": 0,
            "n_failed": 0,
            "created_at": utc_now(),
            "updated_at": utc_now(),
            "source_options_json": json.dumps(dict(source_options or {})),
        }
        with self._naming(name):
            if name not in {info.name for info in self.list_collections()}:
                self._set_aside(name)
                with write_transaction(self.database, self.root) as connection:
                    connection.execute(insert(collections).values(row))
        found = self.get_collection(name)
        if (found.source_kind, found.source_address) != (source_kind, source_address):
            raise ConflictError(
                f"Cannot index '{source_address}' as '{name}': that collection belongs to "
                f"'{found.source_address}'. Choose another name with --collection, or remove it "
                f"with `bilderatlas collections remove {name}`."
            )
        if source_options is not None and dict(source_options) != found.source_options:
            self._set_source_options(found, source_options)
        return found

    def _set_source_options(self, found: CollectionStore, options: Mapping[str, Any]) -> None:
        statement = update(collections).where(collections.c.id == found.id)
        with write_transaction(self.database, self.root) as connection:
            connection.execute(statement.values(source_options_json=json.dumps(dict(options))))
        found.source_options = dict(options)

    def remove_collection(self, name: str) -> None:
        """Remove a collection: its records in one commit, then its files.

        Raises:
            UnknownNameError: when there is no such collection.
            ConflictError: when a process writes to it, naming it.
        """
        self._refuse_if_read_only()
        collection = self.get_collection(name)
        own = images.c.collection_id == collection.id
        with self._naming(name):
            with (
                collection.writer_lock(),
                write_transaction(self.database, self.root) as connection,
            ):
                keys = connection.execute(select(images.c.key).where(own)).scalars().all()
                contents = select(images.c.content_sha256).where(own).distinct()
                candidates = connection.execute(contents).scalars().all()
                remove_texts(connection, keys)
                connection.execute(delete(collections).where(collections.c.id == collection.id))
                # what gets this name later was not looked at
                connection.execute(delete(seen_images).where(seen_images.c.collection == name))
            self._set_aside(name)  # Windows renames no folder in which a lock is held open
        self.thumbnails.remove_unused(filter(None, candidates), self.shown)

    def shown(self, contents: list[str]) -> set[str]:
        """Return which of some content hashes, at most 500, images of the library have."""
        with explained_disk_errors(self.root), self.database.connect() as connection:
            return shown_contents(connection, contents)

    @contextmanager
    def _naming(self, name: str) -> Iterator[None]:
        """Hold the lock under which names come and go, so that no folder has two owners."""
        lock = FileLock(self.root / "library.lock", f"make or remove collection '{name}'")
        lock.acquire(wait_s=_NAMING_WAIT_S)
        try:
            yield
        finally:
            lock.release()

    def _set_aside(self, name: str) -> None:
        """Remove the files of a collection that SQL does not know (any longer)."""
        folder = self.root / "collections" / name
        if folder.is_dir():
            folder.rename(folder.with_name(f"{_TRASH_PREFIX}{name}-{uuid.uuid4().hex[:8]}"))
        for left in (self.root / "collections").glob(f"{_TRASH_PREFIX}*"):
            shutil.rmtree(left, ignore_errors=True)  # a mapped file on Windows waits for the next

    def _refuse_if_read_only(self) -> None:
        if self.read_only:
            raise ForbiddenError(
                f"Cannot change the library in '{self.root}': it was opened read-only."
            )

    # Copies ----------------------------------------------------------------------------------

    def backup(self, dest: Path | str) -> Path:
        """Write a whole, consistent copy while others may read and write.

        Args:
            dest: A new folder, or a new file whose name ends in `.tar`.

        Raises:
            ConflictError: when `dest` is there already.
            DiskFullError: when there is no space; nothing is left at `dest`.
        """
        return write_backup(self.root, self.database, Path(dest).expanduser().resolve())

    @classmethod
    def restore(cls, archive: Path | str, dest: Path | str) -> LibraryStore:
        """Make a library from a backup, every file proved by its checksum, and open it.

        Raises:
            NotFoundError: when `archive` is no backup.
            ConflictError: when `dest` is not empty.
            StoreError: when a file of the backup is damaged; nothing is left at `dest`.
        """
        root = Path(dest).expanduser().resolve()
        restore_backup(Path(archive).expanduser().resolve(), root)
        return cls.open(root)

    def close(self) -> None:
        """Close the connections; mapped files stay readable as long as somebody holds them."""
        self.database.dispose()

    def __enter__(self) -> LibraryStore:
        """Return the open library."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the library."""
        self.close()
