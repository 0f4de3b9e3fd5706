"""Mixed criteria, by hand: six works on two scales, and what each gave to a hit."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bilderatlas.arrays import Metric
from bilderatlas.errors import QueryError, UnavailableError, UnknownNameError
from bilderatlas.extractors.base import Card, ImageRows
from bilderatlas.search.hits import Hits
from bilderatlas.search.mixture import _percentiles
from bilderatlas.search.query import Part, PartKind, Query, parse_part
from bilderatlas.search.run import search
from bilderatlas.store.collection import CollectionStore
from tests.search.conftest import ANGLES, image, vector

SIZES = Card(
    model_id="sizes.fake",
    judges_by="the size",
    sees="Works are alike that are equally large.",
    dim=1,
    dtype="f32",
    metrics=(Metric.MANHATTAN, Metric.EUCLIDEAN),
    side_px=1,
    preprocessing=(),
)
# 20 is nearest to a0 by angle, a80 by size; a180 has no size.
SIZE_OF = {"a0": 10.0, "a20": 90.0, "a40": 30.0, "a60": 40.0, "a80": 11.0, "twin": 60.0}
EVEN = (("angles.fake", 1.0), ("sizes.fake", 1.0))


@pytest.fixture
def sized(museum: CollectionStore) -> CollectionStore:
    rows = [(each, ImageRows(np.array([[size]], np.float32))) for each, size in SIZE_OF.items()]
    with museum.writer() as writer:
        writer.ensure_space(SIZES)
        writer.commit_batch([], {"sizes.fake": rows})
    return museum


def refuse(model_id: str):
    def rows_of(part: Part) -> ImageRows:
        raise QueryError(f"'{model_id}' compares pictures only.")

    return rows_of


def mix(sized: CollectionStore, *texts: str, blend=EVEN, rows_in=refuse, **asked) -> Hits:
    parts = tuple(parse_part(text) for text in texts) + asked.pop("more", ())
    query = Query(parts=parts, blend=blend, **asked)
    return search(sized, query, lambda part: vector(0), rows_in=rows_in)


def test_percentiles_are_averaged_by_weight(sized: CollectionStore) -> None:
    # a0 is above all by both. By angle, of 7: a20 and twin above 4, a40 3, a60 2, a80 1, a180 0.
    # By size, of 6: a80 above 4, a40 3, a60 2, twin 1, a20 0.
    hits = mix(sized, "a0")
    scores = {hit.image_id: hit.score for hit in hits}
    by_hand = {
        "a40": (3 / 7 + 3 / 6) / 2,
        "a80": (1 / 7 + 4 / 6) / 2,
        "twin": (4 / 7 + 1 / 6) / 2,
        "a60": (2 / 7 + 2 / 6) / 2,
        "a20": (4 / 7 + 0) / 2,
        "a180": 0.0,
    }
    assert list(scores) == list(by_hand)
    assert list(scores.values()) == pytest.approx(list(by_hand.values()))
    assert hits.n_candidates == 7
    assert hits.stop is None
    assert hits[0].percentile == pytest.approx(5 / 7)


@given(st.lists(st.sampled_from([-math.inf, -1.0, 0.0, 0.5, 0.75, 2.0]), max_size=12))
def test_percentiles_count_what_is_lower(scores: list[float]) -> None:
    percentiles, held = _percentiles(np.array(scores, np.float32))
    inside = [score for score in scores if score > -math.inf]
    assert held.tolist() == [score > -math.inf for score in scores]
    assert percentiles.tolist() == [
        sum(other < score for other in inside) / len(inside) if score > -math.inf else 0.0
        for score in scores
    ]


def test_a_weight_moves_the_answer_towards_its_criterion(sized: CollectionStore) -> None:
    mostly_angle = mix(sized, "a0", blend=(("angles.fake", 9.0), ("sizes.fake", 1.0)))
    assert [hit.image_id for hit in mostly_angle][:3] == ["twin", "a20", "a40"]
    mostly_size = mix(sized, "a0", blend=(("angles.fake", 1.0), ("sizes.fake", 9.0)))
    assert [hit.image_id for hit in mostly_size][:2] == ["a80", "a40"]


def test_each_hit_tells_the_share_of_each_criterion(sized: CollectionStore) -> None:
    hits = mix(sized, "a0", blend=(("angles.fake", 1.0), ("sizes.fake", 3.0)))
    for hit in hits:
        assert sum(share.share for share in hit.shares) == pytest.approx(1)
        assert [share.model_id for share in hit.shares] == ["angles.fake", "sizes.fake"]
    shares = {hit.image_id: hit.shares for hit in hits}
    angle, size = shares["a80"]
    assert (angle.percentile, size.percentile) == pytest.approx((1 / 7, 4 / 6))
    assert size.share == pytest.approx(3 * 4 / 6 / (1 / 7 + 3 * 4 / 6))
    assert (size.judges_by, size.weight) == ("the size", 3.0)
    assert [share.share for share in shares["a180"]] == [0.25, 0.75]  # of nothing, as weighed
    assert hits[0].to_json()["shares"][1] == hits[0].shares[1].to_json()


def test_the_answer_names_all_its_criteria(sized: CollectionStore) -> None:
    hits = mix(sized, "a0", metric=Metric.EUCLIDEAN)
    assert [(each.model_id, each.metric) for each in hits.criteria] == [
        ("angles.fake", "euclidean"),
        ("sizes.fake", "euclidean"),
    ]
    assert hits.criterion == hits.criteria[0]
    assert hits.query.model_id == "angles.fake"
    assert [each["model_id"] for each in hits.to_json()["criteria"]] == [
        "angles.fake",
        "sizes.fake",
    ]
    # where a space does not know what is asked for, its own default counts
    angular = mix(sized, "a0", metric=Metric.ANGULAR)
    assert [each.metric for each in angular.criteria] == ["angular", "manhattan"]
    again = search(sized, hits.query, lambda part: vector(0), rows_in=refuse)
    assert again.hits == hits.hits


def test_filters_pages_and_orders(sized: CollectionStore) -> None:
    assert [hit.image_id for hit in mix(sized, "a0", where="school = 'Flemish'")] == [
        "a80",
        "a60",
        "a180",
    ]
    whole = mix(sized, "a0")
    pages = [mix(sized, "a0", k=2, offset=offset) for offset in (0, 2, 4)]
    assert [hit for page in pages for hit in page] == list(whole)
    by_date = mix(sized, "a0", sort="date", k=2)
    assert [hit.image_id for hit in by_date] == ["a20", "a40"]
    assert len(by_date[0].shares) == 2


def test_a_part_that_one_criterion_cannot_take_counts_under_the_other(
    sized: CollectionStore,
) -> None:
    def rows_in(model_id: str):
        if model_id == "angles.fake":
            return lambda part: ImageRows(vector(80))
        return refuse(model_id)

    words = (Part(PartKind.TEXT, "a hand"),)
    hits = mix(sized, "a0", more=words, rows_in=rows_in)
    assert hits.inactive == ()
    assert hits.notes == (
        "By 'the size' the part 'a hand' took no part. 'sizes.fake' compares pictures only.",
    )
    nowhere = mix(sized, "a0", more=words)
    assert [each.part for each in nowhere.inactive] == ["a hand"]
    assert nowhere.notes == (
        "The part 'a hand' was left out. 'angles.fake' compares pictures only.",
    )


def test_a_criterion_that_can_take_nothing_is_left_out(sized: CollectionStore) -> None:
    hits = mix(sized, "a180")  # has an angle, but no size
    assert [each.model_id for each in hits.criteria] == ["angles.fake"]
    assert "The criterion 'the size' took no part." in hits.notes[0]
    assert {len(hit.shares) for hit in hits} == {1}

    def not_here(model_id: str):
        def rows_of(part: Part) -> ImageRows:
            raise UnavailableError(f"The weights of {model_id} are not here.")

        return rows_of

    with pytest.raises(UnavailableError, match=r"angles\.fake"):
        mix(sized, "upload:" + "f" * 64, rows_in=not_here)


def test_counter_examples_and_rules_count_in_every_space(sized: CollectionStore) -> None:
    against = (parse_part("a40", sign=-1),)
    plain, ranked = (
        mix(sized, "a0", more=against, rule=rule) for rule in ("difference", "ranking")
    )
    assert [hit.image_id for hit in plain] != [hit.image_id for hit in mix(sized, "a0")]
    assert ranked.criteria[1].rule == "ranking"
    # projection means nothing under a distance: that criterion says so
    hits = mix(sized, "a0", rule="projection")
    assert [each.model_id for each in hits.criteria] == ["angles.fake"]
    assert "'projection' under the metric 'manhattan'" in hits.notes[0]


def test_an_empty_query_hangs_works_whatever_the_criteria(sized: CollectionStore) -> None:
    hits = mix(sized)
    assert hits.criterion is None
    assert len(hits) == 9


@pytest.mark.parametrize(
    ("blend", "error", "said"),
    [
        ((("angles.fake", 1.0), ("angles.fake", 2.0)), QueryError, "named twice"),
        ((("angles.fake", 1.0), ("sizes.fake", 0.0)), QueryError, "larger than 0"),
        ((("angles.fake", 1.0), ("sizes.fake", float("nan"))), QueryError, "larger than 0"),
        (tuple((f"m{n}.fake", 1.0) for n in range(9)), QueryError, "at most 8"),
        ((("angles.fake", 1.0), ("size.fake", 1.0)), UnknownNameError, "'sizes.fake'"),
    ],
)
def test_what_cannot_be_mixed(sized: CollectionStore, blend, error, said) -> None:
    with pytest.raises(error) as caught:
        mix(sized, "a0", blend=blend)
    assert said in str(caught.value)


def test_details_cannot_be_mixed(sized: CollectionStore) -> None:
    with sized.writer() as writer:
        writer.ensure_space(replace(ANGLES, model_id="points.fake", many_rows=True))
    with pytest.raises(QueryError, match=r"Cannot mix 'points\.fake' with other criteria"):
        mix(sized, "a0", blend=(("angles.fake", 1.0), ("points.fake", 1.0)))


def test_a_work_that_no_criterion_holds_is_no_hit(sized: CollectionStore) -> None:
    with sized.writer() as writer:
        writer.commit_batch([image("new")], {})
    assert "new" not in [hit.image_id for hit in mix(sized, "a0", k=100)]
