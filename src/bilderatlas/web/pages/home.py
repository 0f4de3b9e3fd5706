"""Home: the collections as bands of their own pictures, and what is being worked on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from bilderatlas.web import urls
from bilderatlas.web.i18n import gettext as _
from bilderatlas.web.i18n import joined, ngettext, thousands
from bilderatlas.web.pages.jobs import JobRow, running_rows
from bilderatlas.web.pictures import Picture, pictures_of
from bilderatlas.web.rendering import ago, collection_title
from bilderatlas.web.state import SearchState, spell_image

if TYPE_CHECKING:
    from bilderatlas.api import Library, SpaceInfo
    from bilderatlas.store.library import CollectionInfo

BAND_SHARES = 8.0  # widths of the pictures in one band, in multiples of their common height
N_SAMPLED = 18  # enough for one band even if all pictures are narrow


@dataclass(frozen=True, slots=True)
class Band:
    """One collection on the home page."""

    info: CollectionInfo
    rows: Sequence[Sequence[Picture]]
    spaces: Sequence[SpaceInfo]
    others: Sequence[CollectionInfo] = ()

    @property
    def title(self) -> str:
        """Its title; its name where it has none, or beside it where two have one title."""
        return collection_title(self.info, self.others)

    @property
    def line(self) -> str:
        """Size, criteria and last change in one line."""
        n, n_failed = self.info.n_images, self.info.n_failed
        parts = [ngettext("%(num)s work", "%(num)s works", n)]
        if n_failed:
            parts.append(_("%(n)s without a readable picture", n=thousands(n_failed)))
        if self.criteria:
            criteria = [_(one) for one in self.criteria]
            listed = any("," in one for one in criteria)
            told = "; ".join(criteria) if listed else joined(criteria)
            parts.append(_("judged by %(criteria)s", criteria=told))
        parts.append(_("changed %(when)s", when=ago(self.info.updated_at)))
        return " · ".join(parts)

    @property
    def url(self) -> str:
        """Its search page."""
        return urls.search(self.info.name)

    @property
    def criteria(self) -> list[str]:
        """What its works can be judged by."""
        return [str(space.card["judges_by"]) for space in self.spaces]

    @property
    def starts(self) -> list[tuple[Picture, str, str]]:
        """Sentences to start from: a picture, a criterion in words, and the address."""
        found = []
        for row, space in zip(self.rows, self.spaces, strict=False):
            picture = row[len(row) // 2]
            part = spell_image(self.info.name, picture.image_id)
            state = SearchState(self.info.name, like=(part,), by=space.model_id)
            found.append((picture, str(space.card["judges_by"]), state.url()))
        return found[:1]

    def to_json(self) -> dict[str, Any]:
        """Return the collection as JSON-ready values."""
        return {
            "name": self.info.name,
            "title": self.title,
            "n_images": self.info.n_images,
            "n_failed": self.info.n_failed,
            "version": self.info.version,
            "updated_at": self.info.updated_at,
            "model_ids": [space.model_id for space in self.spaces],
            "url": self.url,
        }


@dataclass(frozen=True, slots=True)
class HomePage:
    """The data of the home page."""

    template: ClassVar[str] = "home.html"
    bands: Sequence[Band]
    jobs: Sequence[JobRow]
    status: int = 200

    def to_json(self) -> dict[str, Any]:
        """Return the library's contents as JSON-ready values."""
        return {
            "collections": [band.to_json() for band in self.bands],
            "jobs": [job.to_json() for job in self.jobs],
        }


def home_page(library: Library, *, with_jobs: bool) -> HomePage:
    """Gather the collections with a few of their pictures, and the jobs that are running."""
    infos = library.collections()
    n_rows = max(1, 4 - len(infos))  # few collections have more room each
    bands = [_band(library, info, n_rows, infos) for info in infos]
    return HomePage(bands, running_rows(library) if with_jobs else ())


def _band(
    library: Library, info: CollectionInfo, n_rows: int, infos: Sequence[CollectionInfo]
) -> Band:
    collection = library[info.name]
    spaces = collection.spaces()
    if not info.n_images:
        return Band(info, (), spaces, infos)
    hits = collection.sample(N_SAMPLED * n_rows, seed=info.version)
    found = pictures_of(collection, [hit.image_id for hit in hits])
    pictures = [picture for picture in found if picture.sha256]
    rows: list[list[Picture]] = []
    for _row in range(n_rows):
        row = fill_band(pictures)
        pictures = pictures[len(row) :]
        if row and (not rows or pictures):  # a last row that is not full would look torn
            rows.append(row)
    return Band(info, rows, spaces, infos)


def fill_band(pictures: Sequence[Picture], shares: float = BAND_SHARES) -> list[Picture]:
    """Return so many pictures, from the first on, that their widths fill one band."""
    chosen: list[Picture] = []
    total = 0.0
    for picture in pictures:
        width, height = picture.size_wh
        chosen.append(picture)
        total += min(max(width / max(height, 1), 0.5), 4.0)
        if total >= shares:
            break
    return chosen
