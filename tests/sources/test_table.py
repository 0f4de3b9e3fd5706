"""Tables of records: what is recognised, what is refused, what is kept."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bilderatlas.errors import Failure, ImageError, SourceError, UnknownNameError
from bilderatlas.records import Record
from bilderatlas.sources.base import SourceOptions
from bilderatlas.sources.mapping import RecordReader
from bilderatlas.sources.places import Placement
from bilderatlas.sources.rows import Row
from bilderatlas.sources.table import TableKind, TableSource


def write(path: Path, content: str | bytes) -> Path:
    raw = content if isinstance(content, bytes) else content.encode("utf-8")
    path.write_bytes(gzip.compress(raw) if path.suffix == ".gz" else raw)
    return path


def open_table(path: Path, **options: Any) -> TableSource:
    return TableKind().open(str(path), SourceOptions(**options))


def split(source: TableSource) -> tuple[list[Record], list[Failure]]:
    items = list(source.iter_records())
    return (
        [item for item in items if isinstance(item, Record)],
        [item for item in items if isinstance(item, Failure)],
    )


ROWS = [
    {"id": "1", "image": "a.jpg", "title": "Ä, B", "date": "um 1500"},
    {"id": "2", "image": "b.jpg", "title": "C", "date": "n.d."},
]


def as_text(delimiter: str) -> str:
    lines = [list(ROWS[0]), *(list(row.values()) for row in ROWS)]
    return "\n".join(delimiter.join(f'"{cell}"' for cell in line) for line in lines) + "\n"


def write_rows(path: Path) -> Path:
    name = path.name.removesuffix(".gz")
    if name.endswith(".parquet"):
        pq.write_table(pa.Table.from_pylist(ROWS), path)
        return path
    if name.endswith(".jsonl"):
        return write(path, "\n".join(json.dumps(row) for row in ROWS))
    return write(path, as_text({"semi.csv": ";", "w.tsv": "\t"}.get(name, ",")))


@pytest.mark.parametrize(
    "name",
    ["w.csv", "w.csv.gz", "semi.csv", "w.tsv", "w.tsv.gz", "w.jsonl", "w.jsonl.gz", "w.parquet"],
)
def test_every_format_gives_the_same_records(tmp_path: Path, name: str) -> None:
    records, failures = split(open_table(write_rows(tmp_path / name)))
    assert failures == []
    assert [record.to_json() for record in records] == [
        {
            "image_id": "1",
            "title": "Ä, B",
            "date_display": "um 1500",
            "year_begin": 1495,
            "year_end": 1505,
            "image_path": "a.jpg",
            "raw": ROWS[0],
        },
        {
            "image_id": "2",
            "title": "C",
            "date_display": "n.d.",
            "image_path": "b.jpg",
            "raw": ROWS[1],
        },
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "latin-1", "utf-16"])
def test_encodings_are_recognised(tmp_path: Path, encoding: str) -> None:
    text = "image,title\na.jpg,Café Größe\n"
    records, _ = split(open_table(write(tmp_path / "w.csv", text.encode(encoding))))
    assert (records[0].image_path, records[0].title) == ("a.jpg", "Café Größe")


def test_latin_1_is_what_cp1252_does_not_define(tmp_path: Path) -> None:
    source = open_table(write(tmp_path / "w.csv", b"image,title\na.jpg,\xe9\x81\n"))
    assert source.preview()["encoding"] == "latin-1"


def test_quoted_line_breaks_and_a_sep_line(tmp_path: Path) -> None:
    text = 'sep=;\r\nimage;title\r\na.jpg;"two\r\nlines; and ""more"""\r\n\r\nb.jpg;x\r\n'
    records, failures = split(open_table(write(tmp_path / "w.csv", text)))
    assert failures == []
    assert records[0].title == 'two lines; and "more"'
    assert records[0].raw["title"] == 'two\r\nlines; and "more"'
    assert [record.image_id for record in records] == ["a.jpg", "b.jpg"]


def test_ragged_rows_fail_with_their_number(tmp_path: Path) -> None:
    text = "image,title,date\na.jpg,A,1600\nb.jpg,B\nc.jpg,C,1,2\nd.jpg,D,1700,,\n"
    records, failures = split(open_table(write(tmp_path / "w.csv", text)))
    assert [record.image_id for record in records] == ["a.jpg", "d.jpg"]
    assert [(f.subject, f.code) for f in failures] == [
        ("row-000002", "ragged-row"),
        ("row-000003", "ragged-row"),
    ]


