"""The works found, as the page shows them; their addresses are built once a page, not once a work.

A page of 200 results has 600 addresses that hold the whole question each. All but a few letters of
them are the same: `Surroundings` writes those letters once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from bilderatlas.search.hits import Hit, Share
from bilderatlas.web import urls
from bilderatlas.web.i18n import gettext as _
from bilderatlas.web.i18n import percent
from bilderatlas.web.pictures import Picture, pictures_of
from bilderatlas.web.state import CENTURY, SearchState, spell_image

if TYPE_CHECKING:
    from bilderatlas.api import Collection, Library
    from bilderatlas.api.facets import GroupOfHits


@dataclass(frozen=True, slots=True)
class Result:
    """One hit as the page shows it.

    Attributes:
        hit: What was found.
        picture: Of it.
        part: How the question spells it as an example.
        url: Its page, which remembers the question.
        more_url: The question with it as an example.
        less_url: The question with it as a counter-example.
        kept: Whether it is on a panel.
        seen: Whether it was looked at.
    """

    hit: Hit
    picture: Picture
    part: str
    url: str
    more_url: str
    less_url: str
    kept: bool = False
    seen: bool = False

    @property
    def id(self) -> str:
        """Its id in the library: `rijks/SK-C-5`."""
        return f"{self.picture.collection}/{self.picture.image_id}"

    @property
    def found(self) -> str:
        """For details: the verdict and the transform in words; for poses: that it is mirrored."""
        match, figure = self.hit.match, self.hit.figure
        if figure is not None:
            return _("mirrored") if figure.mirrored else ""
        if match is None:
            return ""
        return ", ".join(_(text) for text in (match.verdict, match.transform) if text)

    @property
    def box(self) -> tuple[str, str, str, str] | None:
        """For details and poses: what matches, as x, y, width, height in percent."""
        region = self.hit.region_xyxyn
        return percent_box(region) if region else None

    @property
    def bars(self) -> list[Bar]:
        """The shares of the criteria in its place, for a mixture; else empty."""
        return bars_of(self.hit.shares)


@dataclass(frozen=True, slots=True)
class Bar:
    """One criterion's share of a hit: where it begins and how wide it is, of 100."""

    words: str
    start: float
    width: float


def bars_of(shares: Sequence[Share]) -> list[Bar]:
    """Return the shares of a hit side by side."""
    bars: list[Bar] = []
    start = 0.0
    for one in shares:
        width = 100 * one.share
        words = _("%(criterion)s: %(share)s", criterion=_(one.judges_by), share=percent(one.share))
        bars.append(Bar(words, round(start, 1), round(width, 1)))
        start += width
    return bars


@dataclass(frozen=True, slots=True)
class Grouped:
    """Works with one value in common.

    Attributes:
        label: The value, for a reader.
        n: How many works have it.
        url: The question to them alone; empty where there is no such question.
        results: The first of them.
    """

    label: str
    n: int
    url: str
    results: Sequence[Result]

    def to_json(self) -> dict[str, Any]:
        """Return the group with its first works, each with its addresses."""
        hits = [one.hit.to_json() | {"links": one.picture.links()} for one in self.results]
        return {"label": self.label, "n": self.n, "page": self.url or None, "hits": hits}


@dataclass(frozen=True, slots=True)
class Marks:
    """Which works are on a panel, and which were looked at, as ids of the library."""

    kept: frozenset[str] = frozenset()
    seen: frozenset[str] = frozenset()


