"""A picture as a page shows it: its label, its size, its thumbnails and where it leads."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from bilderatlas.arrays import scale_to_side
from bilderatlas.exchange.source import FeaturesSource
from bilderatlas.images.thumbnails import THUMBNAIL_SIDES_PX
from bilderatlas.records import Record
from bilderatlas.web import urls
from bilderatlas.web.ratios import ratio_class
from bilderatlas.web.recent import Recent

if TYPE_CHECKING:
    from bilderatlas.api import Collection
    from bilderatlas.search.hits import Hit
    from bilderatlas.store.images import StoredImage


N_REMEMBERED = 20_000  # addresses of thumbnails: a page of results shows hundreds of them


@dataclass(frozen=True)  # no slots: what it works out, it keeps
class Picture:
    """One picture on a page.

    Attributes:
        collection: Name of its collection.
        image_id: Its id there.
        record: Its metadata.
        size_wh: Pixels of the oriented original; a square where unknown.
        sha256: Hash of its content, if there is something of it to show.
        by_vector: Whether it can be asked about all the same: its vector came without a picture.
    """

    collection: str
    image_id: str
    record: Record
    size_wh: tuple[int, int]
    sha256: str | None
    by_vector: bool = False

    @cached_property
    def drawn(self) -> dict[Hashable, str]:
        """What templates wrote of it, by what it depends on beside the picture."""
        return {}

    @property
    def askable(self) -> bool:
        """Whether a question can be made of it."""
        return self.sha256 is not None or self.by_vector

    @cached_property
    def maker(self) -> str:
        """The makers in one line."""
        return "; ".join(self.record.creators)

    @cached_property
    def title(self) -> str:
        """The title; the id where it has none."""
        return self.record.title or self.image_id

    @cached_property
    def date(self) -> str:
        """The date as written."""
        return self.record.date_display or _years(self.record)

    @cached_property
    def alt(self) -> str:
        """What a screen reader says: title, maker, date; never empty."""
        return ", ".join(part for part in (self.title, self.maker, self.date) if part)

    @cached_property
    def width(self) -> int:
        """Width in pixels of the largest thumbnail."""
        return scale_to_side(self.size_wh, THUMBNAIL_SIDES_PX[-1])[0]

    @cached_property
    def height(self) -> int:
        """Height in pixels of the largest thumbnail."""
        return scale_to_side(self.size_wh, THUMBNAIL_SIDES_PX[-1])[1]

    @cached_property
    def ratio(self) -> str:
        """The class that gives the picture its share of a justified row."""
        return ratio_class(*self.size_wh)

    @cached_property
    def url(self) -> str:
        """Its page."""
        return urls.work(self.collection, self.image_id)

    def src(self, side_px: int = 256) -> str:
        """Return the address of one thumbnail."""
        return urls.thumbnail(self.collection, self.image_id, side_px, self.sha256)

    @cached_property
    def srcset(self) -> str:
        """All thumbnails with their widths; commas and spaces in addresses are encoded."""
        return _srcset(self.collection, self.image_id, self.sha256, self.size_wh)

    def sizes(self, row_px: int) -> str:
        """Return the width at which a row of `row_px` shows the picture, for `sizes`."""
        width, height = self.size_wh
        return f"{max(round(1.2 * row_px * width / max(height, 1)), 24)}px"

    def links(self) -> dict[str, Any]:
        """Return its addresses for JSON."""
        return {
            "page": self.url,
            "thumbnail": self.src(),
            "original": urls.original(self.collection, self.image_id),
            "width": self.size_wh[0],
            "height": self.size_wh[1],
        }


@lru_cache(maxsize=N_REMEMBERED)
def _srcset(collection: str, image_id: str, sha256: str | None, size_wh: tuple[int, int]) -> str:
    widths = [(side, scale_to_side(size_wh, side)[0]) for side in THUMBNAIL_SIDES_PX]
    # beyond its own size a picture is not enlarged: a second entry of one width is left out
    seen = {width: side for side, width in reversed(widths)}
    return ", ".join(
        f"{urls.thumbnail(collection, image_id, side, sha256).replace(',', '%2C')} {width}w"
        for width, side in sorted(seen.items())
    )


_SHOWN: Recent[Hashable, Picture] = Recent(N_REMEMBERED)


def _years(record: Record) -> str:
    begin, end = record.year_begin, record.year_end
    if begin is None and end is None:
        return ""
    if begin == end or end is None or begin is None:
        return str(begin if begin is not None else end)
    return f"{begin}–{end}"


def pictures_of(collection: Collection, image_ids: Sequence[str]) -> list[Picture]:
    """Return the pictures of `image_ids`, in that order; those shown lately are not read again.

    Raises:
        NotFoundError: listing ids near the first that is not there.
    """
    store = collection.store
    if store.source_kind == FeaturesSource.kind:  # whether there is a picture, the disk knows
        return [
            picture_of(collection, one, shows_all=False) for one in collection.records(image_ids)
        ]
    if not image_ids:
        return []
    state = (str(store.folder), store.created_at, store.version)
    found = {one: picture for one in image_ids if (picture := _SHOWN.find((state, one)))}
    unknown = [one for one in dict.fromkeys(image_ids) if one not in found]
    for stored in collection.records(unknown) if unknown else ():
        picture = picture_of(collection, stored, shows_all=True)
        found[picture.image_id] = picture
        _SHOWN.keep((state, picture.image_id), picture)
    return [found[one] for one in image_ids]


def picture_of(
    collection: Collection, stored: StoredImage, *, shows_all: bool | None = None
) -> Picture:
    """Return the picture of one stored image; features come without pictures, mostly."""
    if shows_all is None:
        shows_all = collection.store.source_kind != FeaturesSource.kind
    sha256 = stored.content_sha256
    by_vector = not shows_all and stored.failure is None
    if not shows_all and sha256 and collection.store.thumbnails.path(sha256, 256) is None:
        sha256 = None
    size_wh = stored.size_wh or (1, 1)
    image_id = stored.record.image_id
    return Picture(collection.name, image_id, stored.record, size_wh, sha256, by_vector)


def hit_pictures(collection: Collection, hits: Iterable[Hit]) -> list[tuple[Hit, Picture]]:
    """Pair hits with their pictures."""
    listed = list(hits)
    return list(zip(listed, pictures_of(collection, [hit.image_id for hit in listed]), strict=True))
