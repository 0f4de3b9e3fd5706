"""What is asked: signed, weighted parts, a criterion, a rule, and what to leave out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bilderatlas.arrays import Metric
from bilderatlas.errors import QueryError, UnknownNameError

MAX_WEIGHT = 1000.0
SORTS = ("", "date", "-date", "title")
HIDEABLE = ("kept", "seen")


class PartKind(StrEnum):
    """What a part of a query is made of."""

    IMAGE = "image"  # an image of a collection; value = image_id or collection/image_id
    UPLOAD = "upload"  # a picture brought along; value = sha256 of its bytes
    TEXT = "text"  # words; value = the words
    PANEL = "panel"  # the pictures of a panel; value = its id. Becomes images before the search


@dataclass(frozen=True, slots=True)
class Region:
    """A rectangle in shares of width and height of the oriented picture: 0 ≤ x, y; x + w ≤ 1."""

    x: float
    y: float
    w: float
    h: float

    def __post_init__(self) -> None:
        """Refuse rectangles that are empty or leave the picture."""
        inside = min(self.x, self.y) >= 0 and self.x + self.w <= 1.001 and self.y + self.h <= 1.001
        if not (inside and self.w > 0 and self.h > 0):
            raise QueryError(
                f"Cannot use the region {self.x:g},{self.y:g},{self.w:g},{self.h:g}: expected "
                "x,y,width,height as shares of the picture, for example 0.1,0.2,0.3,0.3."
            )

    def __str__(self) -> str:
        """Spell the region as in a URL: `0.1,0.2,0.3,0.4`."""
        return ",".join(
            f"{value:.4f}".rstrip("0").rstrip(".") for value in (self.x, self.y, self.w, self.h)
        )


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that the hits should be like (`sign` +1) or unlike (−1)."""

    kind: PartKind
    value: str
    sign: int = 1
    weight: float = 1.0
    region: Region | None = None

    def __str__(self) -> str:
        """Spell the part as on the command line and in URLs: `SK-C-5@0.1,0.2,0.3,0.3^2`."""
        prefix = f"{self.kind}:" if self.kind in _PREFIXED else ""
        region = f"@{self.region}" if self.region else ""
        weight = f"^{self.weight:g}" if self.weight != 1 else ""
        return f"{prefix}{self.value}{region}{weight}"


_PREFIXED = (PartKind.UPLOAD, PartKind.PANEL)  # spelled `upload:…` and `panel:…`

# No two ways to read a number: a query arrives in a URL from anybody, and must be read in one pass.
_NUMBER = r"(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)"
_SUFFIX = re.compile(
    r"^(?P<value>.+?)"
    rf"(?:@(?P<region>{_NUMBER}(?:,{_NUMBER}){{3}}))?"
    rf"(?:\^(?P<weight>{_NUMBER}))?$",
    re.DOTALL,
)


def parse_part(text: str, *, sign: int = 1, kind: PartKind = PartKind.IMAGE) -> Part:
    """Read one part: a value, then optionally `@x,y,w,h` and `^weight`.

    >>> parse_part("SK-C-5@0.1,0.2,0.3,0.3^2")
    Part(kind=<PartKind.IMAGE: 'image'>, value='SK-C-5', sign=1, weight=2.0, \
region=Region(x=0.1, y=0.2, w=0.3, h=0.3))

    Raises:
        QueryError: for an empty value, a weight of zero, a huge weight or a region outside the
            picture.
    """
    match = _SUFFIX.match(text.strip())
    if match is None:
        raise QueryError(
            "Cannot search for nothing: a part of the query is empty. Name an image or a word."
        )
    value, region = match["value"], match["region"]
    weight = float(match["weight"]) if match["weight"] else 1.0
    if not 0 < weight <= MAX_WEIGHT:
        raise QueryError(
            f"Cannot weigh '{value}' by {weight:g}: expected a weight larger than 0, at most "
            f"{MAX_WEIGHT:g}. Use --unlike to subtract."
        )
    if kind is PartKind.IMAGE:
        for prefixed in _PREFIXED:
            if value.startswith(f"{prefixed}:"):
                kind, value = prefixed, value.removeprefix(f"{prefixed}:")
                break
    x_y_w_h = [float(number) for number in region.split(",")] if region else None
    return Part(kind, value, sign, weight, Region(*x_y_w_h) if x_y_w_h else None)


