"""What the site remembers: the same answer for the same version, and no other."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import bilderatlas.api as ba
from bilderatlas.errors import BilderatlasError
from bilderatlas.indexing import IndexOptions
from bilderatlas.search.query import Query, parse_part
from bilderatlas.web.answers import MAX_ANSWERS, Answers
from bilderatlas.web.recent import Recent
from tests.web.conftest import draw

NAMES = ("a.png", "b.png", "c.png")


@pytest.fixture
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ba.Library]:
    """Return a library with the collections `one` and `other`, of three works each."""
    options = IndexOptions(extractors=("raw_32.pixels",), workers=1)
    with ba.create(tmp_path_factory.mktemp("library")) as library:
        for name, blue in (("one", 30), ("other", 200)):
            source = tmp_path_factory.mktemp(name)
            for place, file in enumerate(NAMES):
                draw(source / file, (80 * place, 90, blue), (60, 50))
            ba.index(library, str(source), name, options=options)
        yield library


def like(*parts: str, k: int = 30) -> Query:
    return Query(parts=tuple(map(parse_part, parts)), k=k)


def test_the_last_used_stay() -> None:
    recent: Recent[str, int] = Recent(2)
    recent.keep("a", 1)
    recent.keep("b", 2)
    assert recent.find("a") == 1
    recent.keep("c", 3)
    assert [recent.find(key) for key in "abc"] == [1, None, 3]
    assert len(recent) == 2


def test_an_answer_is_recalled_until_its_collection_changes(two: ba.Library) -> None:
    answers, one = Answers(two), two["one"]
    asked = answers.ask(one, like("a.png"))
    assert answers.recall(one, like("a.png")) is asked
    assert answers.recall(one, like("a.png", k=1)) is not asked
    assert answers.ask(one, like("a.png")) is not asked  # asked anew, and timed anew
    two["other"].remove(["a.png"])
    kept = answers.recall(one, like("a.png"))
    assert answers.recall(one, like("a.png")) is kept
    one.remove(["b.png"])
    fresh = answers.recall(one, like("a.png"))
    assert [hit.image_id for hit in fresh] == ["c.png"]
    assert fresh.version == one.info.version


def test_a_part_from_another_collection_counts_too(two: ba.Library) -> None:
    answers, one = Answers(two), two["one"]
    query = like("a.png", "other/b.png")
    asked = answers.ask(one, query)
    assert answers.recall(one, query) is asked and not asked.notes
    two["other"].remove(["b.png"])
    assert "was left out" in answers.recall(one, query).notes[0]


def test_a_collection_made_anew_is_another(two: ba.Library) -> None:
    answers = Answers(two)
    asked = answers.ask(two["other"], like("a.png"))
    source = two["other"].info.source_address
    two.remove("other")
    options = IndexOptions(extractors=("raw_32.pixels",), workers=1)
    ba.index(two, source, "other", options=options)
    assert answers.recall(two["other"], like("a.png")) is not asked


def test_mistakes_are_not_remembered_and_old_answers_give_way(two: ba.Library) -> None:
    answers, one = Answers(two), two["one"]
    for _ in range(2):
        with pytest.raises(BilderatlasError):
            answers.recall(one, like("upload:nothing"))
    asked = [answers.ask(one, like("a.png", k=k)) for k in range(1, MAX_ANSWERS + 2)]
    assert answers.recall(one, like("a.png", k=2)) is asked[1]
    assert answers.recall(one, like("a.png", k=1)) is not asked[0]


def test_a_palette_is_that_of_the_content(two: ba.Library) -> None:
    answers, one = Answers(two), two["one"]
    palettes = {}
    for name in NAMES:
        sha256 = str(one.record(name).content_sha256)
        palettes[name] = answers.palette(one, name, sha256)
        assert answers.palette(one, name, sha256) is palettes[name]
        assert palettes[name].srgb_hex == one.palette(name).srgb_hex
    assert len({tuple(palette.srgb_hex) for palette in palettes.values()}) == len(NAMES)
