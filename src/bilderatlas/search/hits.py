"""The ranked answer: a sequence of hits, always with the criterion that made it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, overload

from bilderatlas.arrays import Mask, Scores
from bilderatlas.records import Record
from bilderatlas.search import hits_table
from bilderatlas.search.hits_html import to_html
from bilderatlas.search.query import Query

if TYPE_CHECKING:
    import pandas as pd

    from bilderatlas.store.columns import Columns


@dataclass(frozen=True, slots=True)
class Criterion:
    """By what the hits were ranked."""

    model_id: str
    metric: str
    rule: str
    weights_sha256: str | None
    judges_by: str
    sees: str

    def to_json(self) -> dict[str, Any]:
        """Return the criterion as `search --json` prints it."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Match:
    """Where and how a detail of the query lies in a hit (local features only).

    Attributes:
        n_inliers: Point pairs that one homography explains, one to one.
        verdict: `same work`, `same object or workshop`, or `similar details`.
        region_xyxyn: Box of the match in the hit, shares of its width and height.
        query_region_xyxyn: Box of the match in the query picture.
        transform: In words: `mirrored, 3 % larger`.
        homography: Row-major 3×3, query picture (shares) → hit (shares).
        mirrored: Whether the query had to be mirrored.
    """

    n_inliers: int
    verdict: str
    region_xyxyn: tuple[float, float, float, float]
    query_region_xyxyn: tuple[float, float, float, float]
    transform: str
    homography: tuple[float, ...]
    mirrored: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the match as JSON-ready values."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class FigureMatch:
    """Which figure of a hit stands most like which figure of the query (poses only).

    Attributes:
        region_xyxyn: Box around the figure in the hit, shares of its width and height.
        joints_xyn: The 17 joints of the figure in COCO's order, shares; None where unseen.
        part: The part of the query whose figure it is like.
        query_region_xyxyn: Box around that figure in the query picture; None where not known.
        score: The likeness of the two figures under the metric.
        mirrored: Whether the query's figure had to be mirrored.
    """

    region_xyxyn: tuple[float, float, float, float]
    joints_xyn: tuple[tuple[float, float] | None, ...]
    part: str
    query_region_xyxyn: tuple[float, float, float, float] | None
    score: float
    mirrored: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the match as JSON-ready values."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Share:
    """What one criterion of several gave to a hit's mixed score.

    Attributes:
        model_id: The criterion.
        judges_by: What it judges by, in a scholar's words.
        weight: Its weight in the mixture, as asked.
        percentile: The share of the works in its space that score lower than the hit.
        share: Of the hit's mixed score, 0 to 1; the shares of a hit sum to 1.
    """

    model_id: str
    judges_by: str
    weight: float
    percentile: float
    share: float

    def to_json(self) -> dict[str, Any]:
        """Return the share as JSON-ready values."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Inactive:
    """A part of the query that took no part in the search, and why; it stays visible.

    Attributes:
        part: As it is spelled: `rijks/SK-C-5@0.1,0.2,0.3,0.3^2`.
        kind: Of the part: `image`, `upload`, `text`, `panel`.
        sign: +1 or −1.
        reason: One sentence, or several.
    """

    part: str
    kind: str
    sign: int
    reason: str

    def to_json(self) -> dict[str, Any]:
        """Return the part as JSON-ready values."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class StopLine:
    """Where the answer stops being better than chance, by the query's own background.

    Attributes:
        n_better: Works above the line, of all works that may be hits.
        threshold: Their lowest score.
        level: The share of them that may be there by chance.
        centre: Middle of the background's scores.
        spread: Standard deviation of the background's scores.
        sentence: What it says, for the reader of a result.
    """

    n_better: int
    threshold: float
    level: float
    centre: float
    spread: float
    sentence: str

    def to_json(self) -> dict[str, Any]:
        """Return the line as JSON-ready values."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """All works behind an answer, for facets, groups and other orders; never in JSON.

    Attributes:
        columns: The metadata, in the order of the arrays.
        scores: `(n,)` float32; minus infinity for works that are not in the space.
        rankable: `(n,)`, the works that have a score and are not the query's own.
        mask: `(n,)`, those of them that pass the filters: they may be hits.
        better: `(n,)`, those of `mask` above that line; all of them where there is no line, or
            nothing above it.
        threshold: The lowest score above that line; minus infinity where all works are `better`.
        perfect: At most the score of the very thing that is asked for; see `combine.Scorer`.
    """

    columns: Columns
    scores: Scores
    rankable: Mask
    mask: Mask
    better: Mask
    threshold: float = -math.inf
    perfect: float = math.inf

    @classmethod
    def of(
        cls,
        columns: Columns,
        scores: Scores,
        rankable: Mask,
        allowed: Mask,
        threshold: float = -math.inf,
    ) -> Pool:
        """Put the works together; those above the line have at least the score `threshold`."""
        mask = rankable & allowed
        if threshold > -math.inf:
            better = mask & (scores >= threshold)
            if better.any():
                return cls(columns, scores, rankable, mask, better, threshold)
        return cls(columns, scores, rankable, mask, mask)

    def better_of(self, allowed: Mask) -> Mask:
        """Return what `better` would be if the filters let `allowed` `(n,)` pass instead."""
        return allowed & self.rankable & (self.scores >= self.threshold)


@dataclass(frozen=True, slots=True)
class Hit:
    """One answer: larger scores are better; percentile is the share of works that score lower.

    `collection` names the hit's own where several were asked; `shares` stand on the hits of a
    mixture of criteria.
    """

    rank: int
    image_id: str
    score: float
    percentile: float
    record: Record
    match: Match | None = None
    figure: FigureMatch | None = None
    collection: str = ""
    shares: tuple[Share, ...] = ()

    @property
    def region_xyxyn(self) -> tuple[float, float, float, float] | None:
        """Return the box of what was found in the picture; None where the whole was compared."""
        found = self.match or self.figure
        return found.region_xyxyn if found else None

    def to_json(self) -> dict[str, Any]:
        """Return the hit as `search --json` prints it."""
        base = {
            "rank": self.rank,
            "image_id": self.image_id,
            "score": self.score,
            "percentile": self.percentile,
            "record": self.record.to_json(),
        }
        found = {"match": self.match, "figure": self.figure}
        base |= {name: one.to_json() for name, one in found.items() if one is not None}
        if self.collection:
            base["collection"] = self.collection
        if self.shares:
            base["shares"] = [share.to_json() for share in self.shares]
        return base


@dataclass(frozen=True, slots=True)
class Hits(Sequence[Hit]):
    """The hits of one query, in order.

    Attributes:
        query: What was asked, with every default filled in.
        criterion: By what it was judged; None for a random hang, the first of a mixture.
        recall: `exact`, or the measured recall in words.
        n_candidates: Works that passed the filters, the query's own among them.
        n_works: Works in the collection.
        collection: Name of the collection.
        version: The collection's version that answered.
        seconds: Time spent.
        notes: Sentences the user should read (a part that was left out, and why).
        thumbnail_of: Where notebooks get a picture from, by image id; set by the API.
        inactive: Parts that took no part, each with its reason.
        stop: Where the answer stops being better than chance; None where that cannot be told.
        criteria: All criteria of a mixture; empty where there is one.
        also: Names of further collections that answered.
        pool: All works behind the hits.
        answers: What each collection answered by itself, where several were asked.
    """

    hits: tuple[Hit, ...]
    query: Query
    criterion: Criterion | None
    recall: str
    n_candidates: int
    n_works: int
    collection: str
    version: int
    seconds: float
    notes: tuple[str, ...] = field(default=())
    thumbnail_of: Callable[[str], bytes | None] | None = field(
        default=None, compare=False, repr=False
    )
    inactive: tuple[Inactive, ...] = ()
    stop: StopLine | None = None
    criteria: tuple[Criterion, ...] = ()
    also: tuple[str, ...] = ()
    pool: Pool | None = field(default=None, compare=False, repr=False)
    answers: tuple[Hits, ...] = field(default=(), compare=False, repr=False)

    @overload
    def __getitem__(self, index: int) -> Hit: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Hit]: ...
    def __getitem__(self, index: int | slice) -> Hit | Sequence[Hit]:
        """Return one hit, or a slice of them."""
        return self.hits[index]

    def __len__(self) -> int:
        """Return the number of hits."""
        return len(self.hits)

    def __iter__(self) -> Iterator[Hit]:
        """Iterate over the hits, best first."""
        return iter(self.hits)

    def to_json(self) -> dict[str, Any]:
        """Return what `search --json` prints."""
        return {
            "query": self.query.to_json(),
            "collection": self.collection,
            "version": self.version,
            "also": list(self.also),
            "criterion": self.criterion.to_json() if self.criterion else None,
            "criteria": [criterion.to_json() for criterion in self.criteria],
            "recall": self.recall,
            "n_works": self.n_works,
            "n_candidates": self.n_candidates,
            "seconds": round(self.seconds, 6),
            "notes": list(self.notes),
            "inactive": [part.to_json() for part in self.inactive],
            "stop": self.stop.to_json() if self.stop else None,
            "hits": [hit.to_json() for hit in self.hits],
        }

    def to_records(self) -> list[dict[str, Any]]:
        """Return one flat dictionary a hit: rank, id, score, percentile, the record's fields.

        Where several collections answered, or criteria were mixed, it says so of each hit. Every
        dictionary has every key; what is missing is None, several values are a list.
        """
        return hits_table.to_records(self.hits)

    def to_csv(self) -> str:
        """Return the hits as CSV (RFC 4180) that no spreadsheet mistakes for formulas.

        Several values of one field are joined by `; `. A text that begins like a formula, with
        `=`, `+`, `-`, `@`, a tab or a line break, gets a `'` before it.
        """
        return hits_table.to_csv(self.to_records())

    def to_pandas(self) -> pd.DataFrame:
        """Return the hits as a pandas data frame.

        Raises:
            UnavailableError: when pandas is not installed.
        """
        frame: pd.DataFrame = hits_table.to_pandas(self.to_records())
        return frame

    def to_polars(self) -> Any:
        """Return the hits as a polars data frame.

        Raises:
            UnavailableError: when polars is not installed.
        """
        return hits_table.to_polars(self.to_records())

    def _repr_html_(self) -> str:
        """Return the hits as a notebook shows them."""
        judged = f"judged by {self.criterion.judges_by}" if self.criterion else "at random"
        heading = f"{len(self)} of {self.n_works} works in '{self.collection}', {judged}"
        return to_html(self.hits, heading, self.thumbnail_of)
