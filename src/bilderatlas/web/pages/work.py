"""A work: the picture on a stage, its label, why it was found, its neighbours everywhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from bilderatlas.errors import BilderatlasError
from bilderatlas.exchange.citation import Citation, cite_work
from bilderatlas.exchange.public_record import public_record
from bilderatlas.extractors.base import rows_are
from bilderatlas.images.thumbnails import THUMBNAIL_SIDES_PX
from bilderatlas.records import Record
from bilderatlas.search.parts import MAX_PARTS
from bilderatlas.search.query import Part, PartKind, Region
from bilderatlas.web import urls
from bilderatlas.web.answers import Answers
from bilderatlas.web.closeup import Closeup
from bilderatlas.web.i18n import gettext as _
from bilderatlas.web.pages.finding import Finding, find_place
from bilderatlas.web.pages.search import find_collection, percent_box
from bilderatlas.web.pictures import Picture, hit_pictures, picture_of
from bilderatlas.web.rendering import collection_title
from bilderatlas.web.sniffing import SHOWN_SUFFIXES
from bilderatlas.web.state import UPLOAD_PREFIX, SearchState, spell_image
from bilderatlas.words import mark

if TYPE_CHECKING:
    from bilderatlas.api import Collection, Library, SpaceInfo
    from bilderatlas.search.hits import Hit, Hits
    from bilderatlas.store.images import StoredImage

N_NEIGHBOURS = 14
STRIP_PX = 1120  # what fits beside the criterion on a common screen
STRIP_HEIGHT_PX, STRIP_GAP_PX = 96, 10
MAX_SHOWN_PIXELS = 40_000_000  # larger originals are opened on request only
ANY_REGION = Region(0.1111, 0.2222, 0.3333, 0.4444)  # stands for the one that will be drawn
FIELDS = (
    ("school", mark("School")),
    ("style", mark("Style")),
    ("genre", mark("Genre")),
    ("object_type", mark("Kind")),
    ("culture", mark("Culture")),
    ("place", mark("Place")),
    ("medium", mark("Medium")),
    ("dimensions", mark("Dimensions")),
    ("institution", mark("Institution")),
    ("accession", mark("Inventory")),
    ("credit", mark("Credit")),
    ("iconclass", mark("Iconclass")),
    ("tags", mark("Keywords")),
    ("rights", mark("Rights")),
)


@dataclass(frozen=True, slots=True)
class NeighbourRow:
    """The nearest works under one criterion."""

    space: SpaceInfo
    hits: Hits | None
    pictures: Sequence[tuple[Hit, Picture]]
    more_url: str

    @property
    def finds_details(self) -> bool:
        """Tell whether only what was verified is a neighbour."""
        return rows_are(self.space.card) == "detail"


@dataclass(frozen=True, slots=True)
class Swatch:
    """One dominant colour: its place and width in a strip of 100, and its code."""

    x: float
    width: float
    srgb_hex: str


@dataclass(frozen=True, slots=True)
class WorkPage:
    """The data of a work's page."""

    template: ClassVar[str] = "work.html"
    picture: Picture
    stored: StoredImage
    collection_title: str
    state: SearchState
    finding: Finding | None
    rows: Sequence[NeighbourRow]
    failure: str
    palette: Sequence[Swatch] = ()
    today: date = date.min
    status: int = 200

    @property
    def palette_words(self) -> str:
        """The palette for those who cannot see it."""
        colours = (f"{swatch.srgb_hex} {swatch.width:.0f} %" for swatch in self.palette)
        return _("Palette: %(colours)s", colours=", ".join(colours))

    @property
    def record(self) -> Record:
        """The metadata."""
        return self.picture.record

    @property
    def fields(self) -> list[tuple[str, str, str]]:
        """The metadata that is there: the words for it, what it says, and where it leads."""
        found = [
            (_(word), text, self.rights_url if name == "rights" else "")
            for name, word in FIELDS
            if (text := field_text(self.record, name))
        ]
        if self.stored.size_wh:
            found.append((_("Picture"), "{} × {} px".format(*self.stored.size_wh), ""))
        return found

    @property
    def raw(self) -> list[tuple[str, str]]:
        """The untouched original row, without its empty columns."""
        return [(str(name), str(value)) for name, value in self.record.raw.items() if value]

    @property
    def public_raw(self) -> list[tuple[str, str]]:
        """The columns of the source that say nothing of the files of this machine."""
        told = public_record(self.record.to_json()).get("raw", {})
        return [(str(name), str(value)) for name, value in told.items() if value]

    @property
    def srcset(self) -> str:
        """The thumbnails, and the original where every browser can show it."""
        width, height = self.picture.size_wh
        name = (self.record.image_path or self.record.image_url or "").lower()
        shown = name.endswith(SHOWN_SUFFIXES) and width * height <= MAX_SHOWN_PIXELS
        if not shown or max(width, height) <= THUMBNAIL_SIDES_PX[-1]:
            return self.picture.srcset
        return f"{self.picture.srcset}, {self.original_url.replace(',', '%2C')} {width}w"

    @property
    def unplaced(self) -> bool:
        """Tell whether it has no picture, and hence no neighbours at all."""
        return not self.picture.sha256 and not any(row.pictures for row in self.rows)

    def box(self, hit: Hit) -> tuple[str, str, str, str] | None:
        """Return where a detail or a figure is in a neighbour, in percent."""
        return percent_box(hit.region_xyxyn) if hit.region_xyxyn else None

    @property
    def rights_url(self) -> str:
        """The address of the licence, if the rights are one."""
        return web_address(self.record.rights)

    @property
    def source_url(self) -> str:
        """Its page at its institution; empty if there is none that can be opened."""
        return web_address(self.record.page_url)

    @property
    def published_url(self) -> str:
        """Where the picture itself is published; empty where it is shown here."""
        return "" if self.picture.sha256 else web_address(self.record.image_url)

    @property
    def original_url(self) -> str:
        """The picture as its source has it."""
        return urls.original(self.picture.collection, self.picture.image_id)

    @property
    def _part(self) -> str:
        return spell_image(self.picture.collection, self.picture.image_id)

    @property
    def closeup(self) -> Closeup | None:
        """How it is looked at from near."""
        return Closeup.of(self.picture)

    @property
    def any_region(self) -> str:
        """What stands in the addresses for the region that will be drawn."""
        return str(ANY_REGION)

    @property
    def any_region_of_it(self) -> str:
        """A region of it as panels name it: with its collection."""
        return f"{self.picture.collection}/{self.picture.image_id}@{ANY_REGION}"

    @property
    def here_url(self) -> str:
        """This page, with the question that led to it."""
        return urls.work(self.picture.collection, self.picture.image_id, self.state.params())

    def region_url(self, sign: int) -> str:
        """Return the question with a region of it, `any_region`, as (counter-)example."""
        value = self.picture.image_id
        if value.startswith(UPLOAD_PREFIX):
            value = f"{self.picture.collection}/{value}"
        part = Part(PartKind.IMAGE, value, region=ANY_REGION)
        return self.state.with_part(str(part), sign).url()

    @property
    def compare_url(self) -> str:
        """Where it is compared: with the picture that was asked for, or one yet to be chosen."""
        name, asked = self.picture.collection, self.finding.asked_image if self.finding else ""
        mine = self.picture.image_id
        pair = [("a", asked), ("b", mine)] if asked else [("a", mine)]
        return urls.compare(name, [*pair, *self.state.params()])

    @property
    def citation(self) -> Citation:
        """How it is cited; the address is the path on this server."""
        return cite_work(self.record, self.picture.url, self.today)

    @property
    def more_url(self) -> str:
        """The question with it as an example."""
        return self.state.with_part(self._part, 1).url()

    @property
    def less_url(self) -> str:
        """The question with it as a counter-example."""
        return self.state.with_part(self._part, -1).url()

    @property
    def back_url(self) -> str:
        """The question that led here."""
        return self.state.url()

    def to_json(self) -> dict[str, Any]:
        """Return the record, the neighbours and the addresses as JSON-ready values."""
        return {
            "collection": self.picture.collection,
            "image_id": self.picture.image_id,
            "state": str(self.stored.state),
            "content_sha256": self.stored.content_sha256,
            "size_wh": list(self.stored.size_wh) if self.stored.size_wh else None,
            "record": self.record.to_json(),
            "palette": [
                {"srgb_hex": swatch.srgb_hex, "share": round(swatch.width / 100, 4)}
                for swatch in self.palette
            ],
            "links": self.picture.links(),
            "closeup": self.closeup.to_json() if self.closeup else None,
            "found": self.finding.to_json() if self.finding else None,
            "citation": self.citation.to_json(),
            "neighbours": {
                row.space.model_id: [hit.to_json() for hit, _ in row.pictures] for row in self.rows
            },
        }


