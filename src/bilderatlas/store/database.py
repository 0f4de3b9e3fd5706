"""One door to the database of a library: SQLite in its folder, or PostgreSQL by URL."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url

from bilderatlas.store.disk import explained_disk_errors

DATABASE_FILE = "library.sqlite"
_BUSY_MS = 30_000
_WRITES = "bilderatlas_writes"


def open_database(root: Path, url: str | None, *, read_only: bool = False) -> Engine:
    """Return an engine for the library in `root`; nothing is connected yet.

    Args:
        root: The library's folder.
        url: SQLAlchemy URL from `library.toml`; None: `library.sqlite` in the folder.
        read_only: Never write, not even by mistake.
    """
    if url is not None and make_url(url).get_backend_name() != "sqlite":
        return _prepared(create_engine(url, pool_pre_ping=True), read_only=read_only)
    address = str(make_url(url).database) if url is not None else DATABASE_FILE
    path = root / address  # an absolute path stays absolute
    query = {"uri": "true"}
    if read_only and not os.access(path.parent, os.W_OK):  # a library on a read-only medium
        query |= {"mode": "ro", "immutable": "1"}
    sqlite_url = URL.create("sqlite", database=path.resolve().as_uri(), query=query)
    return _prepared(create_engine(sqlite_url), read_only=read_only)


def _prepared(engine: Engine, *, read_only: bool) -> Engine:
    if engine.dialect.name != "sqlite":
        return engine

    @event.listens_for(engine, "connect")
    def set_pragmas(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, see below
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
        if read_only:
            cursor.execute("PRAGMA query_only = ON")
        else:
            cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A transaction that will write takes its turn at once: one that read first and wants to
        # write later would be refused without waiting when another has written in between.
        writes = connection.get_execution_options().get(_WRITES)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


@contextmanager
def write_transaction(engine: Engine, root: Path) -> Iterator[Connection]:
    """Open a transaction that may write; it is committed at the end or leaves no trace.

    Raises:
        DiskFullError: when there was no space; nothing was written.
        StoreError: when the database refused.
    """
    with (
        explained_disk_errors(root),
        engine.connect().execution_options(**{_WRITES: True}) as connection,
        connection.begin(),
    ):
        yield connection


def in_chunks(items: list[Any], size: int = 500) -> Iterator[list[Any]]:
    """Cut a list so that each part fits into one `IN (…)`."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def utc_now() -> str:
    """Return the moment as ISO 8601 in UTC, as every table has it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
