"""What can be done with panels: a form, or an island, says what; one function does it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bilderatlas.errors import NotFoundError, UsageError
from bilderatlas.web import urls
from bilderatlas.web.pages.panels import MAX_PUT

if TYPE_CHECKING:
    from bilderatlas.api import Library
    from bilderatlas.store.panels import Panel

Form = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Asked:
    """The fields of a form."""

    fields: Form

    def one(self, name: str, default: str = "") -> str:
        """Return the last value of a field."""
        return next((value for key, value in reversed(self.fields) if key == name), default)

    def all(self, name: str) -> list[str]:
        """Return the values of a field that may be there several times."""
        return [value for key, value in self.fields if key == name and value]

    def find(self, name: str) -> str | None:
        """Return the value of a field; None where it is not there."""
        return self.one(name) if any(key == name for key, _value in self.fields) else None


def act_on_panel(library: Library, panel_id: str, action: str, form: Form) -> Panel:
    """Do what a form says with a panel.

    Raises:
        NotFoundError: when there is no such panel, or no such action.
        ConflictError: when somebody else changed what this would overwrite.
        UsageError: when a field does not fit.
    """
    if action not in _ACTIONS:
        raise NotFoundError(f"Nothing called '{action[:40]}' can be done with a panel.")
    library.panels.store.get(panel_id)
    return _ACTIONS[action](library, panel_id, Asked(form))


def create_panel(library: Library, form: Form) -> Panel:
    """Make the panel that a form describes.

    Raises:
        UsageError: when it has no name.
        ConflictError: when there is one of that name.
    """
    asked = Asked(form)
    return library.panels.create(asked.one("name"), note=asked.one("note"), works=_works(asked))


def put_on_panel(library: Library, form: Form) -> tuple[Panel, int]:
    """Put works on the panel that a form names, or on a new one; return how many came to it.

    Raises:
        UsageError: when no work or no panel is named, or too many works are.
        NotFoundError: when a work or the panel is not there.
        ConflictError: when the new panel has the name of another.
    """
    asked = Asked(form)
    works, note = _works(asked), asked.one("note")
    if not works:
        raise UsageError("Nothing was chosen to put on a panel. Choose at least one work.")
    if asked.one("name").strip():
        made = library.panels.create(asked.one("name"), works=works, works_note=note)
        return made, len(made)
    if not asked.one("panel"):
        raise UsageError("Name the panel to put them on: choose one, or give a new one a name.")
    before = library.panels.store.get(asked.one("panel"))
    now = library.panels.add(before.id, works, note=note)
    return now, len(now) - len(before)


def _works(asked: Asked) -> list[str]:
    works = asked.all("work")
    if len(works) > MAX_PUT:
        raise UsageError(
            f"Cannot put {len(works):,} works on a panel at once: at most {MAX_PUT:,}."
        )
    return works


def _add(library: Library, panel_id: str, asked: Asked) -> Panel:
    return library.panels.add(panel_id, _works(asked), note=asked.one("note"))


def _remove(library: Library, panel_id: str, asked: Asked) -> Panel:
    return library.panels.store.remove(panel_id, asked.all("item"))


def _move(library: Library, panel_id: str, asked: Asked) -> Panel:
    moving = asked.all("item")
    if asked.find("before") is not None:
        return library.panels.store.move(panel_id, moving, asked.one("before") or None)
    order = [item.item_id for item in library.panels.store.get(panel_id).items]
    staying = [item_id for item_id in order if item_id not in moving]
    place = order.index(moving[0]) if moving and moving[0] in order else 0
    to = asked.one("to")
    steps = {"earlier": place - 1, "later": place + 1, "start": 0, "end": len(order)}
    if to.isascii() and to.isdigit() and len(to) < 9:
        target = int(to) - 1
    elif to in steps:
        target = steps[to]
    else:
        raise UsageError(f"Cannot move a work to '{to[:40]}': expected a number from 1.")
    target = max(target, 0)
    before = staying[target] if target < len(staying) else None
    return library.panels.store.move(panel_id, moving, before)


def _note(library: Library, panel_id: str, asked: Asked) -> Panel:
    store, was = library.panels.store, asked.find("was")
    if asked.one("item"):
        return store.set_item_note(panel_id, asked.one("item"), asked.one("note"), was=was)
    return store.set_note(panel_id, asked.one("note"), was=was)


def _describe(library: Library, panel_id: str, asked: Asked) -> Panel:
    return library.panels.store.describe(
        panel_id,
        asked.one("name"),
        asked.one("note"),
        name_was=asked.find("was_name"),
        note_was=asked.find("was"),
    )


def _version(asked: Asked) -> int | None:
    text = asked.one("version")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def _undo(library: Library, panel_id: str, asked: Asked) -> Panel:
    return library.panels.store.undo(panel_id, version=_version(asked))


def _redo(library: Library, panel_id: str, asked: Asked) -> Panel:
    return library.panels.store.redo(panel_id, version=_version(asked))


def _put_away(library: Library, panel_id: str, _asked: Asked) -> Panel:
    return library.panels.store.put_away(panel_id)


def _bring_back(library: Library, panel_id: str, _asked: Asked) -> Panel:
    return library.panels.store.bring_back(panel_id)


_ACTIONS: Mapping[str, Callable[[Library, str, Asked], Panel]] = {
    "add": _add,
    "remove": _remove,
    "move": _move,
    "note": _note,
    "describe": _describe,
    "undo": _undo,
    "redo": _redo,
    "put-away": _put_away,
    "bring-back": _bring_back,
}


def place_after(panel: Panel, action: str) -> str:
    """Return where one goes after an action without scripts: the sheet, or the list of panels."""
    return urls.PANELS if action == "put-away" else f"{urls.panel(panel.id)}#sheet"