@pytest.mark.parametrize("name", ["w.csv.gz", "w.jsonl.gz", "w.parquet"])
def test_a_table_that_breaks_off_later_yields_unreadable(tmp_path: Path, name: str) -> None:
    path = write_rows(tmp_path / name)
    source = open_table(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    *_, last = source.iter_records()
    assert isinstance(last, Failure)
    assert (last.subject, last.stage, last.code) == (name, "record", "unreadable")
    assert source.preview()["failures"]["unreadable"] == 1


def test_each_row_that_hides_a_work_has_its_code(tmp_path: Path) -> None:
    text = f'id,image\n1,a.jpg\n2\n{"x" * 1001},c.jpg\n"4,d.jpg\n'
    _, failures = split(open_table(write(tmp_path / "w.csv", text)))
    codes = [(failure.stage, failure.code) for failure in failures]
    assert codes == [("record", "ragged-row"), ("record", "bad-id"), ("record", "bad-row")]


@pytest.mark.parametrize("name", ["w.csv", "w.jsonl"])
def test_bytes_that_are_no_text_cost_their_row(tmp_path: Path, name: str) -> None:
    lines = ["id,image", "1,a.jpg", "2,b\udcff.jpg"]
    if name == "w.jsonl":
        lines = ['{"id": 1, "image": "a.jpg"}', '{"id": 2, "image": "b\udcff.jpg"}']
    content = b"\xef\xbb\xbf" + "\n".join(lines).encode("utf-8", "surrogateescape")
    records, failures = split(open_table(write(tmp_path / name, content)))
    assert [record.image_id for record in records] == ["1"]
    assert [(f.subject, f.code) for f in failures] == [("row-000002", "bad-row")]


def test_a_quotation_mark_that_never_closes_costs_one_row(tmp_path: Path) -> None:
    rows = "".join(f"p{n}.jpg,t\n" for n in range(50))
    text = f'image,title\na.jpg,"open\n{rows}'
    records, failures = split(open_table(write(tmp_path / "w.csv", text)))
    assert [f.subject for f in failures] == ["row-000001"]
    assert len(records) == 50


def test_a_cell_of_a_million_characters_costs_one_row(tmp_path: Path) -> None:
    csv.field_size_limit(max(csv.field_size_limit(), 2_000_000))  # as others may have done
    text = f"image,title\na.jpg,{'x' * 1_000_001}\nb.jpg,{'x' * 200_000}\n"
    records, failures = split(open_table(write(tmp_path / "w.csv", text)))
    assert [f.code for f in failures] == ["bad-row"]
    assert [len(record.title or "") for record in records] == [200_000]


def test_nul_is_dropped_and_formulas_stay(tmp_path: Path) -> None:
    text = 'image,title\na.jpg,A\0B\nb.jpg,"=HYPERLINK(""x"")"\n'
    records, _ = split(open_table(write(tmp_path / "w.csv", text)))
    assert [record.title for record in records] == ["AB", '=HYPERLINK("x")']


@pytest.mark.parametrize("content", ["", "\n\n", "image,title\n", "image,title\nonly-one-cell\n"])
def test_a_table_without_rows_says_so(tmp_path: Path, content: str) -> None:
    with pytest.raises(SourceError, match="one row a picture"):
        open_table(write(tmp_path / "w.csv", content))


@pytest.mark.parametrize("name", ["w.csv.gz", "w.jsonl.gz", "w.parquet"])
def test_damaged_files_say_so(tmp_path: Path, name: str) -> None:
    path = write_rows(tmp_path / name)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(SourceError, match=r"w\."):
        open_table(path)


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such file"):
        open_table(tmp_path / "none.csv")


def test_without_an_image_column_the_columns_are_listed(tmp_path: Path) -> None:
    path = write(tmp_path / "w.csv", "ref,titel\n1,A\n")
    with pytest.raises(SourceError, match=r"1 ref, 2 titel.*--columns image=NAME"):
        open_table(path)
    records, _ = split(open_table(path, columns={"image": "-"}))
    assert [(record.title, record.image_path) for record in records] == [("A", None)]


def test_an_image_column_is_found_by_its_content(tmp_path: Path) -> None:
    source = open_table(write(tmp_path / "w.csv", "ref,foto\n1,x/a.jpg\n2,x/b.png\n"))
    assert [record.image_path for record in split(source)[0]] == ["x/a.jpg", "x/b.png"]
    image = next(m for m in source.preview()["mapping"] if m["field"] == "image")
    assert image["found_by"] == "content"


@pytest.mark.parametrize("how", ["bar", "2", "BAR"])
def test_columns_are_named_by_name_or_number(tmp_path: Path, how: str) -> None:
    path = write(tmp_path / "w.csv", "foo,bar,title\nx,a.jpg,A\n")
    records, _ = split(open_table(path, columns={"image": how, "title": "foo"}))
    assert (records[0].image_path, records[0].title) == ("a.jpg", "x")


def test_unknown_columns_and_fields_are_named(tmp_path: Path) -> None:
    path = write(tmp_path / "w.csv", "image,title\na.jpg,A\n")
    with pytest.raises(UnknownNameError, match=r"no column called 'titel'\. Did you mean 'title'"):
        open_table(path, columns={"title": "titel"})
    with pytest.raises(UnknownNameError, match="no field called 'titles'"):
        open_table(path, columns={"titles": "title"})


def test_headerless_tables_are_recognised(tmp_path: Path) -> None:
    source = open_table(write(tmp_path / "paths.csv", "x/a.jpg\nx/b.jpg\n"))
    assert [record.image_id for record in split(source)[0]] == ["x/a.jpg", "x/b.jpg"]
    urls = "https://m.org/1.jpg,Rembrandt\nhttps://m.org/2.jpg,Hals\n"
    source = open_table(write(tmp_path / "u.csv", urls), columns={"creators": "2"})
    records, _ = split(source)
    assert [(r.image_id, r.image_url, r.creators) for r in records] == [
        ("1", "https://m.org/1.jpg", ("Rembrandt",)),
        ("2", "https://m.org/2.jpg", ("Hals",)),
    ]
    pixplot = write(tmp_path / "p.csv", "a.jpg,cat|dog,A cat,https://x.org/a\n")
    (record,), _ = split(open_table(pixplot))
    assert record.tags == ("cat", "dog")
    assert (record.description, record.page_url) == ("A cat", "https://x.org/a")


def test_duplicates_fail_and_name_the_first(tmp_path: Path) -> None:
    path = write(tmp_path / "w.csv", "id,image\n1,a.jpg\n2,b.jpg\n1,c.jpg\n")
    source = open_table(path)
    records, failures = split(source)
    assert [record.image_path for record in records] == ["a.jpg", "b.jpg"]
    assert [(f.subject, f.code) for f in failures] == [("row-000003", "duplicate-id")]
    assert "of row 1" in failures[0].reason
    assert source.preview()["duplicates"] == 1
    with pytest.raises(SourceError, match=r"1 of its rows repeat.*--columns id=NAME"):
        source.check_ids()
    open_table(path, columns={"id": "image"}).check_ids()


def test_identifiers_in_order_of_preference(tmp_path: Path) -> None:
    lines = [
        {"id": 7, "accession": "A", "image": "x.jpg"},
        {"accession": "B", "image": "y.jpg"},
        {"image": "p/z.jpg"},
        {"image": "https://m.org/img?irn=3&size=m"},
        {"title": "nothing"},
    ]
    path = write(tmp_path / "w.jsonl", "\n".join(json.dumps(line) for line in lines))
    records, _ = split(open_table(path))
    expected = ["7", "B", "p/z.jpg", "img?irn=3&size=m", "row-000005"]
    assert [record.image_id for record in records] == expected


def test_the_identifier_alone_is_that_of_the_record(tmp_path: Path) -> None:
    """`check_ids` reads identifiers only, and must see what `iter_records` sees."""
    lines: list[dict[str, Any]] = [
        {"id": 7, "accession": "A", "image": "x.jpg"},
        {"id": "-", "accession": ["", "B"], "image": "y.jpg"},
        {"accession": " ", "inv": "C", "image": "y.jpg"},
        {"image": "../out.jpg"},
        {"id": "x" * 1001},
        {"objectid": "late", "image": "https://m.org/img?irn=3"},
        {"title": "nothing"},
    ]
    path = write(tmp_path / "w.jsonl", "\n".join(json.dumps(line) for line in lines))
    source = open_table(path)
    reader = RecordReader(source.mapping, Placement(tmp_path, absolute=False))
    for number, line in enumerate(lines, start=1):
        row = Row(number, line)
        record = reader.read(row)
        expected = record.image_id if isinstance(record, Record) else record
        assert reader.read_id(row) == expected


@pytest.mark.parametrize(
    "path", ["../../etc/passwd", "x/../../s.jpg", "..\\s.jpg", "a/../../b.jpg"]
)
def test_paths_do_not_leave_the_folder(tmp_path: Path, path: str) -> None:
    content = json.dumps({"image": path}) + '\n{"image": "ok.jpg"}\n'
    records, failures = split(open_table(write(tmp_path / "w.jsonl", content)))
    assert [record.image_path for record in records] == ["ok.jpg"]
    assert [(f.subject, f.code) for f in failures] == [("row-000001", "outside")]


def test_a_link_out_of_the_folder_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "t").mkdir()
    write(tmp_path / "s.jpg", b"secret")
    (tmp_path / "t" / "a.jpg").symlink_to(tmp_path / "s.jpg")
    source = open_table(write(tmp_path / "t" / "w.csv", "image\na.jpg\n"))
    with pytest.raises(ImageError) as refused:
        source.read_image(split(source)[0][0])
    assert refused.value.reason_code == "outside"


