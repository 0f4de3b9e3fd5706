"""Where columns lie on disk: found if they are there, extended or built if they are not."""

from __future__ import annotations

import re
import uuid
from itertools import chain
from pathlib import Path

import numpy as np
from sqlalchemy import Connection, select

from bilderatlas.errors import StoreError
from bilderatlas.store.columns import Columns, iter_packed_columns, packed_columns
from bilderatlas.store.columns_build import (
    IMAGE_FIELDS,
    ColumnTable,
    build_table,
    extend_table,
)
from bilderatlas.store.disk import sync_folder, unlink_quietly, write_durably
from bilderatlas.store.schema import images

_FILE = re.compile(r"columns-(\d{9,})-[0-9a-f]{8}\.bin\Z")
_SELECTED = [images.c[name] for name in IMAGE_FIELDS]


class ColumnFiles:
    """The column files of one collection; not safe for threads, its owner holds a lock."""

    def __init__(self, folder: Path, collection_id: int, *, read_only: bool = False) -> None:
        """Keep the files in `folder`; read-only: build in memory what is not there."""
        self.folder = folder
        self._collection_id = collection_id
        self._read_only = read_only
        self._newest: Columns | None = None

    def read(self, connection: Connection, records_version: int) -> Columns:
        """Return the columns of the records as `connection` sees them.

        Args:
            connection: A transaction that sees one version only.
            records_version: The state of the records in it.
        """
        if self._newest is not None and self._newest.version == records_version:
            return self._newest
        older: Columns | None = self._newest
        for version, path in self._files():
            opened = _opened(path, version)
            if opened is not None and version == records_version:
                self._newest = opened
                return opened
            if opened is not None and version < records_version and older is None:
                older = opened
        if older is not None and older.version > records_version:
            older = None
        self._newest = self._stored(self._table(connection, older), records_version)
        return self._newest

    def _table(self, connection: Connection, older: Columns | None) -> ColumnTable:
        if older is None or older.n == 0:
            return read_table(connection, self._collection_id)
        own = images.c.collection_id == self._collection_id
        changed = (
            select(*_SELECTED)
            .where(own, images.c.changed_version > older.version)
            .order_by(images.c.key)
        )
        new = build_table(connection.execute(changed))
        live = connection.execute(select(images.c.key).where(own).order_by(images.c.key))
        return extend_table(older.to_table(), np.array(live.scalars().all(), np.int64), new)

    def _stored(self, table: ColumnTable, version: int) -> Columns:
        if not self._read_only:
            path = self.folder / f"columns-{version:09d}-{uuid.uuid4().hex[:8]}.bin"
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
                write_durably(path, iter_packed_columns(table, version))
                sync_folder(self.folder)
                return Columns.open(path)
            except OSError:  # no space or no right to write: they live in memory then
                pass
        return Columns(np.frombuffer(packed_columns(table, version), np.uint8))

    def _files(self) -> list[tuple[int, Path]]:
        """Return the files that are there, newest first."""
        if not self.folder.is_dir():
            return []
        found = [
            (int(match[1]), path)
            for path in self.folder.iterdir()
            if (match := _FILE.match(path.name))
        ]
        return sorted(found, key=lambda pair: (-pair[0], pair[1].name))

    def sweep(self, records_version: int) -> None:
        """Remove all files but one of the newest state not above `records_version`."""
        kept = next((path for version, path in self._files() if version <= records_version), None)
        if self.folder.is_dir():
            for path in self.folder.iterdir():
                if path != kept:
                    unlink_quietly(path)

    def remove(self) -> None:
        """Remove every file, so that the next question builds them from the records."""
        self._newest = None
        if self.folder.is_dir():
            for path in self.folder.iterdir():
                unlink_quietly(path)


def read_table(connection: Connection, collection_id: int) -> ColumnTable:
    """Build every column of a collection from its records alone."""
    statement = (
        select(*_SELECTED).where(images.c.collection_id == collection_id).order_by(images.c.key)
    )
    parts = connection.execute(statement).partitions(4000)  # fetched some at a time
    return build_table(chain.from_iterable(parts))


def _opened(path: Path, version: int) -> Columns | None:
    """Open a file that may be damaged or swept away at this moment: it is derived, never mind."""
    try:
        columns = Columns.open(path)
    except (FileNotFoundError, StoreError):
        return None
    return columns if columns.version == version else None
