"""Two rankings side by side: one question, judged twice, and where the two part ways."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from bilderatlas.api.rankings import RankingComparison, compare_answers
from bilderatlas.arrays import Metric
from bilderatlas.errors import (
    BilderatlasError,
    ImageError,
    NotFoundError,
    UnavailableError,
    UsageError,
)
from bilderatlas.extractors.base import rows_are
from bilderatlas.search.combine import MAX_LAMBDA, RULES
from bilderatlas.search.parts import MAX_PARTS
from bilderatlas.web import urls
from bilderatlas.web.answers import Answers
from bilderatlas.web.i18n import decimal, joined, ngettext
from bilderatlas.web.i18n import gettext as _
from bilderatlas.web.pages.tiles import Tile, find_collection, tiles_of
from bilderatlas.web.pictures import Picture, hit_pictures
from bilderatlas.web.rendering import collection_title
from bilderatlas.web.state import DEFAULT_LAMBDA, DEFAULT_RULE, SearchState

if TYPE_CHECKING:
    from bilderatlas.api import Collection, Library, SpaceInfo
    from bilderatlas.search.hits import Hit, Hits
    from bilderatlas.store.library import CollectionInfo

B_PREFIX = "b."
JUDGING = ("by", "metric", "rule", "lambda")  # what the two sides may differ in
SHOW_PARAM = "show"
SHOWN = ("both", "one")  # works of both rankings, or of one alone; absent: all
_LEFT_OUT = (
    "sort",
    "group",
    "offset",
    "also",
    "size",
)  # a ranking is by likeness, and from its top


@dataclass(frozen=True, slots=True)
class Placed:
    """A work in one of the rankings, and its place in the other, if it has one there."""

    hit: Hit
    picture: Picture
    url: str
    there: int | None

    @property
    def moved(self) -> int:
        """How many places higher it stands here than there; 0 where it has no place there."""
        return 0 if self.there is None else self.there - self.hit.rank


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two rankings.

    Attributes:
        key: `a` or `b`.
        state: The question, judged this way.
        space: The criterion, if there is one of that name; of a mixture the first.
        hits: The answer.
        error: What went wrong.
        works: The works that are shown of it.
    """

    key: str
    state: SearchState
    space: SpaceInfo | None
    hits: Hits | None = None
    error: BilderatlasError | None = None
    works: Sequence[Placed] = ()

    @property
    def prefix(self) -> str:
        """What the names of its fields begin with."""
        return B_PREFIX if self.key == "b" else ""

    @property
    def other(self) -> str:
        """The key of the other side."""
        return "a" if self.key == "b" else "b"

    @property
    def judged_by(self) -> str:
        """The criteria in words."""
        if self.hits is not None and self.hits.criteria:
            return joined(_(criterion.judges_by) for criterion in self.hits.criteria)
        return _(self.space.card["judges_by"]) if self.space else self.state.by

    @property
    def by(self) -> str:
        """What the menu of criteria has chosen."""
        return self.state.by or (self.space.model_id if self.space else "")

    @property
    def rule(self) -> str:
        """The rule in use."""
        return self.state.rule or DEFAULT_RULE

    @property
    def lambda_(self) -> str:
        """The strength of the counter-examples."""
        return self.state.lambda_ or DEFAULT_LAMBDA

    @property
    def facts(self) -> str:
        """Model, metric and rule in one line."""
        criterion = self.hits.criterion if self.hits else None
        if self.hits is None or criterion is None:
            return ""
        models = self.hits.criteria or (criterion,)
        names = " + ".join(one.model_id for one in models)
        return " · ".join((names, criterion.metric, criterion.rule))

    @property
    def stop(self) -> int | None:
        """The place below which works are no better than chance; None where it is not known."""
        if self.hits is None or self.hits.stop is None:
            return None
        return self.hits.stop.n_better

    @property
    def url(self) -> str:
        """The question judged this way alone."""
        return self.state.url()


