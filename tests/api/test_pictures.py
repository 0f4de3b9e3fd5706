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
from bilderatlas.search.query import Part, PartKind, Query, parse_part

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


# Datasets changed in the middle of a search


@pytest.fixture
def others(library: ba.Library, tmp_path: Path) -> ba.Library:
    """Return the library with a second collection, `others`, of one pale picture."""
    (tmp_path / "others").mkdir()
    Image.new("RGB", (40, 30), (250, 240, 240)).save(tmp_path / "others" / "pale.png")
    options = IndexOptions(extractors=(NAME,), workers=1)
    ba.index(library, str(tmp_path / "others"), "others", options=options)
    return library


def refuse_all(images: Sequence[Pixels]) -> list[ImageRows]:
    raise AssertionError("a picture was embedded anew")


def test_what_another_collection_knows_is_carried_over(
    others: ba.Library, extractor: MeanColour, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(extractor, "extract_batch", refuse_all)
    (tmp_path / "others" / "pale.png").unlink()
    hits = others["works"].search(like="others/pale.png", extractor=NAME)
    assert hits[0].image_id == "white.png"
    assert hits.inactive == ()


def test_a_region_of_a_foreign_picture_is_embedded_anew(
    others: ba.Library, extractor: MeanColour, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extractor, "extract_batch", refuse_all)
    with pytest.raises(AssertionError, match="embedded anew"):
        others["works"].search(like="others/pale.png@0.1,0.1,0.5,0.5", extractor=NAME)


def test_a_space_made_otherwise_is_not_carried_over(
    library: ba.Library, extractor: MeanColour, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "others").mkdir()
    Image.new("RGB", (40, 30), (255, 0, 0)).save(tmp_path / "others" / "red too.png")
    options = IndexOptions(extractors=(NAME,), workers=1)
    monkeypatch.setattr(extractor, "card", replace(CARD, weights_sha256="22" * 32))
    monkeypatch.setattr(extractor, "weights", -1.0)  # else it would be found among others' rows
    ba.index(library, str(tmp_path / "others"), "others", options=options)
    monkeypatch.undo()
    monkeypatch.setitem(EXTRACTORS._members, NAME, extractor)
    assert scores(library, like="others/red too.png")["red.png"] == 0.0


def test_a_foreign_picture_that_is_gone_stays_with_its_reason(others: ba.Library) -> None:
    named = ("red.png", "others/none.png", "gone/x.png", "upload:" + "f" * 64)
    query = Query(parts=tuple(map(parse_part, named)), model_id=NAME)
    hits = others["works"].run(query)
    assert [each.part for each in hits.inactive] == list(named[1:])
    assert "There is no image 'others/none.png'" in hits.inactive[0].reason
    assert "There is no image 'gone/x.png'" in hits.inactive[1].reason
    assert hits.query.parts == query.parts


def test_criteria_are_mixed_in_a_library(others: ba.Library) -> None:
    works = others["works"]
    options = IndexOptions(extractors=("raw_32.pixels",), workers=1)
    ba.index(others, works.info.source_address, "works", options=options)
    query = Query(
        parts=(parse_part("others/pale.png"), Part(PartKind.TEXT, "hand")),
        blend=((NAME, 1.0), ("raw_32.pixels", 2.0)),
    )
    hits = works.run(query)
    assert [each.model_id for each in hits.criteria] == [NAME, "raw_32.pixels"]
    assert hits[0].image_id == "white.png"
    assert any("the part 'hand' took no part" in note for note in hits.notes)
