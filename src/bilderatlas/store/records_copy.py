"""Copying the records of a library, as of one moment, into a SQLite file."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import Connection, Engine, MetaData, func, insert, inspect, select

from bilderatlas.records import Record
from bilderatlas.store.database import open_database, write_transaction
from bilderatlas.store.fulltext import index_texts
from bilderatlas.store.migrations import MIGRATIONS
from bilderatlas.store.schema import images, metadata, migrations

_ROWS = 1000


def copy_records(database: Engine, target: Path) -> None:
    """Write everything in SQL to the new SQLite file `target`, while others may write.

    Raises:
        OSError: when the disk is full.
        sqlite3.Error: when SQLite refuses.
    """
    if database.dialect.name == "sqlite":
        with closing(database.raw_connection()) as source, closing(sqlite3.connect(target)) as copy:
            driver = source.driver_connection
            assert isinstance(driver, sqlite3.Connection)
            driver.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, no companions
        return
    engine = open_database(target.parent, f"sqlite:///{target.name}")
    number = _newest(database)
    try:
        with write_transaction(engine, target.parent) as connection:
            for step in MIGRATIONS[:number]:
                step.upgrade(connection)
        with database.connect() as connection:
            reader = connection.execution_options(isolation_level="REPEATABLE READ")
            with reader.begin(), write_transaction(engine, target.parent) as writer:
                _copy_tables(reader, writer)
    finally:
        engine.dispose()


def _newest(database: Engine) -> int:
    """Return the migration that the records have reached: before one they are an older format's."""
    with database.connect() as connection:
        return connection.scalar(select(func.max(migrations.c.number))) or 0


def _copy_tables(reader: Connection, writer: Connection) -> None:
    found = MetaData()
    found.reflect(
        reader, only=[name for name in metadata.tables if inspect(reader).has_table(name)]
    )
    for table in found.sorted_tables:
        rows = reader.execution_options(yield_per=_ROWS).execute(select(table))
        for part in rows.mappings().partitions(_ROWS):
            writer.execute(insert(table), [dict(row) for row in part])
            if table.name == images.name:
                index_texts(
                    writer,
                    [
                        (row["key"], Record.from_json(json.loads(row["record_json"])))
                        for row in part
                    ],
                )