@dataclass(frozen=True, slots=True)
class RankingsPage:
    """The data of the page."""

    template: ClassVar[str] = "rankings.html"
    max_lambda: ClassVar[float] = MAX_LAMBDA
    info: CollectionInfo
    state: SearchState
    spaces: Sequence[SpaceInfo]
    tiles: Sequence[Tile]
    sides: tuple[Side, Side]
    shown: str = ""
    comparison: RankingComparison | None = None

    @property
    def status(self) -> int:
        """200, or the status of what went wrong first; without a question there is no answer."""
        if not self.state.has_parts:
            return UsageError.http_status
        return next((side.error.http_status for side in self.sides if side.error), 200)

    @property
    def title(self) -> str:
        """The collection's title."""
        return collection_title(self.info)

    @property
    def rules(self) -> Mapping[str, str]:
        """The rules of combination: names and titles."""
        return {rule.name: _(rule.title) for rule in RULES}

    @property
    def metrics(self) -> list[str]:
        """Every metric that one of the criteria knows."""
        known = {name for space in self.spaces for name in space.card["metrics"]}
        return [metric.value for metric in Metric if metric.value in known]

    @property
    def depth(self) -> int:
        """How many works the longer ranking names."""
        return max((len(side.hits) for side in self.sides if side.hits is not None), default=0)

    @property
    def verdict(self) -> str:
        """How far the two agree, in words."""
        return _(self.comparison.verdict) if self.comparison else ""

    @property
    def overlap(self) -> str:
        """How many works both found, in words."""
        if self.comparison is None:
            return ""
        n_both = len(self.comparison.both)
        if not n_both:
            return _("Of the first %(depth)s works none is in both.", depth=self.depth)
        return ngettext(
            "Of the first %(depth)s works %(num)s is in both.",
            "Of the first %(depth)s works %(num)s are in both.",
            n_both,
            depth=self.depth,
        )

    @property
    def rbo(self) -> str:
        """The rank-biased overlap as a number."""
        return decimal(self.comparison.rbo, 2) if self.comparison else ""

    def heading(self, side: Side) -> str:
        """Return by what a side judges; where both go by the same criterion, how it does."""
        a, b = (one.hits.criterion if one.hits else None for one in self.sides)
        own = side.hits.criterion if side.hits else None
        if (
            a is None
            or b is None
            or own is None
            or self.sides[0].judged_by != self.sides[1].judged_by
        ):
            return side.judged_by
        if a.rule != b.rule:
            how = self.rules.get(own.rule, own.rule)
        elif a.metric != b.metric:
            how = own.metric
        else:
            return side.judged_by
        return _("%(criterion)s: %(how)s", criterion=side.judged_by, how=how)

    @property
    def own_params(self) -> list[tuple[str, str]]:
        """What the form carries along besides how the two sides judge."""
        return [pair for pair in self.state.params() if pair[0] not in JUDGING]

    @property
    def params(self) -> list[tuple[str, str]]:
        """Both sides in one address."""
        a, b = self.sides
        judged_b = [(B_PREFIX + name, value) for name, value in b.state.params() if name in JUDGING]
        return [*a.state.params(), *(judged_b or [(f"{B_PREFIX}by", b.by)])]

    def show_url(self, shown: str) -> str:
        """The same page with all works, those of both rankings, or those of one alone."""
        more = [(SHOW_PARAM, shown)] if shown else []
        return urls.rankings(self.info.name, [*self.params, *more])

    @property
    def swapped_url(self) -> str:
        """The same page with the sides exchanged."""
        a, b = self.sides
        first = [pair for pair in b.state.params() if pair[0] in JUDGING]
        second = [(B_PREFIX + name, value) for name, value in a.state.params() if name in JUDGING]
        judged = [*(first or [("by", b.by)]), *(second or [(f"{B_PREFIX}by", a.by)])]
        return urls.rankings(self.info.name, [*self.own_params, *judged])

    def to_json(self) -> dict[str, Any]:
        """Return both answers and how they agree; or what went wrong."""
        if self.comparison is None:
            errors = [side.error for side in self.sides if side.error]
            error = errors[0] if errors else _nothing_asked()
            return {"error": {"code": error.code, "message": str(error)}}
        links = {"page": urls.rankings(self.info.name, self.params)}
        return self.comparison.to_json() | {"links": links}


