"""A small museum in a real library: nine works whose embeddings are angles."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bilderatlas.arrays import Metric
from bilderatlas.errors import Failure
from bilderatlas.extractors.base import Card, ImageRows
from bilderatlas.records import Record
from bilderatlas.store.collection import CollectionStore
from bilderatlas.store.images import NewImage
from bilderatlas.store.library import LibraryStore

DEGREES = {"a0": 0, "a20": 20, "a40": 40, "a60": 60, "a80": 80, "a180": 180, "twin": 20}

ANGLES = Card(
    model_id="angles.fake",
    judges_by="the angle",
    sees="Works are alike whose hands point the same way.",
    dim=2,
    dtype="f32",
    metrics=(Metric.ANGULAR, Metric.EUCLIDEAN, Metric.MANHATTAN),
    side_px=1,
    preprocessing=(),
    weights_sha256="ab" * 32,
)
WORDS = Card(
    model_id="words.fake",
    judges_by="what words say",
    sees="Works are alike that one would call the same.",
    dim=3,
    dtype="f16",
    metrics=(Metric.DOT, Metric.ANGULAR),
    side_px=1,
    preprocessing=(),
    embeds_text=True,
)


def vector(degrees: float) -> np.ndarray:
    radians = math.radians(degrees)
    return np.array([[math.cos(radians), math.sin(radians)]], np.float32)


def image(image_id: str, **fields) -> NewImage:
    sha256 = image_id.encode().hex().ljust(64, "0")
    return NewImage(Record(image_id, **fields), content_sha256=sha256, size_wh=(30, 20))


@pytest.fixture
def museum(tmp_path: Path) -> Iterator[CollectionStore]:
    """Return the collection `museum`: seven works with an angle, one without, one that failed."""
    with LibraryStore.create(tmp_path / "library") as library:
        collection = library.create_collection(
            "museum", source_kind="folder", source_address="/nowhere"
        )
        years = {"a0": 1600, "a20": 1620, "a40": 1640, "a60": 1660, "a80": 1680}
        works = [
            image(
                each,
                title=f"Hand at {angle} degrees",
                school="Dutch" if angle < 50 else "Flemish",
                year_begin=years.get(each),
                year_end=years.get(each),
            )
            for each, angle in DEGREES.items()
        ]
        broken = NewImage(
            Record("broken", title="A torn page"),
            failure=Failure("broken", "decode", "truncated", "The file ends too early."),
        )
        rows = [(each, ImageRows(vector(angle))) for each, angle in DEGREES.items()]
        empty = ("blank", ImageRows(np.empty((0, 2), np.float32)))
        with collection.writer() as writer:
            writer.ensure_space(ANGLES)
            writer.commit_batch([*works, image("blank"), broken], {"angles.fake": [*rows, empty]})
        yield collection
