"""Combination rules: what each promises, by hand on a few angles, and what all of them promise."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bilderatlas.arrays import Metric, unit_rows
from bilderatlas.errors import QueryError, UnknownNameError
from bilderatlas.search.combine import RULES, Examples, Rule

DEGREES = (0, 20, 40, 60, 80)
A0, A20, A40, A60, A80 = range(5)
WORKS = np.array([[math.cos(math.radians(a)), math.sin(math.radians(a))] for a in DEGREES], "f4")
NOTHING = Examples.of(np.empty((0, 2), "f4"))
ACCEPTED = [(rule, metric) for rule in RULES for metric in Metric if rule.accepts(metric)]
NAMES = [f"{rule.name}-{metric}" for rule, metric in ACCEPTED]


def at(*works: int, weights: list[float] | None = None) -> Examples:
    return Examples.of(WORKS[list(works)], weights)


def plain_scores(works: np.ndarray, vector: np.ndarray, metric: Metric) -> np.ndarray:
    """Score by the definition of the metric, one work at a time."""
    works, vector = works.astype(float), vector.astype(float)
    if metric is Metric.ANGULAR:
        lengths = np.linalg.norm(works, axis=1) * np.linalg.norm(vector)
        return works @ vector / np.where(lengths == 0, 1, lengths)
    if metric is Metric.DOT:
        return works @ vector
    return -np.linalg.norm(works - vector, ord=2 if metric is Metric.EUCLIDEAN else 1, axis=1)


def ranked(
    rule: str | Rule,
    positives: Examples,
    negatives: Examples,
    metric: Metric,
    lambda_: float = 0.5,
    works: np.ndarray = WORKS,
) -> np.ndarray:
    """Return the scores of `works` under a rule."""
    rule = RULES.get(rule) if isinstance(rule, str) else rule
    scorer = rule.build(positives, negatives, metric, lambda_)
    assert scorer.metric is metric
    assert scorer.vectors.dtype == scorer.candidate_vectors.dtype == np.float32
    scores = np.array([plain_scores(works, vector, metric) for vector in scorer.vectors], "f4")
    combined = scorer.combine(scores.reshape(len(scorer.vectors), len(works)))
    assert combined.shape == (len(works),)
    assert combined.dtype == np.float32
    return combined


def order(scores: np.ndarray) -> list[int]:
    return np.argsort(-scores, kind="stable").tolist()


# By hand


def test_difference_of_angles_points_away_from_the_unlike() -> None:
    # cos(a - 40°) - cos(a - 60°) is largest at the smallest angle and falls steadily
    scores = ranked("difference", at(A40), at(A60), Metric.ANGULAR)
    assert order(scores) == [A0, A20, A40, A60, A80]
    assert scores[A0] > 0 > scores[A80]  # the direction is -40°: 80° is 120° away


def test_difference_of_angles_is_the_same_for_vectors_of_any_length() -> None:
    longer = Examples.of(WORKS[[A0, A40]] * np.array([[5], [0.1]], "f4"))
    scores = ranked("difference", longer, NOTHING, Metric.ANGULAR)
    assert scores == pytest.approx(ranked("difference", at(A20), NOTHING, Metric.ANGULAR))


def test_difference_under_dot_keeps_lengths() -> None:
    positives = Examples.of(np.array([[2, 0], [0, 4]], "f4"))
    negatives = Examples.of(np.array([[1, 1]], "f4"))
    (vector,) = RULES.get("difference").build(positives, negatives, Metric.DOT).vectors
    assert vector.tolist() == [0, 1]  # (1, 2) - (1, 1)


@pytest.mark.parametrize("metric", [Metric.EUCLIDEAN, Metric.MANHATTAN])
def test_difference_under_a_distance_steps_away_by_lambda(metric: Metric) -> None:
    positives = Examples.of(np.array([[2, 0], [4, 0]], "f4"))
    negatives = Examples.of(np.array([[1, 2]], "f4"))
    rule = RULES.get("difference")
    assert rule.build(positives, negatives, metric, 0.5).vectors.tolist() == [[4, -1]]
    assert rule.build(positives, negatives, metric, 2.0).vectors.tolist() == [[7, -4]]
    assert rule.build(positives, negatives, metric, 0.0).vectors.tolist() == [[3, 0]]


def test_weights_pull_the_mean_and_weigh_the_sides_against_each_other() -> None:
    rule = RULES.get("difference")
    positives = Examples.of(np.array([[0, 0], [4, 0]], "f4"), [1, 3])
    assert rule.build(positives, NOTHING, Metric.EUCLIDEAN).vectors.tolist() == [[3, 0]]
    half = Examples.of(np.array([[0, 2]], "f4"), [0.5])
    one = Examples.of(np.array([[4, 0]], "f4"), [1])
    assert rule.build(one, half, Metric.DOT).vectors.tolist() == [[4, -1]]


def test_several_rows_of_one_part_share_its_weight() -> None:
    rows = np.array([[0, 0], [0, 4]], "f4")
    joined = Examples.join([(rows, 1.0), (np.array([[4, 2]], "f4"), 1.0)], 2)
    (vector,) = RULES.get("difference").build(joined, NOTHING, Metric.EUCLIDEAN).vectors
    assert vector.tolist() == [2, 2]
    assert joined.strength == 1


def test_ranking_takes_the_best_of_the_examples() -> None:
    scores = ranked("ranking", at(A0, A80), NOTHING, Metric.ANGULAR)
    assert order(scores) == [A0, A80, A20, A60, A40]
    assert scores[A20] == pytest.approx(math.cos(math.radians(20)))


def test_ranking_puts_what_is_nearer_to_the_unlike_last() -> None:
    scores = ranked("ranking", at(A0), at(A60), Metric.ANGULAR)
    assert order(scores)[:2] == [A0, A20]
    assert order(scores)[-1] == A60  # 40 and 80 are equally near to it
    assert scores[A20] == pytest.approx(scores_at(20))  # untouched
    assert scores[[A40, A80]] == pytest.approx(scores_at(80))  # just below the lowest score of all
    assert scores[A60] == pytest.approx(scores_at(80) - (1 - scores_at(20)))


def scores_at(degrees: float) -> float:
    return math.cos(math.radians(degrees))


def test_ranking_by_weight_brings_works_nearer() -> None:
    # from 40°, 0° and 80° are equally far; with weight 2 the second counts as nearer
    scores = ranked("ranking", at(A0, A80, weights=[1, 2]), NOTHING, Metric.ANGULAR)
    assert order(scores) == [A0, A80, A60, A20, A40]
    assert scores[A40] == pytest.approx(scores_at(40))  # the heaviest is the measure
    assert scores[A20] == pytest.approx(1 - (1 - scores_at(20)) / 0.5)


def test_contrast_subtracts_the_nearest_of_the_unlike() -> None:
    scores = ranked("contrast", at(A40), at(A0, A80), Metric.ANGULAR, lambda_=0.5)
    expected = [scores_at(abs(a - 40)) - 0.5 * scores_at(min(a, 80 - a)) for a in DEGREES]
    assert scores == pytest.approx(np.array(expected), abs=1e-6)
    assert order(scores)[0] == A40
    without = ranked("contrast", at(A40), at(A0, A80), Metric.ANGULAR, lambda_=0)
    assert without == pytest.approx(ranked("contrast", at(A40), NOTHING, Metric.ANGULAR), abs=1e-6)


def test_contrast_averages_the_closeness_to_the_examples() -> None:
    scores = ranked("contrast", at(A0, A40), NOTHING, Metric.EUCLIDEAN)
    a, b = WORKS[A0].astype(float), WORKS[A40].astype(float)
    expected = [-(np.linalg.norm(w - a) + np.linalg.norm(w - b)) / 2 for w in WORKS.astype(float)]
    assert scores == pytest.approx(np.array(expected), abs=1e-6)


def test_contrast_halves_with_the_weight_of_the_unlike() -> None:
    half = ranked("contrast", at(A0), at(A60, weights=[0.5]), Metric.ANGULAR, lambda_=1)
    assert half == pytest.approx(ranked("contrast", at(A0), at(A60), Metric.ANGULAR, lambda_=0.5))


def test_projection_takes_the_unlike_out() -> None:
    scores = ranked("projection", at(A40), at(A0), Metric.ANGULAR)
    assert scores == pytest.approx(np.sin(np.radians(DEGREES)), abs=1e-6)  # along 90°
    assert scores[A0] == pytest.approx(0, abs=1e-6)


def test_projection_refuses_when_nothing_is_left() -> None:
    for negatives in (at(A40), at(A0, A60)):
        with pytest.raises(QueryError, match=r"nothing of these is left.*'contrast'"):
            ranked("projection", at(A40), negatives, Metric.ANGULAR)


def test_projection_removes_a_span_that_is_named_twice_once() -> None:
    works = np.eye(4, dtype="f4")
    positives = Examples.of(np.array([[1, 1, 1, 0]], "f4"))
    twice = Examples.of(np.array([[1, 0, 0, 0], [2, 0, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0]], "f4"))
    scores = ranked("projection", positives, twice, Metric.DOT, works=works)
    assert scores == pytest.approx(np.array([0, 0, 1, 0]), abs=1e-6)


def test_parts_that_cancel_out_are_refused() -> None:
    with pytest.raises(QueryError, match="cancel each other out"):
        ranked("difference", at(A20), at(A20), Metric.ANGULAR)
    with pytest.raises(QueryError, match="cancel each other out or are blank"):
        ranked("difference", Examples.of(np.zeros((1, 2), "f4")), NOTHING, Metric.DOT)
    # but a distance has no direction to lose
    scores = ranked("difference", at(A20), at(A20), Metric.EUCLIDEAN)
    assert order(scores)[0] == A20


# What every rule promises


def test_the_rules_are_there_and_a_near_name_is_offered() -> None:
    assert RULES.names() == ["difference", "ranking", "contrast", "projection", "svm"]
    with pytest.raises(UnknownNameError, match="Did you mean 'ranking'"):
        RULES.get("rankin")


@pytest.mark.parametrize("rule", list(RULES), ids=lambda rule: rule.name)
def test_a_rule_explains_itself_in_one_sentence(rule: Rule) -> None:
    assert RULES.get(rule.name) is rule
    assert rule.title
    assert len(rule.title) <= 40
    assert rule.sentence.startswith("Works ")
    assert rule.sentence.count(".") == 1
    assert rule.sentence.endswith(".")
    assert set(rule.lambda_metrics) <= set(rule.metrics)


@pytest.mark.parametrize("rule", list(RULES), ids=lambda rule: rule.name)
def test_a_rule_refuses_what_it_cannot_combine(rule: Rule) -> None:
    metric = rule.metrics[0]
    with pytest.raises(QueryError, match="the query has no example"):
        rule.build(NOTHING, NOTHING, metric)
    with pytest.raises(QueryError, match="not finite"):
        rule.build(Examples.of(np.array([[1, np.nan]], "f4")), NOTHING, metric)
    for weight in (0.0, -1.0, math.inf, math.nan):
        with pytest.raises(QueryError, match="larger than 0"):
            rule.build(at(A0, weights=[weight]), NOTHING, metric)
    for metric in set(Metric) - set(rule.metrics):
        with pytest.raises(QueryError, match=rf"by '{rule.name}' under the metric '{metric}'"):
            rule.build(at(A0), NOTHING, metric)


@pytest.mark.parametrize(("rule", "metric"), ACCEPTED, ids=NAMES)
def test_lambda_moves_the_ranking_exactly_where_a_rule_says_so(rule: Rule, metric: Metric) -> None:
    low, high = (ranked(rule, at(A0, A40), at(A60), metric, value) for value in (0.25, 1.5))
    assert rule.uses_lambda(metric) == (not np.allclose(low, high))
    for lambda_ in (-0.1, 11.0, math.nan):
        if rule.uses_lambda(metric):
            with pytest.raises(QueryError, match="from 0 to 10"):
                rule.build(at(A0), NOTHING, metric, lambda_)


@pytest.mark.parametrize(("rule", "metric"), ACCEPTED, ids=NAMES)
def test_only_negatives_puts_the_least_similar_first(rule: Rule, metric: Metric) -> None:
    scores = ranked(rule, NOTHING, at(A20), metric)
    assert scores == pytest.approx(-plain_scores(WORKS, WORKS[A20], metric), abs=1e-6)
    assert order(scores)[0] == A80
    assert order(scores)[-1] == A20


numbers = st.floats(-4, 4, width=16).map(lambda value: round(value * 4) / 4)


def vectors(n: int | tuple[int, int], dim: int = 4) -> st.SearchStrategy[np.ndarray]:
    low, high = (n, n) if isinstance(n, int) else n
    row = st.lists(numbers, min_size=dim, max_size=dim).filter(any)
    return st.lists(row, min_size=low, max_size=high).map(
        lambda rows: np.array(rows, "f4").reshape(-1, dim)
    )


CASES = st.sampled_from(ACCEPTED)
WEIGHTS = st.sampled_from([0.25, 0.5, 1.0, 2.0, 7.0])


@given(CASES, vectors(6), vectors(1), WEIGHTS)
def test_one_example_is_plain_nearest_neighbours(case, works, example, weight) -> None:
    rule, metric = case
    none = Examples.of(np.empty((0, 4), "f4"))
    scores = ranked(rule, Examples.of(example, [weight]), none, metric, works=works)
    assert scores == pytest.approx(plain_scores(works, example[0], metric), abs=1e-5)


@given(CASES, vectors(6), vectors((0, 3)), vectors((0, 3)), st.data())
def test_scores_are_finite_and_blind_to_the_order_of_parts(
    case, works, likes, unlikes, data
) -> None:
    rule, metric = case
    like_weights = data.draw(st.lists(WEIGHTS, min_size=len(likes), max_size=len(likes)))
    unlike_weights = data.draw(st.lists(WEIGHTS, min_size=len(unlikes), max_size=len(unlikes)))
    try:
        scores = ranked(
            rule,
            Examples.of(likes, like_weights),
            Examples.of(unlikes, unlike_weights),
            metric,
            works=works,
        )
    except QueryError as error:
        assert str(error).startswith("Cannot ")
        return
    assert np.isfinite(scores).all()
    turned = ranked(
        rule,
        Examples.of(likes[::-1].copy(), like_weights[::-1]),
        Examples.of(unlikes[::-1].copy(), unlike_weights[::-1]),
        metric,
        works=works,
    )
    assert turned == pytest.approx(scores, abs=1e-4)


MONOTONE = [
    *itertools.product(
        ("ranking", "contrast"), (Metric.ANGULAR, Metric.EUCLIDEAN, Metric.MANHATTAN)
    ),
    ("difference", Metric.ANGULAR),
    ("difference", Metric.EUCLIDEAN),
]


@given(st.sampled_from(MONOTONE), vectors(6), vectors((2, 4)), WEIGHTS, st.data())
def test_more_weight_never_lowers_the_place_of_an_example(
    case, others, examples, more, data
) -> None:
    """Not so under dot, where a longer work that points the same way profits more."""
    rule, metric = case
    if metric is Metric.ANGULAR:
        others, examples = unit_rows(others), unit_rows(examples)
    works = np.concatenate([examples[:1], others, examples[1:]])
    weights = data.draw(st.lists(WEIGHTS, min_size=len(examples), max_size=len(examples)))
    none = Examples.of(np.empty((0, 4), "f4"))
    places = []
    for first in (weights[0], weights[0] + more):
        side = Examples.of(examples, [first, *weights[1:]])
        try:
            scores = ranked(rule, side, none, metric, works=works)
        except QueryError:  # the examples cancel each other out
            return
        places.append(int((scores > scores[0] + 1e-5).sum()))
    assert places[1] <= places[0]


@given(vectors(5), vectors((1, 3)), vectors((1, 3)), st.sampled_from(list(Metric)))
def test_ranking_never_places_a_work_nearer_to_the_unlike_before_another(
    works, likes, unlikes, metric
) -> None:
    scores = ranked("ranking", Examples.of(likes), Examples.of(unlikes), metric, works=works)
    best = np.max([plain_scores(works, vector, metric).astype("f4") for vector in likes], axis=0)
    worst = np.max([plain_scores(works, vector, metric).astype("f4") for vector in unlikes], axis=0)
    nearer = worst > best
    assert (scores[~nearer] == best[~nearer]).all()
    if nearer.any() and not nearer.all():
        assert scores[nearer].max() < scores[~nearer].min()


@given(vectors((1, 3)), vectors((1, 3)))
def test_projection_leaves_nothing_along_any_counter_example(likes, unlikes) -> None:
    rule = RULES.get("projection")
    try:
        scorer = rule.build(Examples.of(likes), Examples.of(unlikes), Metric.ANGULAR)
    except QueryError:
        return
    left = unit_rows(scorer.vectors).astype(float)
    assert np.abs(unit_rows(unlikes) @ left[0]).max() < 1e-2