def test_full_paths_and_an_image_folder(tmp_path: Path) -> None:
    (tmp_path / "t").mkdir()
    picture = write(tmp_path / "p.jpg", b"picture")
    path = write(tmp_path / "t" / "w.csv", f"image,title\n{picture.as_posix()},A\n")
    source = open_table(path)
    (record,), _ = split(source)
    assert source.read_image(record) == b"picture"
    _, failures = split(open_table(path, absolute_paths=False))
    assert [failure.code for failure in failures] == ["outside"]
    source = open_table(path, image_folder=str(tmp_path), absolute_paths=False)
    (record,), _ = split(source)
    assert (record.image_path, source.read_image(record)) == ("p.jpg", b"picture")
    with pytest.raises(SourceError, match="no folder"):
        open_table(path, image_folder=str(tmp_path / "none"))


def test_pictures_named_without_extension(tmp_path: Path) -> None:
    write(tmp_path / "12.png", b"picture")
    source = open_table(
        write(tmp_path / "w.csv", "id,title\n12,A\n13,B\n"), columns={"image": "id"}
    )
    records, _ = split(source)
    assert [record.image_path for record in records] == ["12.png", None]
    with pytest.raises(ImageError) as none:
        source.read_image(records[1])
    assert none.value.reason_code == "no-image"


