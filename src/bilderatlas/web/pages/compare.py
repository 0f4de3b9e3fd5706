"""Two pictures compared: beside each other, and what agrees between them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from bilderatlas.api.correspondence import Nearness, correspond, nearness
from bilderatlas.errors import NotFoundError, QueryError, UnavailableError
from bilderatlas.extractors.details import DetailsSift
from bilderatlas.images.thumbnails import THUMBNAIL_SIDES_PX
from bilderatlas.search.query import PartKind, parse_part
from bilderatlas.web import urls
from bilderatlas.web.closeup import Closeup
from bilderatlas.web.i18n import gettext as _
from bilderatlas.web.i18n import ngettext, thousands
from bilderatlas.web.pages.finding import percentile_words
from bilderatlas.web.pages.search import find_collection, percent_box
from bilderatlas.web.pages.work import (
    FIELDS,
    N_NEIGHBOURS,
    NeighbourRow,
    field_text,
    neighbour_rows,
)
from bilderatlas.web.pictures import Picture, picture_of
from bilderatlas.web.rendering import collection_title
from bilderatlas.web.state import SearchState, spell_image

if TYPE_CHECKING:
    from bilderatlas.api import Collection, Library
    from bilderatlas.search.correspondence import Correspondence


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two pictures.

    Attributes:
        letter: `a` or `b`, as in the address.
        picture: What is shown.
        collection_title: Where it hangs.
        points: Where its points that agree are, in percent of width and height.
        box: What they span, in percent; None where none agree.
        url: Its page.
    """

    letter: str
    picture: Picture
    collection_title: str
    points: Sequence[tuple[str, str]]
    box: tuple[str, str, str, str] | None
    url: str

    @property
    def srcset(self) -> str:
        """The thumbnails, and the original where a browser takes it as it is."""
        closeup = Closeup.of(self.picture)
        width = self.picture.size_wh[0]
        if closeup is None or not closeup.image:
            return self.picture.srcset
        if max(self.picture.size_wh) <= THUMBNAIL_SIDES_PX[-1]:
            return self.picture.srcset
        return f"{self.picture.srcset}, {closeup.image.replace(',', '%2C')} {width}w"

    @property
    def closeup(self) -> Closeup | None:
        """How it is looked at from near."""
        return Closeup.of(self.picture)


@dataclass(frozen=True, slots=True)
class ComparePage:
    """The data of a comparison; with one picture, what it could be compared with."""

    template: ClassVar[str] = "compare.html"
    collection: str
    title: str
    state: SearchState
    sides: Sequence[Side]
    agreement: Correspondence | None = None
    unreadable: str = ""
    near: Sequence[Nearness] = ()
    rows: Sequence[NeighbourRow] = ()
    status: int = 200

    @property
    def complete(self) -> bool:
        """Tell whether there are two pictures."""
        return len(self.sides) == 2

    @property
    def homography(self) -> str:
        """Where points of the first picture are in the second, for the island."""
        values = self.agreement.match.homography if self.agreement else ()
        return " ".join(f"{value:.6g}" for value in values)

    @property
    def swapped_url(self) -> str:
        """The same with the sides exchanged."""
        pairs = zip("ab", reversed(self.sides), strict=True)
        spelled = [(letter, self._spelled(side.picture)) for letter, side in pairs]
        return urls.compare(self.collection, [*spelled, *self.state.params()])

    @property
    def fields(self) -> list[tuple[str, list[str]]]:
        """What the records say, side by side: the word for it, and what each says."""
        records = [side.picture.record for side in self.sides]
        found: list[tuple[str, list[str]]] = [
            (_("Maker"), [side.picture.maker for side in self.sides]),
            (_("Date"), [side.picture.date for side in self.sides]),
        ]
        found += [(_(word), [field_text(one, name) for one in records]) for name, word in FIELDS]
        sizes = ["{} × {} px".format(*side.picture.size_wh) for side in self.sides]
        return [(word, texts) for word, texts in [*found, (_("Picture"), sizes)] if any(texts)]

    def near_line(self, near: Nearness) -> str:
        """Say how near the second is to the first under one criterion."""
        if near.rank == 1:
            return _("The nearest of %(all)s neighbours.", all=thousands(near.n_works))
        return _(
            "Neighbour %(rank)s of %(all)s, closer than %(share)s of them.",
            rank=thousands(near.rank),
            all=thousands(near.n_works),
            share=percentile_words(near.percentile),
        )

    @property
    def points_line(self) -> str:
        """Say how many points agree."""
        n = self.agreement.match.n_inliers if self.agreement else 0
        return ngettext(
            "%(num)s point agrees; the outlines show where.",
            "%(num)s points agree; the outlines show where.",
            n,
        )

    def compare_url(self, other: Picture) -> str:
        """Return where the first picture is compared with another one."""
        pair = [("a", self._spelled(self.sides[0].picture)), ("b", self._spelled(other))]
        return urls.compare(self.collection, [*pair, *self.state.params()])

    def _spelled(self, picture: Picture) -> str:
        text = spell_image(picture.collection, picture.image_id)
        return text if picture.collection == self.collection else f"{picture.collection}/{text}"

    def to_json(self) -> dict[str, Any]:
        """Return both works and what agrees between them as JSON-ready values."""
        return {
            "collection": self.collection,
            "works": [
                {
                    "collection": side.picture.collection,
                    "image_id": side.picture.image_id,
                    "record": side.picture.record.to_json(),
                    "links": side.picture.links(),
                }
                for side in self.sides
            ],
            "agreement": self.agreement.to_json() if self.agreement else None,
            "nearness": [
                {
                    "model_id": near.space.model_id,
                    "percentile": near.percentile,
                    "rank": near.rank,
                    "n_works": near.n_works,
                }
                for near in self.near
            ],
        }


