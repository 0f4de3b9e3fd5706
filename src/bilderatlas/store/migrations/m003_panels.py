"""Migration 3: panels with their works and the actions that made them, and the works looked at.

A work on a panel is named by its collection's name and its own id, not by a key: it stays on the
panel when its collection is removed, and is itself again when the collection comes back.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

NUMBER = 3
TITLE = "panels, works looked at"

_metadata = MetaData()

Table(
    "panels",
    _metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("removed_at", Text),
    Column("created_at", Text, nullable=False),
    Column("updated_at", Text, nullable=False),
)

Table(
    "panel_items",
    _metadata,
    Column("panel_id", Text, ForeignKey("panels.id", ondelete="CASCADE"), primary_key=True),
    Column("item_id", Text, primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("collection", Text, nullable=False),
    Column("image_id", Text, nullable=False),
    Column("region", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("added_at", Text, nullable=False),
    UniqueConstraint("panel_id", "collection", "image_id", "region", name="work_of_panel"),
    Index("panel_item_by_work", "collection", "image_id"),
)

Table(
    "panel_actions",
    _metadata,
    Column("panel_id", Text, ForeignKey("panels.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("change_json", Text, nullable=False),
    Column("created_at", Text, nullable=False),
)

Table(
    "seen_images",
    _metadata,
    Column("collection", Text, primary_key=True),
    Column("image_id", Text, primary_key=True),
    Column("first_at", Text, nullable=False),
    Column("last_at", Text, nullable=False),
)


def upgrade(connection: Connection) -> None:
    """Create the tables; there are no panels yet."""
    _metadata.create_all(connection)
