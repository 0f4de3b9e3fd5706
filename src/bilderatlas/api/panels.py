"""Panels: the corpora that a scholar compiles, what hangs on them now, and searches with them."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from bilderatlas.errors import ConflictError, NotFoundError, UnknownNameError
from bilderatlas.search.query import Part, PartKind, Query, Region, parse_part
from bilderatlas.store.images import StoredImage
from bilderatlas.store.library import LibraryStore
from bilderatlas.store.panel_changes import PanelItem
from bilderatlas.store.panels import NewItem, Panel, PanelInfo, PanelStore
from bilderatlas.store.seen import SeenStore
from bilderatlas.words import said

__all__ = ["Panel", "PanelInfo", "PanelItem", "PanelWork", "Panels"]


@dataclass(frozen=True, slots=True)
class PanelWork:
    """A work on a panel and what the library knows of it now.

    Attributes:
        item: What the panel keeps of it.
        stored: What its collection has; None where it is gone.
        gone: Why it is gone, in one sentence; empty where it is there.
    """

    item: PanelItem
    stored: StoredImage | None
    gone: str = ""

    @property
    def region(self) -> Region | None:
        """The detail that is meant; None for the whole picture."""
        return region_of(self.item)

    def to_json(self) -> dict[str, object]:
        """Return the place, the note and the record as JSON-ready values."""
        item = self.item
        return {
            "item_id": item.item_id,
            "collection": item.collection,
            "image_id": item.image_id,
            "region": item.region or None,
            "note": item.note,
            "label": item.label,
            "added_at": item.added_at,
            "gone": self.gone or None,
            "record": self.stored.record.to_json() if self.stored else None,
        }


class Panels:
    """The panels of a library, and the works in it that were looked at.

    A panel is named by its id or, where only one in use has it, by its name. A work is named
    `collection/image_id`, a detail of it `collection/image_id@x,y,w,h`.

    >>> panel = library.panels.create("Turbans", works=["rijks/SK-C-5"])    # doctest: +SKIP
    >>> hits = library["rijks"].search(like=f"panel:{panel.id}")            # doctest: +SKIP
    """

    def __init__(self, library: LibraryStore) -> None:
        """Use the tables of `library`."""
        self._library = library
        self.store = PanelStore(library)
        self._seen = SeenStore(library)

    # Reading ---------------------------------------------------------------------------------

    def list_panels(self, *, removed: bool = False) -> list[PanelInfo]:
        """Return the panels, the one changed last first; with `removed` those put away."""
        return self.store.list_panels(removed=removed)

    def __iter__(self) -> Iterator[PanelInfo]:
        """Iterate over the panels in use."""
        return iter(self.list_panels())

    def __getitem__(self, name: str) -> Panel:
        """Return a panel by its id or its name.

        Raises:
            UnknownNameError: listing near names.
            ConflictError: when several panels have that name.
        """
        listed = [*self.list_panels(), *self.list_panels(removed=True)]
        exact = [info for info in listed if info.id == name]
        in_use = [info for info in listed if info.removed_at is None]
        named = exact or [info for info in in_use if info.name == name]
        named = named or [info for info in in_use if info.name.lower() == name.lower()]
        if not named:
            raise UnknownNameError("panel", name, [info.name for info in in_use])
        if len(named) > 1:
            ids = " or ".join(info.id for info in named)
            raise ConflictError(f"Several panels are called '{name}'. Name one by its id: {ids}.")
        return self.store.get(named[0].id)

    def works(self, panel: Panel | str) -> list[PanelWork]:
        """Return the works on a panel, in order, those that are gone included.

        Raises:
            UnknownNameError: when there is no such panel.
        """
        found = self[panel] if isinstance(panel, str) else panel
        there = {info.name for info in self._library.list_collections()}
        stored: dict[tuple[str, str], StoredImage] = {}
        for name in {item.collection for item in found.items} & there:
            wanted = [item.image_id for item in found.items if item.collection == name]
            for image in self.find_records(name, wanted):
                stored[name, image.image_id] = image
        replaced = self.store.replaced_items(found.id)
        return [
            PanelWork(item, None, _another_stands_here(item))
            if item.item_id in replaced
            else PanelWork(
                item,
                stored.get((item.collection, item.image_id)),
                _why_gone(item, there, stored),
            )
            for item in found.items
        ]

    def with_work(self, collection: str, image_id: str) -> list[PanelInfo]:
        """Return the panels in use that show a work."""
        return self.store.panels_of(collection, image_id)

    def read_work(self, work: str) -> tuple[str, str, str]:
        """Return collection, id and region of a work; an id may itself look as if it had a region.

        Raises:
            UnknownNameError: when there is no such collection.
            NotFoundError: when it is not spelled as a work is.
        """
        name, _, image_id = work.partition("/")
        if image_id and self._library.get_collection(name).find_record(image_id) is not None:
            return name, image_id, ""
        part = parse_part(work)
        name, _, image_id = part.value.partition("/")
        if part.kind is not PartKind.IMAGE or not image_id:
            raise NotFoundError(
                f"Cannot put '{work[:100]}' on a panel: expected a work of this library, as "
                "collection/id, for example rijks/SK-C-5."
            )
        return name, image_id, str(part.region) if part.region else ""

    def find_records(self, collection: str, image_ids: Sequence[str]) -> list[StoredImage]:
        """Return those of the images that there are, in that order.

        Raises:
            UnknownNameError: when there is no such collection.
        """
        found = self._library.get_collection(collection)
        wanted = list(dict.fromkeys(image_ids))
        try:
            return found.get_records(wanted)
        except NotFoundError:
            each = (found.find_record(image_id) for image_id in wanted)
            return [one for one in each if one is not None]

    # Writing ---------------------------------------------------------------------------------

    def create(
        self, name: str, *, note: str = "", works: Sequence[str] = (), works_note: str = ""
    ) -> Panel:
        """Make a panel with works on it, each with the note `works_note`.

        Raises:
            UsageError: for an empty name, or a work that cannot be read.
            NotFoundError: when a work is not there.
            ConflictError: when there is a panel of that name.
        """
        return self.store.create(name, note, self._new_items(works, works_note))

    def add(self, panel: str, works: Sequence[str], *, note: str = "") -> Panel:
        """Put works at the end of a panel, each with the note; those on it already stay.

        Raises:
            UnknownNameError: when there is no such panel or collection.
            NotFoundError: when a work is not there; then none is put on it.
        """
        return self.store.add(self[panel].id, self._new_items(works, note))

    def remove(self, panel: str, works: Sequence[str]) -> Panel:
        """Take works off a panel: by item id, or as they were put on it.

        Raises:
            UnknownNameError: when there is no such panel.
            NotFoundError: when one of the works is not on it; then none is taken off.
        """
        found = self[panel]
        return self.store.remove(found.id, [find_item(found, one).item_id for one in works])

    def move(self, panel: str, works: Sequence[str], before: str | None = None) -> Panel:
        """Move works to before the work `before`; None: to the end.

        Raises:
            UnknownNameError: when there is no such panel.
            NotFoundError: when one of the works is not on it.
        """
        found = self[panel]
        place = find_item(found, before).item_id if before else None
        return self.store.move(found.id, [find_item(found, one).item_id for one in works], place)

    def set_note(self, panel: str, note: str, *, work: str = "") -> Panel:
        """Write the note of a panel, or of one work on it.

        Raises:
            UnknownNameError: when there is no such panel.
            NotFoundError: when the work is not on it.
        """
        found = self[panel]
        if work:
            return self.store.set_item_note(found.id, find_item(found, work).item_id, note)
        return self.store.set_note(found.id, note)

    def rename(self, panel: str, name: str) -> Panel:
        """Give a panel another name.

        Raises:
            UnknownNameError: when there is no such panel.
            ConflictError: when another one has that name.
        """
        return self.store.set_name(self[panel].id, name)

    def undo(self, panel: str) -> Panel:
        """Take back the last action on a panel.

        Raises:
            ConflictError: when there is nothing to take back.
        """
        return self.store.undo(self[panel].id)

    def redo(self, panel: str) -> Panel:
        """Do again what was taken back last.

        Raises:
            ConflictError: when nothing was taken back.
        """
        return self.store.redo(self[panel].id)

    def put_away(self, panel: str) -> Panel:
        """Remove a panel from use; an undo, by its id, brings it back."""
        return self.store.put_away(self[panel].id)

    # Marks -----------------------------------------------------------------------------------

    def kept_ids(self, collection: str) -> frozenset[str]:
        """Return the ids of a collection's works that are on any panel in use."""
        return self.store.kept_ids(collection)

    def seen_ids(self, collection: str) -> frozenset[str]:
        """Return the ids of a collection's works that were looked at."""
        return self._seen.ids(collection)

    def mark_seen(self, collection: str, image_ids: Iterable[str]) -> None:
        """Note that works were looked at; ids that the collection does not have are passed over.

        Raises:
            UnknownNameError: when there is no such collection.
        """
        known = self.find_records(collection, list(image_ids))
        self._seen.mark(collection, [image.image_id for image in known])

    def forget_seen(self, collection: str) -> None:
        """Forget which works of a collection were looked at."""
        self._seen.forget(collection)

    def stamp(self, query: Query, collection: str) -> Hashable:
        """Return a value that changes whenever panels or marks change what `query` finds."""
        named = {part.value for part in query.parts if part.kind is PartKind.PANEL}
        named |= {query.within_panel} - {""}
        kept = self.kept_ids(collection) if "kept" in query.hide else None
        seen = self.seen_ids(collection) if "seen" in query.hide else None
        return self.store.versions(named), kept, seen

    def _new_items(self, works: Sequence[str], note: str = "") -> list[NewItem]:
        return [self._new_item(work, note) for work in works]

    def _new_item(self, work: str, note: str) -> NewItem:
        name, image_id, region = self.read_work(work)
        stored = self._library.get_collection(name).get_record(image_id)
        content = stored.content_sha256 or ""
        return NewItem(name, image_id, region, note, stored.record.label, content)


