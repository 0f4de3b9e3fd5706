"""Why a work was found: its place in the answer to the question that led to it, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bilderatlas.errors import BilderatlasError
from bilderatlas.search.query import PartKind
from bilderatlas.web.i18n import gettext as _
from bilderatlas.web.i18n import percent, thousands
from bilderatlas.web.pages.results import Surroundings, percent_box

if TYPE_CHECKING:
    from bilderatlas.api import Collection
    from bilderatlas.search.hits import Criterion, Hit, Hits
    from bilderatlas.web.answers import Answers
    from bilderatlas.web.state import SearchState

MOST_SURE = 0.9995  # beyond, a rounded percentile would say that it beats itself


@dataclass(frozen=True, slots=True)
class ShareBar:
    """What one of several criteria gave to the score.

    Attributes:
        judges_by: The criterion, in words.
        width: Its part of the score, in percent.
        line: The same in a sentence.
    """

    judges_by: str
    width: float
    line: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A work's place in an answer."""

    hit: Hit
    hits: Hits
    state: SearchState
    previous: str
    next: str

    @property
    def line(self) -> str:
        """Rank and percentile in a sentence; a score alone would say nothing."""
        closer = percentile_words(self.hit.percentile)
        everywhere = not self.state.narrowed
        if self.state.sort:  # its place in the list says nothing of likeness
            if everywhere:
                return _("Closer to your question than %(share)s of the collection.", share=closer)
            return _(
                "Closer to your question than %(share)s of the works that were asked.", share=closer
            )
        facts = {
            "rank": thousands(self.hit.rank),
            "all": thousands(self.hits.n_candidates),
            "share": closer,
        }
        if everywhere:
            return _(
                "Rank %(rank)s of %(all)s, closer to your question than %(share)s of the "
                "collection.",
                **facts,
            )
        return _(
            "Rank %(rank)s of %(all)s works that were asked, closer to your question than "
            "%(share)s of them.",
            **facts,
        )

    @property
    def beyond_chance(self) -> str:
        """Whether it stands above the line from which likeness may be chance; empty: no line."""
        if self.hits.stop is None or self.state.sort:
            return ""
        if self.hit.rank <= self.hits.stop.n_better:
            return _("That is more than chance would give.")
        return _("So close a work would also turn up by chance.")

    @property
    def criteria(self) -> Sequence[Criterion]:
        """By what it was judged: one criterion, or those that were mixed."""
        if self.hits.criteria:
            return self.hits.criteria
        return (self.hits.criterion,) if self.hits.criterion else ()

    @property
    def bars(self) -> list[ShareBar]:
        """What each criterion gave to the score, where several were mixed."""
        return [
            ShareBar(
                share.judges_by,
                round(100 * min(max(share.share, 0.0), 1.0), 1),
                _(
                    "%(share)s of its score; closer than %(closer)s",
                    share=percent_words(share.share),
                    closer=percentile_words(share.percentile),
                ),
            )
            for share in self.hit.shares
        ]

    @property
    def box(self) -> tuple[str, str, str, str] | None:
        """For details and poses: what matches, as x, y, width, height in percent."""
        region = self.hit.region_xyxyn
        return percent_box(region) if region else None

    @property
    def asked_image(self) -> str:
        """The first picture of this library that the question is made of; empty: there is none."""
        return next(
            (
                part.value
                for part in self.hits.query.positives
                if part.kind is PartKind.IMAGE and part.value != self.hit.image_id
            ),
            "",
        )

    def to_json(self) -> dict[str, Any]:
        """Return the place and the criterion for programs."""
        return {
            "rank": self.hit.rank,
            "n_candidates": self.hits.n_candidates,
            "percentile": self.hit.percentile,
            "criteria": [one.to_json() for one in self.criteria],
            "shares": [
                {"model_id": one.model_id, "share": one.share, "percentile": one.percentile}
                for one in self.hit.shares
            ],
        }


def percentile_words(percentile: float) -> str:
    """Write the share of works that are farther off: `98.6 %`, held together.

    >>> [percentile_words(one).replace("\u00a0", " ") for one in (0.98601, 0.5, 1.0)]
    ['98.6 %', '50 %', '99.9 %']
    """
    share = min(max(percentile, 0.0), MOST_SURE - 0.0001)
    return percent_words(share, 0 if abs(100 * share - round(100 * share)) < 0.05 else 1)


def percent_words(share: float, digits: int = 0) -> str:
    """Write a share of one as prose does, the sign set off and held to the number: `35 %`."""
    text = percent(share, digits)
    return f"{text[:-1]}\u00a0%" if text[-2:-1].isdigit() else text


def find_place(
    collection: Collection,
    image_id: str,
    state: SearchState,
    answers: Answers,
    *,
    max_decoded: int,
) -> Finding | None:
    """Return the place of a work in the answer to `state`; None where it has none."""
    if not state.has_parts:
        return None
    try:
        hits = answers.recall(collection, state.to_query(max_decoded=max_decoded), state.also)
    except BilderatlasError:
        return None  # the search page says what is wrong with the question
    for place, hit in enumerate(hits):
        if hit.image_id == image_id and hit.collection in {"", collection.name}:
            around = Surroundings(state, (state.collection, *state.also))
            near = [
                around.work_url(hits[other].collection or collection.name, hits[other].image_id)
                if 0 <= other < len(hits)
                else ""
                for other in (place - 1, place + 1)
            ]
            return Finding(hit, hits, state, *near)
    return None
