"""The rule `svm`: scikit-learn's own decision, from cosines alone; two rings that no line parts."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.svm import SVC, OneClassSVM

from bilderatlas.arrays import Metric, unit_rows
from bilderatlas.search.combine import RULES, Examples
from tests.search.test_combine import NOTHING, ranked


def on_circle(*degrees: float) -> np.ndarray:
    radians = np.radians(degrees)
    return np.stack([np.cos(radians), np.sin(radians)], axis=1).astype(np.float32)


def cloud(seed: int, n: int, dim: int = 8) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, dim)).astype(np.float32)


def test_without_counter_examples_it_is_the_one_class_machine_of_replica() -> None:
    likes, works = cloud(1, 7), cloud(2, 40)
    scores = ranked(
        "svm", Examples.of(likes), Examples.of(np.empty((0, 8), "f4")), Metric.ANGULAR, works=works
    )
    machine = OneClassSVM(kernel="rbf", gamma=1.0, tol=1e-6).fit(unit_rows(likes).astype(float))
    expected = machine.decision_function(unit_rows(works).astype(float))
    assert scores == pytest.approx(expected, abs=1e-4)


def test_with_counter_examples_it_is_the_classifier_of_replica() -> None:
    likes, unlikes, works = cloud(1, 6), cloud(3, 4), cloud(2, 40)
    scores = ranked("svm", Examples.of(likes), Examples.of(unlikes), Metric.ANGULAR, works=works)
    both = unit_rows(np.concatenate([likes, unlikes])).astype(float)
    machine = SVC(kernel="rbf", gamma=2.0, tol=1e-6).fit(both, [1] * 6 + [-1] * 4)
    expected = machine.decision_function(unit_rows(works).astype(float))
    assert scores == pytest.approx(expected, abs=1e-4)


def test_a_border_need_not_be_straight() -> None:
    # Examples at 0° and 120°, a counter-example between them: where the average would point.
    likes, unlike = Examples.of(on_circle(0, 120)), Examples.of(on_circle(60))
    near_like, between, far_off = ranked(
        "svm", likes, unlike, Metric.ANGULAR, works=on_circle(-5, 60, 240)
    )
    assert near_like > 0 > between
    assert near_like > far_off > between


def test_the_length_of_a_vector_has_no_say() -> None:
    likes, unlikes, works = cloud(1, 3), cloud(3, 2), cloud(2, 9)
    plain = ranked("svm", Examples.of(likes), Examples.of(unlikes), Metric.ANGULAR, works=works)
    longer = ranked(
        "svm", Examples.of(likes * 7), Examples.of(unlikes * 2), Metric.ANGULAR, works=works
    )
    assert longer == pytest.approx(plain, abs=1e-5)


def test_weight_pulls_the_border_towards_the_other_side() -> None:
    likes, unlikes = on_circle(0, 30, 60), on_circle(45, 90)
    at_45 = [
        ranked(
            "svm",
            Examples.of(likes),
            Examples.of(unlikes, [weight, 1.0]),
            Metric.ANGULAR,
            works=on_circle(45),
        )[0]
        for weight in (0.2, 1.0, 5.0)
    ]
    assert at_45[0] > at_45[1] > at_45[2]


def test_the_same_query_gives_the_same_scores_to_the_last_bit() -> None:
    likes, unlikes, works = cloud(1, 20), cloud(3, 20), cloud(2, 200)
    scores = [
        ranked("svm", Examples.of(likes[order]), Examples.of(unlikes), Metric.ANGULAR, works=works)
        for order in (np.arange(20), np.arange(20), np.arange(20)[::-1])
    ]
    assert (scores[0] == scores[1]).all()
    assert np.abs(scores[0] - scores[2]).max() < 1e-6


def test_it_tells_no_stop_line() -> None:
    scorer = RULES.get("svm").build(Examples.of(on_circle(0, 10)), NOTHING, Metric.ANGULAR)
    assert scorer.perfect is None
    assert math.isfinite(float(scorer.combine(np.zeros((2, 1), np.float32))[0]))
