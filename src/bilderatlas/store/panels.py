"""Panels: the corpora that scholars compile, with every action on them kept and undoable.

Each action is one transaction: it reads the panel, writes what changes, and writes itself down
with what was there before. Actions of two editors follow each other. Those that do not touch the
same thing both stand; one that would overwrite what its author has not seen is a `ConflictError`,
and changes nothing. An undone action is kept; it is dropped only when a new one takes its place.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from dataclasses import replace

from sqlalchemy import Connection, func, insert, select, update

from bilderatlas.errors import ConflictError, ForbiddenError, UsageError
from bilderatlas.store.database import utc_now, write_transaction
from bilderatlas.store.disk import explained_disk_errors
from bilderatlas.store.library import LibraryStore
from bilderatlas.store.panel_changes import (
    PanelChange,
    PanelItem,
    added_items,
    apply_change,
    moved_items,
    removed_items,
)
from bilderatlas.store.panel_rows import (
    DONE,
    DROPPED,
    UNDONE,
    NewItem,
    Panel,
    PanelInfo,
    info_of,
    next_action,
    no_panel,
    read_panel,
    select_infos,
    stands_for_another,
)
from bilderatlas.store.schema import panel_actions, panel_items, panels

__all__ = ["NewItem", "Panel", "PanelInfo", "PanelItem", "PanelStore"]

MAX_ITEMS = 10_000
MAX_NAME_CHARS = 200
MAX_NOTE_CHARS = 20_000
_ID_BYTES = 6


class PanelStore:
    """The panels of one library."""

    def __init__(self, library: LibraryStore) -> None:
        """Use the tables of `library`."""
        self._library = library
        self._database = library.database

    # Reading ---------------------------------------------------------------------------------

    def list_panels(self, *, removed: bool = False) -> list[PanelInfo]:
        """Return the panels, the one changed last first; with `removed` those put away."""
        gone = panels.c.removed_at.is_not(None) if removed else panels.c.removed_at.is_(None)
        order = (panels.c.updated_at.desc(), panels.c.id)
        with explained_disk_errors(self._library.root), self._database.connect() as connection:
            rows = connection.execute(select_infos().where(gone).order_by(*order)).all()
        return [info_of(row) for row in rows]

    def get(self, panel_id: str) -> Panel:
        """Return a panel as it stands now.

        Raises:
            NotFoundError: when there is none of that id.
        """
        with explained_disk_errors(self._library.root), self._database.connect() as connection:
            return read_panel(connection, panel_id)

    def versions(self, panel_ids: Iterable[str]) -> tuple[tuple[str, int, str | None], ...]:
        """Return id, version and removal of those of the panels that there are, in one order."""
        wanted = sorted(set(panel_ids))
        if not wanted:
            return ()
        columns = select(panels.c.id, panels.c.version, panels.c.removed_at)
        with self._database.connect() as connection:
            rows = connection.execute(columns.where(panels.c.id.in_(wanted)).order_by(panels.c.id))
            return tuple((row.id, row.version, row.removed_at) for row in rows)

    def ids_in(self, panel_id: str, collection: str) -> frozenset[str]:
        """Return the ids of the works of one collection that are on a panel.

        A work that has the name of one that is gone is another work.

        Raises:
            NotFoundError: when there is no such panel.
        """
        own = (panel_items.c.panel_id == panel_id, panel_items.c.collection == collection)
        with self._database.connect() as connection:
            if connection.execute(select(panels.c.id).where(panels.c.id == panel_id)).first():
                same = select(panel_items.c.image_id).where(*own, ~stands_for_another())
                return frozenset(connection.execute(same).scalars())
        raise no_panel(panel_id)

    def replaced_items(self, panel_id: str) -> frozenset[str]:
        """Return the items whose names mean other works now than those that were put there."""
        own = select(panel_items.c.item_id).where(panel_items.c.panel_id == panel_id)
        with self._database.connect() as connection:
            return frozenset(connection.execute(own.where(stands_for_another())).scalars())

    def kept_ids(self, collection: str) -> frozenset[str]:
        """Return the ids of the works of a collection that are on any panel in use."""
        statement = (
            select(panel_items.c.image_id)
            .join(panels, panels.c.id == panel_items.c.panel_id)
            .where(panel_items.c.collection == collection, panels.c.removed_at.is_(None))
            .where(~stands_for_another())
        )
        with self._database.connect() as connection:
            return frozenset(connection.execute(statement).scalars())

    def panels_of(self, collection: str, image_id: str) -> list[PanelInfo]:
        """Return the panels in use that show a work."""
        shown = select(panel_items.c.panel_id).where(
            panel_items.c.collection == collection,
            panel_items.c.image_id == image_id,
            ~stands_for_another(),
        )
        statement = select_infos().where(panels.c.id.in_(shown), panels.c.removed_at.is_(None))
        with self._database.connect() as connection:
            return [info_of(row) for row in connection.execute(statement.order_by(panels.c.name))]

    # Writing ---------------------------------------------------------------------------------

    def create(self, name: str, note: str = "", items: Sequence[NewItem] = ()) -> Panel:
        """Make a panel.

        Raises:
            UsageError: for an empty or overlong name, or too many works.
            ConflictError: when a panel in use has that name.
        """
        self._refuse_if_read_only()
        values = {"name": _checked_name(name), "note": _checked_note(note)}
        panel_id, now = secrets.token_hex(_ID_BYTES), utc_now()
        with write_transaction(self._database, self._library.root) as connection:
            _refuse_taken(connection, values["name"])
            row = values | {"id": panel_id, "version": 1, "created_at": now, "updated_at": now}
            connection.execute(insert(panels).values(row))
            apply_change(connection, panel_id, added_items((), _fresh(items, now)))
            _refuse_too_many(read_panel(connection, panel_id).items)
        return self.get(panel_id)

    def add(self, panel_id: str, items: Sequence[NewItem]) -> Panel:
        """Put works at the end of a panel; those that are on it already stay where they are.

        Raises:
            NotFoundError: when there is no such panel.
            UsageError: when there would be more than `MAX_ITEMS`.
        """

        def change(panel: Panel) -> PanelChange:
            made = added_items(panel.items, _fresh(items, utc_now()))
            _refuse_too_many([*panel.items, *made.items])
            return made

        return self._act(panel_id, "add", change)

    def remove(self, panel_id: str, item_ids: Iterable[str]) -> Panel:
        """Take items off a panel; one that somebody else took off already is no mistake.

        Raises:
            NotFoundError: when there is no such panel.
        """
        going = tuple(item_ids)
        return self._act(panel_id, "remove", lambda panel: removed_items(panel.items, going))

    def move(self, panel_id: str, item_ids: Iterable[str], before: str | None) -> Panel:
        """Move items to before the item `before`; None: to the end.

        Raises:
            NotFoundError: when there is no such panel.
            ConflictError: when one of the items is not on the panel (any longer).
        """
        going = tuple(item_ids)

        def change(panel: Panel) -> PanelChange:
            for item_id in [*going, *([before] if before else [])]:
                _item(panel, item_id)
            return moved_items(panel.items, going, before)

        return self._act(panel_id, "move", change)

    def set_item_note(
        self, panel_id: str, item_id: str, note: str, *, was: str | None = None
    ) -> Panel:
        """Write the note of an item.

        Args:
            panel_id: The panel.
            item_id: The item.
            note: The new text.
            was: The text that the author had before them; None: overwrite whatever is there.

        Raises:
            NotFoundError: when there is no such panel.
            ConflictError: when the item is gone, or its note is neither `was` nor `note`.
        """
        text = _checked_note(note)

        def change(panel: Panel) -> PanelChange:
            item = _item(panel, item_id)
            if item.note == text:
                return PanelChange()
            _refuse_overwriting("note", item.note, _checked_note(was) if was is not None else None)
            return PanelChange(items={item_id: (item, replace(item, note=text))})

        return self._act(panel_id, "note", change)

    def set_name(self, panel_id: str, name: str, *, was: str | None = None) -> Panel:
        """Rename a panel; `was` as in `set_item_note`.

        Raises:
            NotFoundError: when there is no such panel.
            UsageError: for an empty or overlong name.
            ConflictError: when another panel has that name, or this one has another than `was`.
        """
        return self._set_field(panel_id, "name", _checked_name(name), was)

    def set_note(self, panel_id: str, note: str, *, was: str | None = None) -> Panel:
        """Write the note of a panel; `was` as in `set_item_note`.

        Raises:
            NotFoundError: when there is no such panel.
            ConflictError: when its note is neither `was` nor `note`.
        """
        return self._set_field(panel_id, "note", _checked_note(note), was)

    def describe(
        self,
        panel_id: str,
        name: str,
        note: str,
        *,
        name_was: str | None = None,
        note_was: str | None = None,
    ) -> Panel:
        """Write name and note of a panel in one action; what they were as in `set_item_note`.

        Raises:
            NotFoundError: when there is no such panel.
            UsageError: for an empty or overlong name.
            ConflictError: when another panel has that name, or this one's name or note was changed
                meanwhile; then neither is written.
        """
        told = {"name": (_checked_name(name), name_was), "note": (_checked_note(note), note_was)}

        def change(panel: Panel) -> PanelChange:
            fields = {}
            for field, (text, was) in told.items():
                now = str(getattr(panel.info, field))
                if now != text:
                    before = _checked_note(was) if was is not None else None
                    _refuse_overwriting(field, now, before)
                    fields[field] = (now, text)
            return PanelChange(fields)

        return self._act(panel_id, "describe", change)

    def put_away(self, panel_id: str) -> Panel:
        """Remove a panel from use; nothing of it is lost, and an undo brings it back.

        Raises:
            NotFoundError: when there is no such panel.
        """

        def change(panel: Panel) -> PanelChange:
            gone = panel.info.removed_at
            return PanelChange() if gone else PanelChange({"removed_at": (None, utc_now())})

        return self._act(panel_id, "put away", change)

    def bring_back(self, panel_id: str) -> Panel:
        """Bring back a panel that was put away.

        Raises:
            NotFoundError: when there is no such panel.
            ConflictError: when another panel has its name now.
        """

        def change(panel: Panel) -> PanelChange:
            gone = panel.info.removed_at
            return PanelChange({"removed_at": (gone, None)}) if gone else PanelChange()

        return self._act(panel_id, "bring back", change)

    def undo(self, panel_id: str, *, version: int | None = None) -> Panel:
        """Take back the last action; `version` is the one that the author had before them.

        Raises:
            NotFoundError: when there is no such panel.
            ConflictError: when there is nothing to take back, the panel has changed since, or its
                former name is another panel's now.
        """
        return self._step(panel_id, DONE, version)

    def redo(self, panel_id: str, *, version: int | None = None) -> Panel:
        """Do the action again that was taken back last; `version` as in `undo`.

        Raises:
            NotFoundError: when there is no such panel.
            ConflictError: when there is nothing to do again, the panel has changed since, or its
                later name is another panel's now.
        """
        return self._step(panel_id, UNDONE, version)

    def _set_field(self, panel_id: str, name: str, text: str, was: str | None) -> Panel:
        def change(panel: Panel) -> PanelChange:
            now = str(getattr(panel.info, name))
            if now == text:
                return PanelChange()
            _refuse_overwriting(name, now, _checked_note(was) if was is not None else None)
            return PanelChange({name: (now, text)})

        return self._act(panel_id, {"name": "rename"}.get(name, name), change)

    def _act(self, panel_id: str, kind: str, change_of: Callable[[Panel], PanelChange]) -> Panel:
        """Do one action in one transaction, and write it down; one that changes nothing is none."""
        self._refuse_if_read_only()
        with write_transaction(self._database, self._library.root) as connection:
            panel = read_panel(connection, panel_id, to_write=True)
            change = change_of(panel)
            if not change:
                return panel
            _refuse_doubled(connection, panel, change)
            own = panel_actions.c.panel_id == panel_id
            connection.execute(
                update(panel_actions)
                .where(own, panel_actions.c.state == UNDONE)
                .values(state=DROPPED)
            )
            last = connection.scalar(select(func.max(panel_actions.c.number)).where(own))
            connection.execute(
                insert(panel_actions).values(
                    panel_id=panel_id,
                    number=(last or 0) + 1,
                    kind=kind,
                    state=DONE,
                    change_json=change.to_json(),
                    created_at=utc_now(),
                )
            )
            return _applied(connection, panel, change)

    def _step(self, panel_id: str, state: str, version: int | None) -> Panel:
        """Undo the last action that is `done`, or redo the first that is `undone`."""
        self._refuse_if_read_only()
        undoing = state == DONE
        with write_transaction(self._database, self._library.root) as connection:
            panel = read_panel(connection, panel_id, to_write=True)
            if version is not None and version != panel.version:
                raise ConflictError(
                    f"Cannot {'undo' if undoing else 'redo'}: the panel '{panel.name}' has changed "
                    "since you last saw it. Look at it again first."
                )
            action = next_action(connection, panel_id, state)
            if action is None:
                raise ConflictError(
                    f"There is nothing to {'undo' if undoing else 'redo'} on '{panel.name}'."
                )
            connection.execute(
                update(panel_actions)
                .where(
                    panel_actions.c.panel_id == panel_id, panel_actions.c.number == action.number
                )
                .values(state=UNDONE if undoing else DONE)
            )
            written = PanelChange.from_json(action.change_json)
            change = written.inverted() if undoing else written
            _refuse_doubled(connection, panel, change)
            return _applied(connection, panel, change)

    def _refuse_if_read_only(self) -> None:
        if self._library.read_only:
            raise ForbiddenError(
                f"Cannot change a panel: the library in '{self._library.root}' was opened "
                "read-only."
            )


def _applied(connection: Connection, panel: Panel, change: PanelChange) -> Panel:
    apply_change(connection, panel.id, change)
    stamp = {"version": panel.version + 1, "updated_at": utc_now()}
    connection.execute(update(panels).where(panels.c.id == panel.id).values(stamp))
    return read_panel(connection, panel.id)


def _fresh(items: Iterable[NewItem], now: str) -> Iterator[PanelItem]:
    for one in items:
        yield PanelItem(
            secrets.token_hex(_ID_BYTES),
            0,
            one.collection,
            one.image_id,
            one.region,
            _checked_note(one.note),
            one.label,
            now,
            one.content_sha256,
        )


def _item(panel: Panel, item_id: str) -> PanelItem:
    for one in panel.items:
        if one.item_id == item_id:
            return one
    raise ConflictError(
        f"The work '{item_id[:40]}' is not on the panel '{panel.name}' any more. Nothing was "
        "changed; look at the panel again."
    )


def _refuse_overwriting(what: str, now: str, was: str | None) -> None:
    if was is not None and was != now:
        raise ConflictError(
            f"The {what} was changed meanwhile, to: “{now}”. Nothing was overwritten; put your "
            "own words and these together, and save again."
        )


def _refuse_taken(connection: Connection, name: str, *, but: str = "") -> None:
    same = func.lower(panels.c.name) == func.lower(name)
    taken = select(panels.c.id).where(same, panels.c.removed_at.is_(None), panels.c.id != but)
    if connection.execute(taken).first() is not None:
        raise ConflictError(
            f"There is a panel called '{name}' already. Choose another name, or rename that one."
        )


def _refuse_doubled(connection: Connection, panel: Panel, change: PanelChange) -> None:
    """Refuse what would bring a name into use that another panel in use has meanwhile."""
    if not change.fields.keys() & {"name", "removed_at"}:
        return
    _, name = change.fields.get("name", (None, panel.name))
    _, removed_at = change.fields.get("removed_at", (None, panel.info.removed_at))
    if removed_at is None:
        _refuse_taken(connection, str(name), but=panel.id)


def _refuse_too_many(items: Sized) -> None:
    if len(items) > MAX_ITEMS:
        raise UsageError(
            f"Cannot put {len(items):,} works on one panel: at most {MAX_ITEMS:,}. Make a second "
            "panel."
        )


def _checked_name(name: str) -> str:
    text = " ".join(name.replace("\0", "").split())
    if not 1 <= len(text) <= MAX_NAME_CHARS:
        raise UsageError(
            f"Cannot call a panel '{text[:40]}': expected 1 to {MAX_NAME_CHARS} characters."
        )
    return text


def _checked_note(note: str) -> str:
    # as a form sends it, a line ends in CR LF: the same words must not be another text for that
    text = note.replace("\0", "").replace("\r\n", "\n").strip()
    if len(text) > MAX_NOTE_CHARS:
        raise UsageError(f"Cannot keep a note of more than {MAX_NOTE_CHARS:,} characters.")
    return text
