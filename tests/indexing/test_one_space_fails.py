"""What one extractor cannot do costs its own space, and damaged weights cost no picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from bilderatlas.arrays import Pixels
from bilderatlas.errors import WeightsError
from bilderatlas.extractors import Card, Extractor, ImageRows
from bilderatlas.extractors.base import EXTRACTORS
from bilderatlas.indexing import IndexOptions, IndexReport, index_source
from bilderatlas.sources import open_source
from bilderatlas.store.library import LibraryStore

RAW = "raw_32.pixels"


class DarkOnly(Extractor):
    """The mean of a dark picture; a bright one is more than it can bear."""

    card = Card("dark_only.fake", "darkness", "Darkness.", 1, "f32", ("euclidean",), 8, ({},))

    def is_default_for(self, source_kind: str) -> bool:
        return False

    def extract_batch(self, images: Sequence[Pixels]) -> list[ImageRows]:
        means = [float(image.mean()) for image in images]
        if max(means) > 127:
            raise ValueError("too bright")
        return [ImageRows(np.array([[mean]], np.float32)) for mean in means]


class Damaged(DarkOnly):
    """Finds its weights damaged as soon as it is used."""

    card = Card("damaged.fake", "nothing", "Nothing.", 1, "f32", ("euclidean",), 8, ({},))

    def extract_batch(self, images: Sequence[Pixels]) -> list[ImageRows]:
        raise WeightsError("sha256", "Cannot use the weights: they have another sha256.")


@pytest.fixture
def fakes() -> Iterator[None]:
    """Register two extractors for the time of a test."""
    EXTRACTORS.names()  # the built-in ones first
    for fake in (DarkOnly(), Damaged()):
        EXTRACTORS.register(fake.card.model_id, fake)
    yield
    for name in ("dark_only.fake", "damaged.fake"):
        EXTRACTORS.forget(name)


def run(store: LibraryStore, folder: Path, *extractors: str) -> IndexReport:
    options = IndexOptions(extractors=extractors, workers=1)
    return index_source(store, open_source(str(folder)), "works", options)


def paint_shades(folder: Path, shades: Sequence[int]) -> Path:
    from PIL import Image

    folder.mkdir()
    for shade in shades:
        Image.new("RGB", (8, 8), (shade, shade, shade)).save(folder / f"shade-{shade:03d}.png")
    return folder


@pytest.mark.usefixtures("fakes")
def test_a_picture_that_one_extractor_cannot_read_is_in_the_other_spaces(
    store: LibraryStore, tmp_path: Path
) -> None:
    folder = paint_shades(tmp_path / "shades", (10, 250, 20))
    report = run(store, folder, RAW, "dark_only.fake")
    assert report.failed == 1 and "too bright" in report.failures[0].reason
    works = store.get_collection("works")
    assert works.space(RAW).n_images == 3
    assert works.space("dark_only.fake").n_images == 2
    again = run(store, folder, RAW, "dark_only.fake")  # it is tried again, and told again
    assert (again.failed, again.unchanged) == (1, 2)
    assert works.space(RAW).n_images == 3


@pytest.mark.usefixtures("fakes")
def test_damaged_weights_end_the_run_and_blame_no_picture(
    store: LibraryStore, tmp_path: Path
) -> None:
    folder = paint_shades(tmp_path / "shades", (10, 20))
    with pytest.raises(WeightsError, match="another sha256"):
        run(store, folder, RAW, "damaged.fake")
    report = run(store, folder, RAW)
    assert (report.added, report.failed) == (2, 0)
    assert store.get_collection("works").failures() == []
