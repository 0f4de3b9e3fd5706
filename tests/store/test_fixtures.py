"""The library that each release wrote opens in this one, and nothing in it is lost."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from bilderatlas.store.library import LibraryStore
from tests.store.building import details_of, failed_image, thumbnail_names, vector_of
from tests.store.fixtures.make_fixture import make

FIXTURES = sorted((Path(__file__).parent / "fixtures").glob("library-*.tar.gz"))


def open_fixture(path: Path, folder: Path) -> LibraryStore:
    (folder / "backup.tar").write_bytes(gzip.decompress(path.read_bytes()))
    return LibraryStore.restore(folder / "backup.tar", folder / "library")


def assert_all_there(library: LibraryStore) -> None:
    names = [info.name for info in library.list_collections()]
    assert names == ["works", "empty"]
    works = library.get_collection("works")
    assert works.check() == []
    assert (works.n_images, works.n_failed) == (13, 1)
    assert works.failures() == [failed_image("broken").failure]
    colour = works.space("colour.test").snapshot()
    details = works.space("details.test").snapshot()
    for number in range(12):
        image_id, content = f"w{number}", int(number == 3)
        if number == 5:
            assert works.find_record(image_id) is None
            continue
        assert np.array_equal(colour.vectors_of(image_id), vector_of(image_id, content))
        expected = details_of(image_id, content)
        assert np.array_equal(details.vectors_of(image_id), expected.vectors)
        if len(expected.vectors):
            assert np.array_equal(details.geometry_at(details.rows_of(image_id)), expected.geometry)
    assert works.space("plain.test").n_rows == 2
    full = works.get_record("full").record
    assert (full.year_begin, full.iconclass) == (1660, ("31D11", "48C7"))
    assert full.raw["nested"] == {"a": [1, "two"]}
    assert works.match_text('"inv" 670').size == 0
    assert works.match_text("madchen turban").tolist() == [works.get_record("full").key]
    assert works.columns.numbers("height")[0].max() == 44.5
    assert len(thumbnail_names(library)) == 3 * 11


def test_there_is_a_fixture() -> None:
    assert FIXTURES
    assert all(path.stat().st_size < 200_000 for path in FIXTURES)


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.name)
def test_every_release_opens(path: Path, tmp_path: Path) -> None:
    with open_fixture(path, tmp_path) as library:
        assert_all_there(library)
        with library.get_collection("works").writer() as writer:
            writer.retire(["w0"])
            writer.purge()
        assert library.get_collection("works").check() == []


def test_the_script_still_makes_it(tmp_path: Path) -> None:
    make(tmp_path / "new.tar.gz")
    with open_fixture(tmp_path / "new.tar.gz", tmp_path) as library:
        assert_all_there(library)
