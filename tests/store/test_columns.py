"""Columns say what the records say, built at once or extended bit by bit."""

from __future__ import annotations

import json
import shutil
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bilderatlas.errors import StoreError, UnknownNameError, UsageError
from bilderatlas.records import FieldKind, Record
from bilderatlas.store.check import differing_columns
from bilderatlas.store.columns import Columns, packed_columns
from bilderatlas.store.columns_build import build_table, column_name, extend_table
from bilderatlas.store.library import LibraryStore
from bilderatlas.store.writer import NewImage
from tests.store.building import commit, filled

RECORDS = [
    Record("a", title="T", creators=("X", "Y"), year_begin=1600, year_end=1610),
    Record("b", title="T", raw={"Height (cm)": "12.5", "Room": "007", "nested": {"a": 1}}),
    Record("ü", creators=("Y",), raw={"Height (cm)": 40, "Room": " ", "title": "raw", "On": True}),
    Record("c", title="N\0UL", year_begin=-500, tags=(), raw={"Height (cm)": "1e2", "Room": "x"}),
]


@pytest.fixture
def columns(library: LibraryStore) -> Columns:
    collection = library.create_collection("a", source_kind="table", source_address="/")
    with collection.writer() as writer:
        writer.commit_batch([NewImage(record) for record in RECORDS], {})
    return collection.columns


def test_columns_say_what_the_records_say(columns: Columns) -> None:
    assert columns.n == 4
    assert list(columns.image_ids) == ["a", "b", "ü", "c"]
    assert (columns.image_ids[-2], columns.image_ids[1:3]) == ("ü", ["b", "ü"])
    assert [columns.ordinal_of(name) for name in ("c", "a", "ü", "d", "")] == [3, 0, 2, None, None]
    codes, values = columns.codes("title")
    assert [values[code] if code >= 0 else None for code in codes] == ["T", "T", None, "NUL"]
    years, missing = columns.numbers("year_begin")
    assert (years.dtype, years[~missing].tolist()) == (np.int32, [1600, -500])
    offsets, codes, values = columns.lists("creators")
    lists = [[values[code] for code in codes[start:end]] for start, end in pairwise(offsets)]
    assert lists == [["X", "Y"], [], ["Y"], []]


def test_raw_columns_are_numbers_when_all_their_values_are(columns: Columns) -> None:
    heights, missing = columns.numbers("height_cm")
    assert (heights[~missing].tolist(), missing.tolist()) == ([12.5, 40, 100], [True] + [False] * 3)
    assert columns.codes("height_cm")[1] == ["12.5", "40", "1e2"]
    assert columns.info_of("height_cm").kind == "number"
    codes, values = columns.codes("room")  # 007 is no number, blanks are missing
    assert (codes.tolist(), values) == ([-1, 0, -1, 1], ["007", "x"])
    assert columns.codes("on")[1] == ["true"]
    assert "nested" not in columns
    assert columns.info_of("title").n_distinct == 2  # the record's own title wins
    assert column_name(" Größe  (cm)! ") == "größe_cm"


def test_columns_know_what_they_hold(columns: Columns) -> None:
    infos = {info.name: info for info in columns.info()}
    assert infos["image_id"].n_distinct == 4
    assert (infos["creators"].kind, infos["creators"].n_missing) == (FieldKind.TEXTS, 2)
    assert (infos["year_begin"].kind, infos["year_begin"].n_missing) == (FieldKind.YEAR, 2)
    with pytest.raises(UnknownNameError, match="'title'"):
        columns.codes("titel")
    for wrong in (
        lambda: columns.numbers("title"),
        lambda: columns.codes("creators"),
        lambda: columns.codes("year_begin"),
        lambda: columns.lists("title"),
    ):
        with pytest.raises(UsageError, match="it holds"):
            wrong()


def test_keys_become_ordinals(columns: Columns) -> None:
    keys = columns.keys
    asked = [keys[2], keys[0] - 1, keys[3] + 1, keys[0]]
    assert columns.ordinals_of_keys(asked).tolist() == [2, -1, -1, 0]


def test_an_empty_collection_has_columns(library: LibraryStore) -> None:
    columns = library.create_collection("a", source_kind="t", source_address="/").columns
    assert (columns.n, list(columns.image_ids), columns.ordinal_of("a")) == (0, [], None)
    assert columns.ordinals_of_keys([1, 2]).tolist() == [-1, -1]
    assert columns.codes("title")[1] == []
    assert columns.lists("tags")[0].tolist() == [0]


def test_columns_follow_the_records_only(library: LibraryStore) -> None:
    works = filled(library)
    before = works.columns
    with works.writer() as writer:
        writer.commit_batch([], {})
        assert works.columns is before  # the version moved, the records did not
        commit(writer, ["w3"], ["colour.test"], content=1)
        writer.retire(["w5"])
    after = works.columns
    assert (before.n, after.n) == (12, 11)
    assert before.ordinal_of("w5") == 5
    assert after.ordinal_of("w3") == 10  # new content, new key, last place
    with works.writer():
        pass
    assert len(list((works.folder / "columns").iterdir())) == 1
    assert works.check() == []


