"""Random histories of a collection against a dictionary that is right by construction."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from bilderatlas.extractors.base import ImageRows
from bilderatlas.store.images import ImageState
from bilderatlas.store.library import LibraryStore
from bilderatlas.store.writer import CollectionWriter
from tests.store.building import (
    card,
    details_of,
    failed_image,
    new_image,
    rows_of,
    sha256_of,
)

MODELS = {"colour.test": rows_of, "details.test": details_of}
IDS = [f"i{number}" for number in range(8)]
some_ids = st.lists(st.sampled_from(IDS), min_size=1, max_size=5, unique=True)
models = st.sampled_from(sorted(MODELS))


class CollectionHistory(RuleBasedStateMachine):
    """What may happen to a collection, and what must hold after each of it."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.library = LibraryStore.create(Path(self.folder.name) / "library")
        self.collection = self.library.create_collection(
            "works", source_kind="folder", source_address="/"
        )
        self.contents: dict[str, int | None] = {}  # None: failed
        self.covered: dict[str, set[str]] = {}
        self.version = 0
        self.writer: CollectionWriter | None = None
        self.open_writer()

    def open_writer(self) -> None:
        self.writer = self.collection.writer()
        self.writer.ensure_space(card("colour.test", dtype="f16"))
        self.writer.ensure_space(card("details.test", dtype="u8", many_rows=True))

    @rule(ids=some_ids, content=st.integers(0, 2), spaces=st.sets(models))
    def commit(self, ids: list[str], content: int, spaces: set[str]) -> None:
        rows: dict[str, list[tuple[str, ImageRows]]] = {
            model: [(image_id, MODELS[model](image_id, content)) for image_id in ids]
            for model in sorted(spaces)
        }
        assert self.writer is not None
        self.writer.commit_batch([new_image(image_id, content) for image_id in ids], rows)
        for image_id in ids:
            if self.contents.get(image_id) != content:
                self.covered[image_id] = set()
            self.contents[image_id] = content
            self.covered[image_id] |= spaces

    @rule(ids=some_ids)
    def fail(self, ids: list[str]) -> None:
        assert self.writer is not None
        self.writer.commit_batch([failed_image(image_id) for image_id in ids], {})
        for image_id in ids:  # what was indexed stays
            self.contents.setdefault(image_id, None)
            self.covered.setdefault(image_id, set())

    @rule(model=models)
    def cover_what_is_missing(self, model: str) -> None:
        assert self.writer is not None
        missing = self.writer.missing(model)
        indexed = [i for i, content in self.contents.items() if content is not None]
        assert set(missing) == {i for i in indexed if model not in self.covered[i]}
        rows = [(i, MODELS[model](i, int(self.contents[i] or 0))) for i in missing]
        self.writer.commit_batch([], {model: rows})
        for image_id in missing:
            self.covered[image_id].add(model)

    @rule(ids=some_ids)
    def retire(self, ids: list[str]) -> None:
        assert self.writer is not None
        there = [image_id for image_id in ids if image_id in self.contents]
        self.writer.retire(there)
        for image_id in there:
            del self.contents[image_id], self.covered[image_id]

    @rule()
    def purge(self) -> None:
        assert self.writer is not None
        self.writer.purge()
        for model in MODELS:
            view = self.collection.space(model).snapshot()
            assert view.n_rows == view.n_live_rows

    @rule(clean=st.booleans())
    def reopen(self, clean: bool) -> None:
        assert self.writer is not None
        if clean:
            self.writer.close()
        else:
            self.writer.abandon()
        self.library.close()
        self.library = LibraryStore.open(self.library.root)
        self.collection = self.library.get_collection("works")
        self.open_writer()

    @invariant()
    def all_is_as_it_should_be(self) -> None:
        images = {image.image_id: image for image in self.collection.iter_images()}
        assert set(images) == set(self.contents)
        assert self.collection.n_images == len(images)
        n_failed = sum(content is None for content in self.contents.values())
        assert self.collection.n_failed == n_failed == len(list(self._failed()))
        assert self.collection.version >= self.version
        self.version = self.collection.version
        columns = self.collection.columns
        assert list(columns.image_ids) == sorted(images, key=lambda name: images[name].key)
        for model, rows_in in MODELS.items():
            view = self.collection.space(model).snapshot()
            assert np.array_equal(view.columns.keys, columns.keys)
            for image_id, content in self.contents.items():
                sha256 = None if content is None else sha256_of(image_id, content)
                assert images[image_id].content_sha256 == sha256
                expected = (
                    rows_in(image_id, content).vectors
                    if content is not None and model in self.covered[image_id]
                    else np.empty((0, view.dim))
                )
                assert np.array_equal(view.vectors_of(image_id), expected)
                is_covered = columns.ordinal_of(image_id) in view.covered_ordinals
                assert is_covered == (model in self.covered[image_id])

    def _failed(self) -> list[str]:
        failed = self.collection.iter_images(ImageState.FAILED)
        return [image.image_id for image in failed]

    def teardown(self) -> None:
        if getattr(self, "writer", None) is None:
            return
        assert self.writer is not None
        self.writer.close()
        kinds = {finding.kind for finding in self.collection.check()}
        assert kinds <= {"thumbnails"}  # these histories put none
        assert (len(self.collection.match_text("work")) > 0) == any(
            content is not None for content in self.contents.values()
        )
        self.library.close()
        self.folder.cleanup()


CollectionHistory.TestCase.settings = settings(
    max_examples=12,
    stateful_step_count=12,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestCollectionHistory = CollectionHistory.TestCase
