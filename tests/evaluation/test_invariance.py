"""The numbers of a measurement, and the sentences that are made of them."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bilderatlas.evaluation.invariance import (
    Effect,
    Invariances,
    Trial,
    cosine,
    neighbours_compared,
    overlap,
)
from bilderatlas.evaluation.spread import choose_spread
from bilderatlas.evaluation.wording import (
    Notice,
    caution_of,
    notice_of,
    sentence_of,
    summary_of,
)

AGAIN = Effect("again", 60, n_first=60, overlap=1.0, cosine=1.0)
MEASURED = Invariances(
    model_id="raw_32.pixels",
    card_version=1,
    weights_sha256=None,
    rows_are="image",
    collection_version=7,
    measured_at="2026-01-02T03:04:05+00:00",
    n_works=60,
    n_in_space=1001,
    n_from_thumbnails=0,
    n_failed=0,
    seed=0,
    k=10,
    again=AGAIN,
    effects=(),
)


def effect(name: str, kept: float, n_first: int = 60, n_works: int = 60) -> Effect:
    return Effect(name, n_works, 60 - n_works, n_first=n_first, overlap=kept)


def test_overlap_and_cosine() -> None:
    assert overlap(np.array([1, 2, 3, 4]), np.array([4, 9, 8, 1])) == 0.5
    assert overlap(np.array([1, 2]), np.array([3, 4])) == 0
    a = np.array([3, 4], np.float32)
    assert cosine(a, 2 * a) == pytest.approx(1)
    assert cosine(a, np.array([-4, 3], np.float32)) == pytest.approx(0)
    assert cosine(a, np.zeros(2, np.float32)) == 0


@given(st.integers(4, 5000))
def test_chance_never_keeps_more_than_a_third(n_works: int) -> None:
    measured = replace(MEASURED, n_in_space=n_works, k=neighbours_compared(n_works))
    assert 1 <= measured.k <= 10
    assert measured.chance <= 1 / 3


def test_what_is_not_found_has_no_median_but_counts() -> None:
    trials = [Trial("a", 1, 1.0, 1.0), Trial("b", None, 0.0, 0.0), Trial("c", None, 0.2, 0.5)]
    summed = Effect.of("turned", trials, n_unchanged=2, example="a")
    assert (summed.n_works, summed.n_first, summed.median_rank) == (3, 1, None)
    assert summed.overlap == pytest.approx(0.4) and summed.cosine == pytest.approx(0.5)
    assert summed.quartiles == pytest.approx((0.1, 0.6))
    assert Effect.of("turned", [*trials, *trials[:1] * 3]).median_rank == 1
    empty = Effect.of("unframed", [], n_unchanged=3)
    assert empty.overlap is None and empty.median_rank is None and empty.first == 0


def test_a_measurement_survives_its_file() -> None:
    framed = Effect("unframed", 3, 57, 2, 1.5, 0.7, (0.5, 0.9), 0.98, "a", (0.1, 0.1, 0.9, 0.8))
    measured = replace(MEASURED, effects=(effect("grey", 0.9), framed))
    assert Invariances.from_json(json.loads(json.dumps(measured.to_json()))) == measured


@pytest.mark.parametrize(
    "broken",
    [
        {},
        [],
        {"format_version": 2},
        {"format_version": 1},
        {**MEASURED.to_json(), "effects": 3},
        {**MEASURED.to_json(), "effects": [{"transformation": "grey", "odd": 1}]},
        {**MEASURED.to_json(), "again": None},
    ],
)
def test_a_broken_file_is_none(broken: object) -> None:
    with pytest.raises(ValueError, match=r"measurement|version"):
        Invariances.from_json(broken)


def test_it_is_void_for_another_extractor() -> None:
    card = {"model_id": "raw_32.pixels", "version": 1, "weights_sha256": None}
    assert MEASURED.is_of(card)
    for change in ({"version": 2}, {"weights_sha256": "ab"}, {"model_id": "palette_lab.pixels"}):
        assert not MEASURED.is_of({**card, **change})


@pytest.mark.parametrize(
    ("kept", "n_first", "said"),
    [
        (0.9, 60, "keeps 9 of its 10 nearest neighbours: mirroring is hardly noticed."),
        (1.0, 60, "keeps all of its 10 nearest neighbours: mirroring is hardly noticed."),
        (0.97, 60, "keeps nearly all of its 10 nearest neighbours: mirroring is hardly noticed."),
        (0.7, 50, "keeps 7 of its 10 nearest neighbours: mirroring is noticed a little."),
        (0.7, 20, "keeps 7 of its 10 nearest neighbours: mirroring is clearly noticed."),
        (0.4, 50, "keeps 4 of its 10 nearest neighbours: mirroring is clearly noticed."),
        (0.02, 0, "keeps none of its 10 nearest neighbours: mirroring is strongly noticed."),
    ],
)
def test_sentences(kept: float, n_first: int, said: str) -> None:
    assert sentence_of(effect("mirrored", kept, n_first), MEASURED) == f"Mirrored, a work {said}"


def test_sentences_about_frames_that_few_or_none_have() -> None:
    some = sentence_of(effect("unframed", 0.8, 11, 12), MEASURED)
    assert some.startswith("Freed of its frame (which 12 of 60 works have), a work keeps 8 of ")
    none = sentence_of(Effect("unframed", 0, 60), MEASURED)
    assert none == (
        "None of the 60 works has an even margin or a frame, so there was nothing to try."
    )


def test_sentences_where_only_the_work_itself_is_looked_for() -> None:
    details = replace(MEASURED, rows_are="detail", k=0)
    hidden = sentence_of(Effect("mirrored", 30, n_first=3), details)
    assert hidden == "Mirrored, a work is found first in 3 of 30 cases: mirroring hides it."
    found = sentence_of(Effect("turned", 30, n_first=30), details)
    assert found.endswith("a work is always found first: turning does not hide it.")
    assert "is never found first" in sentence_of(Effect("turned", 30), details)


def test_in_a_small_space_chance_is_no_merit() -> None:
    small = replace(MEASURED, n_in_space=31)  # a third of the neighbours would stay by chance
    assert notice_of(effect("grey", 0.45), small) is Notice.STRONGLY
    assert notice_of(effect("grey", 0.45), MEASURED) is Notice.CLEARLY


def test_the_summary_names_what_is_noticed_most_first() -> None:
    effects = (effect("mirrored", 0.95), effect("grey", 0.5), effect("turned", 0.1))
    summary = summary_of(replace(MEASURED, effects=effects))
    assert summary == (
        "On these works it hardly notices mirroring. "
        "It notices turning most, then the loss of colour."
    )
    calm = summary_of(replace(MEASURED, effects=effects[:1]))
    assert calm.endswith("Nothing that was tried moves a work far.")


def test_cautions() -> None:
    assert caution_of(MEASURED) == ""
    thumbs = caution_of(replace(MEASURED, n_from_thumbnails=60))
    assert thumbs.startswith("All pictures were read from thumbnails of 512 px")
    assert "12 works are few" in caution_of(replace(MEASURED, n_works=12))
    unsteady = caution_of(replace(MEASURED, again=replace(AGAIN, overlap=0.8)))
    assert "Read again without any change, a work keeps 8 of its 10" in unsteady


@given(st.integers(0, 12), st.integers(1, 6), st.integers(0, 2**32))
def test_a_spread_choice_takes_each_row_once(n: int, k: int, seed: int) -> None:
    vectors = np.random.default_rng(seed).integers(0, 3, (n, 2)).astype(np.float32)
    chosen = choose_spread(vectors, k).tolist()
    assert len(chosen) == len(set(chosen)) == min(n, k)
    assert chosen[:1] == [0][:n]
    distinct = len(np.unique(vectors, axis=0))
    assert len(np.unique(vectors[chosen], axis=0)) == min(distinct, len(chosen))
