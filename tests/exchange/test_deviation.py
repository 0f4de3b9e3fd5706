"""How far vectors are apart: the worst of them counts."""

from __future__ import annotations

import numpy as np

from bilderatlas.exchange.deviation import PASS_EXACT, deviation_of

RANDOM = np.random.default_rng(0)
ONE = [RANDOM.normal(size=(1, 8)).astype(np.float32) for _ in range(32)]
MANY = [RANDOM.normal(size=(9, 8)).astype(np.float32) for _ in range(32)]


def test_the_same_vectors_pass() -> None:
    for rows in (ONE, MANY):
        found = deviation_of(rows, rows, PASS_EXACT)
        assert found.passed and found.norm_ratio == 1 and found.n_other_counts == 0


def test_a_few_vectors_of_another_length_are_seen() -> None:
    for factor in (100, 0.01):
        longer = [rows * (factor if number < 3 else 1) for number, rows in enumerate(ONE)]
        found = deviation_of(longer, ONE, PASS_EXACT)
        assert found.is_same_direction and not found.passed
        assert np.isclose(found.norm_ratio, factor, rtol=1e-4)


def test_a_few_other_rows_of_every_item_are_seen() -> None:
    changed = [rows.copy() for rows in MANY]
    for rows in changed:
        rows[3] = RANDOM.normal(size=8)
    assert deviation_of(changed, MANY, PASS_EXACT).min_cosine < PASS_EXACT


def test_rows_that_are_missing_are_seen() -> None:
    for theirs, ours in ((MANY, [rows[:8] for rows in MANY]), ([rows[:1] for rows in MANY], MANY)):
        found = deviation_of(theirs, ours, PASS_EXACT)
        assert not found.passed and found.n_other_counts == 32


def test_one_detail_in_forty_may_fall_otherwise() -> None:
    rows = RANDOM.normal(size=(40, 8)).astype(np.float32)
    changed = rows.copy()
    changed[7] = -rows[7]
    assert deviation_of([changed], [rows], PASS_EXACT).passed
    changed[:6] = -rows[:6]
    assert not deviation_of([changed], [rows], PASS_EXACT).passed
