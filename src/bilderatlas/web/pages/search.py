"""Search: the question as a sentence whose words are the controls, and the pictures it finds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from bilderatlas.arrays import Metric
from bilderatlas.errors import (
    BilderatlasError,
    FilterError,
    ImageError,
    NotFoundError,
    UnavailableError,
    UnknownNameError,
    UsageError,
)
from bilderatlas.extractors.base import rows_are
from bilderatlas.search.combine import MAX_LAMBDA, RULES, Rule
from bilderatlas.search.figures import FIGURE_RULES
from bilderatlas.search.parts import MAX_PARTS
from bilderatlas.search.query import Part, PartKind, parse_part
from bilderatlas.search.run import MAX_DEPTH, MAX_K
from bilderatlas.web import urls
from bilderatlas.web.answers import Answers
from bilderatlas.web.pictures import Picture, hit_pictures, pictures_of
from bilderatlas.web.rendering import collection_title, counted, span, thousands
from bilderatlas.web.state import DEFAULT_K, DEFAULT_LAMBDA, DEFAULT_RULE, SearchState, spell_image

if TYPE_CHECKING:
    from bilderatlas.api import Collection, Library, SpaceInfo
    from bilderatlas.search.hits import Hit, Hits
    from bilderatlas.store.library import CollectionInfo


@dataclass(frozen=True, slots=True)
class Tile:
    """A picture of the question, in one of the two light boxes."""

    text: str
    sign: int
    label: str
    state: SearchState
    part: Part | None = None
    picture: Picture | None = None

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
        steps = (("Count it double", weight * 2), ("Count it half", weight / 2))
        return [
            (word, self.state.with_weight(self.text, self.part, new).url())
            for word, new in steps
            if 0.25 <= new <= 4
        ]


@dataclass(frozen=True, slots=True)
class Result:
    """One hit as the page shows it."""

    hit: Hit
    picture: Picture
    state: SearchState

    @property
    def url(self) -> str:
        """Its page, which remembers the question."""
        params = self.state.params() if self.state.has_parts else ()
        return urls.work(self.picture.collection, self.picture.image_id, params)

    @property
    def id(self) -> str:
        """Its id in the library: `rijks/SK-C-5`."""
        return f"{self.picture.collection}/{self.picture.image_id}"

    @property
    def part(self) -> str:
        """How the question spells it as an example."""
        return spell_image(self.picture.collection, self.hit.image_id)

    @property
    def more_url(self) -> str:
        """The question with it as an example."""
        return self.state.with_part(self.part, 1).url()

    @property
    def less_url(self) -> str:
        """The question with it as a counter-example."""
        return self.state.with_part(self.part, -1).url()

    @property
    def found(self) -> str:
        """For details: the verdict and the transform in words; for poses: that it is mirrored."""
        match, figure = self.hit.match, self.hit.figure
        if figure is not None:
            return "mirrored" if figure.mirrored else ""
        return ", ".join(t for t in (match.verdict, match.transform) if t) if match else ""

    @property
    def box(self) -> tuple[str, str, str, str] | None:
        """For details and poses: what matches, as x, y, width, height in percent."""
        region = self.hit.region_xyxyn
        return percent_box(region) if region else None


@dataclass(frozen=True, slots=True)
class Fault:
    """What went wrong, and beside which control it is told."""

    place: str
    error: BilderatlasError


@dataclass(frozen=True, slots=True)
class SearchPage:
    """The data of the search page."""

    template: ClassVar[str] = "search.html"
    max_k: ClassVar[int] = MAX_K
    max_lambda: ClassVar[float] = MAX_LAMBDA
    state: SearchState
    info: CollectionInfo
    collections: Sequence[CollectionInfo]
    spaces: Sequence[SpaceInfo]
    space: SpaceInfo | None
    tiles: Sequence[Tile]
    columns: Sequence[str]
    hits: Hits | None = None
    results: Sequence[Result] = ()
    fault: Fault | None = None

    @property
    def status(self) -> int:
        """200, or the status of what went wrong."""
        return self.fault.error.http_status if self.fault else 200

    @property
    def title(self) -> str:
        """The collection's title."""
        return collection_title(self.info)

    @property
    def card(self) -> Mapping[str, Any]:
        """The card of the chosen criterion; empty where there is none yet."""
        return self.space.card if self.space else {}

    @property
    def judged_by(self) -> str:
        """The criterion in words; as it was asked for where there is none of that name."""
        return str(self.card.get("judges_by", self.state.by))

    @property
    def embeds_text(self) -> bool:
        """Tell whether words can be compared with pictures under the criterion."""
        return bool(self.card.get("embeds_text"))

    @property
    def metrics(self) -> list[str]:
        """The metrics that make sense under the criterion, the default first."""
        return list(self.card.get("metrics", ()))

    @property
    def finds_details(self) -> bool:
        """Tell whether the criterion finds details."""
        return rows_are(self.card) == "detail"

    @property
    def takes_mirrored(self) -> bool:
        """Tell whether the criterion finds mirror images on request."""
        return rows_are(self.card) != "image"

    @property
    def likes(self) -> list[Tile]:
        """The light box of examples."""
        return [tile for tile in self.tiles if tile.sign > 0]

    @property
    def unlikes(self) -> list[Tile]:
        """The light box of counter-examples."""
        return [tile for tile in self.tiles if tile.sign < 0]

    @property
    def rules(self) -> list[Rule]:
        """The rules of combination."""
        return list(RULES)

    @property
    def rule(self) -> Rule | None:
        """The rule in use, if there is one of that name."""
        used = self.hits.criterion.rule if self.hits and self.hits.criterion else ""
        name = used or self.state.rule or DEFAULT_RULE
        return next((rule for rule in RULES if rule.name == name), None)

    @property
    def metric(self) -> str:
        """The metric in use."""
        return self.state.metric or next(iter(self.metrics), "")

    def only_for(self, rule: Rule) -> list[str]:
        """Return the metrics that `rule` is for, if the criterion has others too."""
        if all(metric in rule.metrics for metric in self.metrics):
            return []
        return [metric.value for metric in rule.metrics if metric.value in self.metrics]

    def bar(self, rule: Rule) -> str:
        """Return why `rule` cannot be chosen under the metric in use; empty where it can."""
        if rows_are(self.card) == "figure" and rule.name not in FIGURE_RULES:
            return f"Not for {self.judged_by}: a picture may show several figures."
        if self.metric not in set(Metric) or rule.accepts(Metric(self.metric)):
            return ""
        others = self.only_for(rule)
        if others:
            return f"Only for {' or '.join(others)}: choose that below and apply it first."
        return f"Not for {self.judged_by}: its works are compared by {' or '.join(self.metrics)}."

    @property
    def k(self) -> str:
        """The number of results asked for."""
        return self.state.k or str(DEFAULT_K)

    @property
    def lambda_(self) -> str:
        """The strength of the negatives."""
        return self.state.lambda_ or DEFAULT_LAMBDA

    @property
    def shows_lambda(self) -> bool:
        """Tell whether λ has a part in the answer."""
        known = self.metric in set(Metric)
        return known and self.rule is not None and self.rule.uses_lambda(Metric(self.metric))

    @property
    def facts(self) -> list[str]:
        """Model, metric and rule; works, exactness and time: two lines beside the results."""
        if self.hits is None:
            return []
        criterion = self.hits.criterion
        first = [criterion.model_id, criterion.metric, criterion.rule] if criterion else []
        if criterion and self.shows_lambda and self.unlikes:
            first.append(f"λ {self.lambda_}")
        parts = [
            counted(self.hits.n_works, "work"),
            self.hits.recall if criterion else "",
            span(self.hits.seconds),
        ]
        lines = (" · ".join(part for part in line if part) for line in (first, parts))
        return [line for line in lines if line]

    @property
    def count(self) -> tuple[str, str]:
        """How many works: the number, and the words after it."""
        if self.hits is None:
            return "", ""
        n, total = self.hits.n_candidates, self.hits.n_works
        noun = "work" if n == 1 else "works"
        kept = f"{noun} of {thousands(total)} fit" if n != total else noun
        order = "most alike first" if self.state.has_parts else "hung at random"
        if self.state.has_parts and not (self.state.like or self.state.text):
            order = "least alike first"
        return thousands(n), f"{kept}, {order}" if n > 1 else kept

    @property
    def hangs(self) -> bool:
        """Tell whether works hang here at random."""
        return not self.state.has_parts and self.hits is not None and self.hits.n_candidates > 0

    @property
    def shown(self) -> str:
        """Which of them are on this page."""
        if not self.results or self.hits is None:
            return ""
        first = self.hits.query.offset + 1
        return f"{thousands(first)}–{thousands(first + len(self.results) - 1)}"

    @property
    def stop(self) -> int | None:
        """For details: after how many results no more agreement was found; None: no such line."""
        verified = [result.hit.match is not None for result in self.results]
        if not self.finds_details or not self.state.has_parts or all(verified):
            return None
        return sum(verified)

    @property
    def next_url(self) -> str:
        """The next page of results; empty on the last."""
        if self.hits is None or len(self.results) < self.hits.query.k:
            return ""
        offset = self.hits.query.offset + len(self.results)
        if offset + self.hits.query.k > MAX_DEPTH:
            return ""  # farther than one can page
        return self.state.changed(offset=str(offset)).url()

    @property
    def previous_url(self) -> str:
        """The previous page of results; empty on the first."""
        if self.hits is None or not self.hits.query.offset:
            return ""
        offset = max(self.hits.query.offset - self.hits.query.k, 0)
        return self.state.changed(offset=str(offset)).url()

    @property
    def version(self) -> int:
        """The version of the collection that answered."""
        return self.hits.version if self.hits is not None else self.info.version

    @property
    def permanent_url(self) -> str:
        """The address to cite: this question to this version."""
        return self.state.permanent_url(self.version)

    @property
    def json_url(self) -> str:
        """The same for programs."""
        return self.state.permanent_url(self.version, json=True)

    @property
    def moved_on(self) -> str:
        """That the link was made for another version, in a sentence; empty where it was not."""
        asked = self.state.asked_version() if self.hits is not None else None
        if asked is None or asked == self.version:
            return ""
        return (
            f"This link was made for version {asked}; the collection is now at version "
            f"{self.version}."
        )

    @property
    def again_url(self) -> str:
        """Another random hang."""
        seed = self.hits.query.seed if self.hits is not None else 0
        return self.state.changed(seed=str((seed + 1) % 2**31)).url()

    def space_url(self, space: SpaceInfo) -> str:
        """The question judged by another criterion."""
        metric = self.state.metric if self.state.metric in space.card["metrics"] else ""
        by = "" if space is self.spaces[0] else space.model_id
        used = metric or next(iter(space.card["metrics"]), "")
        fits = self.rule is None or used not in set(Metric) or self.rule.accepts(Metric(used))
        return self.state.changed(by=by, metric=metric, rule=self.state.rule if fits else "").url()

    def collection_url(self, info: CollectionInfo) -> str:
        """The question put to another collection."""
        by = self.state.by if self.state.by in info.model_ids else ""
        known = [other.name for other in self.collections]
        return self.state.moved_to(info.name, by=by, known=known).url()

    def to_json(self) -> dict[str, Any]:
        """Return what `search --json` prints, with addresses; or the error."""
        if self.hits is None:
            error = self.fault.error if self.fault else None
            return {"error": {"code": getattr(error, "code", ""), "message": str(error or "")}}
        found = self.hits.to_json()
        for hit, result in zip(found["hits"], self.results, strict=True):
            hit["links"] = result.picture.links()
        found["notes"] += [self.moved_on] if self.moved_on else []
        found["links"] = {"page": self.permanent_url, "next": self.next_url or None}
        return found


