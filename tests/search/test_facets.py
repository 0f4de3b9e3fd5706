"""Facets: worked by hand, and against the filter that choosing a value would apply."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bilderatlas.search.column_values import values_of
from bilderatlas.search.facets import MAX_BINS, count_facets, facet_columns, facet_title
from bilderatlas.search.restrict import facet_mask, years_mask
from tests.search.pools import columns_of, pool_of

WORKS = [
    {"school": "Dutch", "creators": ["Anna", "Bruno"], "year_begin": 1600, "year_end": 1649},
    {"school": "Dutch", "creators": ["Anna"], "year_begin": 1640, "year_end": 1640},
    {"school": "Dutch", "creators": ["Anna", "Anna"], "year_begin": 1700, "year_end": 1700},
    {"school": "Flemish", "creators": ["Bruno"], "year_begin": 1610},
    {"school": "Flemish", "creators": [" "]},
    {"creators": ["Bruno", "Anna"], "year_begin": 1690, "year_end": 1701},
]


def shown(facet) -> list[tuple[str, int, bool]]:
    return [(one.value, one.n, one.chosen) for one in facet.values]


def test_counts_the_works_above_the_line() -> None:
    makers, schools, years = count_facets(pool_of(WORKS, better=[True] * 5 + [False]))
    assert (makers.column, makers.title, makers.kind) == ("creators", "Maker", "values")
    assert shown(makers) == [("Anna", 3, False), ("Bruno", 2, False)]
    assert shown(schools) == [("Dutch", 3, False), ("Flemish", 2, False)]
    assert years.kind == years.column == "years"
    # 1600 to 1700 in bins of five years; a work counts in each that it touches
    assert [(one.begin, one.end) for one in years.bins][:2] == [(1600, 1604), (1605, 1609)]
    assert [one.n for one in years.bins] == [1, 1, 2, 1, 1, 1, 1, 1, 2, 1] + [0] * 10 + [1]


def test_a_choice_is_lifted_for_its_own_facet_alone() -> None:
    pool = pool_of(WORKS)
    dutch = facet_mask(pool.columns, "school", ["Dutch"])
    narrowed = replace(pool, mask=dutch, better=dutch)
    makers, schools, years = count_facets(
        narrowed,
        chosen=[("school", "Dutch")],
        years=(1640, 1649),
        lifted={"school": pool.better, "years": dutch},
    )
    assert shown(makers) == [("Anna", 3, False), ("Bruno", 1, False)]
    assert shown(schools) == [("Dutch", 3, True), ("Flemish", 2, False)]
    assert [one.begin for one in years.bins if one.chosen] == [1640, 1645]


def test_what_is_chosen_is_always_named() -> None:
    (makers, *_, titles, _) = count_facets(
        pool_of(WORKS),
        chosen=[("creators", "Bruno"), ("creators", "Nobody"), ("title", "No")],
        n_values=1,
    )
    assert shown(makers) == [("Anna", 4, False), ("Bruno", 3, True), ("Nobody", 0, True)]
    assert makers.n_more == 0
    assert shown(titles) == [("No", 0, True)]
    (makers, *_) = count_facets(pool_of(WORKS), n_values=1)
    assert shown(makers) == [("Anna", 4, False)]
    assert makers.n_more == 1


def test_columns_that_divide_the_collection_are_offered() -> None:
    works = [
        {
            "school": f"school {row % 3}",
            "genre": "portrait",  # one value alone
            "medium": f"medium {row}",  # each its own
            "place": "Delft" if row == 0 else "Gouda" if row == 1 else None,  # hardly known
            "object_type": f"kind {row % 2}",
            "raw": {
                "Room number": row % 4,
                "Caption": "A long sentence about the picture, number " + str(row % 2),
                "Wall": "north" if row % 2 else "south",
                "Frame": "gilt" if row % 3 else None,
                "Frame colour": "gold" if row % 3 else "black",
            },
        }
        for row in range(12)
    ]
    columns = columns_of(works)
    assert facet_columns(columns) == ["school", "object_type", "wall", "frame_colour"]
    assert facet_columns(columns, ["genre", "room_number", "width_px", "none"]) == [
        "school", "object_type", "wall", "frame_colour", "genre", "room_number"
    ]  # fmt: skip
    assert [facet_title(name) for name in ("object_type", "frame_colour")] == [
        "Kind of object", "Frame colour"
    ]  # fmt: skip


def test_an_empty_answer_and_an_undated_collection_have_few_facets() -> None:
    assert count_facets(pool_of(WORKS, better=[False] * 6)) == []
    assert count_facets(pool_of([{"school": "a"}, {"school": "a"}])) == []
    assert count_facets(pool_of([])) == []


letters = st.sampled_from(["", " ", "a", "b", "ä", "c"])
described = st.fixed_dictionaries(
    {},
    optional={
        "school": letters,
        "creators": st.lists(letters, max_size=3),
        "year_begin": st.integers(-300, 2100),
        "year_end": st.integers(-300, 2100),
    },
)


@settings(max_examples=80, deadline=None)
@given(st.lists(described, max_size=30), st.data())
def test_a_count_is_what_choosing_would_leave(works, data) -> None:
    better = data.draw(st.lists(st.booleans(), min_size=len(works), max_size=len(works)))
    pool = pool_of(works, better=better)
    facets = count_facets(pool, chosen=[("school", "a"), ("creators", "b")], n_values=20)
    for facet in facets:
        for one in facet.values:
            left = facet_mask(pool.columns, facet.column, [one.value]) & pool.better
            assert one.n == np.count_nonzero(left)
        for span in facet.bins:
            left = years_mask(pool.columns, span.begin, span.end) & pool.better
            assert span.n == np.count_nonzero(left)
        spans = list(facet.bins)
        assert len(spans) <= MAX_BINS + 1
        assert all(one.end + 1 == after.begin for one, after in pairwise(spans))
    if any(facet.kind == "years" for facet in facets):
        dated = sum(is_better and ("year_begin" in work or "year_end" in work)
                    for work, is_better in zip(works, better, strict=True))  # fmt: skip
        whole = facets[-1].bins
        assert np.count_nonzero(
            years_mask(pool.columns, whole[0].begin, whole[-1].end) & pool.better
        ) == dated  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(letters, max_size=4), min_size=1, max_size=40), st.data())
def test_few_and_many_works_are_counted_alike(lists, data) -> None:
    columns = columns_of([{"creators": one} for one in lists])
    found = values_of(columns, "creators")
    chosen = sorted(data.draw(st.sets(st.sampled_from(range(len(lists))))))
    expected = [
        sum(value in lists[row] for row in chosen) for value in found.values if value.strip()
    ]
    counts = found.count(np.array(chosen, np.int64), columns.n)
    kept = [code for code, value in enumerate(found.values) if value.strip()]
    assert counts[kept].tolist() == expected
    places, codes = found.of_works(np.array(chosen, np.int64))
    again = np.bincount(codes + 1, minlength=len(found.values) + 1)[1:]
    assert again.tolist() == counts.tolist()
    assert sorted(set(places.tolist())) == chosen
