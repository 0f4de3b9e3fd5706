"""Migration 4: a work on a panel keeps which picture it was.

A name of a collection and an id in it may come to mean another work, when a collection is removed
and another one gets its name. What picture was put on the panel tells the two apart.
"""

from __future__ import annotations

from sqlalchemy import Column, Connection, MetaData, Table, Text
from sqlalchemy.schema import CreateColumn

NUMBER = 4
TITLE = "pictures of the works on panels"

_column: Column[str] = Column("content_sha256", Text, nullable=False, server_default="")
Table("panel_items", MetaData(), _column)


def upgrade(connection: Connection) -> None:
    """Add the column; of works that are on panels already it is not known."""
    added = CreateColumn(_column).compile(dialect=connection.dialect)
    connection.exec_driver_sql(f"ALTER TABLE panel_items ADD COLUMN {added}")