def find_item(panel: Panel, name: str) -> PanelItem:
    """Return the item of that id, or the first that shows the work `collection/id[@region]`.

    Raises:
        NotFoundError: when there is none.
    """
    for item in panel.items:
        if name in (item.item_id, spell_work(item)):
            return item
    for item in panel.items:
        if name == f"{item.collection}/{item.image_id}":
            return item
    raise NotFoundError(
        f"The work '{name[:100]}' is not on the panel '{panel.name}'. `bilderatlas panels show` "
        "lists what is."
    )


def spell_work(item: PanelItem) -> str:
    """Spell what an item shows: `rijks/SK-C-5@0.1,0.2,0.3,0.3`."""
    region = f"@{item.region}" if item.region else ""
    return f"{item.collection}/{item.image_id}{region}"


def region_of(item: PanelItem) -> Region | None:
    """Return the detail that an item means; None for the whole picture."""
    if not item.region:
        return None
    x, y, w, h = map(float, item.region.split(","))
    return Region(x, y, w, h)


def part_of(item: PanelItem, collection: str, *, sign: int, weight: float) -> Part:
    """Return an item as a part of a query to `collection`."""
    own = item.collection == collection
    value = item.image_id if own else f"{item.collection}/{item.image_id}"
    return Part(PartKind.IMAGE, value, sign, weight, region_of(item))


def _another_stands_here(item: PanelItem) -> str:
    return said(
        "The collection “%(name)s” is another one now; the work of this name there is not this "
        "one.",
        name=item.collection,
    )


def _why_gone(item: PanelItem, there: set[str], stored: dict[tuple[str, str], StoredImage]) -> str:
    if item.collection not in there:
        return said("The collection “%(name)s” is no longer here.", name=item.collection)
    if (item.collection, item.image_id) not in stored:
        return said("The collection “%(name)s” no longer has this work.", name=item.collection)
    return ""