def test_where_pictures_lie(tmp_path: Path) -> None:
    lines = [
        {"id": 1, "image": "https://m.org/a.jpg"},
        {"id": 2, "image": "https://m.org/iiif/2/info.json"},
        {"id": 3, "iiifurl": "https://m.org/iiif/3", "iiifthumburl": "https://m.org/3/default.jpg"},
        {"id": 4, "url": "https://m.org/page"},
        {"id": 5, "url": "https://m.org/5.PNG?x=1"},
        {"id": 6, "image": "//m.org/6.jpg"},
        {"id": 7, "image": "data:image/png;base64,AAAA"},
        {"id": 8, "images": {"web": {"url": "https://m.org/8w.jpg"}, "full": {"url": "f.tif"}}},
    ]
    path = write(tmp_path / "w.jsonl", "\n".join(json.dumps(line) for line in lines))
    records, _ = split(source := open_table(path))
    assert [(r.image_url, r.iiif_service, r.page_url) for r in records[:7]] == [
        ("https://m.org/a.jpg", None, None),
        (None, "https://m.org/iiif/2", None),
        ("https://m.org/3/default.jpg", "https://m.org/iiif/3", None),
        (None, None, "https://m.org/page"),
        ("https://m.org/5.PNG?x=1", None, None),
        ("https://m.org/6.jpg", None, None),
        (None, None, None),
    ]
    assert records[7].image_url == "https://m.org/8w.jpg"
    with pytest.raises(ImageError, match="on the web") as remote:
        source.read_image(records[0])
    assert remote.value.reason_code == "remote"
    assert source.fingerprint(records[0]) == "remote"
    assert source.fingerprint(records[6]) == "no-image"


