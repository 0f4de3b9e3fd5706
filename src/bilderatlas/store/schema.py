"""The tables of the records, as the newest migration leaves them.

The same tables stand in SQLite and in PostgreSQL. The full-text index is not here: it is the one
thing that each database spells differently (`fulltext.py`). A test holds this file against what
the migrations really build.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()

# In SQLite only the exact word INTEGER makes the key the row's own address.
_BIG_KEY = BigInteger().with_variant(Integer, "sqlite")

migrations = Table(
    "migrations",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("title", Text, nullable=False),
    Column("applied_at", Text, nullable=False),
    Column("written_by", Text, nullable=False),
)

collections = Table(
    "collections",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("title", Text, nullable=False),
    Column("source_kind", Text, nullable=False),
    Column("source_address", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("records_version", BigInteger, nullable=False),
    Column("next_key", BigInteger, nullable=False),
    Column("n_images", BigInteger, nullable=False),
    Column("n_failed", BigInteger, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("updated_at", Text, nullable=False),
    Column("source_options_json", Text, nullable=False, server_default="{}"),
    sqlite_autoincrement=True,
)

images = Table(
    "images",
    metadata,
    Column("key", _BIG_KEY, primary_key=True, autoincrement=False),
    Column(
        "collection_id", Integer, ForeignKey("collections.id", ondelete="CASCADE"), nullable=False
    ),
    Column("image_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("content_sha256", Text),
    Column("fingerprint", Text),
    Column("width_px", Integer),
    Column("height_px", Integer),
    Column("record_json", Text, nullable=False),
    Column("failure_stage", Text),
    Column("failure_code", Text),
    Column("failure_reason", Text),
    Column("changed_version", BigInteger, nullable=False),
    UniqueConstraint("collection_id", "image_id", name="image_of_collection"),
    Index("image_by_content", "content_sha256"),
    Index("image_by_change", "collection_id", "changed_version"),
)

spaces = Table(
    "spaces",
    metadata,
    Column("id", Integer, primary_key=True),
    Column(
        "collection_id", Integer, ForeignKey("collections.id", ondelete="CASCADE"), nullable=False
    ),
    Column("model_id", Text, nullable=False),
    Column("dim", Integer, nullable=False),
    Column("dtype", Text, nullable=False),
    Column("card_json", Text, nullable=False),
    Column("next_segment", Integer, nullable=False),
    Column("created_at", Text, nullable=False),
    UniqueConstraint("collection_id", "model_id", name="space_of_collection"),
    sqlite_autoincrement=True,
)

segments = Table(
    "segments",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("space_id", Integer, ForeignKey("spaces.id", ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("n_rows", BigInteger, nullable=False),
    Column("n_images", BigInteger, nullable=False),
    Column("files_json", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    UniqueConstraint("space_id", "number", name="segment_of_space"),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("params_json", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("done", BigInteger, nullable=False),
    Column("total", BigInteger),
    Column("message", Text, nullable=False),
    Column("worker", Text),
    Column("heartbeat_at", Text),
    Column("lease_until", Text),
    Column("attempt", Integer, nullable=False),
    Column("result_json", Text),
    Column("error", Text),
    Column("created_at", Text, nullable=False),
    Column("started_at", Text),
    Column("finished_at", Text),
    Index("job_by_state", "state", "created_at"),
)

panels = Table(
    "panels",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("removed_at", Text),
    Column("created_at", Text, nullable=False),
    Column("updated_at", Text, nullable=False),
)

panel_items = Table(
    "panel_items",
    metadata,
    Column("panel_id", Text, ForeignKey("panels.id", ondelete="CASCADE"), primary_key=True),
    Column("item_id", Text, primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("collection", Text, nullable=False),
    Column("image_id", Text, nullable=False),
    Column("region", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("added_at", Text, nullable=False),
    Column("content_sha256", Text, nullable=False, server_default=""),
    UniqueConstraint("panel_id", "collection", "image_id", "region", name="work_of_panel"),
    Index("panel_item_by_work", "collection", "image_id"),
)

panel_actions = Table(
    "panel_actions",
    metadata,
    Column("panel_id", Text, ForeignKey("panels.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("change_json", Text, nullable=False),
    Column("created_at", Text, nullable=False),
)

seen_images = Table(
    "seen_images",
    metadata,
    Column("collection", Text, primary_key=True),
    Column("image_id", Text, primary_key=True),
    Column("first_at", Text, nullable=False),
    Column("last_at", Text, nullable=False),
)