def compare_page(
    library: Library, name: str, params: Iterable[tuple[str, str]], *, extracts: bool = True
) -> ComparePage:
    """Gather what two works have in common; `a` and `b` of the address name them.

    Args:
        library: Where they hang.
        name: Of the collection to which their ids belong; `other/ID` is of another one.
        params: Of the address.
        extracts: Whether details may be extracted for works whose collection lacks them.

    Raises:
        NotFoundError: when there is no such collection or work.
        QueryError: when one of them names no work.
    """
    pairs = list(params)
    collection = find_collection(library, name)
    state = SearchState.from_params(name, pairs)
    title = collection_title(collection.info)
    named = {key: value.strip() for key, value in pairs if key in {"a", "b"} and value.strip()}
    works = [_find_work(library, collection, named[key]) for key in ("a", "b") if key in named]
    agreement, unreadable = None, ""
    pictures = [picture_of(owner, owner.record(image_id)) for owner, image_id in works]
    if len(works) == 2 and all(picture.sha256 for picture in pictures):
        try:
            agreement = correspond(library, *works) if extracts or _stored(works) else None
        except (UnavailableError, QueryError) as error:
            unreadable = str(error)
    sides = [
        _side(letter, picture, owner, agreement, state)
        for letter, picture, (owner, _id) in zip("ab", pictures, works, strict=False)
    ]
    near = []
    if len(works) == 2 and works[0][0].name == works[1][0].name:
        near = nearness(works[0][0], works[0][1], works[1][1])
    rows: Sequence[NeighbourRow] = ()
    if len(works) == 1:
        (owner, image_id), (picture,) = works[0], pictures
        rows = neighbour_rows(owner, picture, owner.neighbours(image_id, N_NEIGHBOURS))
    return ComparePage(name, title, state, sides, agreement, unreadable, near, rows)


def _find_work(library: Library, collection: Collection, text: str) -> tuple[Collection, str]:
    """Read `ID` here or `collection/ID` in the library; a region or weight is left aside."""
    part = parse_part(text)
    if part.kind is not PartKind.IMAGE:
        raise QueryError(
            "Cannot compare a picture that you brought along: two works of the library can be laid "
            "side by side."
        )
    if collection.store.find_record(part.value) is not None:
        return collection, part.value
    owner, slash, image_id = part.value.partition("/")
    if slash and owner in library:
        return library[owner], library[owner].record(image_id).image_id
    raise NotFoundError(
        f"Cannot compare '{part.value}': '{collection.name}' has no such work. Choose one from an "
        "answer."
    )


def _stored(works: Sequence[tuple[Collection, str]]) -> bool:
    model_id = DetailsSift.card.model_id
    return all(model_id in owner.store.model_ids() for owner, _id in works)


def _side(
    letter: str,
    picture: Picture,
    owner: Collection,
    agreement: Correspondence | None,
    state: SearchState,
) -> Side:
    points: list[tuple[str, str]] = []
    box = None
    if agreement is not None:
        at = 0 if letter == "a" else 2
        points = [(f"{100 * p[at]:.2f}", f"{100 * p[at + 1]:.2f}") for p in agreement.points]
        match = agreement.match
        box = percent_box(match.query_region_xyxyn if letter == "a" else match.region_xyxyn)
    params = state.params() if owner.name == state.collection else ()
    url = urls.work(picture.collection, picture.image_id, params)
    return Side(letter, picture, collection_title(owner.info), points, box, url)
