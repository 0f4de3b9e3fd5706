"""The engine for local features: votes, and the derived files behind them."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from bilderatlas.errors import SpaceMismatchError
from bilderatlas.store.engines import descriptor_parts as parts_
from bilderatlas.store.engines.descriptors import (
    N_NEIGHBOURS,
    SCANNED_ROWS,
    DescriptorEngine,
    weigh_votes,
)

DIM = 128


@dataclass
class FakeSegment:
    """Rows of whole images, as a segment shows them; its checksum is its number."""

    number: int
    vectors: np.ndarray

    @property
    def entry(self) -> Any:
        files = {"vectors": SimpleNamespace(crc32=self.number)}
        return SimpleNamespace(number=self.number, n_rows=len(self.vectors), files=files)


@dataclass
class FakeView:
    """A view whose rows can be made up; `ordinals` −1 is a dead row."""

    segments: Sequence[FakeSegment]
    ordinals: np.ndarray
    model_id: str = "details.fake"
    dim: int = DIM
    n_rows: int = field(init=False)

    def __post_init__(self) -> None:
        self.n_rows = len(self.ordinals)


def descriptors(n: int, seed: int) -> np.ndarray:
    """Return random directions of length 512, as bytes."""
    random = np.random.default_rng(seed)
    vectors = random.exponential(1, (n, DIM)) ** 2
    vectors *= 512 / np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.minimum(vectors, 255).astype(np.uint8)


def view_of(n_images: int, rows_each: int, *, n_segments: int = 1, seed: int = 0) -> FakeView:
    vectors = descriptors(n_images * rows_each, seed)
    ordinals = np.repeat(np.arange(n_images, dtype=np.int32), rows_each)
    segments = [
        FakeSegment(number, part)
        for number, part in enumerate(np.array_split(vectors, n_segments), 1)
    ]
    return FakeView(segments, ordinals)


def rows_of(view: FakeView, ordinal: int, noise: float = 6.0) -> np.ndarray:
    vectors = np.concatenate([segment.vectors for segment in view.segments])
    rows = vectors[view.ordinals == ordinal].astype(np.float64)
    rows += np.random.default_rng(1).normal(0, noise, rows.shape)
    return np.clip(rows, 0, 255).astype(np.uint8)


SMALL = view_of(30, 40)
LARGE = view_of(60, 340, n_segments=4)
assert LARGE.n_rows > SCANNED_ROWS


def test_votes_by_hand() -> None:
    ordinals = np.array([0, 0, 1, 2], np.int32)
    distances = np.array([[100.0, 200.0, 400.0], [100.0, 300.0, 400.0]], np.float32)
    rows = np.array([[0, 2, 3], [0, 1, 3]])
    # Row 0 is voted for twice and counts once; row 1 is another row of the same image.
    votes = weigh_votes(distances, rows, ordinals, 4)
    np.testing.assert_allclose(votes, [0.75 + 0.25, 0.5, 0, 0])


def test_a_descriptor_votes_once_for_an_image() -> None:
    ordinals = np.array([0, 0, 1], np.int32)
    votes = weigh_votes(
        np.array([[100.0, 100.0, 400.0]], np.float32), np.array([[0, 1, 2]]), ordinals, 2
    )
    np.testing.assert_allclose(votes, [0.75, 0])


def test_missing_neighbours_do_not_vote() -> None:
    distances = np.array([[100.0, np.inf, np.inf]], np.float32)
    votes = weigh_votes(distances, np.array([[0, -1, -1]]), np.zeros(1, np.int32), 1)
    assert votes[0] == pytest.approx(1 - 100 / 380)


@pytest.mark.parametrize("view", [SMALL, LARGE], ids=["scanned", "indexed"])
@pytest.mark.parametrize("exact", [True, False])
def test_the_image_that_is_asked_for_comes_first(view: FakeView, exact: bool) -> None:
    n_images = int(view.ordinals.max()) + 1
    engine = DescriptorEngine()
    for ordinal in (0, 7, n_images - 1):
        votes = engine.votes(view, rows_of(view, ordinal), n_images=n_images, exact=exact)
        assert votes.shape == (n_images,)
        assert votes.argmax() == ordinal
        assert votes[ordinal] > 10 * np.sort(votes)[-2]


def test_index_and_scan_agree_on_the_best() -> None:
    engine = DescriptorEngine()
    query = np.concatenate([rows_of(LARGE, 3)[:150], rows_of(LARGE, 9)[:80]])
    scanned = engine.votes(LARGE, query, n_images=60, exact=True)
    indexed = engine.votes(LARGE, query, n_images=60)
    assert np.argsort(-scanned)[:2].tolist() == np.argsort(-indexed)[:2].tolist() == [3, 9]
    assert indexed[3] > 0.7 * scanned[3]


@pytest.mark.parametrize("view", [SMALL, LARGE], ids=["scanned", "indexed"])
def test_what_is_not_allowed_gets_no_vote(view: FakeView) -> None:
    n_images = int(view.ordinals.max()) + 1
    allowed = np.ones(n_images, np.bool_)
    allowed[[5, 6]] = False
    votes = DescriptorEngine().votes(view, rows_of(view, 5), n_images=n_images, allowed=allowed)
    assert votes[5] == votes[6] == 0


@pytest.mark.parametrize("view", [SMALL, LARGE], ids=["scanned", "indexed"])
def test_dead_rows_get_no_vote(view: FakeView) -> None:
    n_images = int(view.ordinals.max()) + 1
    ordinals = np.where(view.ordinals == 5, np.int32(-1), view.ordinals)
    buried = FakeView(view.segments, ordinals)
    votes = DescriptorEngine().votes(buried, rows_of(view, 5), n_images=n_images)
    assert votes[5] == 0
    assert votes.max() < 0.3 * len(rows_of(view, 5))


def test_nothing_to_ask_or_to_find() -> None:
    engine = DescriptorEngine()
    none = np.empty((0, DIM), np.uint8)
    assert not engine.votes(SMALL, none, n_images=30).any()
    assert not engine.votes(FakeView([], np.empty(0, np.int32)), none, n_images=3).any()
    nobody = np.zeros(30, np.bool_)
    assert not engine.votes(SMALL, rows_of(SMALL, 1), n_images=30, allowed=nobody).any()


def test_fewer_rows_than_neighbours() -> None:
    view = view_of(2, 3)
    assert view.n_rows < N_NEIGHBOURS
    assert DescriptorEngine().votes(view, rows_of(view, 1), n_images=2).argmax() == 1


def test_another_dimension_is_refused() -> None:
    with pytest.raises(SpaceMismatchError, match=r"dimension 64 .* 128"):
        DescriptorEngine().votes(SMALL, np.zeros((5, 64), np.uint8), n_images=30)


def test_many_copies_of_one_print_are_no_background() -> None:
    vectors = descriptors(100, 3)
    copies = np.concatenate([vectors] * 14 + [descriptors(2000, 4)])
    ordinals = np.concatenate([np.repeat(np.arange(14), 100), np.full(2000, 14)]).astype(np.int32)
    votes = DescriptorEngine().votes(
        FakeView([FakeSegment(1, copies)], ordinals), vectors, n_images=15
    )
    assert votes[:14].sum() > 100
    assert votes[14] == 0


# Derived files


def test_files_are_written_once_and_read_again(tmp_path: Path) -> None:
    folder = tmp_path / "engine"
    query = rows_of(LARGE, 11)
    written = DescriptorEngine(folder).votes(LARGE, query, n_images=60)
    names = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert parts_.MANIFEST in names
    assert not [name for name in names if name.startswith("tmp-")]
    read = DescriptorEngine(folder, read_only=True).votes(LARGE, query, n_images=60)
    np.testing.assert_array_equal(read, written)
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == names


def test_the_same_rows_give_the_same_index(tmp_path: Path) -> None:
    query = rows_of(LARGE, 20, noise=25)
    votes = [
        DescriptorEngine(tmp_path / name).votes(LARGE, query, n_images=60) for name in ("a", "b")
    ]
    np.testing.assert_array_equal(*votes)


def test_new_segments_are_added_to_what_is_there(tmp_path: Path) -> None:
    folder = tmp_path / "engine"
    first = view_of(100, 420, n_segments=2, seed=5)
    DescriptorEngine(folder).build(first)
    added = FakeSegment(3, descriptors(20_800, 6))
    ordinals = np.concatenate([first.ordinals, np.repeat(np.arange(100, 152), 400)])
    grown = FakeView([*first.segments, added], ordinals.astype(np.int32))
    votes = DescriptorEngine(folder).votes(grown, rows_of(grown, 120), n_images=152)
    assert votes.argmax() == 120
    manifest = parts_.read_manifest(folder)
    assert manifest is not None
    assert [part.n_rows for part in manifest.parts] == [42_000, 20_800]


def test_a_short_tail_is_scanned_and_a_long_one_indexed_anew(tmp_path: Path) -> None:
    folder = tmp_path / "engine"
    DescriptorEngine(folder).build(LARGE)
    before = parts_.read_manifest(folder)
    tail = FakeSegment(5, descriptors(800, 8))
    ordinals = np.concatenate([LARGE.ordinals, np.repeat([60, 61], 400)]).astype(np.int32)
    longer = FakeView([*LARGE.segments, tail], ordinals)
    votes = DescriptorEngine(folder).votes(longer, rows_of(longer, 61), n_images=62)
    assert votes.argmax() == 61
    assert parts_.read_manifest(folder) == before
    many = FakeSegment(6, descriptors(22_000, 10))
    ordinals = np.concatenate([ordinals, np.repeat(np.arange(62, 117), 400)]).astype(np.int32)
    longest = FakeView([*longer.segments, many], ordinals)
    votes = DescriptorEngine(folder).votes(longest, rows_of(longest, 100), n_images=117)
    assert votes.argmax() == 100
    after = parts_.read_manifest(folder)
    assert after is not None and before is not None
    assert after.generation != before.generation
    assert sum(part.n_rows for part in after.parts) == longest.n_rows


@pytest.mark.parametrize("harm", ["gone", "cut", "noise", "manifest"])
def test_damaged_files_are_built_again(tmp_path: Path, harm: str) -> None:
    folder = tmp_path / "engine"
    DescriptorEngine(folder).build(LARGE)
    manifest = parts_.read_manifest(folder)
    assert manifest is not None
    lists = folder / manifest.parts[0].file
    if harm == "gone":
        lists.unlink()
    elif harm == "cut":
        lists.write_bytes(lists.read_bytes()[:-100])
    elif harm == "noise":
        (folder / manifest.coarse).write_bytes(b"no index at all")
    else:
        (folder / parts_.MANIFEST).write_text("{", "utf-8")
    votes = DescriptorEngine(folder).votes(LARGE, rows_of(LARGE, 2), n_images=60)
    assert votes.argmax() == 2
    again = parts_.read_manifest(folder)
    assert again is not None
    assert again.generation != manifest.generation


def test_purged_segments_make_a_new_generation(tmp_path: Path) -> None:
    folder = tmp_path / "engine"
    DescriptorEngine(folder).build(LARGE)
    vectors = np.concatenate([segment.vectors for segment in LARGE.segments])
    kept = LARGE.ordinals != 4
    purged = FakeView([FakeSegment(9, vectors[kept])], LARGE.ordinals[kept])
    votes = DescriptorEngine(folder).votes(purged, rows_of(LARGE, 50), n_images=60)
    assert votes.argmax() == 50
    manifest = parts_.read_manifest(folder)
    assert manifest is not None
    assert manifest.parts[0].segments == (parts_.identity_of(purged.segments[0]),)


def test_the_recall_is_measured_and_kept(tmp_path: Path) -> None:
    engine = DescriptorEngine(tmp_path / "engine")
    assert engine.recall is None
    engine.build(LARGE)
    manifest = parts_.read_manifest(tmp_path / "engine")
    assert manifest is not None
    assert engine.recall == manifest.recall
    assert engine.recall is not None and 0 < engine.recall < 1
    again = DescriptorEngine(tmp_path / "engine", read_only=True)
    again.build(LARGE)
    assert again.recall == engine.recall


def test_a_measured_recall_of_one_is_that_of_an_index_that_misses_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shares = []
    for n_probes in (2, 8, parts_.list_count(LARGE.n_rows)):  # the last looks into every list
        monkeypatch.setattr("bilderatlas.store.engines.descriptors._N_PROBES", n_probes)
        engine = DescriptorEngine()
        engine.build(LARGE)
        shares.append(engine.recall)
    assert shares[0] < shares[1] < shares[2] == 1.0


def test_who_is_asked_says_whether_all_was_compared() -> None:
    engine = DescriptorEngine()
    few = np.arange(60) < 5
    assert engine.compares_all(SMALL, None, exact=False)
    assert not engine.compares_all(LARGE, None, exact=False)
    assert engine.compares_all(LARGE, None, exact=True)
    assert engine.compares_all(LARGE, few, exact=False)


def test_old_generations_are_swept_when_nobody_may_be_writing_them(tmp_path: Path) -> None:
    folder = tmp_path / "engine"
    DescriptorEngine(folder).build(LARGE)
    old, young = folder / "lists-old-1.faiss", folder / "tmp-1-lists-new-1.faiss"
    for path in (old, young):
        path.write_bytes(b"left behind")
    os.utime(old, (0, 0))
    DescriptorEngine(folder).build(LARGE)
    assert not old.exists()
    assert young.exists()


def test_a_manifest_of_another_format_is_not_read(tmp_path: Path) -> None:
    folder = tmp_path / "engine"
    DescriptorEngine(folder).build(LARGE)
    path = folder / parts_.MANIFEST
    content = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps(content | {"format": parts_.FORMAT + 1}), "utf-8")
    assert parts_.read_manifest(folder) is None


def test_large_collections_are_cut_into_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts_, "PART_ROWS", 6000)
    engine = DescriptorEngine(tmp_path / "engine")
    votes = engine.votes(LARGE, rows_of(LARGE, 33), n_images=60)
    assert votes.argmax() == 33
    manifest = parts_.read_manifest(tmp_path / "engine")
    assert manifest is not None
    assert [part.n_rows for part in manifest.parts] == [5100] * 4


def test_a_build_needs_no_disk_below_the_scanned_size(tmp_path: Path) -> None:
    DescriptorEngine(tmp_path / "engine").build(SMALL)
    assert not (tmp_path / "engine").exists()