def search_page(
    library: Library,
    answers: Answers,
    name: str,
    params: Iterable[tuple[str, str]],
    *,
    max_decoded: int = MAX_PARTS,
) -> SearchPage:
    """Ask collection `name` what `params` say.

    A mistake in the question is part of the page; it is told beside the control it concerns.

    Args:
        library: Where the collection is.
        answers: Remembers the answer for the pages of the works.
        name: Of the collection.
        params: Of the address.
        max_decoded: How many parts may be details or uploads.

    Raises:
        NotFoundError: when there is no such collection.
    """
    infos = library.collections()
    collection = find_collection(library, name)
    state = SearchState.from_params(name, params)
    spaces = collection.spaces()
    page = SearchPage(
        state=state,
        info=next(info for info in infos if info.name == name),
        collections=infos,
        spaces=spaces,
        space=_chosen(spaces, state.by),
        tiles=_tiles(library, collection, state),
        columns=[column.name for column in collection.columns()],
    )
    try:
        hits = answers.ask(collection, state.to_query(max_decoded=max_decoded))
    except (UsageError, NotFoundError, ImageError, UnavailableError) as error:
        return replace(page, fault=Fault(_place(error), error))
    results = [Result(hit, picture, state) for hit, picture in hit_pictures(collection, hits)]
    return replace(page, hits=hits, results=results)


