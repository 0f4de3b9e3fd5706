"""A plain `index` completes what it can, and leaves alone what it would have to destroy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bilderatlas.errors import UnavailableError
from bilderatlas.extractors import EXTRACTORS, ImageRows
from bilderatlas.indexing import IndexOptions, IndexReport, index_source
from bilderatlas.indexing.report import PlanSummary
from bilderatlas.sources import open_source
from bilderatlas.store.library import LibraryStore

RAW, PALETTE, CLIP = "raw_32.pixels", "palette_lab.pixels", "clip_vit_b32.openai"
MakeFolder = Callable[[int], Path]


def run(store: LibraryStore, folder: Path, *extractors: str) -> tuple[IndexReport, PlanSummary]:
    heard: list[PlanSummary] = []
    options = IndexOptions(extractors=extractors, workers=1, on_plan=heard.append)
    report = index_source(store, open_source(str(folder)), "works", options)
    return report, heard[0]


def published(store: LibraryStore, **facts: object) -> None:
    """Make a space of the collection one that came with a package, made otherwise than here."""
    card = replace(EXTRACTORS.get(PALETTE).card, taken_from="the package", **facts)  # type: ignore[arg-type]
    collection = store.get_collection("works")
    rows = collection.space(PALETTE).snapshot()
    kept = {one: rows.vectors_of(one) for one in rows.columns.image_ids}
    with collection.writer() as writer:
        writer.ensure_space(card)
        writer.commit_batch(
            [], {PALETTE: [(one, ImageRows(np.ones_like(row))) for one, row in kept.items()]}
        )


def test_vectors_from_a_package_are_not_replaced_unasked(
    store: LibraryStore, make_folder: MakeFolder
) -> None:
    folder = make_folder(3)
    run(store, folder, RAW, PALETTE)
    published(store, version=99)
    report, summary = run(store, folder)
    assert report.spaces == [RAW]
    assert any(PALETTE in note and "the package" in note for note in summary.notes)
    space = store.get_collection("works").space(PALETTE)
    assert space.card_json["version"] == 99
    assert (space.snapshot().vectors_of("work-000.png") == 1).all()
    run(store, folder, PALETTE)  # named: then it is asked for
    space = store.get_collection("works").space(PALETTE)
    assert space.card_json["version"] == EXTRACTORS.get(PALETTE).card.version
    assert not (space.snapshot().vectors_of("work-000.png") == 1).all()


def test_a_space_without_its_weights_does_not_hold_up_the_others(
    store: LibraryStore, make_folder: MakeFolder
) -> None:
    folder = make_folder(2)
    run(store, folder, RAW)
    with store.get_collection("works").writer() as writer:
        writer.ensure_space(EXTRACTORS.get(CLIP).card)
    report, summary = run(store, folder)
    assert report.spaces == [RAW]
    assert any(CLIP in note and "extractors fetch" in note for note in summary.notes)


def test_nothing_that_can_be_completed_is_an_error(
    store: LibraryStore, make_folder: MakeFolder
) -> None:
    folder = make_folder(2)
    run(store, folder, RAW)
    collection = store.get_collection("works")
    with collection.writer() as writer:
        writer.ensure_space(replace(EXTRACTORS.get(RAW).card, version=99, taken_from="a package"))
    with pytest.raises(UnavailableError, match=r"--extractor raw_32\.pixels"):
        run(store, folder)