def rankings_page(
    library: Library,
    answers: Answers,
    name: str,
    params: Iterable[tuple[str, str]],
    *,
    max_decoded: int = MAX_PARTS,
    with_panels: bool = True,
) -> RankingsPage:
    """Ask collection `name` one question and judge it in two ways.

    Args:
        library: Where the collection is.
        answers: Remembers both answers.
        name: Of the collection.
        params: A search, and how its other side judges: `b.by`, `b.metric`, `b.rule`, `b.lambda`.
        max_decoded: How many parts may be details or uploads.
        with_panels: Whether the panels of the question are told by name.

    Raises:
        NotFoundError: when there is no such collection.
    """
    collection = find_collection(library, name)
    pairs = list(params)
    spaces = collection.spaces()
    states = _states(name, pairs, spaces)
    asked = states[0]
    sides = [
        _asked(Side(key, state, _space(spaces, state)), collection, answers, max_decoded)
        for key, state in zip("ab", states, strict=True)
    ]
    shown = dict(pairs).get(SHOW_PARAM, "")
    page = RankingsPage(
        info=collection.info,
        state=asked,
        spaces=spaces,
        tiles=tiles_of(library, collection, asked, with_panels=with_panels),
        sides=(sides[0], sides[1]),
        shown=shown if shown in SHOWN else "",
    )
    a, b = (side.hits for side in sides)
    comparison = compare_answers(a, b) if a is not None and b is not None else None
    with_works = tuple(_placed(side, page, comparison, collection) for side in sides)
    return replace(page, comparison=comparison, sides=(with_works[0], with_works[1]))


def _states(
    name: str, params: Sequence[tuple[str, str]], spaces: Sequence[SpaceInfo]
) -> tuple[SearchState, SearchState]:
    """Return the question as each side judges it."""
    common = [
        pair for pair in params if pair[0] not in _LEFT_OUT and not pair[0].startswith(B_PREFIX)
    ]
    judged_b = [
        (param.removeprefix(B_PREFIX), value)
        for param, value in params
        if param.startswith(B_PREFIX) and param.removeprefix(B_PREFIX) in JUDGING
    ]
    a = SearchState.from_params(name, common)
    kept = [pair for pair in a.params() if pair[0] not in JUDGING]
    b = SearchState.from_params(name, [*kept, *judged_b])
    if not any(value.strip() for _, value in judged_b):
        b = _another(a, b, spaces)
    return a, b


def _another(a: SearchState, b: SearchState, spaces: Sequence[SpaceInfo]) -> SearchState:
    """Choose how the other side judges where nobody said: by another criterion, or rule."""
    used = a.model_id or (spaces[0].model_id if spaces else "")
    worded = bool(a.text or a.not_text) and not (a.like or a.unlike)
    for space in spaces:
        takes = space.card.get("embeds_text") if worded else rows_are(space.card) == "image"
        if space.model_id != used and takes:
            return b.changed(by=space.model_id)
    others = (rule.name for rule in RULES if rule.name != (a.rule or DEFAULT_RULE))
    return b.changed(by=a.by, rule=next(others, ""))


def _space(spaces: Sequence[SpaceInfo], state: SearchState) -> SpaceInfo | None:
    if not state.model_id:
        return spaces[0] if spaces else None
    return next((space for space in spaces if space.model_id == state.model_id), None)


def _asked(side: Side, collection: Collection, answers: Answers, max_decoded: int) -> Side:
    if not side.state.has_parts:
        return side
    try:
        hits = answers.recall(collection, side.state.to_query(max_decoded=max_decoded))
    except (UsageError, NotFoundError, ImageError, UnavailableError) as error:
        return replace(side, error=error)
    used = hits.criterion.model_id if hits.criterion else ""
    space = next((one for one in collection.spaces() if one.model_id == used), side.space)
    return replace(side, hits=hits, space=space)


def _placed(
    side: Side, page: RankingsPage, comparison: RankingComparison | None, collection: Collection
) -> Side:
    if side.hits is None:
        return side
    there: Mapping[str, int] = {}
    if comparison is not None:
        there = comparison.places_b if side.key == "a" else comparison.places_a
    wanted = {"both": (True,), "one": (False,)}.get(page.shown, (True, False))
    listed = [hit for hit in side.hits if (hit.image_id in there) in wanted]
    params = side.state.params()
    works = [
        Placed(
            hit,
            picture,
            urls.work(collection.name, hit.image_id, params),
            there.get(hit.image_id),
        )
        for hit, picture in hit_pictures(collection, listed)
    ]
    return replace(side, works=works)


def _nothing_asked() -> UsageError:
    return UsageError(
        "Cannot compare two rankings: nothing was asked for. Name an image or words to search by."
    )
