"""What a commit does: images, rows, tombstones, coverage, purge."""

from __future__ import annotations

import numpy as np
import pytest
from sqlalchemy.exc import IntegrityError

from bilderatlas.errors import (
    Failure,
    NotFoundError,
    SpaceMismatchError,
    StoreError,
    UnknownNameError,
    UsageError,
)
from bilderatlas.extractors.base import ImageRows
from bilderatlas.records import Record
from bilderatlas.store.collection import CollectionStore
from bilderatlas.store.images import ImageState
from bilderatlas.store.library import LibraryStore
from bilderatlas.store.writer import NewImage
from tests.store.building import (
    DIM,
    card,
    commit,
    details_of,
    failed_image,
    filled,
    new_image,
    rows_of,
    sha256_of,
    vector_of,
)

MODEL = "colour.test"


@pytest.fixture
def works(library: LibraryStore) -> CollectionStore:
    return filled(library)


def test_what_went_in_comes_out(works: CollectionStore) -> None:
    record = Record("odd/ü '\"%_", title="T", creators=("A", "B"), year_begin=-30, raw={"x": [1]})
    failure = Failure("bad", "decode", "bomb", "Too large.")
    with works.writer() as writer:
        writer.commit_batch(
            [
                NewImage(record, sha256_of("odd"), "print", (30, 20)),
                NewImage(Record("bad"), None, "p", None, failure),
                NewImage(Record("text only")),
            ],
            {},
        )
    stored = works.get_record(record.image_id)
    assert stored.record == record
    assert (stored.content_sha256, stored.size_wh) == (sha256_of("odd"), (30, 20))
    assert (stored.state, stored.fingerprint) == (ImageState.INDEXED, "print")
    assert works.get_record("bad").failure == failure
    assert works.failures() == [failure]
    assert works.get_record("text only").state is ImageState.RECORDED
    assert (works.n_images, works.n_failed) == (15, 1)
    assert [image.image_id for image in works.iter_images("failed")] == ["bad"]
    assert [image.image_id for image in works.iter_images()][:2] == ["w0", "w1"]


def test_many_records_in_the_order_asked(library: LibraryStore) -> None:
    collection = library.create_collection("many", source_kind="folder", source_address="/")
    ids = [f"n{number}" for number in range(1200)]
    with collection.writer() as writer:
        writer.commit_batch([new_image(image_id) for image_id in ids], {})
    asked = ids[::-1] + ids[:3]
    assert [image.image_id for image in collection.get_records(asked)] == asked
    assert len(list(collection.iter_images())) == 1200
    assert collection.find_record("\0") is None
    assert collection.find_record("\ud800") is None
    with pytest.raises(NotFoundError, match="n12"):
        collection.get_record("n12000")


def test_unchanged_rows_are_not_stored_twice(works: CollectionStore) -> None:
    before = works.space(MODEL).snapshot()
    with works.writer() as writer:
        version = commit(writer, ["w1", "w2", "new"], [MODEL])
    after = works.space(MODEL).snapshot()
    assert version == works.version > before.version
    assert after.n_rows == before.n_rows + 1
    assert works.get_record("w1").key < works.get_record("new").key


def test_changed_content_kills_old_rows_in_every_space(works: CollectionStore) -> None:
    old_key = works.get_record("w3").key
    with works.writer() as writer:
        commit(writer, ["w3"], [MODEL], content=1)
        assert writer.missing("details.test") == ["w3"]
        assert writer.missing(MODEL) == []
    view = works.space(MODEL).snapshot()
    assert works.get_record("w3").key > old_key
    assert np.array_equal(view.vectors_of("w3"), vector_of("w3", 1))
    assert (view.n_rows, view.n_live_rows, int((view.ordinals < 0).sum())) == (13, 12, 1)
    assert works.space("details.test").snapshot().vectors_of("w3").shape == (0, DIM)
    assert works.thumbnails.path(sha256_of("w3"), 64) is None
    assert works.thumbnails.path(sha256_of("w3", 1), 64) is not None


def test_an_older_view_stays_as_it_was(works: CollectionStore) -> None:
    view = works.space(MODEL).snapshot()
    with works.writer() as writer:
        writer.retire(["w0", "w1"])
        writer.purge()
    with works.writer():
        pass  # sweeps the old generation
    assert np.array_equal(view.vectors_of("w0"), vector_of("w0"))
    assert view.n_live_rows == 12
    assert works.space(MODEL).snapshot().n_rows == 10


def test_an_unreachable_picture_keeps_its_rows(works: CollectionStore) -> None:
    with works.writer() as writer:
        writer.commit_batch([failed_image("w1"), failed_image("never")], {})
        writer.commit_batch([failed_image("w1", content=0)], {})  # the same picture as before
    stored = works.get_record("w1")
    assert (stored.state, stored.fingerprint) == (ImageState.INDEXED, "f0")
    assert stored.failure is not None
    assert (works.n_images, works.n_failed) == (13, 1)
    assert len(works.space(MODEL).snapshot().vectors_of("w1")) == 1
    with works.writer() as writer:  # its picture is there again, but damaged: other content
        writer.commit_batch([failed_image("w1", content=5)], {})
        assert "w1" not in writer.missing(MODEL)
    assert works.get_record("w1").state is ImageState.FAILED
    assert works.n_failed == 2
    assert len(works.space(MODEL).snapshot().vectors_of("w1")) == 0
    with works.writer() as writer:
        commit(writer, ["w1"], [MODEL], content=5)
    assert works.get_record("w1").failure is None
    assert works.n_failed == 1
    assert works.check() == []


