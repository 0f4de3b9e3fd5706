"""Orders by date and title, and groups: worked by hand, and against plain Python."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bilderatlas.errors import QueryError, UnknownNameError
from bilderatlas.search.arrange import arrange, century_of, group
from tests.search.pools import pool_of

WORKS = [
    {"title": "Élégie", "year_begin": 1650, "year_end": 1660, "creators": ["Anna", "Bruno"]},
    {"title": "«apples»", "year_begin": 1600, "year_end": 1610, "creators": ["Anna"]},
    {"title": "Zebra", "creators": []},
    {"title": "[Untitled]", "year_begin": 1600, "year_end": 1600, "creators": ["Carl", "Carl"]},
    {"year_begin": -150, "year_end": -101, "creators": ["Anna"]},
    {"title": "Élan", "year_end": 1700, "creators": [" "]},
]


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("date", [4, 3, 1, 0, 5, 2]),
        ("-date", [5, 0, 1, 3, 4, 2]),
        ("title", [1, 5, 0, 3, 2, 4]),
    ],
)
def test_orders_by_date_and_by_title(sort: str, expected: list[int]) -> None:
    pool = pool_of(WORKS)
    assert arrange(pool, sort, 10).tolist() == expected
    assert arrange(pool, sort, 2, 3).tolist() == expected[3:5]
    assert arrange(pool, sort, 2, 6).tolist() == []


def test_equals_stand_by_score_and_works_below_the_line_are_left_out() -> None:
    works = [{"title": "One", "year_begin": 1600}] * 5
    pool = pool_of(works, [0.1, 0.3, 0.2, 0.3, 0.9], [True, True, True, True, False])
    for sort in ("date", "-date", "title"):
        assert arrange(pool, sort, 3).tolist() == [1, 3, 2]


def test_few_titles_among_many_stand_as_they_would_among_all() -> None:
    titles = ["Ähre", "apple", "Birne", None, "…", "apple"] * 20
    works = [{"title": title} if title else {} for title in titles]
    few = [row in (2, 6, 9, 11, 16, 100) for row in range(len(works))]
    small = pool_of(works, better=few)
    assert arrange(small, "title", 10).tolist() == [6, 11, 2, 9, 16, 100]
    every = arrange(pool_of(works), "title", len(works)).tolist()
    assert [row for row in every if few[row]] == [6, 11, 2, 9, 16, 100]


def test_refuses_other_orders() -> None:
    with pytest.raises(QueryError, match="date, -date, title"):
        arrange(pool_of(WORKS), "size", 5)


dated = st.fixed_dictionaries(
    {},
    optional={
        "year_begin": st.integers(-40, 40),
        "year_end": st.integers(-40, 40),
        "title": st.sampled_from(["a", "B", "b", "ä", "(c", "…"]),
    },
)


@settings(max_examples=60, deadline=None)
@given(st.lists(dated, max_size=12), st.integers(1, 5), st.integers(0, 9), st.data())
def test_a_page_is_a_piece_of_the_whole_order(works, k, offset, data) -> None:
    better = data.draw(st.lists(st.booleans(), min_size=len(works), max_size=len(works)))
    scores = data.draw(st.lists(st.integers(0, 2), min_size=len(works), max_size=len(works)))
    pool = pool_of(works, scores, better)
    allowed = [row for row, is_better in enumerate(better) if is_better]

    def date_key(row: int, sign: int):
        years = [works[row][name] for name in ("year_begin", "year_end") if name in works[row]]
        rest = (-scores[row], row)
        if not years:
            return (1, 0, 0, *rest)
        pair = (min(years), max(years)) if sign > 0 else (-max(years), -min(years))
        return (0, *pair, *rest)

    for sort, sign in (("date", 1), ("-date", -1)):
        expected = sorted(allowed, key=lambda row, sign=sign: date_key(row, sign))
        assert arrange(pool, sort, k, offset).tolist() == expected[offset : offset + k]
    by_title = arrange(pool, "title", len(works) + 1).tolist()
    assert sorted(by_title) == allowed
    assert arrange(pool, "title", k, offset).tolist() == by_title[offset : offset + k]


def test_groups_by_a_list_the_largest_first_and_unknown_last() -> None:
    groups = group(pool_of(WORKS, [0.1, 0.9, 0.5, 0.4, 0.3, 0.2]), "creators", per_group=2)
    assert [(each.value, each.label, each.n, each.ordinals.tolist()) for each in groups] == [
        ("Anna", "Anna", 3, [1, 4]),
        ("Bruno", "Bruno", 1, [0]),
        ("Carl", "Carl", 1, [3]),
        ("", "Not known", 2, [2, 5]),
    ]


def test_groups_by_century_in_their_order() -> None:
    groups = group(pool_of(WORKS), "century")
    assert [(each.value, each.label, each.ordinals.tolist()) for each in groups] == [
        ("-2", "2nd century BCE", [4]),
        ("17", "17th century", [0, 1, 3]),
        ("18", "18th century", [5]),
        ("", "Not known", [2]),
    ]


def test_groups_by_a_raw_column_and_by_a_text_above_the_line_only() -> None:
    works = [{"school": school, "raw": {"Room": room}} for school, room in [
        ("Dutch", 1), ("Dutch", 2), ("Flemish", 2), (None, None)
    ]]  # fmt: skip
    pool = pool_of(works, better=[True, True, False, True])
    assert [(each.value, each.n) for each in group(pool, "school")] == [("Dutch", 2), ("", 1)]
    assert [(each.value, each.n) for each in group(pool, "room")] == [("1", 1), ("2", 1), ("", 1)]


def test_keeps_the_largest_groups_only() -> None:
    works = [{"school": letter, "year_begin": year} for letter, year in
             [("a", 1500), ("b", 1600), ("b", 1600), ("c", 1700), ("c", 1700)]]  # fmt: skip
    pool = pool_of(works)
    assert [each.value for each in group(pool, "school", max_groups=2)] == ["b", "c"]
    assert [each.value for each in group(pool, "century", max_groups=2)] == ["17", "18"]


def test_refuses_columns_that_make_no_groups() -> None:
    pool = pool_of(WORKS)
    with pytest.raises(UnknownNameError, match="creators"):
        group(pool, "creator")
    with pytest.raises(QueryError, match="century"):
        group(pool, "year_begin")
    with pytest.raises(UnknownNameError):
        group(pool, "image_id")


def test_no_works_make_no_groups() -> None:
    pool = pool_of(WORKS, better=[False] * len(WORKS))
    for column in ("creators", "title", "century"):
        assert group(pool, column) == []


@given(st.integers(-3000, 3000).filter(bool))
def test_a_century_holds_a_hundred_years(year: int) -> None:
    century = century_of(year)
    begin = (century - 1) * 100 if century > 0 else century * 100
    assert begin <= year < begin + 100
    assert century != 0
    assert np.sign(century) == np.sign(year)
