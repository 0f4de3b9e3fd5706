"""The exact engine over the rows of a real library, written in several segments."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bilderatlas.arrays import Metric
from bilderatlas.extractors import EXTRACTORS, ImageRows
from bilderatlas.records import Record
from bilderatlas.store.engines import ENGINES, select_top
from bilderatlas.store.images import NewImage
from bilderatlas.store.library import LibraryStore


def test_rows_are_scored_where_they_lie(tmp_path: Path) -> None:
    card = EXTRACTORS.get("raw_32.pixels").card
    pixels = np.random.default_rng(1).integers(0, 256, (9, card.dim)).astype(np.uint8)
    names = [f"work-{i}" for i in range(9)]
    store = LibraryStore.create(tmp_path / "library")
    try:
        collection = store.create_collection("drawings", source_kind="folder", source_address="x")
        with collection.writer() as writer:
            writer.ensure_space(card)
            for start in (0, 4, 7):  # three segments
                some = range(start, min(start + (4 if start == 0 else 3), 9))
                images = [NewImage(Record(names[i]), f"{i:064x}", "f", (8, 8)) for i in some]
                rows = [(names[i], ImageRows(pixels[i : i + 1])) for i in some]
                writer.commit_batch(images, {card.model_id: rows})
            writer.retire([names[5]])
        view = collection.space(card.model_id).snapshot()
        query = view.vectors_of(names[8])
        for metric in card.metrics:
            scores = ENGINES.get("exact").score(view, query, metric)[0]
            best = int(select_top(scores, 1)[0])
            assert view.columns.image_ids[view.ordinals[best]] == names[8]
        alive = np.flatnonzero(view.ordinals >= 0)
        assert len(alive) == 8
        distances = -ENGINES.get("exact").score(view, query, Metric.MANHATTAN, alive)[0]
        kept = np.delete(pixels, 5, axis=0).astype(int)
        assert distances.tolist() == np.abs(kept - pixels[8].astype(int)).sum(axis=1).tolist()
    finally:
        store.close()
