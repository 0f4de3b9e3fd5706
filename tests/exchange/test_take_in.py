"""Features that are taken in: refused whole or taken whole, and merged by id and content."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bilderatlas.errors import (
    ConflictError,
    PackageError,
    SpaceMismatchError,
    UsageError,
)
from bilderatlas.exchange.base import ImportOptions, open_features
from bilderatlas.exchange.format import MANIFEST_NAME
from bilderatlas.exchange.take_in import ImportReport, import_features
from bilderatlas.records import Record
from bilderatlas.store.library import LibraryStore
from bilderatlas.store.writer import NewImage
from tests.exchange.packages import paint, write_package
from tests.exchange.small_network import SmallExtractor
from tests.exchange.test_mistakes import (
    edit_the_manifest,
    flip_a_byte,
    put_a_nan,
    remove_a_part,
    repeat_an_id,
    rewrite,
    rewrite_part,
    truncate,
)
from tests.store.building import commit, filled, new_image

WORKS = [paint(seed) for seed in range(9)]
MODEL = "small_network.test"


def package(folder: Path, **options: Any) -> Path:
    write_package(folder, SmallExtractor(), WORKS, **options)
    return folder


def take_in(
    library: LibraryStore, path: Path, name: str = "theirs", merge: bool = False
) -> ImportReport:
    with open_features(str(path), ImportOptions()) as features:
        return import_features(library, features, name, merge=merge)


def newer(folder: Path) -> None:
    rewrite(folder, lambda values: values.update(format_version=2))


def wrong_dim(folder: Path) -> None:
    rewrite(folder, lambda values: values["vectors"].update(dim=63))


def unknown_field(folder: Path) -> None:
    rewrite(folder, lambda values: values["vectors"].update(colour="blue"))


def no_json(folder: Path) -> None:
    (folder / MANIFEST_NAME).write_text('{"format": ')


def outside(folder: Path) -> None:
    def change(values: dict[str, Any]) -> None:
        values["integrity"]["parts"][0]["name"] = "../part-000001.parquet"

    rewrite(folder, change)


def wrong_count(folder: Path) -> None:
    rewrite(folder, lambda values: values["integrity"].update(n_ok=8, n_failed=1))


def column(name: str, value: Any) -> Callable[[Path], None]:
    def change(table: Any) -> Any:
        place = table.schema.get_field_index(name)
        values = [value, *table.column(name).to_pylist()[1:]]
        import pyarrow as pa

        field = table.schema.field(place)
        return table.set_column(place, field, pa.array(values, field.type))

    return lambda folder: rewrite_part(folder, change)


REFUSED = {
    "not-finite": put_a_nan,
    "duplicate-id": repeat_an_id,
    "missing-part": remove_a_part,
    "truncated-part": truncate,
    "changed-part": flip_a_byte,
    "newer-version": newer,
    "canary-dim": wrong_dim,
    "schema": unknown_field,
    "manifest": no_json,
    "changed-manifest": edit_the_manifest,
    "count": wrong_count,
    "status": column("status", "perhaps"),
    "image-sha256": column("image_sha256", "../../etc/passwd"),
    "record": column("record", '{"title": ["a", "b"]}'),
    "item-id": column("item_id", "a\0b"),
}


@pytest.mark.parametrize("code", REFUSED)
def test_bad_packages_are_refused_and_nothing_changes(
    code: str, library: LibraryStore, tmp_path: Path
) -> None:
    filled(library)
    before = [(one, library.get_collection(one.name).check()) for one in library.list_collections()]
    path = package(tmp_path / "package")
    REFUSED[code](path)
    with pytest.raises(PackageError) as caught:
        take_in(library, path)
    assert caught.value.reason_code == code
    assert str(caught.value).startswith("Cannot ")
    after = [(one, library.get_collection(one.name).check()) for one in library.list_collections()]
    assert after == before


def test_a_part_outside_the_folder_is_refused(library: LibraryStore, tmp_path: Path) -> None:
    path = package(tmp_path / "package")
    outside(path)
    with pytest.raises(PackageError, match=r"integrity\.parts\.0\.name"):
        take_in(library, path)


def test_a_library_of_ours_is_no_package(library: LibraryStore) -> None:
    works = filled(library)
    folder = works.space_folder("colour.test")
    assert (folder / MANIFEST_NAME).exists()
    with pytest.raises(PackageError, match="features export"):
        take_in(library, folder)


def test_an_address_that_nobody_knows(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="feature package"):
        open_features(str(tmp_path))


def test_an_import_can_be_repeated(library: LibraryStore, tmp_path: Path) -> None:
    path = package(tmp_path / "package")
    first = take_in(library, path)
    assert (first.items, first.added, first.vectors) == (9, 9, 9)
    second = take_in(library, path)
    assert (second.items, second.added, second.vectors) == (9, 0, 0)
    assert library.get_collection("theirs").check() == []


def test_an_import_that_was_killed_is_taken_up_again(
    library: LibraryStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bilderatlas.exchange import take_in as room

    monkeypatch.setattr(room, "COMMIT_ITEMS", 4)
    path = package(tmp_path / "package")
    with (
        open_features(str(path)) as features,
        pytest.raises(KeyboardInterrupt),
    ):

        def stop(done: int, total: int | None) -> None:
            raise KeyboardInterrupt

        import_features(library, features, "theirs", on_progress=stop)
    assert 0 < library.get_collection("theirs").n_images < 9
    assert take_in(library, path).items == 9
    assert library.get_collection("theirs").space(MODEL).n_rows == 9
    assert library.get_collection("theirs").check() == []


def test_other_features_at_the_same_address_are_refused(
    library: LibraryStore, tmp_path: Path
) -> None:
    path = package(tmp_path / "package")
    take_in(library, path)
    for one in path.iterdir():
        one.unlink()
    path.rmdir()
    write_package(path, SmallExtractor(seed=5), WORKS)
    with pytest.raises(ConflictError, match="others than those"):
        take_in(library, path)


def test_the_name_of_another_collection_is_refused(library: LibraryStore, tmp_path: Path) -> None:
    filled(library)
    with pytest.raises(ConflictError, match="--merge"):
        take_in(library, package(tmp_path / "package"), "works")


def local_works(library: LibraryStore) -> None:
    """Make a collection with six of the nine works, one of them with another picture."""
    made = library.create_collection("works", source_kind="folder", source_address="/works")
    with made.writer() as writer:
        images = [
            NewImage(Record(work.image_id, title="Mine"), work.sha256, None, (9, 9))
            for work in WORKS[:5]
        ]
        writer.commit_batch([*images, new_image(WORKS[5].image_id)], {})


def test_merging_matches_by_id_and_content(library: LibraryStore, tmp_path: Path) -> None:
    local_works(library)
    report = take_in(library, package(tmp_path / "package"), "works", merge=True)
    assert (report.items, report.matched, report.vectors, report.added) == (9, 5, 5, 0)
    assert report.n_refused == 4
    codes = [failure.code for failure in report.refused]
    assert sorted(codes) == ["other-picture", *["unknown-image"] * 3]
    works = library.get_collection("works")
    assert works.get_record(WORKS[0].image_id).record.title == "Mine"
    view = works.space(MODEL).snapshot()
    own = SmallExtractor().embed_images([WORKS[0].pixels])
    assert view.vectors_of(WORKS[0].image_id) @ own.T == pytest.approx(1, abs=0.02)


def test_merging_nothing_is_refused(library: LibraryStore, tmp_path: Path) -> None:
    filled(library)
    version = library.get_collection("works").version
    with pytest.raises(PackageError, match="none of its items") as caught:
        take_in(library, package(tmp_path / "package"), "works", merge=True)
    assert caught.value.reason_code == "no-match"
    works = library.get_collection("works")
    assert (works.version, works.model_ids()) == (version, ["colour.test", "details.test"])


def test_a_space_of_other_facts_is_not_mixed(library: LibraryStore, tmp_path: Path) -> None:
    local_works(library)
    works = library.get_collection("works")
    with works.writer() as writer:
        writer.ensure_space(replace(SmallExtractor().card, weights_sha256="7" * 64))
    with pytest.raises(SpaceMismatchError, match="weights_sha256"):
        take_in(library, package(tmp_path / "package"), "works", merge=True)


def test_merging_completes_a_space(library: LibraryStore, tmp_path: Path) -> None:
    local_works(library)
    works = library.get_collection("works")
    with works.writer() as writer:
        writer.ensure_space(SmallExtractor().card)
        rows = SmallExtractor().extract_batch([WORKS[1].pixels])
        writer.commit_batch([], {MODEL: [(WORKS[1].image_id, rows[0])]})
    report = take_in(library, package(tmp_path / "package"), "works", merge=True)
    assert report.vectors == 4


def test_a_card_of_json_alone(library: LibraryStore, tmp_path: Path) -> None:
    """What a collection of features says of its space is what the package said."""
    path = package(tmp_path / "package")
    take_in(library, path)
    stored = library.get_collection("theirs").space(MODEL).card_json
    manifest = json.loads((path / MANIFEST_NAME).read_text("utf-8"))
    assert stored["weights_sha256"] == manifest["model"]["weights_sha256"]
    assert stored["preprocessing"] == manifest["preprocessing"]["steps"]
    assert stored["normalised"] == "l2"


def test_records_come_along(library: LibraryStore, tmp_path: Path) -> None:
    made = library.create_collection("works", source_kind="folder", source_address="/w")
    from bilderatlas.exchange.export import export_space
    from bilderatlas.exchange.write import Identity
    from tests.store.building import card

    odd = Record(
        "prints/ä b'<c>.jpg",
        title='Ecce homo \ud800 "x"',
        creators=("Rembrandt", "Workshop"),
        year_begin=-40,
        raw={"höhe": [1, {"deep": "x"}], "n": None},
        image_url="https://example.org/ä.jpg",
    )
    with made.writer() as writer:
        writer.ensure_space(card("colour.test"))
        commit(writer, ["plain"], ["colour.test"])
        writer.commit_batch([NewImage(odd, "a" * 64)], {})
    export_space(made, "colour.test", tmp_path / "package", Identity("Works"))
    take_in(library, tmp_path / "package")
    found = library.get_collection("theirs").get_record(odd.image_id).record
    assert found.raw == odd.raw and found.creators == odd.creators
    assert found.title == 'Ecce homo � "x"'
    assert found.image_url == odd.image_url


def test_a_part_that_changes_after_its_proof_is_proved_again(tmp_path: Path) -> None:
    folder = package(tmp_path / "package")
    with open_features(str(folder)) as features:
        assert features.check()
        assert sum(len(batch) for batch in features.batches()) == len(WORKS)
        column("record", '{"title": 5}')(folder)
        with pytest.raises(PackageError, match="title is 5, expected text"):
            list(features.batches())


def test_large_imports_take_several_commits(
    library: LibraryStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = package(tmp_path / "package", n_parts=4)
    monkeypatch.setattr("bilderatlas.exchange.take_in.COMMIT_ITEMS", 2)
    report = take_in(library, folder)
    assert (report.added, report.vectors) == (len(WORKS), len(WORKS))
    works = library.get_collection("theirs")
    assert works.check() == []
    assert [image.image_id for image in works.iter_images()] == [work.image_id for work in WORKS]
    assert works.columns.codes("title")[1][-1] == f"Work {WORKS[-1].image_id}"
    assert take_in(library, folder).added == 0
