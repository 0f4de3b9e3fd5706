"""Which points of one picture are which points of another: local features, laid over each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from bilderatlas.extractors.base import ImageRows
from bilderatlas.extractors.details import mirror_rows
from bilderatlas.search.hits import Match
from bilderatlas.search.verify import Features, find_agreement, match_of

MAX_POINTS = 60  # more would hide the pictures


@dataclass(frozen=True, slots=True)
class Correspondence:
    """How one picture lies in another.

    Attributes:
        match: The verdict, the regions and the homography from the first to the second picture.
        points: Some of the pairs that agree, spread over all: x and y in the first picture, x and
            y in the second, in shares of width and height.
    """

    match: Match
    points: tuple[tuple[float, float, float, float], ...]

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON-ready values."""
        return {"match": self.match.to_json(), "points": [list(point) for point in self.points]}


def find_correspondence(
    first: ImageRows,
    first_wh: tuple[int, int],
    second: ImageRows,
    second_wh: tuple[int, int],
) -> Correspondence | None:
    """Return how the first picture lies in the second, upright or mirrored; None for neither.

    Args:
        first: Local features of a picture.
        first_wh: Its size (only the proportions matter).
        second: Those of the other one.
        second_wh: Its size.
    """
    hit = Features.from_rows(second, second_wh)
    found: list[Correspondence] = []
    for mirrored in (False, True):
        query = Features.from_rows(mirror_rows(first) if mirrored else first, first_wh)
        agreement = find_agreement(query, hit)
        if agreement is None:
            continue
        # ascending by their row in the query, hence evenly taken from all over the list
        step = max(1.0, len(agreement.pairs) / MAX_POINTS)
        chosen = agreement.pairs[np.arange(0, len(agreement.pairs), step).astype(int)]
        here = query.places[chosen[:, 0]] / query.size_wh
        there = hit.places[chosen[:, 1]] / hit.size_wh
        if mirrored:
            here[:, 0] = 1 - here[:, 0]
        points = np.round(np.hstack([here, there]), 4).tolist()
        match = match_of(agreement, query, hit, mirrored=mirrored)
        found.append(Correspondence(match, tuple((a, b, c, d) for a, b, c, d in points)))
    return max(found, key=lambda one: one.match.n_inliers, default=None)
