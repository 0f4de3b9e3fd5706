"""Filters: what the language says and refuses, and that it agrees with a plain loop."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bilderatlas.errors import BilderatlasError, FilterError, UnknownNameError
from bilderatlas.search.filter_parse import MAX_CONDITIONS, MAX_DEPTH, MAX_FILTER_BYTES
from bilderatlas.search.filter_syntax import (
    TEXT_ONLY,
    And,
    Comparison,
    Membership,
    Missing,
    Not,
    Operator,
    Or,
)
from bilderatlas.search.filters import Filter, compile_filter
from tests.search.museum_columns import KINDS, ListColumns, naive_truth

WORKS = [
    {"year_begin": 1590, "year_end": 1610, "school": "Dutch", "creators": ("Anna", "Bert")},
    {"year_begin": 1600, "year_end": 1600, "school": "dutch", "title": "The Bridge"},
    {"year_begin": 1650, "year_end": 1660, "school": "Flemish", "tags": ("portrait",)},
    {"school": "Dutch", "title": "Bridge, undated", "height_cm": 12.5},
    {"year_begin": -120, "year_end": -100, "title": "L'Étoile", "height_cm": 80.0},
]
COLUMNS = ListColumns(WORKS)


def kept(text: str) -> list[int]:
    return np.flatnonzero(compile_filter(text).mask(COLUMNS)).tolist()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("year >= 1600", [0, 1, 2]),
        ("year > 1610", [2]),
        ("year = 1600", [0, 1]),
        ("year == 1600", [0, 1]),
        ("year != 1600", [0, 2, 4]),  # one year other than 1600
        ("not year = 1600", [2, 4]),  # no year is 1600
        ("year < 1600", [0, 4]),
        ("year <= 1600 and year >= 1600", [0, 1]),
        ("not (year >= 1600)", [4]),  # undated: not known, hence not kept
        ("year is null", [3]),
        ("year is not null", [0, 1, 2, 4]),
        ("not year is null", [0, 1, 2, 4]),
        ("year_begin >= 1600", [1, 2]),
        ("year_end < 1650", [0, 1, 4]),
        ("year = -110", [4]),
        ("year = −110", [4]),
        ("year in (1600, 1655)", [0, 1, 2]),
        ("year not in (1600, 1655)", [4]),
        ("year >= 1600 or school = 'Dutch'", [0, 1, 2, 3]),
        ("year >= 1600 and school = 'Dutch'", [0, 1]),
        ('SCHOOL = "DUTCH" AND Year = 1600', [0, 1]),
        ("school = 'Dutch' and not title contains 'bridge'", []),
        ("school = 'Dutch' and (title is null or not title contains 'bridge')", [0]),
        ("school != 'Dutch'", [2]),
        ("school <> 'Dutch'", [2]),
        ("school in ('dutch', 'FLEMISH')", [0, 1, 2, 3]),
        ("school not in ('Dutch')", [2]),
        ("school < 'E'", [0, 1, 3]),
        ("title contains 'BRIDGE'", [1, 3]),
        ("title starts with 'the'", [1]),
        ("title ends with 'bridge'", [1]),
        ("title not starts with 'the'", [3, 4]),
        ("title = 'l''ÉTOILE'", [4]),
        ('title = "l\'e\u0301toile"', [4]),
        ("creators = 'bert'", [0]),
        ("creators != 'bert'", [0]),  # one of them is not Bert
        ("not creators = 'bert'", []),
        ("tags is null", [0, 1, 3, 4]),
        ("tags is not null and tags contains 'port'", [2]),
        ("height_cm > 12.4 and height_cm < 12.6", [3]),
        ("`Height cm` >= .5e2", [4]),
        ("height_cm in (12.5, 80)", [3, 4]),
        ("year_begin = 99999999999999999999", []),
        ("year < 99999999999999999999", [0, 1, 2, 4]),
        ("not not school = 'Flemish'", [2]),
        ("((school = 'Flemish'))", [2]),
        ("year_begin in (" + ", ".join(str(year) for year in range(1590, 1620)) + ")", [0, 1]),
        ("year in (" + ", ".join(str(year) for year in range(1605, 1651)) + ")", [0, 2]),
    ],
)
def test_filter_keeps(text: str, expected: list[int]) -> None:
    assert kept(text) == expected


def test_and_binds_tighter_than_or() -> None:
    assert compile_filter("a = 1 or b = 2 and c = 3") == compile_filter(
        "a = 1 or (b = 2 and c = 3)"
    )
    assert compile_filter("a = 1 or b = 2 and c = 3") != compile_filter(
        "(a = 1 or b = 2) and c = 3"
    )
    assert compile_filter("not a = 1 and b = 2") == compile_filter("(not a = 1) and b = 2")


def test_one_known_year_serves_as_the_whole_interval() -> None:
    columns = ListColumns([{"year_begin": 1600}, {"year_end": 1700}, {}])
    assert compile_filter("year = 1600").mask(columns).tolist() == [True, False, False]
    assert compile_filter("year = 1700").mask(columns).tolist() == [False, True, False]
    assert compile_filter("year is null").mask(columns).tolist() == [False, False, True]
    assert compile_filter("year_end is null").mask(columns).tolist() == [True, False, True]


def test_an_interval_written_backwards_is_turned_round() -> None:
    columns = ListColumns([{"year_begin": 1700, "year_end": 1600}])
    assert compile_filter("year = 1650").mask(columns).tolist() == [True]


def test_no_works() -> None:
    columns = ListColumns([])
    for text in ("year = 1600", "school = 'x'", "tags = 'x'", "tags is null", "height_cm > 1"):
        assert compile_filter(text).mask(columns).shape == (0,)


def test_odd_column_names_stand_in_backticks() -> None:
    columns = ListColumns([{"in": "a", "on_view": "b"}], {"in": "text", "on_view": "text"})
    assert compile_filter("`in` = 'A'").mask(columns).all()
    assert compile_filter("`On view` = 'B'").mask(columns).all()
    assert compile_filter("ON_VIEW = 'B'").mask(columns).all()


@pytest.mark.parametrize(
    ("text", "position", "said"),
    [
        ("", 0, "the name of a column, found the end of the filter"),
        ("   ", 3, "the name of a column"),
        ("year", 4, "a comparison (= != < <= > >=), contains, starts with"),
        ("year >=", 7, "a number or a text in quotes, found the end"),
        ("year >= and", 8, "found 'and'"),
        ("school = Dutch", 9, "Texts stand in quotes"),
        ("school = null", 9, "Write `is null`"),
        ("school = 'Dutch", 9, "a closing '"),
        ("school = ‘Dutch’", 9, "straight quotes"),
        ("school like 'D%'", 7, "Write `contains`"),
        ("school is 'Dutch'", 10, "null or not null"),
        ("year >= 1600 school = 'x'", 13, "`and`, `or`, or the end"),
        ("year >= 1600 && year < 1700", 13, "Write `and`"),
        ("(year >= 1600", 13, "closing parenthesis"),
        ("year >= 1600)", 12, "found ')'"),
        ("year = 1880s", 7, "a number, or a text in quotes, found '1880s…'"),
        ("year in 1600", 8, "opening parenthesis"),
        ("year in (1600", 13, "a comma or a closing parenthesis"),
        ("year in ()", 9, "a number or a text"),
        ("in = 'x'", 0, "stands in backticks"),
        ("title starts 'x'", 13, "expected with"),
        ("title contains 5", 15, "a text in quotes, found '5'"),
        ("`` = 1", 0, "the name of a column"),
        ("year = " + "9" * 400, 7, "a number of ordinary size"),
        ("year >= 1600;", 12, "joined by `and`"),
    ],
)
def test_what_cannot_be_read_is_pointed_at(text: str, position: int, said: str) -> None:
    with pytest.raises(FilterError) as caught:
        compile_filter(text)
    assert caught.value.position == position
    assert f"character {position + 1}: expected" in str(caught.value)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("school = 5", "'school' holds texts. Write '5', in quotes."),
        ("school in ('x', 5)", "'school' holds texts"),
        ("year = '1600'", "'year' holds numbers. Write one without quotes"),
        ("year in (1600, '1700')", "'year' holds numbers"),
        ("year contains '16'", "'year' holds numbers, and `contains` compares texts"),
        ("height_cm starts with '1'", "`starts with` compares texts"),
        ("year = 1600.5", "a year is a whole number. Write 1600."),
    ],
)
def test_what_does_not_fit_the_column_is_refused(text: str, said: str) -> None:
    with pytest.raises(FilterError) as caught:
        compile_filter(text).mask(COLUMNS)
    assert said in str(caught.value)


def test_an_unknown_column_is_refused_even_where_it_could_not_matter() -> None:
    with pytest.raises(UnknownNameError, match=r"no column called 'scool'.*'school'") as caught:
        compile_filter("year is null or not (year is null) or scool = 'x'").check(COLUMNS)
    assert caught.value.kind == "column"
    with pytest.raises(UnknownNameError, match="Did you mean 'year'"):
        compile_filter("yeer = 1").mask(COLUMNS)


def test_limits_of_length_depth_and_number() -> None:
    condition = "year = 1"
    deepest = "(" * MAX_DEPTH + condition + ")" * MAX_DEPTH
    assert compile_filter(deepest) == compile_filter(condition)
    for too_deep in (f"({deepest})", "not " * (MAX_DEPTH + 1) + condition, "(" * 5000):
        with pytest.raises(FilterError, match="nested deeper than 50 levels"):
            compile_filter(too_deep)
    most = " or ".join([condition] * MAX_CONDITIONS)
    assert len(compile_filter(most).node.operands) == MAX_CONDITIONS
    with pytest.raises(FilterError, match="more than 200 conditions"):
        compile_filter(f"{most} or {condition}")
    for too_long in ("é" * (MAX_FILTER_BYTES // 2 + 1), " " * (MAX_FILTER_BYTES + 1)):
        with pytest.raises(FilterError, match=r"longer than 10,000 bytes.*--within"):
            compile_filter(too_long)


# Properties

NAMES = st.sampled_from([*KINDS, "year"])
PLAIN_TEXTS = st.sampled_from(["a", "A", "ab", "B", "é", "É", "", "it's", 'say "b"', "ß", "SS"])


@st.composite
def conditions(draw: st.DrawFn):
    column = draw(NAMES)
    if draw(st.integers(0, 5)) == 0:
        return Missing(column)
    is_text = KINDS.get(column) in ("text", "texts")
    if is_text:
        values = PLAIN_TEXTS
    elif column == "height_cm":
        values = st.one_of(st.integers(-5, 5), st.sampled_from([0.5, -1.25, 1e20]))
    else:
        values = st.integers(-6, 6)
    if draw(st.integers(0, 4)) == 0:
        return Membership(column, tuple(draw(st.lists(values, min_size=1, max_size=20))))
    operators = [op for op in Operator if is_text or op not in TEXT_ONLY]
    return Comparison(column, draw(st.sampled_from(operators)), draw(values))


FILTERS = st.recursive(
    conditions(),
    lambda inner: st.one_of(
        inner.map(Not),
        st.lists(inner, min_size=2, max_size=3).map(lambda nodes: And(tuple(nodes))),
        st.lists(inner, min_size=2, max_size=3).map(lambda nodes: Or(tuple(nodes))),
    ),
    max_leaves=8,
)


def optional(values: st.SearchStrategy):
    return st.one_of(st.none(), values)


MUSEUMS = st.lists(
    st.fixed_dictionaries(
        {
            "year_begin": optional(st.integers(-5, 5)),
            "year_end": optional(st.integers(-5, 5)),
            "school": optional(PLAIN_TEXTS),
            "title": optional(PLAIN_TEXTS),
            "creators": st.lists(PLAIN_TEXTS, max_size=3).map(tuple),
            "tags": st.lists(PLAIN_TEXTS, max_size=2).map(tuple),
            "height_cm": optional(st.sampled_from([0.5, -1.25, 3.0, 1e20])),
        }
    ),
    max_size=6,
)


@given(FILTERS, MUSEUMS)
def test_a_filter_agrees_with_asking_every_work_and_every_year(node, works) -> None:
    mask = Filter(node).mask(ListColumns(works))
    assert mask.dtype == np.bool_
    assert mask.tolist() == [naive_truth(node, work) is True for work in works]


@given(FILTERS)
def test_what_a_filter_prints_reads_the_same(node) -> None:
    assert compile_filter(str(Filter(node))).node == node


@given(st.text(), st.sampled_from(["'", '"']))
def test_any_text_can_be_quoted(value: str, quote: str) -> None:
    spelled = quote + value.replace(quote, quote * 2) + quote
    assert compile_filter(f"title = {spelled}").node == Comparison("title", Operator.EQUAL, value)


@given(st.text(min_size=1))
def test_any_name_can_be_a_column(name: str) -> None:
    node = Comparison(name, Operator.EQUAL, 1)
    assert compile_filter(str(node)).node == node


FRAGMENTS = st.lists(
    st.one_of(
        st.sampled_from(["year", "school", "and", "or", "not", "in", "is", "null", "contains"]),
        st.sampled_from(["starts", "ends", "with", "(", ")", ",", "=", "!=", "<", "<=", ">="]),
        st.sampled_from(["'a'", '"b"', "`c`", "1", "-2.5", "'", '"', "`", ";", "1e999", "\0"]),
    ),
    max_size=30,
).map(" ".join)


@given(st.one_of(st.text(), FRAGMENTS))
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    try:
        found = compile_filter(text)
        found.mask(COLUMNS)
    except BilderatlasError as error:
        assert str(error).endswith((".", ". "))
    else:
        assert compile_filter(str(found)) == found


@given(FILTERS)
def test_a_filter_and_its_opposite_never_hold_together(node) -> None:
    columns = ListColumns(WORKS)
    both = Filter(node).mask(columns) & Filter(Not(node)).mask(columns)
    assert not both.any()


# The same at length

AT_LENGTH = settings(
    max_examples=10_000, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


@pytest.mark.slow
@AT_LENGTH
@given(st.one_of(st.text(max_size=200), FRAGMENTS))
def test_ten_thousand_texts_are_read_or_refused_in_words(text: str) -> None:
    try:
        found = compile_filter(text)
        found.mask(COLUMNS)
    except BilderatlasError:
        return
    assert compile_filter(str(found)) == found


@pytest.mark.slow
@AT_LENGTH
@given(FILTERS, MUSEUMS)
def test_ten_thousand_filters_agree_with_asking_every_work(node, works) -> None:
    mask = Filter(node).mask(ListColumns(works))
    assert mask.tolist() == [naive_truth(node, work) is True for work in works]