def work_page(
    library: Library,
    answers: Answers,
    name: str,
    image_id: str,
    params: Iterable[tuple[str, str]],
    *,
    max_decoded: int = MAX_PARTS,
) -> WorkPage:
    """Gather what is known about one image; `params` are the question that led to it.

    Args:
        library: Where it hangs.
        answers: Remembers the answer to that question.
        name: Of its collection.
        image_id: Its id there.
        params: Of its address.
        max_decoded: How many parts of the question may be details or uploads.

    Raises:
        NotFoundError: when there is no such collection or image.
        UnavailableError: when many questions that take long are asked at once.
    """
    collection = find_collection(library, name)
    stored = collection.record(image_id)
    picture = picture_of(collection, stored)
    state = SearchState.from_params(name, params)
    return WorkPage(
        picture=picture,
        stored=stored,
        collection_title=collection_title(collection.info),
        state=state,
        finding=find_place(collection, image_id, state, answers, max_decoded=max_decoded),
        rows=neighbour_rows(
            collection, picture, answers.neighbours(collection, picture.image_id, N_NEIGHBOURS)
        ),
        failure=stored.failure.reason if stored.failure else "",
        palette=_palette(collection, stored, answers),
        today=date.today(),
    )


def field_text(record: Record, name: str) -> str:
    """Return what a record says in a field; empty where it says nothing."""
    value = getattr(record, name)
    return "; ".join(value) if isinstance(value, tuple) else str(value or "")


