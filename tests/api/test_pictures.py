"""Queries are embedded by what is here now: no rows of old weights, no words of another side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import bilderatlas.api as ba
from bilderatlas.arrays import Embeddings, Metric, Pixels
from bilderatlas.errors import QueryError
from bilderatlas.extractors import EXTRACTORS, Card, Extractor, ImageRows
from bilderatlas.indexing import IndexOptions

NAME = "mean_colour.test"
CARD = Card(
    model_id=NAME,
    judges_by="mean colour",
    sees="Pictures are alike when their mean colours are.",
    dim=3,
    dtype="f32",
    metrics=(Metric.EUCLIDEAN,),
    side_px=64,
    preprocessing=({"step": "scale", "divide_by": 255},),
    weights_sha256="11" * 32,
    embeds_text=True,
    text_tower={"tokenizer_sha256": "aa" * 32, "template": "{}"},
)


class MeanColour(Extractor):
    """The mean colour times the weights; a word is as red as it is long."""

    card = CARD
    weights = 1.0

    def extract_batch(self, images: Sequence[Pixels]) -> list[ImageRows]:
        means = [one.mean(axis=(0, 1)) / 255 * self.weights for one in images]
        return [ImageRows(mean[None].astype(np.float32)) for mean in means]

    def embed_texts(self, texts: Sequence[str]) -> Embeddings:
        return np.array([[len(text) / 10, 0, 0] for text in texts], np.float32)


@pytest.fixture
def extractor(monkeypatch: pytest.MonkeyPatch) -> MeanColour:
    EXTRACTORS.names()
    made = MeanColour()
    monkeypatch.setitem(EXTRACTORS._members, NAME, made)
    return made


@pytest.fixture
def library(extractor: MeanColour, tmp_path: Path) -> Iterator[ba.Library]:
    (tmp_path / "works").mkdir()
    for name, colour in (("red", (255, 0, 0)), ("grey", (51, 51, 51)), ("white", (255,) * 3)):
        Image.new("RGB", (40, 30), colour).save(tmp_path / "works" / f"{name}.png")
    with ba.create(tmp_path / "library") as made:
        index(made, tmp_path)
        yield made


def index(library: ba.Library, folder: Path) -> None:
    options = IndexOptions(extractors=(NAME,), workers=1)
    ba.index(library, str(folder / "works"), "works", options=options)


def scores(library: ba.Library, **query: Any) -> dict[str, float]:
    hits = library["works"].search(extractor=NAME, metric="euclidean", **query)
    return {hit.image_id: round(hit.score, 4) for hit in hits}


@pytest.mark.parametrize(
    "change", [{"weights_sha256": "22" * 32}, {"version": 2}], ids=["weights", "version"]
)
def test_other_weights_embed_an_example_anew(
    library: ba.Library, extractor: MeanColour, tmp_path: Path, change: dict[str, Any]
) -> None:
    """An example from a file is remembered; a server that runs on must not mix two spaces."""
    upload = library.add_upload((tmp_path / "works" / "white.png").read_bytes())
    example = {"like": [upload.value]}
    assert max(scores(library, **example).values()) == 0.0
    extractor.weights, extractor.card = 3.0, replace(CARD, **change)
    index(library, tmp_path)
    assert max(scores(library, **example).values()) == 0.0  # white stands where white stands


def test_words_cut_by_another_tokenizer_are_refused_until_it_is_indexed(
    library: ba.Library, extractor: MeanColour, tmp_path: Path
) -> None:
    assert scores(library, text="ten letters")["red.png"] != 0
    for changed in (
        {"tokenizer_sha256": "bb" * 32, "template": "{}"},
        {"tokenizer_sha256": "aa" * 32, "template": "a painting of {}"},
    ):
        extractor.card = replace(CARD, text_tower=changed)
        with pytest.raises(QueryError, match="another than the space was made with"):
            scores(library, text="ten letters")
        assert scores(library, like=["red.png"])  # pictures are as they were
    extractor.card = replace(CARD, text_tower={"template": "{}"})
    assert scores(library, text="ten letters")  # what is not known cannot differ
    extractor.card = replace(CARD, text_tower=changed)
    index(library, tmp_path)
    assert scores(library, text="ten letters")
