"""The stop line: where an answer stops being better than chance, by the query's own background.

Most works of a collection have nothing to do with a query: their scores show what chance does. From
the lower half of all scores, which what was looked for does not reach, the middle and the spread of
that background are estimated (an empirical null: Efron, *Large-scale simultaneous hypothesis
testing*, 2004). A work is better than chance where its score would be too rare in the background,
given how many works were compared (Benjamini and Hochberg, 1995): of the works above the line about
one in ten, at most, may be there by accident.

What it can and cannot say stands in `docs/explanation/stop-line.md`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from bilderatlas.arrays import Scores
from bilderatlas.search.hits import Pool, StopLine
from bilderatlas.words import said, said_of

LEVEL = 0.1  # the share of the works above the line that may be there by chance
MIN_WORKS = 60  # fewer do not show what chance does
MAX_SAMPLE = 16_384  # works by which middle and spread are told: they are then known to 1 %

_NORMAL = NormalDist()
_LOWER = _NORMAL.cdf(-1.0)  # the share of a background that lies one spread below its middle
_Z_MAX = 38.0  # beyond, the tail of the normal distribution is no longer a number
_Z_STEP = 1 / 64

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FoundLine:
    """The line of one query, before it is known which works the filters let pass.

    Attributes:
        threshold: The lowest score above it; where none is, the score that one work would need.
        centre: Middle of the background.
        spread: Its standard deviation.
    """

    threshold: float
    centre: float
    spread: float

    def drawn_in(self, pool: Pool) -> StopLine:
        """Return the line as it runs through the works that may be hits."""
        n_better = int(np.count_nonzero(pool.mask & (pool.scores >= self.threshold)))
        return StopLine(n_better, self.threshold, LEVEL, self.centre, self.spread, _told(n_better))


def find_stop_line(
    scores: Scores, *, perfect: float = math.inf, level: float = LEVEL
) -> FoundLine | None:
    """Find where scores stop being better than chance.

    Args:
        scores: `(n,)` of all works of the space but the query's own, whatever a filter hides: the
            line belongs to the query and does not move when works are hidden.
        perfect: The score of the very thing that is asked for.
        level: The share of the works above the line that may be there by chance.

    Returns:
        The line. None where chance cannot be told: with few works, where most score the same, and
        where the background reaches so far up that not even a perfect work would stand out.
    """
    n_works = len(scores)
    if n_works < MIN_WORKS:
        return None
    centre, spread = _background(scores)
    alone = centre + spread * _NORMAL.inv_cdf(1 - level / n_works)  # what one work would need
    best = float(scores.max())
    if spread <= 1e-6 * abs(centre) or alone > max(perfect, best):
        return None
    needed = centre + spread * _NORMAL.inv_cdf(1 - level)  # no work below can be above the line
    tail = -np.sort(-scores[scores >= needed])
    rarities = _log_tail((tail - centre) / spread)
    bounds = np.log(level / n_works * np.arange(1, len(tail) + 1))
    found = np.flatnonzero(rarities <= bounds)
    if len(found):
        return FoundLine(float(tail[found[-1]]), centre, spread)
    return FoundLine(max(alone, math.nextafter(best, math.inf)), centre, spread)


def _background(scores: Scores) -> tuple[float, float]:
    """Return the middle of the scores and their spread, told from the lower half alone."""
    sample = scores[:: -(-len(scores) // MAX_SAMPLE)]
    low, middle = int(_LOWER * len(sample)), len(sample) // 2
    parted = np.partition(sample, (low, middle))
    centre = float(parted[middle])
    return centre, centre - float(parted[low])


def _log_tail(z: npt.NDArray[np.floating]) -> Floats:
    """Return the logarithm of the share of a normal distribution above each `z` `(n,)`."""
    steps, logs = _log_tail_table()
    return np.asarray(np.interp(z, steps, logs))


@cache
def _log_tail_table() -> tuple[Floats, Floats]:
    steps = np.arange(0, _Z_MAX, _Z_STEP)
    return steps, np.log([math.erfc(z / math.sqrt(2)) / 2 for z in steps.tolist()])


def _told(n_better: int) -> str:
    """Say what the line says; one at 0 speaks against no work: the nearest may well be right."""
    if not n_better:
        return said("No work stands out from the rest; the nearest come first.")
    return said_of(
        "The first work is more like the question than chance would have it. Those that follow "
        "score as the many do that have nothing to do with it.",
        "The first %(num)s works are more like the question than chance would have it; up to one "
        "in ten of them may stand there by accident. Those that follow score as the many do that "
        "have nothing to do with it.",
        n_better,
    )
