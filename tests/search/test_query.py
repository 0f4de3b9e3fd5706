"""Parts of a query as they are typed."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bilderatlas.errors import QueryError
from bilderatlas.search.query import Part, PartKind, Query, Region, parse_part


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("SK-C-5", Part(PartKind.IMAGE, "SK-C-5")),
        (" rijks/SK-C-5 ", Part(PartKind.IMAGE, "rijks/SK-C-5")),
        ("SK-C-5^2", Part(PartKind.IMAGE, "SK-C-5", weight=2)),
        ("SK-C-5^.5", Part(PartKind.IMAGE, "SK-C-5", weight=0.5)),
        ("a@0,0,1,1", Part(PartKind.IMAGE, "a", region=Region(0, 0, 1, 1))),
        ("a@.1,0.2,0.3,0.4^3", Part(PartKind.IMAGE, "a", 1, 3, Region(0.1, 0.2, 0.3, 0.4))),
        ("upload:abc@0,0,.5,.5", Part(PartKind.UPLOAD, "abc", region=Region(0, 0, 0.5, 0.5))),
        ("mail@museum.org", Part(PartKind.IMAGE, "mail@museum.org")),
        ("a@0.1,0.2", Part(PartKind.IMAGE, "a@0.1,0.2")),
        ("folder/the ^ sign", Part(PartKind.IMAGE, "folder/the ^ sign")),
    ],
)
def test_a_part_is_read(text: str, part: Part) -> None:
    assert parse_part(text) == part
    assert parse_part(str(part)) == part


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "part of the query is empty"),
        ("  ", "part of the query is empty"),
        ("a^0", "Cannot weigh 'a' by 0"),
        ("a^0.0", "Use --unlike to subtract"),
        ("a^" + "9" * 400, "at most 1000"),
        ("a@0,0,0,1", "expected x,y,width,height"),
        ("a@0.5,0,0.6,1", "Cannot use the region 0.5,0,0.6,1"),
    ],
)
def test_what_is_no_part_is_refused(text: str, said: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse_part(text)
    assert said in str(caught.value)


@given(st.text())
def test_any_text_is_a_part_or_refused(text: str) -> None:
    try:
        part = parse_part(text)
    except QueryError:
        return
    assert part.value
    assert parse_part(str(part)).value == part.value


@pytest.mark.parametrize("text", ["a@" + "1" * 50_000, "a^" + "1" * 50_000 + "x", "^1" * 20_000])
def test_long_texts_are_read_in_one_pass(text: str) -> None:
    # With two ways to read a number this takes minutes, and the suite's time limit ends it.
    assert parse_part(text).value


def test_words_may_look_like_an_upload() -> None:
    assert parse_part("upload:abc", kind=PartKind.TEXT).kind is PartKind.TEXT


def test_a_query_knows_its_sides() -> None:
    query = Query(parts=(parse_part("a"), parse_part("b", sign=-1), parse_part("c")))
    assert [part.value for part in query.positives] == ["a", "c"]
    assert [part.value for part in query.negatives] == ["b"]
    assert query.to_json()["parts"][1]["sign"] == -1


def test_a_panel_is_spelled_as_an_upload_is() -> None:
    part = parse_part("panel:turbans^2", sign=-1)
    assert (part.kind, part.value, part.weight) == (PartKind.PANEL, "turbans", 2.0)
    assert str(part) == "panel:turbans^2"
    assert parse_part(str(part), sign=-1) == part


def test_json_tells_what_narrows_and_orders_a_query() -> None:
    query = Query(
        blend=(("a.fake", 1.0), ("b.fake", 0.5)),
        facets=(("school", "Dutch"), ("school", "Flemish")),
        years=(-50, 1650),
        sort="-date",
        within_panel="turbans",
        hide=("seen",),
    )
    told = json.loads(json.dumps(query.to_json()))
    assert told["blend"][1] == {"model_id": "b.fake", "weight": 0.5}
    assert told["facets"][0] == {"column": "school", "value": "Dutch"}
    assert (told["years"], told["sort"]) == ([-50, 1650], "-date")
    assert (told["within_panel"], told["hide"]) == ("turbans", ["seen"])
    plain = Query().to_json()
    assert (plain["blend"], plain["facets"], plain["years"]) == ([], [], None)
