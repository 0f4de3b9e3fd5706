"""Facets, groups, several collections and two rankings, over real collections of drawn pictures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from bilderatlas.api import Library, create, index
from bilderatlas.api.rankings import compare_rankings
from bilderatlas.errors import QueryError, UnknownNameError
from bilderatlas.indexing import IndexOptions
from bilderatlas.search.query import Part, PartKind, Query

WORKS = {
    "one": [
        ("red.png", (200, 30, 30), "Anna", 1610, "Dutch"),
        ("rose.png", (190, 60, 60), "Anna; Bruno", 1620, "Dutch"),
        ("blue.png", (20, 40, 200), "Bruno", 1710, "Flemish"),
        ("navy.png", (10, 20, 120), "Bruno", "", "Flemish"),
    ],
    "two": [
        ("wine.png", (150, 20, 40), "Carl", 1650, "French"),
        ("red.png", (20, 200, 40), "Carl", 1500, "French"),
    ],
    "three": [("grey.png", (128, 128, 128), "Dora", 1800, "German")],
}
CRITERIA = {
    "one": ("raw_32.pixels", "palette_lab.pixels"),
    "two": ("raw_32.pixels",),
    "three": ("palette_lab.pixels",),
}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    library = create(tmp_path_factory.mktemp("several") / "library")
    for name, works in WORKS.items():
        folder: Path = tmp_path_factory.mktemp(name)
        rows = ["file,title,creator,date,school"]
        for file, colour, maker, year, school in works:
            Image.new("RGB", (60, 40), colour).save(folder / file)
            rows.append(f"{file},{file[:-4].title()},{maker},{year},{school}")
        (folder / "metadata.csv").write_text("\n".join(rows), "utf-8")
        options = IndexOptions(extractors=CRITERIA[name], workers=1)
        index(library, str(folder), name, options=options)
    yield library
    library.close()


def like(image_id: str, **values: object) -> Query:
    return Query(parts=(Part(PartKind.IMAGE, image_id),), **values)  # type: ignore[arg-type]


def found(hits: object) -> list[tuple[str, str]]:
    return [(hit.collection, hit.image_id) for hit in hits]  # type: ignore[attr-defined]


# Facets and groups


def test_facets_follow_the_answer_and_lift_their_own_choice(library: Library) -> None:
    collection = library["one"]
    hits = collection.run(like("red.png", facets=(("school", "Dutch"),)))
    makers, schools, years = collection.facets(hits)
    assert [hit.image_id for hit in hits] == ["rose.png"]
    assert [(one.value, one.n) for one in makers.values] == [("Anna", 1), ("Bruno", 1)]
    # the question itself is no answer: two Flemish works, and one Dutch one
    assert [(one.value, one.n, one.chosen) for one in schools.values] == [
        ("Flemish", 2, False),
        ("Dutch", 1, True),
    ]
    assert sum(one.n for one in years.bins) == 1


def test_years_are_lifted_for_the_histogram_alone(library: Library) -> None:
    collection = library["one"]
    hits = collection.run(Query(years=(1600, 1615)))
    makers, _, years = collection.facets(hits)
    assert [(one.value, one.n) for one in makers.values] == [("Anna", 1)]
    assert sum(one.n for one in years.bins) == 3
    assert sum(one.n for one in years.bins if one.chosen) == 1


def test_each_count_is_the_number_of_works_that_choosing_finds(library: Library) -> None:
    collection = library["one"]
    query = like("blue.png", where="year < 1700 or year is null")
    for facet in collection.facets(collection.run(query)):
        for one in facet.values:
            chosen = replace(query, facets=((facet.column, one.value),))
            assert len(collection.run(chosen)) == one.n
        for span in facet.bins:
            assert len(collection.run(replace(query, years=(span.begin, span.end)))) == span.n


def test_groups_hold_the_best_of_each(library: Library) -> None:
    collection = library["one"]
    groups = collection.grouped(collection.run(like("red.png")), "school", per_group=1)
    assert [(one.label, one.n, [hit.image_id for hit in one.hits]) for one in groups] == [
        ("Flemish", 2, ["navy.png"]),
        ("Dutch", 1, ["rose.png"]),
    ]
    assert groups[1].hits[0].percentile > groups[0].hits[0].percentile


def test_a_hang_is_grouped_as_it_hangs(library: Library) -> None:
    collection = library["one"]
    for seed in range(4):
        hung = [hit.image_id for hit in collection.sample(seed=seed)]
        groups = collection.grouped(collection.sample(seed=seed), "century")
        assert [one.label for one in groups] == ["17th century", "18th century", "Not known"]
        assert [hit.image_id for hit in groups[0].hits] == [
            one for one in hung if one in ("red.png", "rose.png")
        ]
        assert all(hit.percentile == hit.score == 0 for one in groups for hit in one.hits)


def test_groups_need_a_column(library: Library) -> None:
    collection = library["one"]
    with pytest.raises(UnknownNameError, match="school"):
        collection.grouped(collection.sample(), "schools")


# Several collections


def test_one_criterion_merges_by_score(library: Library) -> None:
    hits = library.search_several(["one", "two"], like("red.png"))
    assert hits.criterion is not None
    assert hits.criterion.model_id == "raw_32.pixels"
    assert sorted(found(hits)) == sorted(
        [("one", each[0]) for each in WORKS["one"][1:]]
        + [("two", each[0]) for each in WORKS["two"]]
    )
    scores = [hit.score for hit in hits]
    assert scores == sorted(scores, reverse=True)
    assert [hit.rank for hit in hits] == [1, 2, 3, 4, 5]
    assert (hits.collection, hits.also, hits.n_works) == ("one", ("two",), 6)
    # the green "red.png" of the other collection is no example
    assert found(hits)[:2] == [("one", "rose.png"), ("two", "wine.png")]


def test_a_page_is_a_piece_of_the_whole(library: Library) -> None:
    whole = library.search_several(["one", "two"], like("red.png"))
    page = library.search_several(["one", "two"], like("red.png", k=2, offset=2))
    assert found(page) == found(whole)[2:4]
    assert [hit.rank for hit in page] == [3, 4]


def test_different_criteria_merge_by_percentile_and_say_so(library: Library) -> None:
    hits = library.search_several(["one", "three"], like("red.png"))
    assert {criterion.model_id for criterion in hits.criteria} == {
        "raw_32.pixels", "palette_lab.pixels"
    }  # fmt: skip
    percentiles = [hit.percentile for hit in hits]
    assert percentiles == sorted(percentiles, reverse=True)
    assert any("one and the same criterion" in note for note in hits.notes)


def test_a_collection_that_cannot_answer_becomes_a_note(library: Library) -> None:
    query = like("red.png", model_id="raw_32.pixels")
    hits = library.search_several(["one", "three", "two"], query)
    assert hits.also == ("two",)
    assert [note for note in hits.notes if note.startswith("three could not answer.")]
    filtered = library.search_several(["one", "two"], replace(query, where="school = 'Dutch'"))
    assert found(filtered) == [("one", "rose.png")]
    lost = replace(query, where="", parts=(Part(PartKind.IMAGE, "no such thing"),))
    with pytest.raises(QueryError, match="none of the pictures"):
        library.search_several(["one", "two"], lost)


def test_orders_and_hangs_go_through_all_collections(library: Library) -> None:
    by_date = library.search_several(["one", "two"], Query(sort="date"))
    assert [hit.record.year_begin for hit in by_date] == [1500, 1610, 1620, 1650, 1710, None]
    latest = library.search_several(["one", "two"], Query(sort="-date"))
    assert [hit.record.year_begin for hit in latest] == [1710, 1650, 1620, 1610, 1500, None]
    by_title = library.search_several(["one", "two"], Query(sort="title"))
    titles = [hit.record.title for hit in by_title]
    assert titles == ["Blue", "Navy", "Red", "Red", "Rose", "Wine"]
    hung = library.search_several(["one", "two"], Query(seed=3))
    assert [hit.collection for hit in hung].count("two") == 2
    assert found(hung) == found(library.search_several(["one", "two"], Query(seed=3)))
    # both are used up at one pace: of the first three works one is from the collection of two
    assert [hit.collection for hit in hung][:3].count("two") == 1


def test_refuses_unknown_and_too_many_collections(library: Library) -> None:
    with pytest.raises(UnknownNameError, match="one"):
        library.search_several(["onne", "one"], Query())
    with pytest.raises(QueryError, match="at once"):
        library.search_several([f"c{n}" for n in range(40)], Query())
    with pytest.raises(QueryError, match="skip"):
        library.search_several(["one", "two"], Query(offset=10_000))


def test_a_collection_that_is_gone_becomes_a_note(library: Library) -> None:
    hits = library.search_several(["one", "gone"], like("red.png"))
    alone = library["one"].run(like("red.png"))
    assert [hit.image_id for hit in hits] == [hit.image_id for hit in alone]
    assert any(note.startswith("gone could not answer.") for note in hits.notes)


def test_one_collection_is_asked_as_ever(library: Library) -> None:
    several = library.search_several(["one"], like("red.png"))
    alone = library["one"].run(like("red.png"))
    assert [hit.image_id for hit in several] == [hit.image_id for hit in alone]
    assert several.also == ()


def test_facets_of_several_collections_are_added_up(library: Library) -> None:
    asked = like("red.png", facets=(("creators", "Carl"), ("creators", "Bruno")))
    hits = library.search_several(["one", "two"], asked)
    facets = {facet.column: facet for facet in library.facets(hits)}
    assert [(one.value, one.n, one.chosen) for one in facets["creators"].values] == [
        ("Bruno", 3, True),
        ("Carl", 2, True),
        ("Anna", 1, False),
    ]
    # French works are all of one school: that column divides the other collection alone
    assert [(one.value, one.n) for one in facets["school"].values] == [
        ("Flemish", 2), ("French", 2), ("Dutch", 1)
    ]  # fmt: skip
    for facet in facets.values():
        for one in facet.values:
            kept = tuple(pair for pair in asked.facets if pair[0] != facet.column)
            chosen = replace(asked, facets=(*kept, (facet.column, one.value)))
            assert len(library.search_several(["one", "two"], chosen)) == one.n
        for span in facet.bins:
            within = replace(asked, years=(span.begin, span.end))
            assert len(library.search_several(["one", "two"], within)) == span.n


def test_groups_of_several_collections_hold_the_best_of_all(library: Library) -> None:
    hits = library.search_several(["one", "two"], like("red.png"))
    groups = library.grouped(hits, "century", per_group=2)
    assert [(one.label, one.n, found(one.hits)) for one in groups] == [
        ("16th century", 1, [("two", "red.png")]),
        ("17th century", 2, [("one", "rose.png"), ("two", "wine.png")]),
        ("18th century", 1, [("one", "blue.png")]),
        ("Not known", 1, [("one", "navy.png")]),
    ]
    schools = library.grouped(hits, "school", per_group=1)
    assert [(one.value, one.n) for one in schools] == [
        ("Flemish", 2), ("French", 2), ("Dutch", 1)
    ]  # fmt: skip
    with pytest.raises(UnknownNameError, match="school"):
        library.grouped(hits, "schools")


def test_facets_and_groups_of_one_answer_are_the_collections_own(library: Library) -> None:
    hits = library["one"].run(like("red.png"))
    assert library.facets(hits) == library["one"].facets(hits)
    assert library.grouped(hits, "school") == library["one"].grouped(hits, "school")
    query = like("one/red.png", model_id="raw_32.pixels")
    other = library.search_several(["three", "one"], query)  # `three` cannot answer
    assert sum(group.n for group in library.grouped(other, "school")) == 3
    assert library.facets(other)[0].column == "creators"


# Two rankings


def test_two_criteria_share_works_or_do_not(library: Library) -> None:
    a, b = like("red.png", k=2), like("red.png", k=2, model_id="palette_lab.pixels")
    compared = compare_rankings(library["one"], a, b)
    assert set(compared.both) | set(compared.only_a) == {hit.image_id for hit in compared.a}
    assert set(compared.both) | set(compared.only_b) == {hit.image_id for hit in compared.b}
    assert not set(compared.only_a) & set(compared.only_b)
    assert compared.places_a[compared.a[1].image_id] == 2
    assert 0 < compared.rbo <= 1
    told = compared.to_json()
    assert told["a"]["criterion"]["model_id"] == "raw_32.pixels"
    assert told["b"]["criterion"]["model_id"] == "palette_lab.pixels"


def test_a_ranking_agrees_with_itself(library: Library) -> None:
    compared = compare_rankings(library["one"], like("red.png"), like("red.png"))
    assert compared.rbo == 1
    assert compared.only_a == compared.only_b == ()
    assert compared.verdict == "The two rankings are the same."


def test_where_criteria_differ_each_collection_names_its_own(library: Library) -> None:
    hits = library.search_several(["two", "three"], like("wine.png"))
    assert hits.also == ("three",)
    assert "three is judged by: palette." in hits.notes
    assert any(note.startswith("two is judged by: ") for note in hits.notes)
