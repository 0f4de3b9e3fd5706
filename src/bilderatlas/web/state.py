"""The state of a search is its URL: read it, change one thing in it, write it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from bilderatlas.errors import QueryError
from bilderatlas.search.combine import MAX_LAMBDA
from bilderatlas.search.parts import MAX_PARTS
from bilderatlas.search.query import (
    MAX_WEIGHT,
    Part,
    PartKind,
    Query,
    parse_metric,
    parse_part,
)
from bilderatlas.search.run import MAX_DEPTH, MAX_K
from bilderatlas.web import urls
from bilderatlas.web.spelling import YEARS, read_criterion, read_facet, spell_facet, take_fields

DEFAULT_K = 30
MAX_SEED = 2**31 - 1
MAX_VERSION = 2**53  # JSON's whole numbers end there
DEFAULT_RULE = "difference"
DEFAULT_LAMBDA = "0.5"
VERSION_PARAM = "v"
UPLOAD_PREFIX = "upload:"  # as `parse_part` reads it
PANEL_PREFIX = "panel:"
SORTS = ("date", "-date", "title")  # beside the order of likeness
HIDEABLE = ("kept", "seen")
SIZES = ("s", "l")  # beside the middle one
CENTURY = "century"  # what works can be grouped by beside their columns
MAX_CRITERIA = 8  # mixed in one question


@dataclass(frozen=True, slots=True)
class SearchState:
    """What a search URL says, as text, so that a mistake in it can be shown and mended in place.

    Attributes:
        collection: Name of the collection.
        like: Images and uploads the hits should be like, as `parse_part` reads them.
        unlike: The same for counter-examples.
        text: Words the hits should be like.
        not_text: Words the hits should be unlike.
        by: `model_id` of the criterion; empty: the collection's first. Several, separated by
            spaces, are mixed; each may carry its weight: `a.x^2 b.y`.
        metric: Empty: the card's default.
        rule: How examples and counter-examples are combined.
        lambda_: Strength of the negatives.
        k: Number of results.
        offset: Results to skip.
        where: Filter.
        match: Words to find in the records.
        mirrored: `1` to accept mirror images of details and poses.
        exact: `1` to force the exact scan.
        seed: Of the random hang.
        also: Names of further collections that are asked the same.
        facet: Values that the works must have, as `spell_facet` spells them; several values of
            one column are alternatives.
        years: Between which years the works were made: `1600-1750`.
        sort: One of `SORTS`; empty: by likeness.
        group: The column by which the works are grouped, or `CENTURY`.
        within: `panel:ID`: only works on that panel.
        hide: Which of `HIDEABLE` are left out.
        size: One of `SIZES`: how large the pictures are; empty: in between.
        version: The collection's version when the link was made. It is no part of the question,
            and no link but the permanent one carries it.
    """

    collection: str
    like: tuple[str, ...] = ()
    unlike: tuple[str, ...] = ()
    text: tuple[str, ...] = ()
    not_text: tuple[str, ...] = ()
    by: str = ""
    metric: str = ""
    rule: str = ""
    lambda_: str = ""
    k: str = ""
    offset: str = ""
    where: str = ""
    match: str = ""
    mirrored: str = ""
    exact: str = ""
    seed: str = ""
    also: tuple[str, ...] = ()
    facet: tuple[str, ...] = ()
    years: str = ""
    sort: str = ""
    group: str = ""
    within: str = ""
    hide: tuple[str, ...] = ()
    size: str = ""
    version: str = ""

    @classmethod
    def from_params(cls, collection: str, params: Iterable[tuple[str, str]]) -> Self:
        """Read the parameters of a URL or a form; unknown ones and empty ones are ignored."""
        many: dict[str, list[str]] = {field: [] for field in _MANY.values()}
        one: dict[str, str] = {}
        fields: list[tuple[str, str]] = []
        for name, raw in params:
            value = raw.replace("\x00", "").strip()
            if not value:
                continue
            if name in _MANY:
                many[_MANY[name]].append(value)
            elif name in _ONE:
                one[_ONE[name]] = value
            elif name == VERSION_PARAM:
                one["version"] = value
            else:
                fields.append((name, value))
        take_fields(fields, many, one)
        values: dict[str, Any] = dict(one)
        values |= {name: tuple(dict.fromkeys(texts)) for name, texts in many.items()}
        values["by"] = " ".join(dict.fromkeys(" ".join(many["by"]).split()))
        values["also"] = tuple(name for name in values["also"] if name != collection)
        return cls(collection, **values)

    def params(self) -> list[tuple[str, str]]:
        """Write the parameters in a fixed order, without what is the default anyway."""
        pairs = [
            (name, value) for name, field in _MANY.items() for value in self._values(field)
        ] + [(name, getattr(self, field)) for name, field in _ONE.items()]
        defaults = {"rule": DEFAULT_RULE, "lambda": DEFAULT_LAMBDA, "k": str(DEFAULT_K)}
        defaults |= {"offset": "0", "seed": "0"}
        return [(name, value) for name, value in pairs if value and value != defaults.get(name)]

    def _values(self, field: str) -> Iterable[str]:
        values: str | tuple[str, ...] = getattr(self, field)
        return values.split() if isinstance(values, str) else values

    def url(self, *, json: bool = False) -> str:
        """Return the address of this state."""
        return urls.search(self.collection, self.params(), json=json)

    def permanent_url(self, version: int, *, json: bool = False) -> str:
        """Return the address of this state of the collection's `version`: the one to cite."""
        params = [*self.params(), (VERSION_PARAM, str(version))]
        return urls.search(self.collection, params, json=json)

    def asked_version(self) -> int | None:
        """Return the version that the link was made for; None where it does not say.

        Raises:
            QueryError: when it is not a version.
        """
        if not self.version:
            return None
        return _whole(VERSION_PARAM, self.version, 0, MAX_VERSION)

    @property
    def has_parts(self) -> bool:
        """Tell whether anything is asked for, or works are hung at random."""
        return bool(self.like or self.unlike or self.text or self.not_text)

    @property
    def criteria(self) -> tuple[tuple[str, float], ...]:
        """The criteria with their weights; empty: the collection's first alone."""
        return tuple(map(read_criterion, self.by.split()))

    @property
    def facets(self) -> tuple[tuple[str, str], ...]:
        """The columns and values that the works must have; what is no such pair is left out."""
        return tuple(pair for text in self.facet if (pair := read_facet(text))[0])

    @property
    def span(self) -> tuple[int, int] | None:
        """The years between which the works were made.

        Raises:
            QueryError: when they cannot be read.
        """
        if not self.years:
            return None
        match = YEARS.match(self.years)
        if match is None or int(match[1]) > int(match[2]):
            raise _refused("years", self.years, "two years, the earlier one first: 1600-1750")
        return int(match[1]), int(match[2])

    @property
    def narrowed(self) -> bool:
        """Tell whether anything keeps works out of the answer."""
        return bool(
            self.where or self.match or self.facet or self.years or self.within or self.hide
        )

    def to_query(self, *, max_decoded: int = MAX_PARTS) -> Query:
        """Return the query that this state asks.

        Args:
            max_decoded: How many parts may be details or uploads, whose pictures must be decoded.

        Raises:
            QueryError: for a number, part, rule or version that cannot be read, and for too many
                parts.
            UnknownNameError: for an unknown metric.
        """
        self.asked_version()
        parts = self._parts()
        if len(parts) > MAX_PARTS:
            raise QueryError(
                f"Cannot search with {len(parts)} parts: at most {MAX_PARTS} are possible. "
                "Remove some of the pictures."
            )
        n_decoded = sum(part.kind is PartKind.UPLOAD or part.region is not None for part in parts)
        if n_decoded > max_decoded:
            raise QueryError(
                f"Cannot search with {n_decoded} details and pictures of your own: this server "
                f"takes at most {max_decoded} in one question. Remove some of them."
            )
        return Query(
            parts=parts,
            model_id=self.model_id,
            blend=self._blend(),
            metric=parse_metric(self.metric),
            rule=self.rule or DEFAULT_RULE,
            lambda_=_number("lambda", self.lambda_ or DEFAULT_LAMBDA, 0.0, MAX_LAMBDA),
            k=_whole("k", self.k or str(DEFAULT_K), 1, MAX_K),
            offset=_whole("offset", self.offset or "0", 0, MAX_DEPTH),
            where=self.where,
            match=self.match,
            exact=self.exact == "1",
            mirrored=self.mirrored == "1",
            seed=_whole("seed", self.seed or "0", 0, MAX_SEED),
            facets=self._facets(),
            years=self.span,
            sort=_one_of("sort", self.sort, SORTS),
            within_panel=self._panel(),
            hide=tuple(_one_of("hide", one, HIDEABLE) for one in self.hide),
        )

    @property
    def model_id(self) -> str:
        """The criterion, or the first of those that are mixed; empty: the collection's first."""
        return self.criteria[0][0] if self.by else ""

    def _blend(self) -> tuple[tuple[str, float], ...]:
        criteria = self.criteria
        if len(criteria) < 2:
            return ()
        if len(criteria) > MAX_CRITERIA:
            raise QueryError(
                f"Cannot mix {len(criteria)} criteria: at most {MAX_CRITERIA} are possible. "
                "Leave some of them out."
            )
        for model_id, weight in criteria:
            if not 0 < weight <= MAX_WEIGHT:
                raise _refused("by", f"{model_id}^{weight:g}", f"a weight up to {MAX_WEIGHT:g}")
        return criteria

    def _facets(self) -> tuple[tuple[str, str], ...]:
        if len(self.facets) < len(self.facet):
            wrong = next(text for text in self.facet if not read_facet(text)[0])
            raise _refused("facet", wrong, "a column and a value: school:Dutch")
        return self.facets

    def _panel(self) -> str:
        panel_id = self.within.removeprefix(PANEL_PREFIX)
        if self.within and panel_id == self.within:
            raise _refused("within", self.within, "a panel: panel:ID")
        return panel_id

    def _parts(self) -> tuple[Part, ...]:
        groups: Sequence[tuple[tuple[str, ...], int, PartKind]] = (
            (self.like, 1, PartKind.IMAGE),
            (self.text, 1, PartKind.TEXT),
            (self.unlike, -1, PartKind.IMAGE),
            (self.not_text, -1, PartKind.TEXT),
        )
        return tuple(
            parse_part(text, sign=sign, kind=kind) for texts, sign, kind in groups for text in texts
        )

    # ---- one change each; every change goes back to the first page of results ----

    def with_part(self, text: str, sign: int) -> Self:
        """Add an image or upload; it leaves the other light box."""
        kept = self.without_part(text)
        if sign > 0:
            return replace(kept, like=(*kept.like, text))
        return replace(kept, unlike=(*kept.unlike, text))

    def without_part(self, text: str) -> Self:
        """Remove an image or upload, whatever its sign."""
        return replace(
            self,
            like=tuple(part for part in self.like if part != text),
            unlike=tuple(part for part in self.unlike if part != text),
            offset="",
        )

    def with_weight(self, text: str, part: Part, weight: float) -> Self:
        """Weigh one of the pictures anew."""
        spelled = str(replace(part, weight=weight))
        return replace(
            self,
            like=tuple(spelled if old == text else old for old in self.like),
            unlike=tuple(spelled if old == text else old for old in self.unlike),
            offset="",
        )

    def changed(self, **values: str | tuple[str, ...]) -> Self:
        """Replace single values by name."""
        fresh: dict[str, Any] = {"offset": "", **values}
        return replace(self, **fresh)

    def with_facet(self, column: str, value: str) -> Self:
        """Ask for works with `value`, too; where it is asked for, no longer."""
        text = spell_facet(column, value)
        others = tuple(one for one in self.facet if read_facet(one) != (column, value))
        found = others if len(others) < len(self.facet) else (*self.facet, text)
        return replace(self, facet=found, offset="")

    def without_facet(self, column: str) -> Self:
        """Ask for no value of `column`."""
        kept = tuple(one for one in self.facet if read_facet(one)[0] != column)
        return replace(self, facet=kept, offset="")

    def hiding(self, what: str) -> Self:
        """Leave out works that are `kept` or `seen`; where they are left out, no longer."""
        others = tuple(one for one in self.hide if one != what)
        found = others if what in self.hide else (*self.hide, what)
        return replace(self, hide=found, offset="")

    def asking(self, name: str) -> Self:
        """Put the question to collection `name` as well; where it is put, no longer."""
        others = tuple(one for one in self.also if one != name)
        found = others if name in self.also else (*self.also, name)
        return replace(self, also=found, offset="")

    def moved_to(self, collection: str, *, by: str, known: Iterable[str] = ()) -> Self:
        """Put the question to another collection: images are named with theirs from then on.

        Args:
            collection: The other collection.
            by: The criterion there.
            known: Names of collections that an image may already be named with.
        """
        names = set(known)

        def spelled(text: str) -> str:
            owner, _, rest = text.partition("/")
            if owner == collection and rest and not rest.startswith(UPLOAD_PREFIX):
                return rest
            own = text.startswith((UPLOAD_PREFIX, PANEL_PREFIX)) or (owner in names and rest)
            return text if own else f"{self.collection}/{text}"

        return replace(
            self,
            collection=collection,
            like=tuple(map(spelled, self.like)),
            unlike=tuple(map(spelled, self.unlike)),
            by=by,
            where="",
            facet=(),
            also=tuple(name for name in self.also if name != collection),
            offset="",
        )

    def cleared(self) -> Self:
        """Keep the collections, the criterion and the size of the pictures only."""
        return type(self)(self.collection, by=self.by, also=self.also, size=self.size)

    def unnarrowed(self) -> Self:
        """Let every work into the answer."""
        return replace(self, where="", match="", facet=(), years="", within="", hide=(), offset="")

    def other_params(self, *names: str) -> list[tuple[str, str]]:
        """Return what a form must carry along besides its own fields `names`."""
        left_out = {*names, "offset"}
        return [(name, value) for name, value in self.params() if name not in left_out]

    def params_without(self, name: str, value: str) -> list[tuple[str, str]]:
        """Return what a form must carry along that edits one value among several of a name."""
        return [pair for pair in self.params() if pair[0] != "offset" and pair != (name, value)]


