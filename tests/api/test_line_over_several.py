"""The stop line of several collections: drawn once over all, and facets and groups follow it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from bilderatlas.api import Library
from bilderatlas.api import open as open_library
from bilderatlas.arrays import Metric, unit_rows
from bilderatlas.extractors.base import Card, ImageRows
from bilderatlas.records import Record
from bilderatlas.search.query import Part, PartKind, Query
from bilderatlas.store.images import NewImage
from bilderatlas.store.library import LibraryStore

NAMES = ("first", "second")
N_WORKS = 150
SCHOOLS = ("Dutch", "Flemish", "French")
CARD = Card(
    model_id="directions.fake",
    judges_by="the direction",
    sees="Works are alike that point the same way.",
    dim=32,
    dtype="f32",
    metrics=(Metric.ANGULAR,),
    side_px=1,
    preprocessing=(),
)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """Return two collections of random directions, some of which lie more or less near to one."""
    root = tmp_path_factory.mktemp("two") / "library"
    random = np.random.default_rng(5)
    with LibraryStore.create(root) as store:
        for name, n_near in zip(NAMES, (4, 24), strict=True):
            vectors = random.standard_normal((N_WORKS, CARD.dim))
            vectors[:n_near, 0] += np.linspace(2, 9, n_near)
            rows = [
                (f"{name}{number}", ImageRows(row[np.newaxis]))
                for number, row in enumerate(unit_rows(vectors.astype(np.float32)))
            ]
            images = [
                NewImage(
                    Record(
                        image_id, school=SCHOOLS[number % 3], year_begin=1500 + 50 * (number % 5)
                    ),
                    content_sha256=image_id.encode().hex().ljust(64, "0"),
                    size_wh=(30, 20),
                )
                for number, (image_id, _) in enumerate(rows)
            ]
            made = store.create_collection(name, source_kind="folder", source_address="/nowhere")
            with made.writer() as writer:
                writer.ensure_space(CARD)
                writer.commit_batch(images, {CARD.model_id: rows})
    with open_library(root) as opened:
        yield opened


def lined(library: Library) -> Query:
    """Return a question whose line is not the sum of the two collections' own lines."""
    for image_id in library["first"].store.columns.image_ids:
        query = Query(parts=(Part(PartKind.IMAGE, image_id),), k=300)
        hits = library.search_several(NAMES, query)
        own = sum(int(one.stop.n_better) for one in hits.answers if one.stop)
        if hits.stop and hits.stop.n_better and hits.stop.n_better != own:
            return query
    raise AssertionError("all lines agree: draw other directions")


def n_of(library: Library, query: Query) -> int:
    hits = library.search_several(NAMES, query)
    return hits.stop.n_better if hits.stop else hits.n_candidates


def test_facets_count_what_choosing_them_gives(library: Library) -> None:
    query = lined(library)
    hits = library.search_several(NAMES, query)
    facets = [one for one in library.facets(hits, 4) if one.kind == "values"]
    counted = [(facet.column, one.value, one.n) for facet in facets for one in facet.values]
    assert counted
    for column, value, n in counted:
        chosen = Query(parts=query.parts, k=300, facets=((column, value),))
        answer = library.search_several(NAMES, chosen)
        above = [hit for hit in answer if hit.score >= answer.stop.threshold]
        assert len(above) == n == answer.stop.n_better


def test_groups_hold_what_stands_above_the_line(library: Library) -> None:
    query = lined(library)
    hits = library.search_several(NAMES, query)
    assert sum(one.n for one in library.grouped(hits, "century")) == hits.stop.n_better


def test_no_line_where_not_even_a_perfect_work_would_stand_out(library: Library) -> None:
    for image_id in library["first"].store.columns.image_ids[:40]:
        query = Query(parts=(Part(PartKind.IMAGE, image_id),), k=1)
        hits = library.search_several(NAMES, query)
        pools = [one.pool for one in hits.answers]
        assert [one.perfect for one in pools] == [1, 1]  # nothing is nearer than itself
        assert hits.stop is None or hits.stop.threshold <= 1