def parse_metric(name: str | None) -> Metric | None:
    """Return the metric called `name`; None, the card's default, where nothing is said.

    Raises:
        UnknownNameError: listing near names.
    """
    if not name:
        return None
    if name not in set(Metric):
        raise UnknownNameError("metric", name, [metric.value for metric in Metric])
    return Metric(name)


@dataclass(frozen=True, slots=True)
class Query:
    """A whole question to one collection.

    Attributes:
        parts: What the hits should be like and unlike; empty: a random hang.
        model_id: The criterion; empty: the collection's first space.
        blend: Several criteria with their weights, mixed: `(model_id, weight)`, two or more;
            `model_id` is then the first of them. Empty: the one criterion.
        metric: None: the card's default.
        rule: Name of a combination rule.
        lambda_: Strength of the negatives for rules that have one.
        k: Number of hits.
        offset: Hits to skip.
        where: Filter text on metadata.
        match: Full-text search in the metadata.
        facets: `(column, value)`; values of one column are alternatives, columns narrow each other.
        years: First and last year; a work passes when its own years overlap them. None: any.
        sort: Order of the works that are better than chance: empty, by score; `date`, `-date`
            (latest first) or `title`.
        within_panel: Id of a panel; the api reads its works into `within`.
        hide: `kept`, `seen`; the api reads these works into `without`.
        within: Only these ids; None: all.
        without: Never these ids.
        include_query: Whether the query's own images may be hits.
        exact: Force the exact scan.
        mirrored: Let details and poses also match their mirror image.
        seed: Of the random hang.
    """

    parts: tuple[Part, ...] = ()
    model_id: str = ""
    blend: tuple[tuple[str, float], ...] = ()
    metric: Metric | None = None
    rule: str = "difference"
    lambda_: float = 0.5
    k: int = 30
    offset: int = 0
    where: str = ""
    match: str = ""
    facets: tuple[tuple[str, str], ...] = ()
    years: tuple[int, int] | None = None
    sort: str = ""
    within_panel: str = ""
    hide: tuple[str, ...] = ()
    within: frozenset[str] | None = None
    without: frozenset[str] = frozenset()
    include_query: bool = False
    exact: bool = False
    mirrored: bool = False
    seed: int = 0

    @property
    def positives(self) -> tuple[Part, ...]:
        """Return the parts that hits should be like."""
        return tuple(part for part in self.parts if part.sign > 0)

    @property
    def negatives(self) -> tuple[Part, ...]:
        """Return the parts that hits should be unlike."""
        return tuple(part for part in self.parts if part.sign < 0)

    def to_json(self) -> dict[str, Any]:
        """Return what `search --json` prints under `query`."""
        return {
            "parts": [
                {
                    "kind": part.kind.value,
                    "value": part.value,
                    "sign": part.sign,
                    "weight": part.weight,
                    "region": str(part.region) if part.region else None,
                }
                for part in self.parts
            ],
            "model_id": self.model_id,
            "blend": [{"model_id": model_id, "weight": weight} for model_id, weight in self.blend],
            "metric": self.metric.value if self.metric else None,
            "rule": self.rule,
            "lambda": self.lambda_,
            "k": self.k,
            "offset": self.offset,
            "where": self.where,
            "match": self.match,
            "facets": [{"column": column, "value": value} for column, value in self.facets],
            "years": list(self.years) if self.years else None,
            "sort": self.sort,
            "within_panel": self.within_panel,
            "hide": list(self.hide),
            "within": sorted(self.within) if self.within is not None else None,
            "without": sorted(self.without),
            "include_query": self.include_query,
            "exact": self.exact,
            "mirrored": self.mirrored,
            "seed": self.seed,
        }
