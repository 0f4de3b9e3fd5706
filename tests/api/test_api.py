"""The api as a user has it: open, index, search, look, remove."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import bilderatlas as ba
from bilderatlas.api import Library, create, index
from bilderatlas.errors import (
    ConflictError,
    ImageError,
    NotFoundError,
    QueryError,
    UnknownNameError,
)
from bilderatlas.indexing import IndexOptions

COLOURS = {
    "red-1.png": (200, 30, 30),
    "red-2.png": (190, 50, 40),
    "blue-1.png": (20, 40, 200),
    "blue-2.png": (40, 60, 190),
    "green-1.png": (30, 180, 60),
}


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    folder = tmp_path / "works"
    folder.mkdir()
    rows = ["file,title,creator,date,school"]
    for number, (name, colour) in enumerate(COLOURS.items()):
        Image.new("RGB", (60, 40), colour).save(folder / name)
        rows.append(f"{name},Study in {name},Workshop,{1600 + 50 * number},Dutch")
    (folder / "metadata.csv").write_text("\n".join(rows), "utf-8")
    library = create(tmp_path / "library")
    index(library, str(folder), "works", options=IndexOptions(extractors=("raw_32.pixels",)))
    yield library
    library.close()


def ids(hits: object) -> list[str]:
    return [hit.image_id for hit in hits]  # type: ignore[attr-defined]


def test_open_by_path_and_by_environment(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    with ba.open(library.root) as opened:
        assert "works" in opened
        assert len(opened["works"]) == 5
    monkeypatch.setenv("BILDERATLAS_LIBRARY", str(library.root))
    with ba.open() as opened:
        assert opened.root == library.root


def test_the_verbs_stand_at_the_front_door(tmp_path: Path) -> None:
    Image.new("RGB", (20, 20), "red").save(tmp_path / "one.png")
    with ba.create(tmp_path / "library") as made:
        options = IndexOptions(extractors=("raw_32.pixels",))
        assert ba.index(made, str(tmp_path), "mine", options=options).added == 1
    assert set(ba.__all__) == {"__version__", "create", "index", "open"}


def test_examples_and_counter_examples(library: Library) -> None:
    works = library["works"]
    assert ids(works.search(like=["red-1.png"], k=1)) == ["red-2.png"]
    with_itself = works.search(like=["red-1.png"], include_query=True, k=2)
    assert ids(with_itself) == ["red-1.png", "red-2.png"]
    assert ids(works.search(unlike=["red-1.png"], k=5))[-1] == "red-2.png"
    hits = works.search(like=["blue-1.png"], where="year >= 1700")
    assert ids(hits) == ["blue-2.png", "green-1.png"]
    assert hits.criterion is not None
    assert hits.criterion.model_id == "raw_32.pixels"


def test_files_regions_and_uploads_as_queries(library: Library, tmp_path: Path) -> None:
    works = library["works"]
    picture = Image.new("RGB", (100, 40), (25, 45, 205))
    picture.paste((30, 180, 60), (50, 0, 100, 40))
    path = tmp_path / "mine.jpg"
    picture.save(path, quality=95)
    assert ids(works.search(like=[f"{path}@0,0,0.4,1"], k=1)) == ["blue-1.png"]
    assert ids(works.search(like=[f"{path}@0.6,0,0.4,1"], k=1)) == ["green-1.png"]
    upload = library.add_upload(path.read_bytes())
    assert upload.size_wh == (100, 40)
    assert ids(works.search(like=[f"{upload.value}@0,0,0.4,1"], k=1)) == ["blue-1.png"]
    thumbnail = Image.open(io.BytesIO(library.upload_thumbnail(upload.sha256)))
    assert (thumbnail.format, thumbnail.width) == ("WEBP", 100)


def test_an_image_of_another_collection_is_a_query(library: Library, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    Image.new("RGB", (30, 30), (10, 200, 50)).save(other / "leaf.png")
    options = IndexOptions(extractors=("raw_32.pixels",))
    index(library, str(other), "others", options=options)
    assert ids(library["works"].search(like=["others/leaf.png"], k=1)) == ["green-1.png"]


def test_a_collection_made_anew_shows_its_own_pictures(library: Library, tmp_path: Path) -> None:
    options = IndexOptions(extractors=("raw_32.pixels",))
    shown = []
    for colour in ("red", "blue"):
        folder = tmp_path / colour
        folder.mkdir()
        Image.new("RGB", (8, 8), colour).save(folder / "x.png")
        index(library, str(folder), "again", options=options)
        shown.append(Image.open(io.BytesIO(library["again"].original("x.png"))).getpixel((0, 0)))
        library.remove("again")
    assert shown == [(255, 0, 0), (0, 0, 255)]


def test_an_id_of_another_collection_wins_over_a_file_of_that_name(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "works").mkdir(exist_ok=True)
    Image.new("RGB", (8, 8), "blue").save(tmp_path / "works" / "red-1.png")
    monkeypatch.chdir(tmp_path)
    assert ids(library["works"].search(like=["works/red-1.png"], k=1)) == ["red-2.png"]


def test_one_example_needs_no_list(library: Library) -> None:
    assert ids(library["works"].search(like="red-1.png", k=1)) == ["red-2.png"]


def test_a_criterion_that_is_unknown_is_told_from_one_that_is_not_indexed(
    library: Library,
) -> None:
    with pytest.raises(UnknownNameError, match="no extractor called 'clip'"):
        library["works"].search(like="red-1.png", extractor="clip")
    with pytest.raises(UnknownNameError, match="Index 'works' with --extractor palette"):
        library["works"].search(like="red-1.png", extractor="palette_lab.pixels")


def test_a_library_is_no_source_of_pictures(library: Library, tmp_path: Path) -> None:
    with pytest.raises(ConflictError, match="folder of the library itself"):
        index(library, str(library.root), "mirror")
    assert index(library, str(tmp_path), "all").failed == 0
    assert len(library["all"]) == len(COLOURS), "thumbnails of the library below are no works"


def test_neighbours_and_a_random_hang(library: Library) -> None:
    works = library["works"]
    found = works.neighbours("red-1.png", k=2)
    assert list(found) == ["raw_32.pixels"]
    assert ids(found["raw_32.pixels"])[0] == "red-2.png"
    assert ids(works.sample(5, seed=3)) == ids(works.sample(5, seed=3))
    assert sorted(ids(works.sample(5, seed=3))) == sorted(COLOURS)


def test_bad_queries_end_in_a_sentence(library: Library, tmp_path: Path) -> None:
    works = library["works"]
    with pytest.raises(NotFoundError, match="no such file"):
        works.search(like=["red-3.png"])
    with pytest.raises(QueryError, match="compares pictures only"):
        works.search("a quiet harbour")
    with pytest.raises(UnknownNameError, match="school"):
        works.search(like=["red-1.png"], where="shcool = 'Dutch'")
    with pytest.raises(UnknownNameError, match="angular"):
        works.search(like=["red-1.png"], metric="angluar")
    with pytest.raises(UnknownNameError, match="works"):
        library["wroks"]
    prose = tmp_path / "prose.jpg"
    prose.write_text("no picture")
    with pytest.raises(ImageError):
        works.search(like=[str(prose)])
    with pytest.raises(NotFoundError, match="seven days"):
        library.upload_thumbnail("0" * 64)


def test_removal_takes_everything(library: Library) -> None:
    works = library["works"]
    path = works.thumbnail("red-2.png", 64)
    assert path is not None
    assert path.exists()
    with pytest.raises(NotFoundError, match="Nothing was removed"):
        works.remove(["red-2.png", "nobody"])
    assert len(works) == 5
    works.remove(["red-2.png"], purge=True)
    assert "red-2.png" not in ids(library["works"].search(like=["red-1.png"]))
    assert not path.exists()
    assert [finding for finding in works.check() if finding.severity == "error"] == []


def test_original_and_upload_without_metadata(library: Library) -> None:
    original = Image.open(io.BytesIO(library["works"].original("red-1.png")))
    assert original.size == (60, 40)
    exif = Image.Exif()
    exif[0x010F] = "Secret camera"
    buffer = io.BytesIO()
    Image.fromarray(np.full((20, 20, 3), 90, np.uint8)).save(buffer, "JPEG", exif=exif)
    upload = library.add_upload(buffer.getvalue())
    assert b"Secret camera" not in library.store.uploads.get(upload.sha256)


def test_hits_show_themselves_in_a_notebook(library: Library) -> None:
    hits = library["works"].search(like=["red-1.png"], k=2)
    html = hits._repr_html_()
    assert html.count("data:image/webp;base64,") == 2
    assert "Study in red-2.png" in html
    assert "judged by colour and layout" in html


def test_the_palette_of_a_work(library: Library) -> None:
    palette = library["works"].palette("red-1.png")
    assert palette.shares.sum() == pytest.approx(1)
    red, green, blue = (int(palette.srgb_hex[0][at : at + 2], 16) for at in (1, 3, 5))
    assert red > 180
    assert max(green, blue) < 60