def find_collection(library: Library, name: str) -> Collection:
    """Return a collection; an unknown one is an address that is not there.

    Raises:
        NotFoundError: listing near names.
    """
    try:
        return library[name]
    except UnknownNameError as error:
        raise NotFoundError(str(error)) from error


def percent_box(xyxyn: Sequence[float]) -> tuple[str, str, str, str]:
    """Return a box as x, y, width, height in percent, for SVG attributes."""
    x0, y0, x1, y1 = (min(max(100 * value, 0.0), 100.0) for value in xyxyn)
    return (f"{x0:.2f}", f"{y0:.2f}", f"{max(x1 - x0, 0):.2f}", f"{max(y1 - y0, 0):.2f}")


def _chosen(spaces: Sequence[SpaceInfo], model_id: str) -> SpaceInfo | None:
    if not model_id:
        return spaces[0] if spaces else None
    return next((space for space in spaces if space.model_id == model_id), None)


_PLACES = {"column": "where", "combination rule": "rule", "metric": "rule"}


def _place(error: BilderatlasError) -> str:
    if isinstance(error, FilterError):
        return "where"
    if isinstance(error, UnknownNameError):
        return _PLACES.get(error.kind, "sentence")
    return "sentence"


def _tiles(library: Library, collection: Collection, state: SearchState) -> list[Tile]:
    signed = [(text, 1) for text in state.like] + [(text, -1) for text in state.unlike]
    return [_tile(library, collection, state, text, sign) for text, sign in signed]


def _tile(
    library: Library, collection: Collection, state: SearchState, text: str, sign: int
) -> Tile:
    tile = Tile(text, sign, text, state)
    try:
        part = parse_part(text, sign=sign)
        if part.kind is PartKind.UPLOAD:
            return replace(tile, part=part, label="Your picture")
        picture = _picture(library, collection, part.value)
    except BilderatlasError:
        return tile  # the search itself says what is wrong with it
    return replace(tile, part=part, picture=picture, label=picture.alt)


def _picture(library: Library, collection: Collection, value: str) -> Picture:
    try:
        return pictures_of(collection, [value])[0]
    except NotFoundError:
        name, _, image_id = value.partition("/")
        if not image_id:
            raise
        return pictures_of(find_collection(library, name), [image_id])[0]