def test_damaged_column_files_are_built_again(library: LibraryStore) -> None:
    works = filled(library)
    works.columns  # noqa: B018  builds the file
    (path,) = (works.folder / "columns").iterdir()
    for content in (b"", b"BAcols\0\1", b"x" * 4000, path.read_bytes()[:100]):
        path.write_bytes(content)
        fresh = library.get_collection("works")
        assert fresh.columns.codes("title")[1][0] == "Work w0"
        for extra in set((works.folder / "columns").iterdir()) - {path}:
            extra.unlink()


def test_a_folder_that_cannot_be_written_costs_only_time(library: LibraryStore) -> None:
    folder = filled(library).folder / "columns"
    shutil.rmtree(folder)
    folder.write_bytes(b"a file where the folder should be")
    works = library.get_collection("works")
    assert works.columns.codes("title")[1][3] == "Work w3"


texts = st.one_of(st.none(), st.sampled_from(["", "A", "B", "a\0b", "\ud800", "ß", "12", "-3.5"]))
records = st.fixed_dictionaries(
    {},
    optional={
        "title": texts.filter(lambda text: text is not None),
        "creators": st.lists(st.sampled_from(["X", "Y", "Z", ""]), max_size=3),
        "year_begin": st.integers(-5000, 3000),
        "raw": st.dictionaries(st.sampled_from(["p", "q", "Title", "P", "é"]), texts, max_size=4),
    },
)
tables = st.dictionaries(st.integers(0, 30), records, max_size=12)


def rows_of_table(table: dict[int, dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [(key, f"i{key}", "indexed", key, None, json.dumps(table[key])) for key in sorted(table)]


@given(tables, tables, st.sets(st.integers(0, 30)))
@settings(max_examples=150, deadline=None)
def test_extending_equals_building(
    old: dict[int, Any], changed: dict[int, Any], removed: set[int]
) -> None:
    live = {key: record for key, record in (old | changed).items() if key not in removed}
    changed = {key: record for key, record in changed.items() if key in live}
    packed = packed_columns(build_table(rows_of_table(old)), 1)
    opened = Columns(np.frombuffer(packed, np.uint8)).to_table()
    extended = extend_table(
        opened, np.array(sorted(live), np.int64), build_table(rows_of_table(changed))
    )
    expected = build_table(rows_of_table(live))
    again = Columns(np.frombuffer(packed_columns(extended, 2), np.uint8))
    first_named = Columns(np.frombuffer(packed_columns(expected, 2), np.uint8))
    differing = differing_columns(again.to_table(), first_named.to_table())
    # Two original names with one spelling: the one met first wins, so the order may decide.
    assert set(differing) <= {"p"}


def test_garbage_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "columns.bin"
    path.write_bytes(b"short")
    with pytest.raises(StoreError, match="cut short"):
        Columns.open(path)


def test_real_records_build_alike(library: LibraryStore, tate_records: Path) -> None:
    """A slice of a real museum's rows, nested and ragged as they are."""
    import gzip
    from itertools import islice

    with gzip.open(tate_records, "rt") as file:
        raw = [json.loads(line) for line in islice(file, 1500)]
    collection = library.create_collection("tate", source_kind="table", source_address="/")
    with collection.writer() as writer:
        for start in (0, 500, 1000):
            part = raw[start : start + 500]
            writer.commit_batch(
                [
                    NewImage(Record(row["acno"], title=row["title"], medium=row["medium"], raw=row))
                    for row in part
                ],
                {},
            )
            assert collection.columns.n == start + 500
    assert collection.check() == []
    assert collection.columns.info_of("acquisitionyear").kind == "number"
    years, missing = collection.columns.numbers("acquisitionyear")
    expected = [row["acquisitionYear"] for row in raw]
    assert [None if m else int(y) for y, m in zip(years, missing, strict=True)] == expected


def test_odd_and_repeated_texts_keep_their_numbers() -> None:
    """Values are numbered as they first appear, over several batches of rows."""
    titles = ["b", "a\0b", "\ud800x", None, "", "b", "ab", "?x", *("ab" for _ in range(9000)), "z"]
    rows = [
        (key, f"i{key}", "indexed", None, key % 7, json.dumps({"title": title} if title else {}))
        if title != ""
        else (
            key,
            f"i{key}",
            "indexed",
            None,
            key % 7,
            '{"title": "", "creators": ["\\ud800", "c"]}',
        )
        for key, title in enumerate(titles)
    ]
    table = build_table(rows)
    columns = Columns(np.frombuffer(packed_columns(table, 1), np.uint8))
    codes, values = columns.codes("title")
    assert values == ["b", "ab", "?x", "", "z"]  # what a file spells alike is one value
    assert codes.tolist() == [0, 1, 2, -1, 3, 0, 1, 2, *(1 for _ in range(9000)), 4]
    offsets, of_lists, names = columns.lists("creators")
    assert (np.flatnonzero(np.diff(offsets)).tolist(), of_lists.tolist()) == ([4], [0, 1])
    assert names == ["?", "c"]
    heights, missing = columns.numbers("height_px")
    assert (heights[:8].tolist(), bool(missing.any())) == ([0, 1, 2, 3, 4, 5, 6, 0], False)
    assert columns.numbers("width_px")[1].all()
    assert set(columns.codes("genre")[0].tolist()) == {-1}
    assert list(columns.image_ids)[-1] == f"i{len(titles) - 1}"
    assert differing_columns(columns.to_table(), table) == []
    assert (table.image_ids[1:3], table.image_ids[-1]) == (["i1", "i2"], columns.image_ids[-1])
