"""Panels: the sheet with its works, the list of all, the form that puts works on one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from bilderatlas.api.exports import KINDS
from bilderatlas.api.panels import PanelWork
from bilderatlas.errors import BilderatlasError
from bilderatlas.exchange.corpus_zip import why_not_shared
from bilderatlas.web import urls
from bilderatlas.web.i18n import gettext as _
from bilderatlas.web.i18n import ngettext
from bilderatlas.web.pictures import Picture, picture_of
from bilderatlas.web.rendering import ago, collection_title
from bilderatlas.web.state import PANEL_PREFIX, SearchState
from bilderatlas.words import mark

if TYPE_CHECKING:
    from bilderatlas.api import Library
    from bilderatlas.store.collection import CollectionInfo
    from bilderatlas.store.panels import Panel, PanelInfo

PAGE_ITEMS = 400  # works of a sheet on one page
BAND_ITEMS = 9
MAX_PUT = 1_000
FROM_PARAM = "from"
ACTIONS = {
    "add": mark("adding works"),
    "remove": mark("taking works off"),
    "move": mark("moving works"),
    "note": mark("writing a note"),
    "rename": mark("renaming"),
    "describe": mark("writing name and note"),
    "put away": mark("putting the panel away"),
    "bring back": mark("bringing the panel back"),
}
EXPORT_WORDS = {
    "csv": "CSV",
    "json": "JSON",
    "zip": mark("Pictures (zip)"),
    "txt": mark("Citation"),
    "bib": "BibTeX",
}


@dataclass(frozen=True)
class PinnedWork:
    """A work on a sheet, as the page shows it.

    Attributes:
        work: The item and its record.
        number: Its place, from 1.
        picture: None where the work is gone.
    """

    work: PanelWork
    number: int
    picture: Picture | None

    @property
    def item_id(self) -> str:
        """Names it on its panel."""
        return self.work.item.item_id

    @property
    def id(self) -> str:
        """Names the work in the library."""
        return f"{self.work.item.collection}/{self.work.item.image_id}"

    @property
    def label(self) -> str:
        """One line that names it."""
        return self.work.stored.record.label if self.work.stored else self.work.item.label

    @property
    def box(self) -> tuple[str, str, str, str] | None:
        """The detail that is meant, as x, y, width, height in percent."""
        region = self.work.region
        if region is None:
            return None
        x, y, w, h = (f"{100 * one:.2f}" for one in (region.x, region.y, region.w, region.h))
        return x, y, w, h


@dataclass(frozen=True, slots=True)
class PanelSearch:
    """A collection in which one may search with a panel."""

    title: str
    like_url: str
    within_url: str
    n_works: int


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Works whose pictures are not handed on, for one reason."""

    reason: str
    labels: Sequence[str]


@dataclass(frozen=True)
class PanelPage:
    """The data of a panel's page.

    Attributes:
        panel: At one version.
        pinned: The works on this part of it.
        works: All works on it.
        searches: Where one may search with it.
        first: Place of the first work on this page, from 0.
        status: Of the answer.
    """

    template: ClassVar[str] = "panel.html"
    panel: Panel
    pinned: Sequence[PinnedWork]
    works: Sequence[PanelWork]
    searches: Sequence[PanelSearch]
    first: int = 0
    status: int = 200

    @property
    def id(self) -> str:
        """The panel's id."""
        return self.panel.id

    @property
    def next_item(self) -> str:
        """The first work behind those of this page; empty at the end of the panel."""
        behind = self.works[self.first + len(self.pinned) :]
        return behind[0].item.item_id if behind else ""

    @property
    def line(self) -> str:
        """How many works it has, and when it was changed."""
        n = len(self.panel)
        works = ngettext("%(num)s work", "%(num)s works", n)
        return _("%(works)s, changed %(when)s", works=works, when=ago(self.panel.info.updated_at))

    @property
    def undo_words(self) -> str:
        """What an undo takes back; empty where there is nothing."""
        kind = self.panel.undoable
        return _("Undo: %(action)s", action=_(ACTIONS.get(kind, kind))) if kind else ""

    @property
    def redo_words(self) -> str:
        """What a redo does again; empty where there is nothing."""
        kind = self.panel.redoable
        return _("Redo: %(action)s", action=_(ACTIONS.get(kind, kind))) if kind else ""

    @property
    def exports(self) -> list[tuple[str, str]]:
        """What can be taken along: the word and the address."""
        return [(_(EXPORT_WORDS[kind]), urls.panel_export(self.id, kind)) for kind in KINDS]

    @cached_property
    def left_out(self) -> list[LeftOut]:
        """Why the zip leaves pictures out, the commonest reason first."""
        found: dict[str, list[str]] = {}
        for work in self.works:
            rights = work.stored.record.rights if work.stored else None
            reason = why_not_shared(rights, work.gone)
            if reason:
                label = work.stored.record.label if work.stored else work.item.label
                found.setdefault(_(reason), []).append(label)
        reasons = [LeftOut(reason, labels) for reason, labels in found.items()]
        return sorted(reasons, key=lambda one: -len(one.labels))

    @property
    def n_left_out(self) -> int:
        """How many pictures the zip leaves out."""
        return sum(len(one.labels) for one in self.left_out)

    @property
    def pages(self) -> list[tuple[str, str]]:
        """The other parts of a long panel: what to call them, and where they are."""
        if len(self.works) <= PAGE_ITEMS:
            return []
        starts = range(0, len(self.works), PAGE_ITEMS)
        return [
            (
                f"{start + 1}–{min(start + PAGE_ITEMS, len(self.works))}",
                "" if start == self.first else urls.panel(self.id, [(FROM_PARAM, str(start))]),
            )
            for start in starts
        ]

    def to_json(self) -> dict[str, Any]:
        """Return the panel with all its works."""
        return self.panel.info.to_json() | {
            "undoable": self.panel.undoable or None,
            "redoable": self.panel.redoable or None,
            "works": [work.to_json() for work in self.works],
        }


