"""Folders of pictures, with and without a table beside them."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from bilderatlas.errors import Failure, ImageError, SourceError, UnknownNameError
from bilderatlas.records import Record
from bilderatlas.sources.base import SourceOptions
from bilderatlas.sources.folder import FolderKind, FolderSource, title_from_name
from bilderatlas.sources.walk import Inventory, note_entry

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="needs links and pipes")


def fill(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return root


def open_folder(root: Path, columns: dict[str, str] | None = None) -> FolderSource:
    return FolderKind().open(str(root), SourceOptions(columns=columns or {}))


def records(source: FolderSource) -> list[Record]:
    return [item for item in source.iter_records() if isinstance(item, Record)]


def failures(source: FolderSource) -> list[Failure]:
    return [item for item in source.iter_records() if isinstance(item, Failure)]


def test_pictures_are_found_below_in_natural_order(tmp_path: Path) -> None:
    fill(tmp_path, "plate 10.jpg", "plate 2.JPG", "b/x.tiff", "a/y.webp", "notes.txt", "c.svg")
    source = open_folder(tmp_path)
    expected = ["plate 2.JPG", "plate 10.jpg", "a/y.webp", "b/x.tiff"]
    assert [record.image_id for record in records(source)] == expected
    assert [record.image_path for record in records(source)] == expected
    assert source.count() == 4
    assert source.preview()["other_files"] == {".txt": 1, ".svg": 1}


def test_litter_is_skipped(tmp_path: Path) -> None:
    fill(
        tmp_path,
        "a.jpg",
        ".DS_Store",
        "._a.jpg",
        "Thumbs.db",
        ".hidden/b.jpg",
        "@eaDir/a.jpg",
        "__MACOSX/c.jpg",
    )
    source = open_folder(tmp_path)
    assert [record.image_id for record in records(source)] == ["a.jpg"]
    assert source.preview()["skipped_hidden"] == 6


def test_adding_a_file_renames_no_other(tmp_path: Path) -> None:
    fill(tmp_path, "prints/a.jpg")
    before = {record.image_id for record in records(open_folder(tmp_path))}
    fill(tmp_path, "prints/a.png", "a.jpg")
    assert before <= {record.image_id for record in records(open_folder(tmp_path))}


def test_the_fingerprint_changes_with_the_file(tmp_path: Path) -> None:
    source = open_folder(fill(tmp_path, "a.jpg"))
    (record,) = records(source)
    before = source.fingerprint(record)
    assert before == source.fingerprint(record)
    (tmp_path / "a.jpg").write_bytes(b"other")
    assert source.fingerprint(record) != before
    (tmp_path / "a.jpg").unlink()
    assert source.fingerprint(record) is None


def test_an_empty_folder_says_what_to_do(tmp_path: Path) -> None:
    fill(tmp_path, "notes.txt")
    with pytest.raises(SourceError, match=r"1 \.txt and no picture.*Put JPEG"):
        open_folder(tmp_path)


def test_the_title_comes_last_from_the_name(tmp_path: Path) -> None:
    source = open_folder(fill(tmp_path, "view_of-delft.jpg"))
    (record,) = records(source)
    assert record.title is None
    assert source.complete(record, {}).title == "view of delft"
    assert source.complete(record, {"title": "Gezicht op Delft"}).title == "Gezicht op Delft"
    assert title_from_name("a/___.jpg") == "___"


def test_reading_refuses_what_is_no_picture_file(tmp_path: Path) -> None:
    source = open_folder(fill(tmp_path, "a.jpg", "b.jpg", "c.jpg"))
    first, second, third = records(source)
    assert source.read_image(first) == b"a.jpg"
    (tmp_path / "b.jpg").unlink()
    with pytest.raises(ImageError) as missing:
        source.read_image(second)
    assert missing.value.reason_code == "missing"
    (tmp_path / "c.jpg").unlink()
    (tmp_path / "c.jpg").mkdir()
    with pytest.raises(ImageError) as folder:
        source.read_image(third)
    assert folder.value.reason_code == "unreadable"


def test_a_huge_file_is_refused(tmp_path: Path) -> None:
    source = open_folder(fill(tmp_path, "a.jpg"))
    with (tmp_path / "a.jpg").open("wb") as handle:
        handle.truncate(100_000_001)  # sparse: no disk is filled
    with pytest.raises(ImageError) as refused:
        source.read_image(records(source)[0])
    assert refused.value.reason_code == "too-large"


def test_the_setting_says_how_large_a_file_may_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = open_folder(fill(tmp_path, "a.jpg"))
    (record,) = records(source)
    monkeypatch.setenv("BILDERATLAS_MAX_FILE_BYTES", "4")
    with pytest.raises(ImageError, match=r"more than 4 bytes.*BILDERATLAS_MAX_FILE_BYTES"):
        source.read_image(record)
    monkeypatch.setenv("BILDERATLAS_MAX_FILE_BYTES", "5")
    assert source.read_image(record) == b"a.jpg"
    with (tmp_path / "a.jpg").open("wb") as handle:
        handle.truncate(100_000_001)
    monkeypatch.setenv("BILDERATLAS_MAX_FILE_BYTES", "100000001")
    assert len(source.read_image(record)) == 100_000_001


def break_scandir(monkeypatch: pytest.MonkeyPatch, folder: Path, code: int) -> None:
    """Let listing `folder` fail as a disk or the system would, also for root."""
    real = os.scandir

    def scandir(path: str | Path) -> Any:
        if Path(path) == folder:
            raise OSError(code, os.strerror(code), str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)


@pytest.mark.parametrize("code", [errno.EIO, errno.EACCES])
def test_a_folder_that_cannot_be_read_is_told_from_an_empty_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    fill(tmp_path, "a.jpg", "x/y/b.jpg", "x/c.jpg")
    break_scandir(monkeypatch, tmp_path / "x" / "y", code)
    source = open_folder(tmp_path)
    assert [record.image_id for record in records(source)] == ["a.jpg", "x/c.jpg"]
    (failure,) = failures(source)
    assert (failure.subject, failure.stage, failure.code) == ("x/y", "record", "unreadable")
    assert os.strerror(code) in failure.reason


@posix_only
def test_a_folder_without_permission_is_unreadable(tmp_path: Path) -> None:
    fill(tmp_path, "a.jpg", "shut/b.jpg")
    (tmp_path / "shut").chmod(0)
    try:
        if os.access(tmp_path / "shut", os.R_OK):
            pytest.skip("this user may read every folder")
        found = failures(open_folder(tmp_path))
    finally:
        (tmp_path / "shut").chmod(0o700)
    assert [(f.subject, f.stage, f.code) for f in found] == [("shut", "record", "unreadable")]


def test_an_entry_that_cannot_be_asked_is_unreadable(tmp_path: Path) -> None:
    class Entry:
        name = "x"

        def is_symlink(self) -> bool:
            return False

        def is_dir(self) -> bool:
            raise OSError(errno.EIO, "broken disk")

    found = Inventory()
    assert not note_entry(Entry(), "sub", tmp_path, found)  # type: ignore[arg-type]
    assert (found.unreadable, found.others.total()) == ([("sub/x", "broken disk")], 0)


def test_a_root_that_cannot_be_read_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path, "a.jpg")
    break_scandir(monkeypatch, tmp_path, errno.EACCES)
    with pytest.raises(SourceError, match="cannot be read"):
        open_folder(tmp_path)


def test_ordinary_folders_hold_nothing_unreadable(tmp_path: Path) -> None:
    fill(tmp_path, "a.jpg", ".hidden/b.jpg", "c.txt")
    (tmp_path / "empty").mkdir()
    (tmp_path / "prices.csv").write_text("id,price\n17\n18,2,3\n")
    assert failures(open_folder(tmp_path)) == []


def test_a_table_beside_that_cannot_be_read_is_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path, "a.jpg")
    write_metadata(tmp_path, "file,title\na.jpg,A\n", "works.csv")
    real = Path.open

    def refuse(path: Path, *args: Any, **options: Any) -> Any:
        if path.name == "works.csv":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real(path, *args, **options)

    monkeypatch.setattr(Path, "open", refuse)
    (failure,) = failures(open_folder(tmp_path))
    assert (failure.subject, failure.stage, failure.code) == ("works.csv", "record", "unreadable")


@posix_only
def test_a_named_pipe_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.jpg")
    source = open_folder(fill(tmp_path, "b.jpg"))
    with pytest.raises(ImageError) as refused:
        source.read_image(records(source)[0])
    assert refused.value.reason_code == "unreadable"


@posix_only
def test_links_do_not_lead_out(tmp_path: Path) -> None:
    fill(tmp_path, "secret/s.jpg", "root/a.jpg", "root/sub/b.jpg")
    root = tmp_path / "root"
    (root / "out.jpg").symlink_to(tmp_path / "secret" / "s.jpg")
    (root / "away").symlink_to(tmp_path / "secret")
    (root / "loop").symlink_to(root)
    (root / "again.jpg").symlink_to(root / "a.jpg")
    source = open_folder(root)
    assert [record.image_id for record in records(source)] == ["a.jpg", "again.jpg", "sub/b.jpg"]
    assert sorted((f.subject, f.code) for f in failures(source)) == [
        ("away", "outside"),
        ("out.jpg", "outside"),
    ]


@posix_only
def test_a_link_made_later_does_not_lead_out(tmp_path: Path) -> None:
    fill(tmp_path, "secret/s.jpg", "root/a.jpg")
    source = open_folder(tmp_path / "root")
    (record,) = records(source)
    (tmp_path / "root" / "a.jpg").unlink()
    (tmp_path / "root" / "a.jpg").symlink_to(tmp_path / "secret" / "s.jpg")
    with pytest.raises(ImageError) as refused:
        source.read_image(record)
    assert refused.value.reason_code == "outside"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names themselves")
def test_names_that_no_database_stores_are_failures(tmp_path: Path) -> None:
    fill(tmp_path, "a.jpg", "line\nbreak.jpg")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.jpg")).write_bytes(b"x")
    fill(tmp_path, "e\u0301.jpg", "\u00e9.jpg")
    source = open_folder(tmp_path)
    assert [record.image_id for record in records(source)] == ["a.jpg", "\u00e9.jpg"]
    assert [failure.code for failure in failures(source)] == ["bad-name"] * 3
    assert all(failure.subject.isprintable() for failure in failures(source))


def test_a_deep_folder_is_walked(tmp_path: Path) -> None:
    fill(tmp_path, "/".join(["d"] * 300) + "/a.jpg")
    assert len(records(open_folder(tmp_path))) == 1


def write_metadata(root: Path, text: str, name: str = "metadata.csv") -> None:
    (root / name).write_text(text, encoding="utf-8")


def test_the_table_beside_describes_the_pictures(tmp_path: Path) -> None:
    fill(tmp_path, "x/a.jpg", "y/b.jpg", "y/c.jpg")
    write_metadata(tmp_path, "File,Title,Date\nx/a.jpg,A,c. 1860\nb.jpg,B,1700\nnone.jpg,N,\n")
    source = open_folder(tmp_path)
    a, b, c = records(source)
    assert (a.image_id, a.title, a.year_begin, a.year_end) == ("x/a.jpg", "A", 1855, 1865)
    assert (b.image_id, b.image_path, b.title) == ("y/b.jpg", "y/b.jpg", "B")
    assert a.raw == {"File": "x/a.jpg", "Title": "A", "Date": "c. 1860"}
    assert (c.title, c.raw) == (None, {"file": "y/c.jpg", "folder": "y"})
    (failure,) = failures(source)
    assert (failure.subject, failure.code) == ("row-000003", "no-file")
    assert "none.jpg" in failure.reason
    preview = source.preview()["table"]
    assert (preview["pictures_with_row"], preview["pictures_without_row"]) == (2, 1)


def test_a_base_name_that_is_not_unique_matches_nothing(tmp_path: Path) -> None:
    fill(tmp_path, "x/a.jpg", "y/a.jpg")
    write_metadata(tmp_path, "file,title\na.jpg,A\n")
    source = open_folder(tmp_path)
    assert [record.title for record in records(source)] == [None, None]
    assert [failure.code for failure in failures(source)] == ["no-file"]


def test_an_exact_path_goes_before_a_base_name(tmp_path: Path) -> None:
    fill(tmp_path, "test/a.jpg")
    write_metadata(tmp_path, "file,title\ntrain/a.jpg,wrong\ntest/a.jpg,right\n")
    source = open_folder(tmp_path)
    assert [record.title for record in records(source)] == ["right"]
    assert [failure.subject for failure in failures(source)] == ["row-000001"]


def test_two_rows_for_one_picture(tmp_path: Path) -> None:
    fill(tmp_path, "a.jpg")
    write_metadata(tmp_path, "file,title\na.jpg,first\na.jpg,second\n")
    source = open_folder(tmp_path)
    assert [record.title for record in records(source)] == ["first"]
    assert [(f.subject, f.code) for f in failures(source)] == [("row-000002", "duplicate-id")]


def test_rows_are_matched_by_identifier_where_no_column_names_a_file(tmp_path: Path) -> None:
    fill(tmp_path, "SK-A-1.jpg", "SK-A-2.jpg")
    write_metadata(tmp_path, '{"id": "sk-a-1", "title": "One"}\n', "works.jsonl")
    assert [record.title for record in records(open_folder(tmp_path))] == ["One", None]


def test_columns_may_be_named(tmp_path: Path) -> None:
    fill(tmp_path, "a.jpg")
    write_metadata(tmp_path, "foo,bar\nOne,a.jpg\n")
    source = open_folder(tmp_path, {"image": "bar", "title": "1"})
    assert [record.title for record in records(source)] == ["One"]
    with pytest.raises(UnknownNameError, match="no column called 'baz'"):
        open_folder(tmp_path, {"image": "baz"})
    with pytest.raises(UnknownNameError, match="no field called 'titel'"):
        open_folder(tmp_path, {"titel": "foo"})


def test_metadata_that_cannot_be_used_is_an_error_and_another_table_is_not(tmp_path: Path) -> None:
    fill(tmp_path, "a.jpg")
    write_metadata(tmp_path, "foo,bar\n1,2\n", "budget.csv")
    source = open_folder(tmp_path)
    assert failures(source) == []
    assert "budget.csv" in source.preview()["table"]["unused"]
    write_metadata(tmp_path, "foo,bar\n1,2\n")
    with pytest.raises(SourceError, match="--columns image=NAME"):
        open_folder(tmp_path)


def test_an_unrelated_table_is_left_alone(tmp_path: Path) -> None:
    fill(tmp_path, "a.jpg")
    write_metadata(tmp_path, "id,price\n17,2\n", "prices.csv")
    source = open_folder(tmp_path)
    assert failures(source) == []
    assert "no row" in source.preview()["table"]["unused"]


def test_naming_columns_without_a_table(tmp_path: Path) -> None:
    fill(tmp_path, "a.jpg")
    with pytest.raises(SourceError, match=r"metadata\.csv"):
        open_folder(tmp_path, {"title": "name"})


def test_real_paintings_all_have_their_row(paintings: Path) -> None:
    source = open_folder(paintings)
    assert failures(source) == []
    found = records(source)
    assert len(found) == 632
    assert all(record.title and record.creators for record in found)
    assert len({record.image_id for record in found}) == 632
    assert source.read_image(found[0])[:2] == b"\xff\xd8"
