"""Indexing: adds what is new, follows what changed, keeps failures, and can be interrupted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from bilderatlas.api import create, index
from bilderatlas.errors import ConflictError, SourceError, UnknownNameError
from bilderatlas.indexing import IndexOptions, IndexReport, Progress, index_source
from bilderatlas.sources import open_source
from bilderatlas.sources.base import SourceOptions
from bilderatlas.store.library import LibraryStore
from tests.indexing.conftest import paint

RAW, PALETTE = "raw_32.pixels", "palette_lab.pixels"


def run(store: LibraryStore, folder: Path, **options: object) -> IndexReport:
    chosen = IndexOptions(**{"extractors": (RAW,), "workers": 2} | options)  # type: ignore[arg-type]
    return index_source(store, open_source(str(folder)), "works", chosen)


def test_a_second_run_adds_nothing(store: LibraryStore, make_folder: Callable[[int], Path]) -> None:
    folder = make_folder(12)
    first, second = run(store, folder), run(store, folder)
    assert (first.added, first.failed) == (12, 0)
    assert (second.added, second.updated, second.unchanged) == (0, 0, 12)
    collection = store.get_collection("works")
    assert collection.n_images == 12
    assert collection.space(RAW).n_images == 12
    assert collection.check() == []


def test_new_changed_and_vanished_files(
    store: LibraryStore, make_folder: Callable[[int], Path]
) -> None:
    folder = make_folder(6)
    run(store, folder)
    before = store.get_collection("works").space(RAW).snapshot().vectors_of("work-001.png")
    paint(folder / "work-001.png", 99, (120, 90))
    paint(folder / "work-006.png", 6)
    (folder / "work-002.png").unlink()
    report = run(store, folder)
    assert (report.added, report.updated, report.retired, report.unchanged) == (1, 1, 1, 4)
    collection = store.get_collection("works")
    after = collection.space(RAW).snapshot().vectors_of("work-001.png")
    assert len(after) == 1
    assert (after != before).any()
    assert collection.find_record("work-002.png") is None
    assert collection.get_record("work-001.png").size_wh == (120, 90)
    assert collection.check() == []


def test_a_changed_record_keeps_its_embeddings(
    store: LibraryStore, make_folder: Callable[[int], Path]
) -> None:
    folder = make_folder(3)
    run(store, folder)
    rows = [f"work-{n:03d}.png,The title {n}" for n in range(3)]
    (folder / "metadata.csv").write_text("\n".join(["file,title", *rows]), "utf-8")
    report = run(store, folder)
    assert (report.updated, report.added) == (3, 0)
    collection = store.get_collection("works")
    assert collection.get_record("work-002.png").record.title == "The title 2"
    assert collection.space(RAW).n_rows == 3


def test_damaged_files_become_rows_with_a_reason(
    store: LibraryStore, make_folder: Callable[[int], Path]
) -> None:
    folder = make_folder(4)
    whole = (folder / "work-000.png").read_bytes()
    (folder / "broken.png").write_bytes(whole[: len(whole) // 2])
    (folder / "prose.jpg").write_text("This is no picture.")
    report = run(store, folder)
    assert (report.added, report.failed) == (4, 2)
    collection = store.get_collection("works")
    reasons = {failure.subject: failure.reason for failure in collection.failures()}
    assert set(reasons) == {"broken.png", "prose.jpg"}
    assert all(len(reason) > 20 for reason in reasons.values())
    again = run(store, folder)
    assert (again.failed, again.unchanged) == (0, 6), "failures are not tried again unasked"
    paint(folder / "broken.png", 7)
    mended = run(store, folder)
    assert (mended.failed, collection.n_images) == (0, 6)
    assert [failure.subject for failure in collection.failures()] == ["prose.jpg"]
    assert run(store, folder, retry_failed=True).failed == 1


def test_a_further_extractor_completes_the_collection(
    store: LibraryStore, make_folder: Callable[[int], Path]
) -> None:
    folder = make_folder(5)
    run(store, folder)
    report = run(store, folder, extractors=(RAW, PALETTE))
    assert (report.added, report.completed) == (0, 5)
    collection = store.get_collection("works")
    assert collection.space(PALETTE).n_images == 5
    assert collection.space(RAW).n_rows == 5
    assert index_source(store, open_source(str(folder)), "works").spaces == [RAW, PALETTE]


def test_a_stopped_run_goes_on_where_it_was(
    store: LibraryStore, make_folder: Callable[[int], Path]
) -> None:
    folder = make_folder(20)
    told: list[Progress] = []
    stopped = run(
        store, folder, batch_images=4, on_progress=told.append, should_stop=lambda: len(told) > 2
    )
    assert stopped.stopped
    assert stopped.added == 8
    rest = run(store, folder, batch_images=4)
    assert (rest.added, rest.unchanged) == (12, 8)
    assert store.get_collection("works").space(RAW).n_rows == 20


def test_ids_and_metadata_inside_files(store: LibraryStore, tmp_path: Path) -> None:
    folder = tmp_path / "told"
    folder.mkdir()
    exif = Image.Exif()
    exif[0x013B] = "Workshop hand A"
    exif[0x010E] = "A quiet harbour"
    Image.new("RGB", (40, 30), "teal").save(folder / "x.jpg", exif=exif)
    run(store, folder)
    record = store.get_collection("works").get_record("x.jpg").record
    assert record.creators == ("Workshop hand A",)
    assert "A quiet harbour" in {record.description, record.title}


def test_a_collection_remembers_the_options_of_its_source(tmp_path: Path) -> None:
    pictures, tables = tmp_path / "pictures", tmp_path / "tables"
    pictures.mkdir()
    tables.mkdir()
    paint(pictures / "a.png", 1)
    (tables / "works.csv").write_text("nr,wo,was\na,a.png,The only one\n")
    said = SourceOptions(columns={"image": "wo", "title": "was"}, image_folder=str(pictures))
    with create(tmp_path / "library") as library:
        options = IndexOptions(extractors=(RAW,))
        first = index(
            library, str(tables / "works.csv"), "works", source_options=said, options=options
        )
        again = index(library, str(tables / "works.csv"), "works", options=options)
        assert (first.added, again.unchanged) == (1, 1)
        [work] = library["works"].sample()
        assert work.record.title == "The only one"
        assert library["works"].original(work.image_id).startswith(b"\x89PNG")


def test_bad_requests_leave_nothing_behind(
    store: LibraryStore, make_folder: Callable[[int], Path], tmp_path: Path
) -> None:
    folder = make_folder(2)
    with pytest.raises(UnknownNameError, match="raw_32"):
        run(store, folder, extractors=("raw_23.pixels",))
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(SourceError):
        run(store, empty)
    assert store.list_collections() == []
    run(store, folder)
    other = tmp_path / "other"
    other.mkdir()
    paint(other / "x.png", 3)
    with pytest.raises(ConflictError, match="works"):
        run(store, other)
    assert store.get_collection("works").n_images == 2


def test_a_table_without_pictures_is_kept_as_records(store: LibraryStore, tmp_path: Path) -> None:
    table = tmp_path / "works.csv"
    table.write_text(
        "id,title,date,image_url\n"
        "a,The first,c. 1640,https://museum.example/a.jpg\n"
        "b,The second,late 15th century,\n"
    )
    report = run(store, table)
    assert (report.without_picture, report.failed, report.added) == (2, 0, 0)
    collection = store.get_collection("works")
    assert collection.get_record("b").record.title == "The second"
    assert collection.get_record("a").record.image_url == "https://museum.example/a.jpg"
    assert len(collection.match_text("second")) == 1
    assert run(store, table).unchanged == 2


def test_two_rows_with_one_id_are_refused_before_anything_is_written(
    store: LibraryStore, tmp_path: Path
) -> None:
    table = tmp_path / "works.csv"
    table.write_text("id,title,image_url\na,One,\na,Two,\nb,Three,\n")
    with pytest.raises(SourceError, match="'a'"):
        run(store, table)
    assert store.list_collections() == []
    report = run(store, table, keep_first=True)
    assert report.failures[0].code == "duplicate-id"
    assert store.get_collection("works").get_record("a").record.title == "One"


def test_nothing_is_retired_behind_what_could_not_be_read(
    store: LibraryStore, tmp_path: Path
) -> None:
    table = tmp_path / "works.csv"
    table.write_text("id,title,image_url\na,One,\nb,Two,\nc,Three,\n")
    run(store, table)
    table.write_text("id,title,image_url\na,One,\nb,Two,,odd,cells\n")
    report = run(store, table)
    assert (report.retired, report.kept_back) == (0, 2)
    assert store.get_collection("works").n_images == 3
    table.write_text("id,title,image_url\na,One,\n")
    assert run(store, table).retired == 2


@pytest.mark.slow
def test_real_museums_are_imported_whole(
    store: LibraryStore, tate_records: Path, carnegie_records: Path
) -> None:
    for path, n in ((tate_records, 69_202), (carnegie_records, 28_258)):
        name = path.name.split("_")[0]
        report = index_source(store, open_source(str(path)), name, IndexOptions())
        assert report.without_picture == n
        assert store.get_collection(name).n_images == n
        assert report.failures == []