def spell_image(collection: str, image_id: str) -> str:
    """Spell an image as a part of a question to its collection.

    An id that looks like region or weight is given its weight, one that looks like an upload its
    collection.

    >>> [spell_image("rijks", one) for one in ("SK-C-5", "sheet^2", "upload:1")]
    ['SK-C-5', 'sheet^2^1', 'rijks/upload:1']
    """
    if image_id.startswith(UPLOAD_PREFIX):
        image_id = f"{collection}/{image_id}"
    try:
        plain = parse_part(image_id) == Part(PartKind.IMAGE, image_id)
    except QueryError:
        plain = False
    return image_id if plain else f"{image_id}^1"


_MANY = {
    "like": "like",
    "unlike": "unlike",
    "text": "text",
    "not": "not_text",
    "by": "by",
    "also": "also",
    "facet": "facet",
    "hide": "hide",
}
_ONE = {
    "metric": "metric",
    "rule": "rule",
    "lambda": "lambda_",
    "k": "k",
    "where": "where",
    "match": "match",
    "years": "years",
    "within": "within",
    "sort": "sort",
    "group": "group",
    "mirrored": "mirrored",
    "exact": "exact",
    "size": "size",
    "seed": "seed",
    "offset": "offset",
}


def _one_of(name: str, text: str, known: Sequence[str]) -> str:
    if text and text not in known:
        raise _refused(name, text, f"one of {', '.join(known)}")
    return text


def _number(name: str, text: str, low: float, high: float) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not low <= value <= high:
        raise _refused(name, text, f"a number from {low:g} to {high:g}")
    return value


def _whole(name: str, text: str, low: int, high: int) -> int:
    try:
        value = int(text)
    except ValueError:  # that of 4,301 digits or more, too
        value = low - 1
    if not low <= value <= high:
        raise _refused(name, text, f"a whole number from {low} to {high}")
    return value


def _refused(name: str, text: str, expected: str) -> QueryError:
    shown = text if len(text) <= 40 else f"{text[:40]}…"
    return QueryError(f"Cannot use {name} = '{shown}': expected {expected}.")
