"""Hits as a table: nothing is lost, nothing runs in a spreadsheet."""

from __future__ import annotations

import csv
import io
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bilderatlas.errors import UnavailableError
from bilderatlas.records import FIELD_KINDS, Record
from bilderatlas.search.hits import Hit, Hits
from bilderatlas.search.query import Query


def hits_of(*records: Record) -> Hits:
    hits = tuple(
        Hit(rank, record.image_id, -0.25 * rank, 0.5, record)
        for rank, record in enumerate(records, 1)
    )
    return Hits(hits, Query(), None, "exact", len(hits), len(hits), "museum", 3, 0.01)


def read_csv(hits: Hits) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(hits.to_csv(), newline="")))


MILKMAID = Record(
    "SK-A-2344",
    title="The Milkmaid",
    creators=("Johannes Vermeer", "Nobody, Esq."),
    year_begin=-5,
    year_end=1660,
)


def test_records_have_every_field() -> None:
    (row,) = hits_of(MILKMAID).to_records()
    assert list(row) == ["rank", "image_id", "score", "percentile", *FIELD_KINDS]
    assert row["creators"] == ["Johannes Vermeer", "Nobody, Esq."]
    assert row["school"] is None
    assert (row["rank"], row["score"], row["year_begin"]) == (1, -0.25, -5)


def test_csv_joins_several_values_and_keeps_numbers() -> None:
    (row,) = read_csv(hits_of(MILKMAID))
    assert row["creators"] == "Johannes Vermeer; Nobody, Esq."
    assert (row["score"], row["year_begin"], row["school"]) == ("-0.25", "-5", "")


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@A1", "\tx", "\rx", "\nx", "＝1", " =1", "  \t@x"]
)
def test_csv_disarms_formulas(text: str) -> None:
    record = Record(text, title=text, creators=(text, "x"), tags=(text,))
    (row,) = read_csv(hits_of(record))
    assert row["title"] == row["image_id"] == row["tags"] == f"'{text}"
    assert row["creators"] == f"'{text}; x"


@given(st.lists(st.text(), min_size=1, max_size=4))
def test_any_text_survives_csv(titles: list[str]) -> None:
    rows = read_csv(hits_of(*(Record(f"i{n}", title=title) for n, title in enumerate(titles))))
    for row, title in zip(rows, titles, strict=True):
        assert row["title"] in (title, f"'{title}")
        assert row["title"][:1] not in set("=+-@\t\r\n")


def test_data_frames_or_a_sentence_that_says_how(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("pandas", "polars"):
        monkeypatch.setitem(sys.modules, name, None)  # as if it were not installed
        with pytest.raises(UnavailableError, match=rf"Run `pip install {name}`"):
            getattr(hits_of(MILKMAID), f"to_{name}")()


def test_pandas_frame() -> None:
    pytest.importorskip("pandas", reason="pandas is not installed")
    frame = hits_of(MILKMAID, Record("b")).to_pandas()
    assert frame["image_id"].tolist() == ["SK-A-2344", "b"]
    assert hits_of().to_pandas().columns.tolist()[:2] == ["rank", "image_id"]


def test_polars_frame() -> None:
    pytest.importorskip("polars", reason="polars is not installed")
    frame = hits_of(Record("b"), MILKMAID).to_polars()
    assert frame["year_end"].to_list() == [None, 1660]
    assert hits_of().to_polars().columns[:2] == ["rank", "image_id"]


def test_hits_are_a_sequence_and_the_thumbnails_are_no_part_of_what_they_say() -> None:
    hits = hits_of(MILKMAID, Record("b"))
    assert (len(hits), hits[1].image_id, [hit.rank for hit in hits[:1]]) == (2, "b", [1])
    assert hits == hits_of(MILKMAID, Record("b"))
    assert "thumbnail_of" not in hits.to_json()