def web_address(text: str | None) -> str:
    """Return `text` if it is an http(s) address, else nothing: no other scheme becomes a link."""
    try:
        parts = urlsplit((text or "").strip())
    except ValueError:
        return ""
    return parts.geturl() if parts.scheme in {"http", "https"} and parts.netloc else ""


def _palette(collection: Collection, stored: StoredImage, answers: Answers) -> list[Swatch]:
    if stored.content_sha256 is None:
        return []
    try:
        palette = answers.palette(collection, stored.image_id, stored.content_sha256)
    except BilderatlasError:
        return []  # a work without a picture has none
    swatches, x = [], 0.0
    for srgb_hex, share in zip(palette.srgb_hex, palette.shares.tolist(), strict=True):
        swatches.append(Swatch(round(x, 2), round(100 * share, 2), srgb_hex))
        x += 100 * share
    return swatches


def neighbour_rows(
    collection: Collection, picture: Picture, found: Mapping[str, Hits]
) -> list[NeighbourRow]:
    """Return the rows of the nearest works that were found under each criterion."""
    spaces: Mapping[str, SpaceInfo] = {space.model_id: space for space in collection.spaces()}
    part = spell_image(collection.name, picture.image_id)
    rows = []
    for model_id, space in spaces.items():
        hits = found.get(model_id)
        # local features rank everything somehow; only what was verified is a neighbour
        near = [hit for hit in hits or () if hit.match or rows_are(space.card) != "detail"]
        url = SearchState(collection.name, like=(part,), by=model_id).url()
        rows.append(NeighbourRow(space, hits, fill_strip(hit_pictures(collection, near)), url))
    return rows


def fill_strip(pairs: Sequence[tuple[Hit, Picture]]) -> list[tuple[Hit, Picture]]:
    """Return so many of the nearest as fill one strip, at least one."""
    chosen: list[tuple[Hit, Picture]] = []
    left_px: float = STRIP_PX
    for hit, picture in pairs:
        width, height = picture.size_wh
        left_px -= STRIP_HEIGHT_PX * width / max(height, 1) + STRIP_GAP_PX
        if left_px < 0 and chosen:
            break
        chosen.append((hit, picture))
    return chosen