class Surroundings:
    """What stands before and after a work's name in the addresses of one page."""

    def __init__(self, state: SearchState, names: Iterable[str] = ()) -> None:
        """Write the question once; `names` are those of the library's collections."""
        self._state = state
        self._names = tuple(names)
        self._listed = {*state.like, *state.unlike}
        pairs = replace(state, offset="").params()
        n_like, n_pictures = len(state.like), len(state.like) + len(state.unlike)
        self._more = self._around(pairs, n_like)
        self._less = self._around(pairs, n_pictures)
        self._work_params = cache(self._write_work_params)

    def _around(self, pairs: Sequence[tuple[str, str]], place: int) -> tuple[str, str]:
        before = urls.search(self._state.collection, pairs[:place])
        after = urls.encode_params(pairs[place:])
        joint = "&" if place else "?"
        return f"{before}{joint}", f"&{after}" if after else ""

    def _write_work_params(self, collection: str) -> str:
        """Return what stands after the address of a work of `collection`: the question to it."""
        state = self._state
        if not state.has_parts:
            return ""
        if collection != state.collection:
            others = tuple(name for name in (state.collection, *state.also) if name != collection)
            moved = state.moved_to(collection, by=state.by, known=self._names)
            state = replace(moved, also=others)
        return f"?{urls.encode_params(state.params())}"

    def work_url(self, collection: str, image_id: str) -> str:
        """Return the page of a work, which remembers the question."""
        return urls.work(collection, image_id) + self._work_params(collection)

    def result(self, hit: Hit, picture: Picture, marks: Marks) -> Result:
        """Return a hit with its addresses."""
        part = spell_image(picture.collection, picture.image_id)
        if picture.collection != self._state.collection:
            part = part.removeprefix(f"{picture.collection}/")
            part = f"{picture.collection}/{part}"
        if part in self._listed:
            more_url, less_url = (self._state.with_part(part, sign).url() for sign in (1, -1))
        else:
            spelled = urls.encode_value(part)
            more_url = f"{self._more[0]}like={spelled}{self._more[1]}"
            less_url = f"{self._less[0]}unlike={spelled}{self._less[1]}"
        name = f"{picture.collection}/{picture.image_id}"
        return Result(
            hit,
            picture,
            part,
            picture.url + self._work_params(picture.collection),
            more_url,
            less_url,
            name in marks.kept,
            name in marks.seen,
        )


def results_of(
    library: Library, home: Collection, state: SearchState, hits: Sequence[Hit], marks: Marks
) -> list[Result]:
    """Return hits, of `home` or of several collections, as a page shows them; in their order."""
    pictures = _pictures(library, home, hits)
    names = [info.name for info in library.collections()] if state.also else ()
    around = Surroundings(state, names)
    return [
        around.result(hit, pictures[hit.collection or state.collection, hit.image_id], marks)
        for hit in hits
    ]


def groups_of(
    library: Library,
    home: Collection,
    state: SearchState,
    groups: Sequence[GroupOfHits],
    marks: Marks,
) -> list[Grouped]:
    """Return groups of hits as a page shows them; all their works are read at once."""
    every = [hit for group in groups for hit in group.hits]
    results = results_of(library, home, state, every, marks)
    found, start = [], 0
    for group in groups:
        end = start + len(group.hits)
        url = _group_url(state, group.value)
        found.append(Grouped(_(group.label), group.n, url, results[start:end]))
        start = end
    return found


def _group_url(state: SearchState, value: str) -> str:
    """Return the question to the works of a group alone; none where their value is not known."""
    if not value:
        return ""
    ungrouped = replace(state, group="", offset="")
    if state.group != CENTURY:
        has_it = (state.group, value) in state.facets
        return "" if has_it else ungrouped.with_facet(state.group, value).url()
    century = int(value)
    begin = 100 * (century - 1 if century > 0 else century)
    return replace(ungrouped, years=f"{begin}-{begin + 99}").url()


def marks_of(library: Library, names: Iterable[str]) -> Marks:
    """Return which works of some collections are on a panel, and which were looked at."""
    panels, listed = library.panels, tuple(names)
    return Marks(
        frozenset(f"{name}/{one}" for name in listed for one in panels.kept_ids(name)),
        frozenset(f"{name}/{one}" for name in listed for one in panels.seen_ids(name)),
    )


def _pictures(
    library: Library, home: Collection, hits: Sequence[Hit]
) -> Mapping[tuple[str, str], Picture]:
    by_collection: dict[str, list[str]] = {}
    for hit in hits:
        by_collection.setdefault(hit.collection or home.name, []).append(hit.image_id)
    return {
        (name, picture.image_id): picture
        for name, ids in by_collection.items()
        for picture in pictures_of(home if name == home.name else library[name], ids)
    }


def percent_box(xyxyn: Sequence[float]) -> tuple[str, str, str, str]:
    """Return a box as x, y, width, height in percent, for SVG attributes."""
    x0, y0, x1, y1 = (min(max(100 * value, 0.0), 100.0) for value in xyxyn)
    return (f"{x0:.2f}", f"{y0:.2f}", f"{max(x1 - x0, 0):.2f}", f"{max(y1 - y0, 0):.2f}")
