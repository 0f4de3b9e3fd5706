"""Citations say all that decides an answer, and nothing that a record does not."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from bilderatlas.exchange.citation import cite_panel, cite_search, cite_work, to_bibtex
from bilderatlas.records import Record
from bilderatlas.search.hits import Criterion, Hits
from bilderatlas.search.query import Part, PartKind, Query, Region

DAY = date(2026, 11, 21)
URL = "http://127.0.0.1:8000/c/rijks?like=a&v=7"
CRITERION = Criterion("clip.openai", "angular", "difference", "ab" * 32, "what they show", "…")
QUERY = Query(
    parts=(
        Part(PartKind.IMAGE, "SK-C-5", 1, 2.0, Region(0.1, 0.2, 0.3, 0.3)),
        Part(PartKind.TEXT, "a turban"),
        Part(PartKind.PANEL, "p1", -1),
        Part(PartKind.UPLOAD, "f" * 64, -1),
    ),
    where="year >= 1600",
    facets=(("school", "Dutch"),),
    years=(1600, 1750),
    within_panel="p1",
    hide=("seen",),
    lambda_=0.7,
)
HITS = Hits((), QUERY, CRITERION, "exact", 5, 1234, "rijks", 7, 0.1)
WORK = Record(
    "SK-A-2344",
    title="The Milkmaid",
    creators=("Vermeer, Johannes",),
    date_display="c. 1660",
    year_begin=1655,
    medium="oil on canvas",
    dimensions="45.5 × 41 cm",
    institution="Rijksmuseum",
    accession="SK-A-2344",
    rights="CC0",
    page_url="https://example.org/milkmaid",
)


def test_a_search_is_cited_with_all_that_decides_it() -> None:
    found = cite_search(HITS, URL, DAY, title="Rijksmuseum", names={"p1": "Turbans"})
    for said in (
        "works in “Rijksmuseum”",
        "like SK-C-5 (detail 0.1,0.2,0.3,0.3) (weight 2)",
        "with “a turban”",
        "unlike the panel “Turbans” and a picture brought along (sha256 ffffffffffffffff)",
        "Judged by what they show (clip.openai, weights sha256 abababababababab, angular metric)",
        "rule difference, lambda 0.7, exact",
        "school = Dutch; where year >= 1600; years 1600–1750; within the panel “Turbans”; "
        "without works seen",
        "Collection rijks, version 7, 1,234 works",
        f"{URL} (accessed 21 November 2026).",
    ):
        assert said in found.text, said
    assert "urldate = {2026-11-21}" in found.bibtex
    assert "like=a&v=7}" in found.bibtex
    hang = replace(HITS, query=Query(seed=42), criterion=None)
    assert "“rijks” hung at random. Seed 42. Coll" in cite_search(hang, URL, DAY).text
    other = replace(CRITERION, model_id="pose.coco", judges_by="how they stand")
    blend = (("clip.openai", 2.0), ("pose.coco", 1.0))
    mixed = replace(
        HITS, criteria=(CRITERION, other), also=("more",), query=replace(QUERY, blend=blend)
    )
    text = cite_search(mixed, URL, DAY).text
    assert "2 × what they show (clip" in text and "1 × how they stand (pose" in text
    assert "in “rijks” and “more”" in text


def test_every_collection_is_cited_at_its_version() -> None:
    answers = (replace(HITS, n_works=300), replace(HITS, collection="m2", version=3, n_works=1))
    both = replace(HITS, also=("m2",), n_works=301, answers=answers)
    text = cite_search(both, URL, DAY).text
    assert "Collection rijks, version 7, 300 works. Collection m2, version 3, 1 work. http" in text
    assert "301" not in text


def test_an_order_is_no_limit_and_is_told_with_its_direction() -> None:
    for sort, told in (
        ("date", "Ordered by date, earliest first"),
        ("-date", "Ordered by date, latest first"),
        ("title", "Ordered by title"),
    ):
        found = cite_search(replace(HITS, query=replace(QUERY, where="", sort=sort)), URL, DAY)
        assert f"without works seen. {told}. Coll" in found.text
        assert told in found.bibtex


def test_a_mixture_is_cited_with_all_that_decides_it() -> None:
    blend = (("clip.openai", 2.0), ("pose.coco", 1.0))
    other = replace(CRITERION, model_id="pose.coco", judges_by="how they stand")
    query = replace(QUERY, blend=blend, mirrored=True)
    text = cite_search(replace(HITS, criteria=(CRITERION, other), query=query), URL, DAY).text
    assert "; rule difference, lambda 0.7, mirror images accepted, exact. " in text


def test_works_chosen_by_hand_are_not_cited_as_the_whole_answer() -> None:
    found = cite_search(HITS, URL, DAY, n_chosen=3)
    assert "3 works chosen from works in “rijks” like SK-C-5" in found.text
    assert "title = {3 works chosen from works in" in found.bibtex
    whole = cite_search(HITS, URL, DAY)
    assert "title = {Works in" in whole.bibtex and "chosen" not in whole.text


def test_a_work_is_cited_from_its_record() -> None:
    found = cite_work(WORK, URL, DAY)
    assert found.text == (
        "Vermeer, Johannes, The Milkmaid, c. 1660. oil on canvas, 45.5 × 41 cm. Rijksmuseum, "
        "SK-A-2344. CC0. https://example.org/milkmaid (accessed 21 November 2026)."
    )
    assert found.missing == ()
    assert found.bibtex.startswith("@misc{vermeer1655-")
    assert "author = {{Vermeer, Johannes}}," in found.bibtex
    assert "howpublished = {oil on canvas, 45.5 × 41 cm}" in found.bibtex


def test_nothing_is_invented() -> None:
    found = cite_work(Record("x.jpg", page_url="javascript:alert(1)", year_begin=-20), URL, DAY)
    assert found.text == f"x.jpg, -20. {URL} (accessed 21 November 2026)."
    assert found.missing == ("creators", "title", "institution", "accession", "rights")
    assert "author" not in found.bibtex and "organization" not in found.bibtex


def test_an_address_stays_as_it_is_but_ends_nothing() -> None:
    entry = to_bibtex("misc", "key", {"url": "http://h/c/a?x=%20&y=_~}{\\ü\n"})
    assert entry.split("\n")[1] == "  url = {http://h/c/a?x=%20&y=_~%7D%7B%5C%C3%BC%0A},"


def test_a_panel_is_cited_at_its_version() -> None:
    assert "panel “Turbans”, 1 work, version 3" in cite_panel("Turbans", 1, 3, URL, DAY).text


@given(st.text(max_size=60))
def test_no_text_leaves_its_field(text: str) -> None:
    entry = to_bibtex("misc", "key", {"title": text, "note": "end"})
    lines = entry.split("\n")
    assert lines[0] == "@misc{key,"
    assert lines[-1] == "}"
    assert lines[-2] == "  note = {end},"
    assert len(lines) <= 4
    bare = re.sub(r"\\[{}$&%#_]|\\text[a-z]+\{\}", "", entry)
    assert bare.count("{") == bare.count("}") == len(lines) - 1
    assert not set("\\%$&#~^") & set(bare)


@given(st.builds(Record, image_id=st.text(min_size=1, max_size=9), title=st.text(max_size=20),
                 creators=st.lists(st.text(max_size=20), max_size=3).map(tuple)))  # fmt: skip
def test_any_record_is_cited(record: Record) -> None:
    found = cite_work(record, URL, DAY)
    assert re.match(r"@misc\{[a-z]+\d*-[0-9a-f]{6},\n", found.bibtex)