@dataclass(frozen=True, slots=True)
class PanelBand:
    """A panel in the list: its facts and its first pictures."""

    info: PanelInfo
    pictures: Sequence[Picture]

    @property
    def url(self) -> str:
        """Its page."""
        return urls.panel(self.info.id)

    @property
    def line(self) -> str:
        """How many works it has, and when it was changed."""
        works = ngettext("%(num)s work", "%(num)s works", self.info.n_items)
        return _("%(works)s, changed %(when)s", works=works, when=ago(self.info.updated_at))


@dataclass(frozen=True, slots=True)
class PanelsPage:
    """The data of the list of panels."""

    template: ClassVar[str] = "panels.html"
    bands: Sequence[PanelBand]
    removed: Sequence[PanelInfo]
    status: int = 200

    def to_json(self) -> dict[str, Any]:
        """Return the panels in use, and those put away."""
        return {
            "panels": [band.info.to_json() | {"url": band.url} for band in self.bands],
            "removed": [info.to_json() for info in self.removed],
        }


@dataclass(frozen=True, slots=True)
class PutPage:
    """The data of the form that puts works on a panel."""

    template: ClassVar[str] = "panels_put.html"
    works: Sequence[str]
    pictures: Sequence[Picture]
    panels: Sequence[PanelInfo]
    on: Sequence[PanelInfo] = ()
    back: str = ""
    missing: Sequence[str] = field(default=())
    status: int = 200

    def to_json(self) -> dict[str, Any]:
        """Return the works and the panels that they can be put on."""
        return {
            "works": list(self.works),
            "missing": list(self.missing),
            "panels": [info.to_json() for info in self.panels],
        }


def panel_page(library: Library, panel_id: str, params: Iterable[tuple[str, str]]) -> PanelPage:
    """Gather a panel.

    Raises:
        NotFoundError: when there is none of that id.
    """
    panel = library.panels.store.get(panel_id)
    works = library.panels.works(panel)
    asked = dict(params).get(FROM_PARAM, "")
    start = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 9 else 0
    start = min(start, max(len(works) - 1, 0)) // PAGE_ITEMS * PAGE_ITEMS
    shown = works[start : start + PAGE_ITEMS]
    pinned = [
        PinnedWork(work, number, _picture(library, work))
        for number, work in enumerate(shown, start + 1)
    ]
    return PanelPage(panel, pinned, works, _searches(library, panel), start)


def _picture(library: Library, work: PanelWork) -> Picture | None:
    if work.stored is None:
        return None
    return picture_of(library[work.item.collection], work.stored)


def _searches(library: Library, panel: Panel) -> list[PanelSearch]:
    """Return the collections, those of the panel's own works first."""
    infos = library.collections()
    counts: dict[str, int] = {}
    for item in panel.items:
        counts[item.collection] = counts.get(item.collection, 0) + 1
    part = f"{PANEL_PREFIX}{panel.id}"

    def search(info: CollectionInfo) -> PanelSearch:
        n = counts.get(info.name, 0)
        within = SearchState(info.name, within=part).url() if n else ""
        return PanelSearch(
            collection_title(info, infos), SearchState(info.name, like=(part,)).url(), within, n
        )

    found = [search(info) for info in infos if info.model_ids]
    return sorted(found, key=lambda one: -one.n_works) if panel.items else []


def panels_page(library: Library) -> PanelsPage:
    """Gather the panels, each with its first pictures."""
    bands = [PanelBand(info, _first_pictures(library, info)) for info in library.panels]
    return PanelsPage(bands, library.panels.list_panels(removed=True))


def _first_pictures(library: Library, info: PanelInfo) -> list[Picture]:
    panel = library.panels.store.get(info.id)
    works = library.panels.works(replace(panel, items=panel.items[:BAND_ITEMS]))
    found = (_picture(library, work) for work in works)
    return [picture for picture in found if picture is not None]


def put_page(library: Library, params: Iterable[tuple[str, str]]) -> PutPage:
    """Gather the works that the address names, and the panels that they can be put on."""
    pairs = list(params)
    named = [value for name, value in pairs if name == "work" and value][:MAX_PUT]
    works, pictures, missing = [], [], []
    for work in dict.fromkeys(named):
        try:
            name, image_id, _region = library.panels.read_work(work)
            collection = library[name]
            pictures.append(picture_of(collection, collection.record(image_id)))
            works.append(work)
        except BilderatlasError:
            missing.append(work)
    on = []
    if len(works) == 1:
        on = library.panels.with_work(pictures[0].collection, pictures[0].image_id)
    return PutPage(
        works, pictures, library.panels.list_panels(), on, safe_back(dict(pairs).get("back", "")),
        missing,
    )  # fmt: skip


def safe_back(address: str) -> str:
    """Return an address if it leads to this site, else nothing.

    >>> safe_back("/c/rijks?k=3"), safe_back("//evil.example"), safe_back("/\\\\evil.example")
    ('/c/rijks?k=3', '', '')
    """
    plain = address.isprintable() and address.startswith("/")
    return address if plain and address[1:2] not in {"/", "\\"} else ""
