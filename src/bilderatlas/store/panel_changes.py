"""What one action does to a panel, in a form that can be done, undone and done again.

A change names, for each of the panel's own fields and for each item that it touches, what was
there before and what is there after. Undoing writes the one, doing again the other.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from sqlalchemy import Connection, delete, insert, update

from bilderatlas.store.schema import panel_items, panels

GAP = (
    1 << 20
)  # between the places of two items: twenty can be put in between before they are renewed


@dataclass(frozen=True, slots=True)
class PanelItem:
    """One work on a panel.

    Attributes:
        item_id: Names it on its panel.
        position: Its place; smaller is earlier.
        collection: Name of the collection it was taken from.
        image_id: Its id there.
        region: The detail that is meant, `x,y,w,h` in shares of the picture; empty: the whole.
        note: What the scholar wrote beside it.
        label: Maker, title and date as they were when it was put there: what is left to read when
            the work is gone.
        added_at: When it was put there.
        content_sha256: Of the picture as it was then; empty where that is not known.
    """

    item_id: str
    position: int
    collection: str
    image_id: str
    region: str = ""
    note: str = ""
    label: str = ""
    added_at: str = ""
    content_sha256: str = ""

    @property
    def work(self) -> tuple[str, str, str]:
        """What it shows; a panel shows the same detail of the same work once."""
        return self.collection, self.image_id, self.region


@dataclass(frozen=True, slots=True)
class PanelChange:
    """Before and after of what an action touches; None: not there."""

    fields: Mapping[str, tuple[str | None, str | None]] = field(default_factory=dict)
    items: Mapping[str, tuple[PanelItem | None, PanelItem | None]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Tell whether anything changes."""
        return bool(self.fields or self.items)

    def inverted(self) -> PanelChange:
        """Return the change that takes this one back."""
        return PanelChange(
            {name: (after, before) for name, (before, after) in self.fields.items()},
            {name: (after, before) for name, (before, after) in self.items.items()},
        )

    def to_json(self) -> str:
        """Write the change for the table of actions."""
        items = {
            name: [asdict(one) if one else None for one in pair]
            for name, pair in self.items.items()
        }
        fields = {name: list(pair) for name, pair in self.fields.items()}
        return json.dumps({"fields": fields, "items": items}, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> PanelChange:
        """Read what `to_json` wrote."""
        said = json.loads(text)

        def item(values: Mapping[str, Any] | None) -> PanelItem | None:
            return PanelItem(**values) if values else None

        return cls(
            {name: (before, after) for name, (before, after) in said["fields"].items()},
            {name: (item(old), item(new)) for name, (old, new) in said["items"].items()},
        )


def apply_change(connection: Connection, panel_id: str, change: PanelChange) -> None:
    """Write what is there after `change`; what goes, goes first: no work is there twice."""
    own = panel_items.c.panel_id == panel_id
    pairs = change.items.items()
    for item_id in (name for name, (_, after) in pairs if after is None):
        connection.execute(delete(panel_items).where(own, panel_items.c.item_id == item_id))
    for before, after in change.items.values():
        if after is not None and before is not None:
            same = panel_items.c.item_id == after.item_id
            connection.execute(update(panel_items).where(own, same).values(asdict(after)))
    added = [
        {"panel_id": panel_id} | asdict(after)
        for before, after in change.items.values()
        if after is not None and before is None
    ]
    if added:
        connection.execute(insert(panel_items), added)
    if change.fields:
        values = {name: after for name, (_, after) in change.fields.items()}
        connection.execute(update(panels).where(panels.c.id == panel_id).values(values))


def added_items(items: Sequence[PanelItem], new: Iterable[PanelItem]) -> PanelChange:
    """Put new works behind the `items` of a panel; a work that is there already stays as it is."""
    there = {item.work for item in items}
    position = items[-1].position if items else 0
    changes: dict[str, tuple[PanelItem | None, PanelItem | None]] = {}
    for one in new:
        if one.work in there:
            continue
        there.add(one.work)
        position += GAP
        changes[one.item_id] = (None, replace(one, position=position))
    return PanelChange(items=changes)


def removed_items(items: Sequence[PanelItem], item_ids: Iterable[str]) -> PanelChange:
    """Take items off; those that are not there any more are no mistake."""
    going = set(item_ids)
    return PanelChange(items={one.item_id: (one, None) for one in items if one.item_id in going})


def moved_items(
    items: Sequence[PanelItem], item_ids: Iterable[str], before: str | None
) -> PanelChange:
    """Move items, in their order on the panel, to before the item `before`; None: to the end.

    Only the moved ones get a new place, unless there is no room left between two of the others.
    """
    going = set(item_ids) - {before}
    moving = [one for one in items if one.item_id in going]
    staying = [one for one in items if one.item_id not in going]
    places = (place for place, one in enumerate(staying) if one.item_id == before)
    place = next(places, len(staying))
    low = staying[place - 1].position if place else 0
    high = staying[place].position if place < len(staying) else low + GAP * (len(moving) + 1)
    order = [*staying[:place], *moving, *staying[place:]]
    if order == list(items):
        return PanelChange()
    step = (high - low) // (len(moving) + 1)
    if step > 0:
        new = {one.item_id: low + step * count for count, one in enumerate(moving, 1)}
    else:
        new = {one.item_id: GAP * count for count, one in enumerate(order, 1)}
    return PanelChange(
        items={
            one.item_id: (one, replace(one, position=new[one.item_id]))
            for one in order
            if new.get(one.item_id, one.position) != one.position
        }
    )
