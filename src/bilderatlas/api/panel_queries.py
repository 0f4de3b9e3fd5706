"""A panel in a question: as an example, as the works to search within, as works to hide."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bilderatlas.api.panels import Panels, part_of
from bilderatlas.errors import NotFoundError, QueryError
from bilderatlas.search.hits import Hits, Inactive
from bilderatlas.search.parts import MAX_PARTS
from bilderatlas.search.query import Part, PartKind, Query
from bilderatlas.store.library import LibraryStore
from bilderatlas.store.panels import Panel
from bilderatlas.words import said, said_of


@dataclass(frozen=True, slots=True)
class PanelPart:
    """A panel as an example, and the works that stand for it."""

    part: Part
    name: str
    works: tuple[Part, ...]
    n_on_panel: int


@dataclass(frozen=True, slots=True)
class ResolvedQuery:
    """A query without panels, and what it was made from.

    Attributes:
        query: Every panel is replaced by its works, every list of works is in place.
        asked: As it came.
        panels: The panels among its parts.
        inactive: Panels that cannot be asked with, and why.
    """

    query: Query
    asked: Query
    panels: tuple[PanelPart, ...] = ()
    inactive: tuple[Inactive, ...] = ()

    def told(self, hits: Hits) -> Hits:
        """Return the hits with the panels as they were asked for, and what became of them."""
        if self.query is self.asked:
            return hits
        own = {str(work) for panel in self.panels for work in panel.works}
        kept = tuple(one for one in hits.inactive if one.part not in own)
        query = replace(
            hits.query,
            parts=self.asked.parts,
            without=self.query.without | _own_works(self),
        )
        notes = [note for note in hits.notes if not any(f"'{part}'" in note for part in own)]
        silent = list(self.inactive)
        for panel in self.panels:
            note, gone = _became_of(panel, hits)
            notes += [note] if note else []
            silent += [gone] if gone else []
        return replace(hits, query=query, inactive=(*kept, *silent), notes=tuple(notes))


def resolve_panels(
    library: LibraryStore, collection: str, query: Query, *, max_works: int = MAX_PARTS
) -> ResolvedQuery:
    """Replace the panels of a query by their works.

    The works of a panel share its weight, so that a panel weighs as much as any other example.

    Args:
        library: Where the panels are.
        collection: The collection that is asked.
        query: What is asked.
        max_works: How many pictures the criterion takes in one question.

    Raises:
        QueryError: when the panel to search within does not exist, or nothing but panels without
            works is asked for.
    """
    asks = [part for part in query.parts if part.kind is PartKind.PANEL]
    if not (asks or query.within_panel or query.hide):
        return ResolvedQuery(query, query)
    panels = Panels(library)
    within, without = query.within, query.without
    if query.within_panel:
        listed = _works_within(panels, query.within_panel, collection)
        within = listed if within is None else within & listed
    if "kept" in query.hide:
        without |= panels.kept_ids(collection)
    if "seen" in query.hide:
        without |= panels.seen_ids(collection)
    changed = replace(query, within=within, without=without)
    if not asks:
        return ResolvedQuery(changed, query)
    return _with_works(panels, collection, changed, query, max_works)


def _works_within(panels: Panels, panel_id: str, collection: str) -> frozenset[str]:
    try:
        return panels.store.ids_in(panel_id, collection)
    except NotFoundError as error:
        raise QueryError(f"Cannot search within a panel: {error}") from error


def _with_works(
    panels: Panels, collection: str, changed: Query, asked: Query, max_works: int
) -> ResolvedQuery:
    n_panels = sum(part.kind is PartKind.PANEL for part in asked.parts)
    room = max(max_works - (len(asked.parts) - n_panels), n_panels) // max(n_panels, 1)
    parts: list[Part] = []
    found: list[PanelPart] = []
    inactive: list[Inactive] = []
    for part in asked.parts:
        if part.kind is not PartKind.PANEL:
            parts.append(part)
            continue
        try:
            panel = panels.store.get(part.value)
        except NotFoundError as error:
            inactive.append(Inactive(str(part), part.kind.value, part.sign, str(error)))
            continue
        if not panel.items:
            reason = said("The panel “%(name)s” has no works.", name=panel.name)
            inactive.append(Inactive(str(part), part.kind.value, part.sign, reason))
            continue
        replaced = panels.store.replaced_items(panel.id)
        items = [item for item in panel.items if item.item_id not in replaced]
        if not items:
            reason = said("The works of the panel “%(name)s” are gone.", name=panel.name)
            inactive.append(Inactive(str(part), part.kind.value, part.sign, reason))
            continue
        one = _panel_part(replace(panel, items=tuple(items)), part, collection, room)
        found.append(one)
        parts.extend(one.works)
    if (not any(part.sign > 0 for part in parts) and asked.positives) or not parts:
        reasons = " ".join(one.reason for one in inactive)
        raise QueryError(f"Cannot search: no example is left. {reasons}")
    query = replace(changed, parts=tuple(dict.fromkeys(parts)))
    return ResolvedQuery(query, asked, tuple(found), tuple(inactive))


def _panel_part(panel: Panel, part: Part, collection: str, room: int) -> PanelPart:
    chosen = panel.items[:room]
    weight = part.weight / len(chosen)
    works = (part_of(item, collection, sign=part.sign, weight=weight) for item in chosen)
    return PanelPart(part, panel.name, tuple(works), len(panel.items))


def _own_works(resolved: ResolvedQuery) -> frozenset[str]:
    """Return the works on the panels: as examples, they are no answers to their own question."""
    if resolved.asked.include_query:
        return frozenset()
    works = (work for panel in resolved.panels for work in panel.works)
    return frozenset(work.value for work in works)


def _became_of(panel: PanelPart, hits: Hits) -> tuple[str, Inactive | None]:
    """Return what to tell of a panel's works that took no part, or the panel that took none."""
    own = {str(work) for work in panel.works}
    out = [one for one in hits.inactive if one.part in own]
    if len(out) >= len(own):
        part = panel.part
        return "", Inactive(str(part), part.kind.value, part.sign, out[0].reason)
    if out:
        return said_of(
            "%(num)s work of the panel “%(name)s” took no part: %(reason)s",
            "%(num)s works of the panel “%(name)s” took no part, the first because: %(reason)s",
            len(out),
            name=panel.name,
            reason=out[0].reason,
        ), None
    if len(panel.works) < panel.n_on_panel:
        return said(
            "Of the panel “%(name)s”, the first %(n)s of %(all)s works are asked with: as many "
            "as fit into one question.",
            name=panel.name,
            n=len(panel.works),
            all=panel.n_on_panel,
        ), None
    return "", None