def test_retire_removes_all_traces(works: CollectionStore) -> None:
    with works.writer() as writer:
        with pytest.raises(NotFoundError, match="Nothing was removed"):
            writer.retire(["w1", "nobody"])
        assert works.n_images == 12
        writer.retire(["w1", "w1"])
    assert works.find_record("w1") is None
    assert works.n_images == 11
    assert len(works.match_text("w1")) == 0
    assert works.thumbnails.path(sha256_of("w1"), 256) is None
    assert works.columns.ordinal_of("w1") is None
    assert works.space(MODEL).n_rows == 11
    with works.writer() as writer:
        assert writer.purge() >= 1
        assert writer.purge() == 0
    assert works.space(MODEL).snapshot().n_rows == 11
    assert works.check() == []


def test_another_card_empties_the_space(works: CollectionStore) -> None:
    with works.writer() as writer:
        writer.ensure_space(card(MODEL, dtype="f16", sees="The same in better words."))
        assert writer.missing(MODEL) == []
        writer.ensure_space(card(MODEL, dtype="f16", version=2))
        assert len(writer.missing(MODEL)) == 12
        commit(writer, ["w0"], [MODEL])
    space = works.space(MODEL)
    assert space.card_json["version"] == 2
    assert space.n_rows == 1
    assert works.check() == []
    with pytest.raises(UnknownNameError, match="--extractor colour"):
        works.space("colour.tset")


def test_local_features_have_many_rows_or_none(works: CollectionStore) -> None:
    view = works.space("details.test").snapshot()
    assert view.n_images == 12
    for number in range(12):
        image_id = f"w{number}"
        expected = details_of(image_id)
        assert np.array_equal(view.vectors_of(image_id), expected.vectors)
        assert np.array_equal(view.geometry_at(view.rows_of(image_id)), expected.geometry)
    starts = [start for start, _ in view.blocks()]
    assert starts == sorted(starts)
    assert sum(len(block) for _, block in view.blocks()) == view.n_rows


@pytest.mark.parametrize(
    ("vectors", "error"),
    [
        (np.zeros((1, DIM + 1), np.float32), SpaceMismatchError),
        (np.zeros(DIM, np.float32), SpaceMismatchError),
        (np.full((1, DIM), np.nan, np.float32), StoreError),
        (np.full((1, DIM), 1e6, np.float32), StoreError),  # infinite as f16
    ],
)
def test_rows_that_cannot_be_stored_store_nothing(
    works: CollectionStore, vectors: np.ndarray, error: type[Exception]
) -> None:
    version = works.version
    with works.writer() as writer:
        with pytest.raises(error):
            writer.commit_batch([new_image("x")], {MODEL: [("x", ImageRows(vectors))]})
        with pytest.raises(NotFoundError):
            writer.commit_batch([], {MODEL: [("nobody", rows_of("nobody"))]})
        with pytest.raises(UnknownNameError):
            writer.commit_batch([new_image("x")], {"other.test": [("x", rows_of("x"))]})
        with pytest.raises(UsageError, match="twice"):
            writer.commit_batch([new_image("x"), new_image("x")], {})
        for bad in ("", "a\0b", "\ud800"):
            with pytest.raises(UsageError, match="id"):
                writer.commit_batch([NewImage(Record(bad))], {})
        assert works.version == version
        commit(writer, ["x"], [MODEL])
    assert works.check() == []


def test_u8_rows_are_kept_exactly_or_refused(works: CollectionStore) -> None:
    geometry = np.zeros((1, 4), np.float32)
    with works.writer() as writer, pytest.raises(StoreError, match="as u8"):
        row = ImageRows(np.full((1, DIM), 0.5, np.float32), geometry)
        writer.commit_batch([new_image("x")], {"details.test": [("x", row)]})


def test_many_small_batches_stay_few_segments(library: LibraryStore) -> None:
    collection = library.create_collection("many", source_kind="folder", source_address="/")
    with collection.writer() as writer:
        writer.ensure_space(card())
        for number in range(300):
            writer.commit_batch(
                [new_image(f"n{number}")], {MODEL: [(f"n{number}", rows_of(f"n{number}"))]}
            )
        view = collection.space(MODEL).snapshot()
        assert len(view.segments) < 32
        assert [int(key) for key in view.image_keys] == sorted(map(int, view.image_keys))
    view = collection.space(MODEL).snapshot()
    assert len(view.segments) <= 4
    assert all(
        np.array_equal(view.vectors_of(f"n{number}"), vector_of(f"n{number}"))
        for number in range(300)
    )
    with collection.writer():
        pass
    named = {file.name for s in view.segments for file in s.entry.files.values()}
    folder = collection.space(MODEL).folder
    assert {path.name for path in folder.iterdir()} == named | {"features.json"}


def test_images_that_are_said_to_be_new_are_not_looked_up_and_never_doubled(
    library: LibraryStore,
) -> None:
    works = filled(library)
    with works.writer() as writer:
        before = writer.version
        with pytest.raises(IntegrityError):
            writer.commit_batch([new_image("x1"), new_image("w3")], {}, are_new=True)
        assert (works.version, works.n_images, works.find_record("x1")) == (before, 12, None)
        rows = {"colour.test": [("x2", rows_of("x2")), ("w3", rows_of("w3"))]}
        writer.commit_batch([new_image("x2")], rows, are_new=True)  # w3 is covered already
    assert (works.n_images, works.space("colour.test").n_rows) == (13, 13)
    assert works.check() == []
