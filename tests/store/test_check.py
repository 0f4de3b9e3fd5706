"""Damage is found and what is derived is mended; nothing else is touched."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import delete, insert, select, text, update

from bilderatlas.errors import ConflictError, StoreError
from bilderatlas.store.collection import CollectionStore
from bilderatlas.store.database import write_transaction
from bilderatlas.store.library import LibraryStore
from bilderatlas.store.schema import collections, segments
from tests.store.building import card, commit, details_of, filled, new_image, sha256_of, vector_of

MODEL = "colour.test"


@pytest.fixture
def works(library: LibraryStore) -> CollectionStore:
    collection = filled(library)
    assert collection.columns.n == 12
    return collection


def segment_files(works: CollectionStore) -> list[Path]:
    return sorted(
        path
        for path in works.folder.glob("features/*/*")
        if path.name.startswith(("vectors", "keys", "geometry", "coverage"))
    )


def flip_bit(path: Path, offset: int, bit: int) -> None:
    content = bytearray(path.read_bytes())
    content[offset] ^= 1 << bit
    path.write_bytes(content)


def test_a_sound_collection_has_no_findings(works: CollectionStore) -> None:
    assert works.check() == []
    roles = {path.name.split("-")[0] for path in segment_files(works)}
    assert roles == {"vectors", "keys", "geometry", "coverage"}


def test_every_flipped_bit_is_found(works: CollectionStore) -> None:
    """200 single bits, spread over every segment file."""
    rng = np.random.default_rng(7)
    files = segment_files(works)
    for number in range(200):
        path = files[number % len(files)]
        offset, bit = int(rng.integers(path.stat().st_size)), int(rng.integers(8))
        flip_bit(path, offset, bit)
        findings = works.check()
        assert [finding.kind for finding in findings] == ["segment"], (path, offset, bit)
        assert path.name in findings[0].what
        flip_bit(path, offset, bit)
    assert works.check() == []


@pytest.mark.parametrize("harm", ["cut", "longer", "gone", "flipped"])
def test_a_damaged_segment_is_computed_again(works: CollectionStore, harm: str) -> None:
    path = works.space(MODEL).folder / "vectors-000002.f16"
    content = path.read_bytes()
    if harm == "gone":
        path.unlink()
    else:
        changed = {"cut": content[:-1], "longer": content + b"\0", "flipped": b"\xff" + content[1:]}
        path.write_bytes(changed[harm])
    fresh = LibraryStore.open(works.root)
    collection = fresh.get_collection("works")
    if harm != "flipped":
        with pytest.raises(StoreError, match="--repair"):
            collection.space(MODEL).snapshot()
        with pytest.raises(StoreError, match="--repair"):
            collection.writer()
    assert [finding.kind for finding in collection.check(repair=True)] == ["segment"]
    with collection.writer() as writer:
        missing = writer.missing(MODEL)
        assert missing == ["w5", "w6", "w7", "w8", "w9"]
        assert writer.missing("details.test") == []
        commit(writer, missing, [MODEL])
    assert collection.check() == []
    view = collection.space(MODEL).snapshot()
    assert all(np.array_equal(view.vectors_of(f"w{n}"), vector_of(f"w{n}")) for n in range(12))
    fresh.close()


def test_a_merge_never_hides_damage(library: LibraryStore) -> None:
    collection = library.create_collection("a", source_kind="folder", source_address="/")
    with collection.writer() as writer:
        writer.ensure_space(card())
        commit(writer, ["first"], [MODEL])
        flip_bit(collection.space(MODEL).folder / "vectors-000001.f32", 3, 2)
        for number in range(40):
            commit(writer, [f"n{number}"], [MODEL])
        writer.retire(["n3"])
        with pytest.raises(StoreError, match="Cannot purge"):
            writer.purge()
    assert [finding.kind for finding in collection.check(repair=True)] == ["segment"]
    with collection.writer() as writer:
        assert "first" in writer.missing(MODEL)


def test_derived_things_are_mended(works: CollectionStore) -> None:
    space = works.space(MODEL)
    (space.folder / "features.json").write_text("{}")
    (space.folder / "tmp-1234-vectors-000009.f16").write_bytes(b"x")
    (space.folder / "vectors-000099.f16").write_bytes(b"x")
    (space.folder / "engine").mkdir()
    (space.folder / "engine" / "codes.bin").write_bytes(b"x")
    (columns,) = (works.folder / "columns").iterdir()
    column_bytes = columns.read_bytes()
    place = column_bytes.index(b"Work w7")
    columns.write_bytes(column_bytes[:place] + b"Fork w7" + column_bytes[place + 7 :])
    works.thumbnails.remove(sha256_of("w4"))
    findings = works.check(repair=True)
    assert sorted(finding.kind for finding in findings) == [
        "columns",
        "manifest",
        "orphan",
        "orphan",
        "thumbnails",
    ]
    assert "title" in findings[0].what
    (left,) = works.check()
    assert (left.kind, works.get_record("w4").fingerprint) == ("thumbnails", None)
    assert not (space.folder / "engine").exists()
    assert sorted(path.name for path in space.folder.iterdir())[0] == "features.json"
    assert "Work w7" in works.columns.codes("title")[1]


def harm_counts(works: CollectionStore) -> None:
    with write_transaction(works.database, works.root) as connection:
        connection.execute(update(collections).values(n_failed=3))


def harm_texts(works: CollectionStore) -> None:
    with write_transaction(works.database, works.root) as connection:
        connection.execute(text("DELETE FROM image_texts WHERE rowid % 2 = 0"))


def harm_twice(works: CollectionStore) -> None:
    with write_transaction(works.database, works.root) as connection:
        rows = connection.execute(select(segments)).mappings().all()
        row = dict(next(row for row in rows if row["number"] == 1))
        connection.execute(insert(segments).values(row | {"id": None, "number": 0}))


@pytest.mark.parametrize(
    ("harm", "kind"), [(harm_counts, "counts"), (harm_texts, "texts"), (harm_twice, "twice")]
)
def test_tables_are_counted_and_mended(
    works: CollectionStore, harm: Callable[[CollectionStore], None], kind: str
) -> None:
    harm(works)
    assert kind in [finding.kind for finding in works.check(repair=True)]
    assert works.check() == []
    assert len(works.match_text("work")) == 12


def test_rows_of_unread_pictures_are_found(works: CollectionStore) -> None:
    with write_transaction(works.database, works.root) as connection:
        connection.execute(text("UPDATE images SET state = 'recorded' WHERE image_id = 'w2'"))
    assert "unread" in {finding.kind for finding in works.check()}


def test_a_check_beside_a_writer(works: CollectionStore) -> None:
    with works.writer() as writer:
        commit(writer, ["late"], [MODEL])
        assert works.check() == []  # the manifest is written at the writer's end
        (works.space(MODEL).folder / "features.json").write_text("{}")
        assert works.check() == []
        works.thumbnails.remove(sha256_of("late"))
        with pytest.raises(ConflictError, match="write to collection"):
            works.check(repair=True)


def test_the_manifest_says_what_is_there(works: CollectionStore) -> None:
    said = json.loads((works.space("details.test").folder / "features.json").read_bytes())
    assert said["card"]["model_id"] == "details.test"
    assert said["n_rows"] == sum(len(details_of(f"w{n}").vectors) for n in range(12))
    assert said["segments"][0]["files"].keys() == {"vectors", "keys", "geometry", "coverage"}


def test_a_deleted_segment_row_is_only_missing(works: CollectionStore) -> None:
    with write_transaction(works.database, works.root) as connection:
        connection.execute(delete(segments))
    with works.writer() as writer:
        assert len(writer.missing(MODEL)) == 12
        writer.commit_batch([new_image("w0")], {})
    assert works.check() == []
