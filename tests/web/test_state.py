"""The state of a search: URL → state → URL is the identity, and each change changes one thing."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bilderatlas.arrays import Metric
from bilderatlas.errors import QueryError, UnknownNameError
from bilderatlas.search.combine import MAX_LAMBDA
from bilderatlas.search.query import PartKind, parse_part
from bilderatlas.search.run import MAX_DEPTH, MAX_K
from bilderatlas.web.spelling import read_facet, spell_facet
from bilderatlas.web.state import (
    HIDEABLE,
    SIZES,
    SORTS,
    SearchState,
    spell_image,
)

WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), min_size=1, max_size=12)
LISTS = st.lists(WORDS, unique=True, max_size=3).map(tuple)
STATES = st.builds(
    SearchState,
    collection=st.just("paintings"),
    like=LISTS,
    unlike=LISTS,
    text=LISTS,
    not_text=LISTS,
    by=st.lists(WORDS, unique=True, max_size=3).map(" ".join),
    also=LISTS.map(lambda names: tuple(name for name in names if name != "paintings")),
    facet=st.lists(st.tuples(WORDS, WORDS).map(lambda pair: spell_facet(*pair)), unique=True).map(
        tuple
    ),
    years=st.tuples(st.integers(-3000, 3000), st.integers(-3000, 3000)).map(
        lambda pair: f"{min(pair)}-{max(pair)}"
    ),
    sort=st.sampled_from(["", *SORTS]),
    group=WORDS,
    within=WORDS.map(lambda word: f"panel:{word}"),
    hide=st.lists(st.sampled_from(HIDEABLE), unique=True).map(tuple),
    size=st.sampled_from(["", *SIZES]),
    metric=WORDS,
    where=WORDS,
    match=WORDS,
    seed=st.integers(1, 10**6).map(str),
    offset=st.integers(1, 10**4).map(str),
)


def read(url: str) -> SearchState:
    parts = urlsplit(url)
    return SearchState.from_params(parts.path.removeprefix("/c/"), parse_qsl(parts.query))


@given(STATES)
def test_a_state_survives_its_address(state: SearchState) -> None:
    assert read(state.url()) == state


@given(STATES, WORDS, st.sampled_from([1, -1]))
def test_adding_and_removing_a_part(state: SearchState, text: str, sign: int) -> None:
    added = state.with_part(text, sign)
    assert (text in added.like, text in added.unlike) == (sign > 0, sign < 0)
    swapped = added.with_part(text, -sign)
    assert (text in swapped.like, text in swapped.unlike) == (sign < 0, sign > 0)
    removed = swapped.without_part(text)
    assert text not in removed.like + removed.unlike
    assert removed.offset == ""


@given(STATES, WORDS, WORDS)
def test_a_facet_is_asked_for_and_no_longer(state: SearchState, column: str, value: str) -> None:
    assert read_facet(spell_facet(column, value)) == (column, value)
    once = state.with_facet(column, value)
    twice = once.with_facet(column, value)
    assert ((column, value) in once.facets) is not ((column, value) in state.facets)
    assert sorted(twice.facets) == sorted(state.facets)
    assert column not in dict(once.without_facet(column).facets)


@given(STATES, st.sampled_from(HIDEABLE), WORDS)
def test_what_is_switched_twice_is_as_before(state: SearchState, what: str, name: str) -> None:
    assert set(state.hiding(what).hiding(what).hide) == set(state.hide)
    assert set(state.asking(name).asking(name).also) == set(state.also)


def test_several_criteria_are_mixed() -> None:
    params = [("by", "a.x^2"), ("by", "b.y"), ("by", "a.x^2")]
    state = SearchState.from_params("c", params)
    assert state.url() == "/c/c?by=a.x^2&by=b.y"
    query = state.to_query()
    assert (query.model_id, query.blend) == ("a.x", (("a.x", 2.0), ("b.y", 1.0)))
    alone = SearchState.from_params("c", [("by", "a.x^3")])
    assert (alone.to_query().model_id, alone.to_query().blend) == ("a.x", ())


def test_fields_of_forms_without_scripts() -> None:
    fields = [("weight:a.x", "2"), ("weight:b.y", "0"), ("weight:c.z", "1"), ("by", "b.y")]
    assert SearchState.from_params("c", fields).by == "a.x^2 c.z"
    assert SearchState.from_params("c", [("weight:a.x", "2"), ("weight:b.y", "")]).by == "a.x"
    assert SearchState.from_params("c", [("from", "1600"), ("to", "1650")]).span == (1600, 1650)
    assert SearchState.from_params("c", [("to", "-40")]).span == (-99_999, -40)


def test_facets_years_and_panel_reach_the_query() -> None:
    params = [
        ("facet", "school:Dutch"),
        ("facet", "dc%3Atype:print"),
        ("years", "-50-20"),
        ("sort", "-date"),
        ("within", "panel:7"),
        ("hide", "seen"),
    ]
    query = SearchState.from_params("c", params).to_query()
    assert query.facets == (("school", "Dutch"), ("dc:type", "print"))
    assert (query.years, query.sort) == ((-50, 20), "-date")
    assert (query.within_panel, query.hide) == ("7", ("seen",))


@given(WORDS.filter(lambda word: not word.startswith("upload:")))
def test_any_image_id_can_be_asked_for(image_id: str) -> None:
    part = parse_part(spell_image("paintings", image_id))
    assert (part.kind, part.value, part.weight, part.region) == (
        PartKind.IMAGE,
        image_id,
        1.0,
        None,
    )


@given(WORDS)
def test_an_id_that_looks_like_an_upload_is_named_with_its_collection(rest: str) -> None:
    text = spell_image("paintings", f"upload:{rest}")
    part = parse_part(text)
    assert (part.kind, part.value) == (PartKind.IMAGE, f"paintings/upload:{rest}")
    moved = SearchState("paintings", like=(text,)).moved_to("maps", by="", known=["paintings"])
    back = moved.moved_to("paintings", by="", known=["paintings", "maps"])
    assert moved.like == back.like == (text,)


@given(STATES, st.integers(0, 10**6))
def test_only_the_permanent_link_names_the_version(state: SearchState, version: int) -> None:
    for json in (False, True):
        url = state.permanent_url(version, json=json)
        assert read(url.replace("/c/paintings.json", "/c/paintings")).asked_version() == version
    assert read(state.permanent_url(version)).url() == state.url()
    assert state.asked_version() is None


def test_defaults_are_not_spelled() -> None:
    params = [("k", "30"), ("rule", "difference"), ("lambda", "0.5"), ("seed", "0"), ("x", "y")]
    assert SearchState.from_params("c", params).url() == "/c/c"


def test_query_of_a_full_state() -> None:
    params = [
        ("like", "a^2"),
        ("unlike", "upload:ff@0,0,0.5,0.5"),
        ("text", "evening light"),
        ("not", "figures"),
        ("by", "raw_32.pixels"),
        ("metric", "euclidean"),
        ("k", "5"),
        ("mirrored", "1"),
    ]
    query = SearchState.from_params("c", params).to_query()
    found = [(part.kind.value, part.value, part.sign, part.weight) for part in query.parts]
    assert found == [
        ("image", "a", 1, 2.0),
        ("text", "evening light", 1, 1.0),
        ("upload", "ff", -1, 1.0),
        ("text", "figures", -1, 1.0),
    ]
    assert (query.metric, query.k, query.mirrored) == (Metric.EUCLIDEAN, 5, True)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("k", "0"),
        ("k", "1001"),
        ("k", "ten"),
        ("k", "1e3"),
        ("offset", "10001"),
        ("offset", "-1"),
        ("lambda", "nan"),
        ("lambda", "-1"),
        ("lambda", "10.5"),
        ("lambda", "9" * 400),
        ("seed", "99999999999"),
        ("seed", "9" * 400),
        ("k", "9" * 400),
        ("k", "9" * 5000),
        ("offset", "9" * 400),
        ("offset", "-" + "9" * 400),
        ("v", "9" * 400),
        ("v", "three"),
        ("like", "a^0"),
        ("like", "a@0,0,2,2"),
        ("facet", "Dutch"),
        ("years", "1700-1600"),
        ("years", "old"),
        ("sort", "price"),
        ("within", "7"),
        ("hide", "all"),
        ("by", "a^0"),
    ],
)
def test_bad_numbers_are_told(name: str, value: str) -> None:
    with pytest.raises(QueryError, match=r"^Cannot") as told:
        SearchState.from_params("c", [(name, value), ("by", "b")]).to_query()
    assert len(str(told.value)) < 200


def test_an_unknown_metric_names_the_known_ones() -> None:
    with pytest.raises(UnknownNameError, match="angular"):
        SearchState.from_params("c", [("metric", "anglar")]).to_query()


def test_too_many_parts() -> None:
    params = [("like", f"image-{n}") for n in range(101)]
    with pytest.raises(QueryError, match="101 parts"):
        SearchState.from_params("c", params).to_query()


def test_the_limits_are_those_of_the_search() -> None:
    for name, limit in (("k", MAX_K), ("offset", MAX_DEPTH), ("lambda", round(MAX_LAMBDA))):
        SearchState.from_params("c", [(name, str(limit))]).to_query()
        with pytest.raises(QueryError, match=f"to {limit}"):
            SearchState.from_params("c", [(name, str(limit + 1))]).to_query()


def test_too_many_pictures_to_decode() -> None:
    params = [("like", "upload:ff"), ("unlike", "a@0,0,0.5,0.5"), ("like", "b"), ("text", "sea")]
    state = SearchState.from_params("c", params)
    assert len(state.to_query(max_decoded=2).parts) == 4
    with pytest.raises(QueryError, match=r"2 details and pictures .* at most 1"):
        state.to_query(max_decoded=1)


def test_another_collection_keeps_the_pictures() -> None:
    state = SearchState("a", like=("x", "upload:ff", "b/y"), where="year > 1600", by="m")
    moved = state.moved_to("b", by="", known=["a", "b"])
    assert moved.like == ("a/x", "upload:ff", "y")
    assert (moved.collection, moved.where, moved.by) == ("b", "", "")
