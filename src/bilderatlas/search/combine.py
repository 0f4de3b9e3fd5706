"""Combination rules: how several examples and counter-examples become one ranking.

A rule is a sentence that the user can read and a function that builds a scorer. The scorer names
the vectors against which an engine scores all works, and a decision over these scores; besides,
the vectors with which an approximate engine fetches its candidates.

Weights. Within one side they are relative to each other; between the sides, the strength of the
counter-examples is their mean weight over that of the examples. One example alone is plain search
for its nearest neighbours under every rule, whatever its weight. With counter-examples alone the
least similar works come first, under every rule.

The rules and their formulas are explained in `docs/explanation/combination-rules.md`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bilderatlas.arrays import Embeddings, Metric, Scores, unit_rows
from bilderatlas.errors import QueryError
from bilderatlas.registry import Registry

MAX_LAMBDA = 10.0
_PERFECT = {Metric.ANGULAR: 1.0, Metric.DOT: math.inf, Metric.EUCLIDEAN: 0, Metric.MANHATTAN: 0}
LINEAR = (Metric.ANGULAR, Metric.DOT)  # a score is linear in the query: directions add up

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Examples:
    """One side of a query: the vectors of all its parts.

    Attributes:
        vectors: `(m, d)` float32.
        weights: `(m,)`, the weight of the part that each vector belongs to.
        shares: `(m,)`, that weight divided by the number of vectors of the part.
    """

    vectors: Embeddings
    weights: Floats
    shares: Floats

    @classmethod
    def join(cls, parts: Sequence[tuple[Embeddings, float]], dim: int) -> Examples:
        """Join parts, each `(rows, d)` with its weight; `dim` is needed where there are none."""
        vectors = [np.asarray(rows, dtype=np.float32) for rows, _ in parts]
        weights = [np.full(len(rows), weight) for rows, weight in parts]
        shares = [np.full(len(rows), weight / max(1, len(rows))) for rows, weight in parts]
        return cls(
            np.concatenate([np.empty((0, dim), np.float32), *vectors]),
            np.concatenate([np.empty(0), *weights]),
            np.concatenate([np.empty(0), *shares]),
        )

    @classmethod
    def of(cls, vectors: Embeddings, weights: Sequence[float] | None = None) -> Examples:
        """Take each row of `vectors` `(m, d)` as a part of its own, of weight 1 unless told."""
        given = [1.0] * len(vectors) if weights is None else weights
        parts = [(row[np.newaxis], weight) for row, weight in zip(vectors, given, strict=True)]
        return cls.join(parts, vectors.shape[1])

    def __len__(self) -> int:
        """Return the number of vectors."""
        return len(self.vectors)

    @property
    def strength(self) -> float:
        """Return the mean weight of the parts."""
        n_parts = float((self.shares / self.weights).sum())
        return float(self.shares.sum()) / n_parts

    def mean(self, metric: Metric) -> Floats:
        """Return the weighted mean `(d,)`; under the angular metric, of the unit vectors."""
        vectors = unit_rows(self.vectors) if metric is Metric.ANGULAR else self.vectors
        return self.shares @ vectors.astype(np.float64) / float(self.shares.sum())


@dataclass(frozen=True, slots=True)
class Scorer:
    """What a rule made of a query.

    Attributes:
        metric: Under which the engine scores.
        vectors: `(v, d)`, to be scored against all works.
        candidate_vectors: `(c, d)`, whose nearest neighbours hold the best works; empty where only
            an exact scan finds them.
        decide: From scores `(v, n)` to the ranking's scores `(n,)`.
        perfect: At most the score of the very thing that is asked for, where the scores of all
            works say on one scale how like the examples they are: then those of the many tell
            which of the few are better than chance (`search/stop_line.py`). None elsewhere.
    """

    metric: Metric
    vectors: Embeddings
    candidate_vectors: Embeddings
    decide: Callable[[Scores], Scores]
    perfect: float | None = None

    def combine(self, scores: Scores) -> Scores:
        """Return one score a work, larger is better: from `(v, n)` to `(n,)` float32."""
        return np.asarray(self.decide(scores), dtype=np.float32)


Builder = Callable[[Examples, Examples, Metric, float], Scorer]


@dataclass(frozen=True, slots=True)
class Rule:
    """A combination rule.

    Attributes:
        name: As in URLs and on the command line.
        title: For a menu.
        sentence: What it does, for the reader of a result.
        metrics: Under which it means something.
        lambda_metrics: Under which λ, the strength of the counter-examples, has a part in it.
    """

    name: str
    title: str
    sentence: str
    metrics: tuple[Metric, ...]
    lambda_metrics: tuple[Metric, ...]
    builder: Builder

    def accepts(self, metric: Metric) -> bool:
        """Tell whether the rule means something under `metric`."""
        return metric in self.metrics

    def uses_lambda(self, metric: Metric) -> bool:
        """Tell whether λ has a part in it under `metric`, and should be shown."""
        return metric in self.lambda_metrics

    def build(
        self, positives: Examples, negatives: Examples, metric: Metric, lambda_: float = 0.5
    ) -> Scorer:
        """Build the scorer of a query.

        Raises:
            QueryError: when there is nothing to search for, the metric or λ does not fit the rule,
                or a weight or a number of a vector is not usable.
        """
        self.check(positives, negatives, metric, lambda_)
        return self.builder(positives, negatives, metric, lambda_)

    def check(
        self, positives: Examples, negatives: Examples, metric: Metric, lambda_: float = 0.5
    ) -> None:
        """Refuse what cannot be combined.

        Raises:
            QueryError: as `build` does.
        """
        if not len(positives) and not len(negatives):
            raise QueryError("Cannot combine nothing: the query has no example. Add one.")
        if not self.accepts(metric):
            allowed = " or ".join(f"'{each}'" for each in self.metrics)
            raise QueryError(
                f"Cannot combine by '{self.name}' under the metric '{metric}': the rule means "
                f"something under {allowed}. Choose one of these, or another rule."
            )
        if self.uses_lambda(metric) and not 0 <= lambda_ <= MAX_LAMBDA:
            raise QueryError(
                f"Cannot combine with λ = {lambda_:g}: expected a number from 0 to "
                f"{MAX_LAMBDA:g}; larger moves further away from the counter-examples."
            )
        for side in (positives, negatives):
            if not np.isfinite(side.vectors).all():
                raise QueryError(
                    "Cannot combine the parts: an embedding holds a number that is not finite. "
                    "Index the collection again, or leave out the last part that was added."
                )
            if not all(math.isfinite(weight) and weight > 0 for weight in side.weights.tolist()):
                raise QueryError("Cannot combine the parts: a weight is a number larger than 0.")


# The rules that need no training


def _difference(positives: Examples, negatives: Examples, metric: Metric, lambda_: float) -> Scorer:
    if not len(positives):
        return _unlike_the_mean(negatives, metric)
    vector = positives.mean(metric)
    if len(negatives):
        strength = negatives.strength / positives.strength
        unlike = negatives.mean(metric)
        if metric in LINEAR:
            vector = vector - strength * unlike
        else:
            # A plain difference is a place near the origin, where no work lies: instead go from
            # the examples further away from the counter-examples.
            vector = vector + lambda_ * strength * (vector - unlike)
    return _near(_check_left(vector, positives, metric), metric)


def _ranking(positives: Examples, negatives: Examples, metric: Metric, lambda_: float) -> Scorer:
    if not len(positives):
        return _unlike_the_nearest(negatives, metric)
    heaviest = float(positives.weights.max())
    n_positives = len(positives)

    def decide(scores: Scores) -> Scores:
        best = _best(scores[:n_positives], positives.weights / heaviest, metric)
        if not len(negatives):
            return best
        worst = _best(scores[n_positives:], negatives.weights / heaviest, metric)
        return _put_last(best, worst)

    vectors = np.concatenate([positives.vectors, negatives.vectors])
    # Works that were put last have a scale of their own.
    perfect = None if len(negatives) else _PERFECT[metric]
    return Scorer(metric, vectors, positives.vectors, decide, perfect)


def _contrast(positives: Examples, negatives: Examples, metric: Metric, lambda_: float) -> Scorer:
    if not len(positives):
        return _unlike_the_nearest(negatives, metric)
    n_positives = len(positives)
    shares = positives.shares / positives.shares.sum()
    if not len(negatives):
        return Scorer(
            metric,
            positives.vectors,
            positives.vectors,
            lambda scores: _average(scores, shares),
            _PERFECT[metric],
        )
    heaviest = float(negatives.weights.max())
    strength = lambda_ * heaviest / positives.strength

    def decide(scores: Scores) -> Scores:
        nearest = _best(scores[n_positives:], negatives.weights / heaviest, metric)
        like = _average(scores[:n_positives], shares)
        return np.asarray(like - strength * nearest.astype(np.float64), dtype=np.float32)

    vectors = np.concatenate([positives.vectors, negatives.vectors])
    return Scorer(metric, vectors, positives.vectors, decide, math.inf)


def _projection(positives: Examples, negatives: Examples, metric: Metric, lambda_: float) -> Scorer:
    if not len(positives):
        return _unlike_the_mean(negatives, metric)
    mean = positives.mean(metric)
    left = mean
    if len(negatives):
        directions = _directions(negatives.vectors)
        left = mean - directions.T @ (directions @ mean)
    if np.linalg.norm(left) <= 1e-3 * np.linalg.norm(mean):
        raise QueryError(
            "Cannot search: once the counter-examples are removed from the examples, nothing of "
            "these is left. Remove a counter-example, or combine by 'difference' or 'contrast'."
        )
    return _near(left, metric)


# Their steps


def _near(vector: Floats, metric: Metric) -> Scorer:
    vectors = vector.astype(np.float32)[np.newaxis]
    return Scorer(metric, vectors, vectors, lambda scores: scores[0], _PERFECT[metric])


def _unlike_the_mean(negatives: Examples, metric: Metric) -> Scorer:
    vector = _check_left(negatives.mean(metric), negatives, metric)
    vectors = vector.astype(np.float32)[np.newaxis]
    candidates = _opposite(vectors, metric)
    return Scorer(metric, vectors, candidates, lambda scores: -scores[0])


def _unlike_the_nearest(negatives: Examples, metric: Metric) -> Scorer:
    relative = negatives.weights / negatives.weights.max()
    candidates = _opposite(negatives.vectors, metric)
    return Scorer(
        metric, negatives.vectors, candidates, lambda scores: -_best(scores, relative, metric)
    )


def _opposite(vectors: Embeddings, metric: Metric) -> Embeddings:
    """Return vectors whose neighbours are least like `vectors`; a distance has none."""
    return -vectors if metric in LINEAR else vectors[:0]


def _check_left(vector: Floats, of: Examples, metric: Metric) -> Floats:
    """Refuse a direction that is none; under a distance every vector is a place."""
    lengths = np.linalg.norm(of.vectors, axis=1)
    scale = 1.0 if metric is Metric.ANGULAR else float(lengths.max())
    if metric in LINEAR and float(np.linalg.norm(vector)) <= 1e-5 * scale:
        raise QueryError(
            f"Cannot search: nothing is left to look for under the metric '{metric}', since the "
            "parts of the query cancel each other out or are blank. Change or remove one of them."
        )
    return vector


def _directions(vectors: Embeddings) -> Floats:
    """Return orthonormal rows `(r, d)` that span the rows of `vectors`."""
    _, sizes, rows = np.linalg.svd(
        unit_rows(vectors).astype(np.float64), full_matrices=False, compute_uv=True
    )
    return np.asarray(rows[sizes > 1e-5 * max(1.0, float(sizes[0]))], dtype=np.float64)


def _average(scores: Scores, shares: Floats) -> Scores:
    if len(scores) == 1:
        return np.asarray(scores[0])
    return np.asarray(shares @ scores.astype(np.float64), dtype=np.float32)


def _best(scores: Scores, weights: Floats, metric: Metric) -> Scores:
    """Return the best of weighted scores: from `(v, n)` to `(n,)`.

    A vector of weight 2 counts as if works were twice as near to it; under dot, whose scores are
    no distances, as if it were twice as long.
    """
    if len(scores) == 1 and weights[0] == 1:
        return np.asarray(scores[0])
    if (weights == 1).all():
        return np.asarray(scores.max(axis=0), dtype=np.float32)
    heavy = weights[:, np.newaxis]
    if metric is Metric.ANGULAR:
        weighted = 1 - (1 - scores.astype(np.float64)) / heavy
    else:
        weighted = scores * heavy if metric is Metric.DOT else scores / heavy
    return np.asarray(weighted.max(axis=0), dtype=np.float32)


def _put_last(best: Scores, worst: Scores) -> Scores:
    """Move works that are nearer to a counter-example than to any example behind all others.

    Among themselves they stand by their closeness to it, the counter-example itself last. Their
    scores begin below the lowest of all, so they depend on the works that are scored together.
    """
    nearer = worst > best
    if not nearer.any():
        return best
    below = np.nextafter(best.min(), np.float32(-np.inf))
    return np.where(nearer, below - (worst - worst[nearer].min()), best)


RULES: Registry[Rule] = Registry(
    "combination rule", builtin=("bilderatlas.search.svm",), group="bilderatlas.rules"
)

_ALL = tuple(Metric)
_DISTANCES = tuple(metric for metric in Metric if metric not in LINEAR)

for _rule in (
    Rule(
        "difference",
        "Average less the unlike",
        "Works near the average of the examples, moved away from the average of the "
        "counter-examples.",
        _ALL,
        _DISTANCES,
        _difference,
    ),
    Rule(
        "ranking",
        "Like any of them",
        "Works near any one of the examples; those that are nearer to a counter-example come "
        "after all others.",
        _ALL,
        (),
        _ranking,
    ),
    Rule(
        "contrast",
        "Like all, unlike the nearest",
        "Works near to all the examples on average, less λ times their closeness to the nearest "
        "counter-example.",
        _ALL,
        _ALL,
        _contrast,
    ),
    Rule(
        "projection",
        "With the unlike taken out",
        "Works near the average of the examples, after everything in it that points along the "
        "counter-examples was taken out.",
        LINEAR,
        (),
        _projection,
    ),
):
    RULES.register(_rule.name, _rule)
