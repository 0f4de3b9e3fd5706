"""What a panel is when it is read: its facts, its works in order, what can be undone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, func, select

from bilderatlas.errors import NotFoundError
from bilderatlas.store.panel_changes import PanelItem
from bilderatlas.store.schema import collections, images, panel_actions, panel_items, panels

DONE, UNDONE, DROPPED = "done", "undone", "dropped"
_ITEM_COLUMNS = [column for column in panel_items.columns if column.name != "panel_id"]


@dataclass(frozen=True, slots=True)
class PanelInfo:
    """A panel at a glance.

    Attributes:
        id: Names it in addresses.
        name: As its author calls it.
        note: Prose about the whole.
        version: Rises with every action.
        n_items: Works on it.
        removed_at: When it was put away; None for one that is in use.
        created_at: ISO 8601, UTC.
        updated_at: ISO 8601, UTC.
    """

    id: str
    name: str
    note: str
    version: int
    n_items: int
    removed_at: str | None
    created_at: str
    updated_at: str

    def to_json(self) -> dict[str, Any]:
        """Return the facts as JSON-ready values."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel as it stands at one version, with its works in order.

    Attributes:
        info: Name, note, version.
        items: The works, first to last.
        undoable: Kind of the action that an undo would take back; empty if there is none.
        redoable: Kind of the action that a redo would do again; empty if there is none.
    """

    info: PanelInfo
    items: tuple[PanelItem, ...]
    undoable: str = ""
    redoable: str = ""

    @property
    def id(self) -> str:
        """Its id."""
        return self.info.id

    @property
    def name(self) -> str:
        """Its name."""
        return self.info.name

    @property
    def version(self) -> int:
        """Its version."""
        return self.info.version

    def __len__(self) -> int:
        """Return the number of works."""
        return len(self.items)


@dataclass(frozen=True, slots=True)
class NewItem:
    """A work to put on a panel; the fields are those of `PanelItem`."""

    collection: str
    image_id: str
    region: str = ""
    note: str = ""
    label: str = ""
    content_sha256: str = ""


def select_infos() -> Select[Any]:
    """Return the statement that reads panels at a glance, for `info_of`."""
    counted = select(func.count()).where(panel_items.c.panel_id == panels.c.id)
    return select(panels, counted.scalar_subquery().label("n_items"))


def info_of(row: Row[Any]) -> PanelInfo:
    """Return one row of `select_infos`."""
    return PanelInfo(**{name: getattr(row, name) for name in PanelInfo.__slots__})


def read_panel(connection: Connection, panel_id: str, *, to_write: bool = False) -> Panel:
    """Return a panel as it stands; with `to_write` no one else may change it meanwhile.

    Raises:
        NotFoundError: when there is none of that id.
    """
    if to_write:  # SQLite's transaction holds everything already; PostgreSQL locks the one row
        connection.execute(select(panels.c.id).where(panels.c.id == panel_id).with_for_update())
    row = connection.execute(select_infos().where(panels.c.id == panel_id)).first()
    if row is None:
        raise no_panel(panel_id)
    own = select(*_ITEM_COLUMNS).where(panel_items.c.panel_id == panel_id)
    rows = connection.execute(own.order_by(panel_items.c.position, panel_items.c.item_id))
    items = tuple(PanelItem(**one) for one in rows.mappings())
    undoable, redoable = (next_action(connection, panel_id, state) for state in (DONE, UNDONE))
    return Panel(
        info_of(row),
        items,
        undoable.kind if undoable else "",
        redoable.kind if redoable else "",
    )


def next_action(connection: Connection, panel_id: str, state: str) -> Row[Any] | None:
    """Return the last action that is done, or the first that is undone; None: there is none."""
    number = panel_actions.c.number
    own = (panel_actions.c.panel_id == panel_id, panel_actions.c.state == state)
    order = number.desc() if state == DONE else number
    return connection.execute(select(panel_actions).where(*own).order_by(order).limit(1)).first()


def stands_for_another() -> ColumnElement[bool]:
    """Return the condition under which an item's name has come to mean another work.

    Its collection was removed, one that was made since has its name, and another picture there
    has the work's id. A picture that was replaced in its own collection is the same work still.
    """
    made_since = collections.c.created_at >= panel_items.c.added_at
    named = select(images.c.key).where(
        images.c.collection_id == collections.c.id,
        collections.c.name == panel_items.c.collection,
        images.c.image_id == panel_items.c.image_id,
        images.c.content_sha256.is_distinct_from(panel_items.c.content_sha256),
    )
    known = panel_items.c.content_sha256 != ""
    return and_(known, named.where(made_since).correlate(panel_items).exists())


def no_panel(panel_id: str) -> NotFoundError:
    """Return the error for an id that no panel has."""
    return NotFoundError(f"There is no panel '{panel_id[:60]}' in this library.")
