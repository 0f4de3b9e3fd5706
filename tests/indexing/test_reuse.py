"""The same content under the same card is embedded once, whatever collection it comes in."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np

from bilderatlas.arrays import Pixels
from bilderatlas.extractors import EXTRACTORS, Card, Extractor, ImageRows
from bilderatlas.images.decoder import DecodedImage
from bilderatlas.indexing import IndexOptions, IndexReport, index_source
from bilderatlas.indexing.extract import BatchExtractor, Fetched
from bilderatlas.indexing.report import PlanSummary
from bilderatlas.records import Record
from bilderatlas.sources import open_source
from bilderatlas.store.library import LibraryStore
from bilderatlas.store.reuse import KnownRows

RAW, PALETTE, DETAILS = "raw_32.pixels", "palette_lab.pixels", "details_sift.pixels"
MakeFolder = Callable[[int], Path]


def run(
    store: LibraryStore, folder: Path, name: str, *extractors: str, **options: object
) -> IndexReport:
    asked = IndexOptions(extractors=extractors, workers=1, **options)  # type: ignore[arg-type]
    return index_source(store, open_source(str(folder)), name, asked)


def rows_of(store: LibraryStore, name: str, model_id: str) -> dict[str, np.ndarray]:
    view = store.get_collection(name).space(model_id).snapshot()
    return {
        image_id: view.vectors_at(view.rows_of(image_id)) for image_id in view.columns.image_ids
    }


def test_a_copy_elsewhere_is_not_embedded_again(
    store: LibraryStore, make_folder: MakeFolder, tmp_path: Path
) -> None:
    first = make_folder(5)
    run(store, first, "first", RAW, DETAILS)
    second = tmp_path / "elsewhere"
    shutil.copytree(first, second)
    (second / "work-000.png").rename(second / "renamed.png")
    report = run(store, second, "second", RAW, DETAILS, PALETTE)
    assert (report.added, report.reused, report.failed) == (5, 10, 0)  # the palette is new
    for model_id in (RAW, DETAILS):
        old, new = rows_of(store, "first", model_id), rows_of(store, "second", model_id)
        assert np.array_equal(new.pop("renamed.png"), old.pop("work-000.png"))
        assert old.keys() == new.keys()
        assert all(np.array_equal(old[one], new[one]) for one in old)
    geometry = store.get_collection("second").space(DETAILS).snapshot()
    assert geometry.geometry_at(np.arange(3)) is not None


def test_a_further_space_that_another_collection_has_needs_no_picture(
    store: LibraryStore, make_folder: MakeFolder, tmp_path: Path
) -> None:
    first = make_folder(4)
    second = tmp_path / "elsewhere"
    shutil.copytree(first, second)
    run(store, first, "first", RAW, PALETTE)
    run(store, second, "second", RAW)
    heard: list[PlanSummary] = []
    report = run(store, second, "second", RAW, PALETTE, on_plan=heard.append)
    assert heard == [PlanSummary(n_new=0, n_changed=0, n_read_again=0)]
    assert (report.completed, report.reused, report.added) == (4, 4, 0)
    assert rows_of(store, "second", PALETTE).keys() == rows_of(store, "first", PALETTE).keys()


def test_a_further_space_says_first_how_many_pictures_are_read_again(
    store: LibraryStore, make_folder: MakeFolder
) -> None:
    folder = make_folder(4)
    run(store, folder, "works", RAW)
    (folder / "work-001.png").unlink()
    shutil.copy(folder / "work-000.png", folder / "a-new-one.png")
    heard: list[PlanSummary] = []
    report = run(store, folder, "works", RAW, PALETTE, on_plan=heard.append)
    assert heard == [PlanSummary(n_new=1, n_changed=0, n_read_again=3)]
    assert (report.completed, report.added, report.retired) == (3, 1, 1)
    assert report.reused >= 1  # the new one is a copy of one that is there


def test_another_version_of_a_card_is_another_space(
    store: LibraryStore, make_folder: MakeFolder
) -> None:
    run(store, make_folder(2), "works", RAW)
    collection = store.get_collection("works")
    contents = [str(one.content_sha256) for one in collection.iter_images()]
    card = EXTRACTORS.get(RAW).card
    known = KnownRows(store)
    assert known.find(card, contents).keys() == set(contents)
    assert known.find(card, ["0" * 64]) == {}
    assert known.find(replace(card, version=card.version + 1), contents) == {}
    assert known.find(replace(card, weights_sha256="0" * 64), contents) == {}
    with collection.writer() as writer:
        writer.retire([one.image_id for one in collection.iter_images()])
    assert known.find(card, contents) == {}


def test_rows_that_came_from_elsewhere_are_not_passed_on(
    store: LibraryStore, make_folder: MakeFolder
) -> None:
    run(store, make_folder(3), "works", RAW)
    collection = store.get_collection("works")
    contents = [str(one.content_sha256) for one in collection.iter_images()]
    card = EXTRACTORS.get(RAW).card
    with collection.writer() as writer:
        writer.ensure_space(replace(card, taken_from="https://example.org/features"))
    assert KnownRows(store).find(card, contents) == {}
    run(store, store.root.parent / "pictures", "works", RAW)  # our own card does not wash it clean
    assert KnownRows(store).find(card, contents) == {}


def test_rows_of_a_lower_precision_are_made_again(
    store: LibraryStore, make_folder: MakeFolder
) -> None:
    run(store, make_folder(2), "works", RAW)
    collection = store.get_collection("works")
    contents = [str(one.content_sha256) for one in collection.iter_images()]
    card = EXTRACTORS.get(RAW).card
    exact, rough = (replace(card, computed=(f"{one} on cpu",)) for one in ("fp32", "bf16"))
    with collection.writer() as writer:
        writer.ensure_space(exact)
    assert len(KnownRows(store).find(rough, contents)) == 2  # better than what is asked for
    with collection.writer() as writer:
        writer.ensure_space(rough)
    assert collection.space(RAW).card_json["computed"] == ["bf16 on cpu", "fp32 on cpu"]
    assert KnownRows(store).find(exact, contents) == {}
    assert len(KnownRows(store).find(rough, contents)) == 2


def test_damaged_rows_are_embedded_again(
    store: LibraryStore, make_folder: MakeFolder, tmp_path: Path
) -> None:
    folder = make_folder(3)
    run(store, folder, "works", RAW)
    collection = store.get_collection("works")
    [path] = collection.space_folder(RAW).glob("vectors-*")
    content = bytearray(path.read_bytes())
    content[5] ^= 1
    path.write_bytes(bytes(content))
    second = tmp_path / "elsewhere"
    shutil.copytree(folder, second)
    report = run(store, second, "second", RAW)
    assert (report.added, report.reused) == (3, 0)
    assert store.get_collection("second").check() == []


class Corner(Extractor):
    """The colour of the corner, and how often it was asked."""

    card = Card("corner.fake", "corner", "The corner.", 3, "f32", ("euclidean",), 8, ({},))

    def __init__(self) -> None:
        self.n_embedded = 0

    def extract_batch(self, images: Sequence[Pixels]) -> list[ImageRows]:
        self.n_embedded += len(images)
        return [ImageRows(image[:1, 0].astype(np.float32)) for image in images]


def test_copies_within_one_batch_are_embedded_once(store: LibraryStore) -> None:
    corner = Corner()
    pixels = [np.full((2, 2, 3), shade, np.uint8) for shade in (10, 20)]
    batch = [
        (
            Fetched(Record(image_id=str(place)), "ab"[shade] * 64),
            DecodedImage(pixels[shade], (2, 2), "PNG", 1, {}, {}),
        )
        for place, shade in enumerate((0, 1, 0, 0))
    ]
    with ThreadPoolExecutor(2) as threads:
        extractor = BatchExtractor(KnownRows(store), [corner], threads, 2, lambda *_: True)
        rows = extractor.extract(batch).rows
    assert corner.n_embedded == 2
    assert [float(one["corner.fake"].vectors[0, 0]) for one in rows] == [10, 20, 10, 10]
