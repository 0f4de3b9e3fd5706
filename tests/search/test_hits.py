"""Hits as a table: nothing is lost, nothing runs in a spreadsheet."""

from __future__ import annotations

import csv
import io
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bilderatlas.errors import UnavailableError
from bilderatlas.records import FIELD_KINDS, Record
from bilderatlas.search.hits import Hit, Hits, Pool, Share
from bilderatlas.search.query import Query
from tests.search.museum_columns import ListColumns


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


def test_tables_tell_collections_and_shares_where_there_are_several() -> None:
    shares = (Share("a.fake", "a", 1.0, 0.5, 0.25), Share("b.fake", "b", 3.0, 0.5, 0.75))
    first, second = hits_of(MILKMAID, Record("b"))
    several = replace(
        hits_of(),
        hits=(
            replace(first, collection="rijks", shares=shares),
            replace(second, collection="mine"),
        ),
    )
    mine, rijks = several.to_records()[1], several.to_records()[0]
    assert list(rijks)[:4] == ["rank", "collection", "image_id", "score"]
    assert (rijks["share a.fake"], rijks["share b.fake"]) == (0.25, 0.75)
    assert (mine["collection"], mine["share a.fake"]) == ("mine", None)
    rows = read_csv(several)
    assert [row["share b.fake"] for row in rows] == ["0.75", ""]
    assert several.to_json()["hits"][0]["collection"] == "rijks"
    assert several.to_json()["hits"][0]["shares"][1]["weight"] == 3.0


def test_what_is_behind_the_hits_is_no_part_of_what_they_say() -> None:
    pool = Pool.of(
        ListColumns([{}] * 4),  # type: ignore[arg-type]
        np.array([3, 2, 1, -np.inf], np.float32),
        np.array([True, True, True, False]),
        np.array([True, False, True, True]),
        1.5,
    )
    assert pool.mask.tolist() == [True, False, True, False]
    assert pool.better.tolist() == [True, False, False, False]
    assert pool.better_of(np.ones(4, np.bool_)).tolist() == [True, True, False, False]
    hits = replace(hits_of(MILKMAID), pool=pool)
    assert hits == hits_of(MILKMAID)
    assert "pool" not in hits.to_json()
    # where nothing that may be a hit stands above the line, nothing is told apart
    none_above = Pool.of(pool.columns, pool.scores, pool.rankable, pool.mask, 9.0)
    assert none_above.better.tolist() == none_above.mask.tolist()
    assert none_above.better_of(np.ones(4, np.bool_)).tolist() == [True, True, True, False]
