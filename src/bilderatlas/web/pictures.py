"""A picture as a page shows it: its label, its size, its thumbnails and where it leads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bilderatlas.arrays import scale_to_side
from bilderatlas.exchange.source import FeaturesSource
from bilderatlas.images.thumbnails import THUMBNAIL_SIDES_PX
from bilderatlas.records import Record
from bilderatlas.web import urls
from bilderatlas.web.ratios import ratio_class

if TYPE_CHECKING:
    from bilderatlas.api import Collection
    from bilderatlas.search.hits import Hit
    from bilderatlas.store.images import StoredImage


@dataclass(frozen=True, slots=True)
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

    @property
    def askable(self) -> bool:
        """Whether a question can be made of it."""
        return self.sha256 is not None or self.by_vector

    @property
    def maker(self) -> str:
        """The makers in one line."""
        return "; ".join(self.record.creators)

    @property
    def title(self) -> str:
        """The title; the id where it has none."""
        return self.record.title or self.image_id

    @property
    def date(self) -> str:
        """The date as written."""
        return self.record.date_display or _years(self.record)

    @property
    def alt(self) -> str:
        """What a screen reader says: title, maker, date; never empty."""
        return ", ".join(part for part in (self.title, self.maker, self.date) if part)

    @property
    def width(self) -> int:
        """Width in pixels of the largest thumbnail."""
        return scale_to_side(self.size_wh, THUMBNAIL_SIDES_PX[-1])[0]

    @property
    def height(self) -> int:
        """Height in pixels of the largest thumbnail."""
        return scale_to_side(self.size_wh, THUMBNAIL_SIDES_PX[-1])[1]

    @property
    def ratio(self) -> str:
        """The class that gives the picture its share of a justified row."""
        return ratio_class(*self.size_wh)

    @property
    def url(self) -> str:
        """Its page."""
        return urls.work(self.collection, self.image_id)

    def src(self, side_px: int = 256) -> str:
        """Return the address of one thumbnail."""
        return urls.thumbnail(self.collection, self.image_id, side_px, self.sha256)

    @property
    def srcset(self) -> str:
        """All thumbnails with their widths; commas and spaces in addresses are encoded."""
        widths = [(side, scale_to_side(self.size_wh, side)[0]) for side in THUMBNAIL_SIDES_PX]
        # beyond its own size a picture is not enlarged: a second entry of one width is left out
        seen = {width: side for side, width in reversed(widths)}
        return ", ".join(
            f"{self.src(side).replace(',', '%2C')} {width}w" for width, side in sorted(seen.items())
        )

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


def _years(record: Record) -> str:
    begin, end = record.year_begin, record.year_end
    if begin is None and end is None:
        return ""
    if begin == end or end is None or begin is None:
        return str(begin if begin is not None else end)
    return f"{begin}–{end}"


def pictures_of(collection: Collection, image_ids: Sequence[str]) -> list[Picture]:
    """Return the pictures of `image_ids`, in that order, with one question to the store."""
    shows_all = collection.store.source_kind != FeaturesSource.kind
    return [
        picture_of(collection, one, shows_all=shows_all) for one in collection.records(image_ids)
    ]


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
