"""A corpus as a zip: only what may be handed on, everything else named with its reason."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from bilderatlas.exchange.citation import cite_panel
from bilderatlas.exchange.corpus import COLUMNS, CorpusWork, iter_csv
from bilderatlas.exchange.corpus_zip import iter_zip, picture_name
from bilderatlas.records import Record

CITATION = cite_panel("Turbans", 5, 2, "http://h/panels/p", date(2026, 11, 21))


def work(number: int, rights: str | None, **fields: object) -> CorpusWork:
    record = Record(
        f"w{number}.jpg", title=f"Work {number}", rights=rights, image_path="/srv/pictures/a"
    )
    return CorpusWork(number, "works", f"w{number}.jpg", record, sha256="a" * 64, **fields)  # type: ignore[arg-type]


WORKS = [
    work(1, "CC0", note="the best"),
    work(2, "CC BY-SA 4.0", region="0.1,0.2,0.3,0.4"),
    work(3, "© the artist"),
    work(4, None),
    work(5, "Public domain", gone="The collection “works” no longer has this work."),
    work(6, "Public domain"),
]


def picture_of(one: CorpusWork) -> bytes | None:
    return None if one.number == 6 else f"picture {one.number}".encode()


def unpacked(works: list[CorpusWork]) -> dict[str, bytes]:
    content = b"".join(iter_zip(works, picture_of, CITATION))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8"), newline="")))


def test_pictures_are_handed_on_only_where_rights_allow() -> None:
    found = unpacked(WORKS)
    assert sorted(found) == [
        "captions.txt",
        "citation.bib",
        "citation.txt",
        "left-out.csv",
        "pictures/0001-works-w1.webp",
        "pictures/0002-works-w2.webp",
        "works.csv",
    ]
    assert found["pictures/0001-works-w1.webp"] == b"picture 1"
    captions = found["captions.txt"].decode()
    assert "0001-works-w1.webp\nWork 1. CC0.\nNote: the best\n" in captions
    assert "0.1,0.2,0.3,0.4" in captions and "Name the author and the licence." in captions
    assert [(one["number"], one["reason"]) for one in rows(found["left-out.csv"])] == [
        ("3", "The record claims copyright."),
        ("4", "The record says nothing about rights."),
        ("5", "The collection “works” no longer has this work."),
        ("6", "There is no picture of it here."),
    ]
    assert [one["may_be_shared"] for one in rows(found["works.csv"])] == [
        "yes",
        "yes",
        "no",
        "no",
        "yes",
        "yes",
    ]
    assert b"panel" in found["citation.txt"]
    assert not any(b"/srv/pictures" in content for content in found.values())


def test_the_same_corpus_gives_the_same_bytes() -> None:
    first, second = (b"".join(iter_zip(WORKS, picture_of, CITATION)) for _ in range(2))
    assert first == second


def test_one_picture_is_in_memory_at_a_time() -> None:
    asked: list[int] = []

    def recorded(one: CorpusWork) -> bytes:
        asked.append(one.number)
        return b"x" * 1000

    stream = iter_zip([work(n, "CC0") for n in range(1, 100)], recorded, CITATION)
    got = 0
    for chunk in stream:
        got += len(chunk)
        if len(asked) < 99:
            assert got >= 1000 * (len(asked) - 1)


def test_a_table_line_has_every_column() -> None:
    found = list(csv.DictReader(io.StringIO("".join(iter_csv(WORKS)), newline="")))
    assert list(found[0]) == list(COLUMNS)
    assert (found[1]["region"], found[0]["note"], found[0]["title"]) == (
        "0.1,0.2,0.3,0.4",
        "the best",
        "Work 1",
    )
    assert "image_path" not in found[0]


@given(st.text(max_size=30))
def test_no_cell_is_a_formula(text: str) -> None:
    one = work(1, text, note=text, label=text)
    lines = list(csv.reader(io.StringIO("".join(iter_csv([one])), newline="")))
    assert len(lines) == 2
    for cell in lines[1]:
        assert not cell.lstrip().startswith(("=", "+", "-", "@", "\t", "\r"))


@given(st.text(max_size=100), st.text(max_size=100))
def test_a_name_fits_every_disk(collection: str, image_id: str) -> None:
    name = picture_name(CorpusWork(12, collection, image_id, Record("x")))
    assert re.fullmatch(r"pictures/0012(-[A-Za-z0-9]+)*\.webp", name)
    assert len(name) < 90
