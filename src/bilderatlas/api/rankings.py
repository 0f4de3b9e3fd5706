"""Two rankings of the same question: what both found, what one alone did, how far they agree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bilderatlas.api.collection import Collection
from bilderatlas.evaluation.rank_overlap import PERSISTENCE, rank_biased_overlap
from bilderatlas.search.hits import Hits
from bilderatlas.search.query import Query
from bilderatlas.words import Said, said


@dataclass(frozen=True, slots=True)
class RankingComparison:
    """Two answers, side by side.

    Attributes:
        a: One answer.
        b: The other.
        both: Ids of the works in both, in the order of `a`.
        only_a: Ids of the works that `a` alone names, in its order.
        only_b: The same of `b`.
        rbo: Rank-biased overlap of what the two name, 0 to 1.
    """

    a: Hits
    b: Hits
    both: tuple[str, ...]
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]
    rbo: float

    @property
    def places_a(self) -> Mapping[str, int]:
        """The place of each work in `a`."""
        return {hit.image_id: hit.rank for hit in self.a}

    @property
    def places_b(self) -> Mapping[str, int]:
        """The place of each work in `b`."""
        return {hit.image_id: hit.rank for hit in self.b}

    @property
    def verdict(self) -> Said:
        """How far the two agree, in words."""
        return agreement(self.rbo)

    def to_json(self) -> dict[str, Any]:
        """Return the comparison as JSON-ready values."""
        return {
            "rbo": self.rbo,
            "persistence": PERSISTENCE,
            "verdict": str(self.verdict),
            "both": list(self.both),
            "only_a": list(self.only_a),
            "only_b": list(self.only_b),
            "a": self.a.to_json(),
            "b": self.b.to_json(),
        }


def compare_rankings(collection: Collection, query_a: Query, query_b: Query) -> RankingComparison:
    """Ask one collection two questions and compare their answers.

    Raises:
        UsageError: when the parts, the rule, the filter or a name of either do not fit.
    """
    return compare_answers(collection.run(query_a), collection.run(query_b))


def compare_answers(a: Hits, b: Hits) -> RankingComparison:
    """Compare two answers that are there, as far down as both go."""
    ids_a, ids_b = ([hit.image_id for hit in hits] for hits in (a, b))
    in_a, in_b = set(ids_a), set(ids_b)
    return RankingComparison(
        a,
        b,
        tuple(one for one in ids_a if one in in_b),
        tuple(one for one in ids_a if one not in in_b),
        tuple(one for one in ids_b if one not in in_a),
        rank_biased_overlap(ids_a, ids_b),
    )


def agreement(rbo: float) -> Said:
    """Say how far two rankings agree.

    >>> str(agreement(0.25))
    'The two rankings agree in little.'
    """
    if rbo >= 1 - 1e-9:
        return said("The two rankings are the same.")
    if rbo >= 0.8:
        return said("The two rankings agree almost everywhere.")
    if rbo >= 0.5:
        return said("The two rankings agree in much.")
    if rbo >= 0.2:
        return said("The two rankings agree in little.")
    if rbo > 0:
        return said("The two rankings hardly agree.")
    return said("The two rankings have no work in common.")
