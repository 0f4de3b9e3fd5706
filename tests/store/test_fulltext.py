"""Words in the metadata: with and without accents, as phrases, as beginnings; never syntax."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bilderatlas.records import Record
from bilderatlas.store.collection import CollectionStore
from bilderatlas.store.fulltext import parse_terms, record_says
from bilderatlas.store.library import LibraryStore
from bilderatlas.store.writer import NewImage

RECORDS = [
    Record("a", title="Das Mädchen mit dem Perlenohrgehänge", creators=("Johannes Vermeer",)),
    Record("b", title="View of Delft", description="Ships, water and a cloudy sky over Delft."),
    Record("c", title="Watermill", tags=("mill", "river bank"), place="Deventer"),
    Record("d", medium="oil on canvas", raw={"Inscription": "AMOR VINCIT OMNIA", "n": 7}),
    Record("e", raw={"subjects": {"children": [{"name": "blessing hand"}]}}, school="Dutch"),
]


@pytest.fixture
def works(library: LibraryStore) -> CollectionStore:
    collection = library.create_collection("a", source_kind="folder", source_address="/")
    other = library.create_collection("b", source_kind="folder", source_address="/b")
    for one in (collection, other):
        with one.writer() as writer:
            writer.commit_batch([NewImage(record) for record in RECORDS], {})
    return collection


def found(collection: CollectionStore, text: str) -> str:
    ids = {image.key: image.image_id for image in collection.iter_images()}
    return "".join(ids[key] for key in collection.match_text(text).tolist())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mädchen", "a"),
        ("MADCHEN", "a"),
        ("perlenohr*", "a"),
        ("perlenohr", ""),
        ("water", "b"),
        ("water*", "bc"),
        ("delft water", "b"),
        ("delft vermeer", ""),
        ('"view of delft"', "b"),
        ('"delft of view"', ""),
        ('"river ba"*', "c"),
        ("amor omnia", "d"),
        ('"blessing hand"', "e"),
        ("dutch", "e"),
        ("7", ""),
        ("", ""),
        ("!!! -- ()", ""),
        ('"', ""),
        ("title:view", ""),
        ("view OR amor", ""),
        ("NOT", ""),
        ("delft)", "b"),
        ("^view", "b"),
        ("view + delft", "b"),
        ("NEAR(view delft)", ""),
        ("oil-on-canvas", "d"),
    ],
)
def test_what_is_found(works: CollectionStore, text: str, expected: str) -> None:
    assert found(works, text) == expected


def test_words_follow_their_record(works: CollectionStore) -> None:
    with works.writer() as writer:
        writer.commit_batch([NewImage(Record("b", title="Changed words"))], {})
        writer.retire(["c"])
    assert found(works, "delft") == ""
    assert found(works, "changed") == "b"
    assert found(works, "watermill") == ""
    assert works.check() == []


@given(st.text(max_size=60))
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_nothing_typed_raises(works: CollectionStore, text: str) -> None:
    assert set(found(works, text)) <= set("abcde")


def test_terms() -> None:
    (term,) = parse_terms('"a-b c')
    assert term.words == ("a", "b", "c")
    assert len(parse_terms("x " * 1000)) == 64


@pytest.mark.parametrize(
    "text",
    ["mädchen", "MADCHEN", "perlenohr*", "perlenohr", "delft water", '"river ba"*',
     '"view of delft"', '"delft of view"', "amor omnia", '"blessing hand"',
     "7", "", '"', "b", "title:view"],
)  # fmt: skip
def test_one_record_matches_as_it_does_in_the_index(works: CollectionStore, text: str) -> None:
    alone = "".join(record.image_id for record in RECORDS if record_says(record, text))
    assert alone == found(works, text)
