"""Migration 2: what a user said about a source besides its address is kept with the collection."""

from __future__ import annotations

from sqlalchemy import Column, Connection, MetaData, Table, Text
from sqlalchemy.schema import CreateColumn

NUMBER = 2
TITLE = "options of the source"

_column: Column[str] = Column("source_options_json", Text, nullable=False, server_default="{}")
Table("collections", MetaData(), _column)


def upgrade(connection: Connection) -> None:
    """Add the column; collections that are there have no options."""
    added = CreateColumn(_column).compile(dialect=connection.dialect)
    connection.exec_driver_sql(f"ALTER TABLE collections ADD COLUMN {added}")
