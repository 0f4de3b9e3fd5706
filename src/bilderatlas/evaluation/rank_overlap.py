"""How far two rankings agree, the first places counting most: rank-biased overlap."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from bilderatlas.errors import UsageError

PERSISTENCE = 0.9  # the first ten places then carry 86 % of the measure


def rank_biased_overlap(
    a: Sequence[Hashable], b: Sequence[Hashable], p: float = PERSISTENCE
) -> float:
    """Return the extrapolated rank-biased overlap (RBO) of two rankings, best first.

    A reader looks at the first place of both, and goes on to the next with probability `p`; RBO is
    the share of works that both lists have in common down to where the reader stops, on average.
    What lies below the lists is taken to agree as far as their ends do. The lists may differ in
    length and in what they hold. Follows W. Webber, A. Moffat and J. Zobel, *A Similarity Measure
    for Indefinite Rankings* (2010), equation 32.

    Args:
        a: One ranking; nothing may be in it twice.
        b: The other.
        p: Above 0, below 1; the nearer to 1, the deeper the reader looks.

    Returns:
        0 (nothing in common) to 1 (the same works in the same order). Two empty rankings agree; an
        empty one has nothing in common with any other.

    Raises:
        UsageError: when `p` is no such number, or something stands twice in one ranking.

    >>> round(rank_biased_overlap(["ox", "ass"], ["ass", "ox"]), 6)
    0.9
    """
    _check(a, b, p)
    short, long = sorted((a, b), key=len)
    n_short, n_long = len(short), len(long)
    if not n_short:
        return 0.0 if n_long else 1.0
    overlaps = _overlaps(short, long)
    at_short, at_long = overlaps[n_short - 1], overlaps[-1]
    agreement = 0.0
    for depth, n_common in enumerate(overlaps, start=1):
        # below its end the shorter list is taken to go on agreeing as it did there
        assumed = max(depth - n_short, 0) * at_short / n_short
        agreement += (n_common + assumed) / depth * p**depth
    rest = (at_long - at_short) / n_long + at_short / n_short
    found = (1 - p) / p * agreement + rest * p**n_long
    return min(max(found, 0.0), 1.0)  # a sum of many roundings


def _check(a: Sequence[Hashable], b: Sequence[Hashable], p: float) -> None:
    if not 0 < p < 1:
        raise UsageError(
            f"Cannot compare two rankings with p = {p}: expected a number above 0 and below 1."
        )
    for ranking in (a, b):
        if len(set(ranking)) < len(ranking):
            raise UsageError(
                "Cannot compare two rankings: something stands twice in one of them. Name each "
                "work once."
            )


def _overlaps(short: Sequence[Hashable], long: Sequence[Hashable]) -> list[int]:
    """Return how many items the rankings have in common down to each place of the longer one."""
    seen: set[Hashable] = set()
    n_common = 0
    overlaps = []
    for place, item in enumerate(long):
        others = (item, short[place]) if place < len(short) else (item,)
        for each in others:
            n_common += each in seen
            seen.add(each)
        overlaps.append(n_common)
    return overlaps
