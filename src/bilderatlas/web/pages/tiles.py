"""The question's pictures, words and panels, as tiles and words that can be taken out again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bilderatlas.api.visitor import check_upload
from bilderatlas.errors import BilderatlasError, NotFoundError, UnknownNameError
from bilderatlas.search.query import Part, PartKind, parse_part
from bilderatlas.web import urls
from bilderatlas.web.i18n import gettext as _
from bilderatlas.web.pictures import Picture, pictures_of
from bilderatlas.web.state import PANEL_PREFIX, SearchState

if TYPE_CHECKING:
    from bilderatlas.api import Collection, Library
    from bilderatlas.search.hits import Inactive

LIGHTEST, HEAVIEST = 0.25, 4.0  # weights that one click leads to


@dataclass(frozen=True, slots=True)
class Tile:
    """A picture of the question, in one of the two light boxes.

    Attributes:
        text: As it is spelled in the address.
        sign: +1 or −1.
        label: What a screen reader says.
        state: The question that it is a part of.
        part: What is spelled; None where it cannot be read.
        picture: None for uploads, panels, and what could not be found.
        reason: Why it takes no part; empty where it does.
    """

    text: str
    sign: int
    label: str
    state: SearchState
    part: Part | None = None
    picture: Picture | None = None
    reason: str = ""

    @property
    def src(self) -> str:
        """Its thumbnail; empty where the picture could not be found."""
        if self.picture is not None and self.picture.sha256:
            return self.picture.src(256)
        if self.part is not None and self.part.kind is PartKind.UPLOAD:
            return urls.upload_thumbnail(self.part.value)
        return ""

    @property
    def url(self) -> str:
        """Its page; empty for uploads."""
        return self.picture.url if self.picture else ""

    @property
    def remove_url(self) -> str:
        """The question without it."""
        return self.state.without_part(self.text).url()

    @property
    def swap_url(self) -> str:
        """The question with it in the other light box."""
        return self.state.with_part(self.text, -self.sign).url()

    @property
    def weight_urls(self) -> list[tuple[str, str]]:
        """Other weights: words and address."""
        if self.part is None:
            return []
        weight = self.part.weight
        steps = ((_("Count it double"), weight * 2), (_("Count it half"), weight / 2))
        return [
            (word, self.state.with_weight(self.text, self.part, new).url())
            for word, new in steps
            if LIGHTEST <= new <= HEAVIEST
        ]


@dataclass(frozen=True, slots=True)
class Words:
    """Words of the question, a control in the sentence.

    Attributes:
        name: Of the parameter: `text` or `not`.
        text: The words.
        reason: Why they take no part; empty where they do.
    """

    name: str
    text: str
    reason: str = ""


def tiles_of(
    library: Library, collection: Collection, state: SearchState, *, with_panels: bool = True
) -> list[Tile]:
    """Return the pictures of a question, examples first; what cannot be found keeps its name.

    Args:
        library: Where other collections and panels are.
        collection: The one that is asked.
        state: The question.
        with_panels: Whether its panels are told by name: a panel is its owner's alone.
    """
    signed = [(text, 1) for text in state.like] + [(text, -1) for text in state.unlike]
    known = _pictures_at_once(collection, [text for text, _sign in signed])
    tiles = [_tile(library, collection, state, text, sign, known) for text, sign in signed]
    return [_named(library, tile) for tile in tiles] if with_panels else tiles


def with_reasons(tiles: Sequence[Tile], inactive: Sequence[Inactive]) -> list[Tile]:
    """Return `tiles`, each of those that took no part with its reason."""
    reasons = {(one.part, one.sign): one.reason for one in inactive if one.kind != PartKind.TEXT}
    if not reasons:
        return list(tiles)
    return [
        replace(tile, reason=reasons.get((str(tile.part or tile.text), tile.sign), ""))
        for tile in tiles
    ]


def words_of(state: SearchState, reasons: Mapping[tuple[str, int], str]) -> list[Words]:
    """Return the words of a question; `reasons` tell, by words and sign, which take no part."""
    signed = [("text", text, 1) for text in state.text]
    signed += [("not", text, -1) for text in state.not_text]
    return [Words(name, text, reasons.get((text, sign), "")) for name, text, sign in signed]


def panel_name(library: Library, text: str) -> str:
    """Return the name of a panel spelled `panel:ID`; as it is spelled where there is none."""
    try:
        return library.panels.store.get(text.removeprefix(PANEL_PREFIX)).name if text else ""
    except NotFoundError:
        return text


def find_collection(library: Library, name: str) -> Collection:
    """Return a collection; an unknown one is an address that is not there.

    Raises:
        NotFoundError: listing near names.
    """
    try:
        return library[name]
    except UnknownNameError as error:
        raise NotFoundError(str(error)) from error


def _tile(
    library: Library,
    collection: Collection,
    state: SearchState,
    text: str,
    sign: int,
    known: Mapping[str, Picture],
) -> Tile:
    tile = Tile(text, sign, text, state)
    try:
        part = parse_part(text, sign=sign)
        if part.kind is PartKind.UPLOAD:
            return _own_picture(library, replace(tile, part=part, label=_("Your picture")))
        if part.kind is PartKind.PANEL:
            return replace(tile, part=part)
        picture = known.get(part.value) or _picture(library, collection, part.value)
    except BilderatlasError:
        return tile  # the search itself says what is wrong with it
    return replace(tile, part=part, picture=picture, label=picture.alt)


def _named(library: Library, tile: Tile) -> Tile:
    """Call a panel by its name."""
    if tile.part is None or tile.part.kind is not PartKind.PANEL:
        return tile
    return replace(tile, label=panel_name(library, f"{PANEL_PREFIX}{tile.part.value}"))


def _pictures_at_once(collection: Collection, texts: Sequence[str]) -> dict[str, Picture]:
    """Return the pictures that are named by their ids alone; none where one of them is unknown."""
    try:
        found = pictures_of(collection, [text for text in texts if _names_image(text)])
    except NotFoundError:
        return {}  # each is looked for by itself
    return {picture.image_id: picture for picture in found}


def _names_image(text: str) -> bool:
    try:
        part = parse_part(text)
    except BilderatlasError:
        return False
    return part.kind is PartKind.IMAGE and part.value == text


def _own_picture(library: Library, tile: Tile) -> Tile:
    """Show a picture to the browser that brought it, as long as it is kept; say so to others."""
    assert tile.part is not None
    try:
        check_upload(library.store, tile.part.value)
    except BilderatlasError as error:
        return replace(tile, part=None, label=_("A picture that is not here"), reason=str(error))
    return tile


def _picture(library: Library, collection: Collection, value: str) -> Picture:
    try:
        return pictures_of(collection, [value])[0]
    except NotFoundError:
        name, _slash, image_id = value.partition("/")
        if not image_id:
            raise
        return pictures_of(find_collection(library, name), [image_id])[0]