def test_nested_values_are_read(tmp_path: Path) -> None:
    row = {
        "id": 1,
        "images": [],
        "creator": [{"full_name": "A"}, {"full_name": "B"}],
        "subjects": {
            "name": "subject",
            "children": [{"name": "x", "children": [{"name": "leaf"}]}],
        },
        "dateRange": {"startYear": 1600, "endYear": 1620},
        "dateText": "c. 1700",
        "iconclass": "25F23(LION), 11H(JOHN, ST)",
    }
    (record,), _ = split(open_table(write(tmp_path / "w.jsonl", json.dumps(row))))
    assert record.creators == ("A", "B")
    assert record.tags == ("leaf",)
    assert (record.date_display, record.year_begin, record.year_end) == ("c. 1700", 1600, 1620)
    assert record.iconclass == ("25F23(LION)", "11H(JOHN, ST)")
    assert record.raw == row


def test_columns_that_come_late_are_recognised(tmp_path: Path) -> None:
    lines = [f'{{"image": "{n}.jpg"}}' for n in range(1500)] + ['{"image": "z.jpg", "titel": "Z"}']
    records, _ = split(open_table(write(tmp_path / "w.jsonl", "\n".join(lines))))
    assert records[-1].title == "Z"


def test_bad_lines_of_json_are_failures(tmp_path: Path) -> None:
    lines = [
        '{"image": "a.jpg", "x": NaN}',
        '{"image": ',
        "[1]",
        "[" * 100_000,
        '{"image": "b.jpg", "n": %s}' % ("9" * 5000),
        '{"image": "c.jpg", "title": "\\ud800\\u0000"}',
    ]
    records, failures = split(open_table(write(tmp_path / "w.jsonl", "\n".join(lines))))
    assert [record.image_id for record in records] == ["a.jpg", "c.jpg"]
    assert records[0].raw["x"] is None
    assert records[1].title == "?"
    assert [f.subject for f in failures] == [f"row-00000{n}" for n in (2, 3, 4, 5)]


def test_parquet_values_become_json(tmp_path: Path) -> None:
    rows = [{"image": {"bytes": b"xx", "path": "a.jpg"}, "year": 1650.0, "gap": float("nan")}]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "w.parquet")
    source = open_table(tmp_path / "w.parquet")
    (record,), _ = split(source)
    assert (record.image_path, record.year_begin, source.count()) == ("a.jpg", 1650, 1)
    assert json.loads(json.dumps(record.raw, allow_nan=False))["gap"] is None


def test_the_preview_counts_what_is_missing(tmp_path: Path) -> None:
    text = (
        "image,title,date,rights,shelf\n"
        "a.jpg,A,1600,CC0,1\n"
        ",B,n.d.,,2\n"
        "https://m.org/c.jpg,C,long ago,CC0,3\n"
    )
    preview = open_table(write(tmp_path / "w.csv", text)).preview()
    json.dumps(preview)
    counted = ("rows", "records", "without_image", "remote_only", "without_rights", "without_date")
    assert [preview[name] for name in counted] == [3, 3, 1, 1, 1, 1]
    assert (preview["unreadable_dates"], preview["unreadable_examples"]) == (1, ["long ago"])
    assert preview["unmapped"] == ["shelf"]
    title = next(m for m in preview["mapping"] if m["field"] == "title")
    assert (title["columns"], title["examples"]) == (["title"], ["A", "B", "C"])


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    content=st.binary(max_size=400), suffix=st.sampled_from([".csv", ".tsv", ".jsonl", ".parquet"])
)
def test_any_bytes_give_rows_or_one_sentence(tmp_path: Path, content: bytes, suffix: str) -> None:
    path = write(tmp_path / f"fuzz{suffix}", b'image,title\n{"image": "a.jpg"}\na,' + content)
    try:
        records, _ = split(open_table(path))
    except SourceError as error:
        assert str(error).startswith("Cannot")
        return
    assert len({record.image_id for record in records}) == len(records)
    for record in records:
        json.dumps(record.to_json(), allow_nan=False).encode("utf-8")


@pytest.mark.parametrize(
    ("museum", "n_rows", "n_pictures"),
    [("carnegie_records", 28_258, 19_240), ("tate_records", 69_202, 58_416)],
)
def test_museums_import_whole(
    museum: str, n_rows: int, n_pictures: int, request: pytest.FixtureRequest
) -> None:
    source = open_table(request.getfixturevalue(museum))
    preview = source.preview()
    assert (preview["rows"], preview["records"], preview["failures"]) == (n_rows, n_rows, {})
    assert preview["remote_only"] == n_pictures
    assert preview["without_image"] == n_rows - n_pictures
    assert preview["unreadable_dates"] <= 10
