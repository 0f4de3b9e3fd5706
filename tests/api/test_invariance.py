"""Tests of criteria on a small collection whose invariances are known beforehand."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from sqlalchemy import update

import bilderatlas.api as ba
from bilderatlas.api.comparison import choose_examples, compare_criteria
from bilderatlas.api.invariance import (
    FILE_NAME,
    TestOptions,
    find_invariances,
    find_test_job,
    measure_invariances,
    run_test,
    submit_invariances,
)
from bilderatlas.errors import QueryError, UnavailableError, UnknownNameError
from bilderatlas.evaluation.invariance import Effect, Invariances
from bilderatlas.indexing import IndexOptions
from bilderatlas.jobs import JobState
from bilderatlas.store.schema import spaces

PALETTE, RAW, DETAILS = "palette_lab.pixels", "raw_32.pixels", "details_sift.pixels"
N_WORKS = 16


def paint(path: Path, seed: int) -> None:
    """Paint rectangles in the colours of this seed on blotches that leave no even border."""
    random = np.random.default_rng(seed)
    base = random.integers(0, 200, 3)
    blotches = (base + random.integers(0, 55, (9, 12, 3))).astype(np.uint8)
    pixels = cv2.resize(blotches, (240, 180), interpolation=cv2.INTER_CUBIC)
    for _ in range(40):
        x, y = random.integers(0, (220, 160))
        colour = tuple(
            int(channel) for channel in np.clip(base + random.integers(-90, 90, 3), 0, 255)
        )
        cv2.rectangle(pixels, (int(x), int(y)), (int(x) + 18, int(y) + 14), colour, -1)
    cv2.imwrite(str(path), pixels)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("painted")
    for seed in range(N_WORKS):
        paint(folder / f"w{seed:02}.png", seed)
    return folder


@pytest.fixture(scope="module")
def library(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ba.Library]:
    with ba.create(tmp_path_factory.mktemp("library")) as made:
        options = IndexOptions(extractors=(RAW, PALETTE, DETAILS), workers=1)
        ba.index(made, str(source), "painted", options=options)
        yield made


def effects(measured: Invariances) -> dict[str, Effect]:
    return {effect.transformation: effect for effect in measured.effects}


def test_what_is_known_beforehand_is_measured(library: ba.Library) -> None:
    palette = measure_invariances(library, "painted", PALETTE)
    found = effects(palette)
    assert (palette.n_works, palette.n_in_space, palette.k) == (N_WORKS, N_WORKS, 5)
    assert palette.again.overlap == 1 and palette.again.n_first == N_WORKS
    for name in ("mirrored", "turned"):  # a palette does not know where its colours stand
        assert found[name].overlap == 1 and found[name].n_first == N_WORKS
        assert found[name].cosine == pytest.approx(1, abs=1e-4)
    assert found["grey"].overlap is not None and found["grey"].overlap < 0.8
    raw = effects(measure_invariances(library, "painted", RAW))
    turned, coarse = raw["turned"].cosine, raw["coarse"].cosine
    assert turned is not None and coarse is not None and turned < 0.99 < coarse
    # no work has a frame: nothing was tried, and nothing is shown
    assert (raw["unframed"].n_works, raw["unframed"].n_unchanged) == (0, N_WORKS)
    assert raw["unframed"].overlap is None and raw["unframed"].example == ""
    assert find_invariances(library["painted"], PALETTE) == palette


def test_details_are_found_turned_but_not_mirrored(library: ba.Library) -> None:
    options = TestOptions(n_works=2)
    measured = measure_invariances(library, "painted", DETAILS, options)
    found = effects(measured)
    assert (measured.rows_are, measured.k, measured.n_works) == ("detail", 0, 2)
    assert measured.again.n_first == found["turned"].n_first == found["framed"].n_first == 2
    assert found["mirrored"].n_first == 0
    assert found["turned"].overlap is None and found["turned"].cosine is None


def test_the_same_seed_tries_the_same_works(library: ba.Library) -> None:
    first, again, other = (
        measure_invariances(library, "painted", RAW, TestOptions(n_works=5, seed=seed))
        for seed in (3, 3, 4)
    )
    assert first.effects == again.effects
    assert first.effects != other.effects


def test_a_stopped_test_keeps_what_was_there(library: ba.Library) -> None:
    before = measure_invariances(library, "painted", RAW, TestOptions(n_works=6))
    asked: list[int] = []

    def should_stop() -> bool:
        asked.append(1)
        return len(asked) > 12  # in the midst of the second work

    store = library["painted"].store
    options = TestOptions(seed=9, should_stop=should_stop)
    assert run_test(store, library.pictures, RAW, options) is None
    assert find_invariances(library["painted"], RAW) == before


def test_as_a_job(library: ba.Library) -> None:
    job = submit_invariances(library, "painted", PALETTE, n_works=4, seed=2)
    assert submit_invariances(library, "painted", PALETTE).id == job.id  # it waits already
    assert find_test_job(library, "painted", RAW) is None
    assert library.run_jobs() == 1
    done = library.jobs.get(job.id)
    assert done.state is JobState.DONE and (done.done, done.total) == (4, 4)
    measured = find_invariances(library["painted"], PALETTE)
    assert measured is not None and measured.n_works == 4
    assert done.result == json.loads(json.dumps(measured.to_json()))
    assert find_test_job(library, "painted", PALETTE) is None


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"format_version": 9}', b"\xff\xfe"])
def test_a_file_that_cannot_be_read_counts_as_none(library: ba.Library, content: bytes) -> None:
    collection = library["painted"]
    path = collection.store.space_folder(RAW) / FILE_NAME
    measure_invariances(library, "painted", RAW, TestOptions(n_works=4))
    path.write_bytes(content)
    assert find_invariances(collection, RAW) is None
    assert collection.check() == []  # it is derived: no finding
    again = measure_invariances(library, "painted", RAW, TestOptions(n_works=4))
    assert find_invariances(collection, RAW) == again
    assert [one.name for one in path.parent.iterdir() if one.name.startswith("tmp-")] == []


def test_it_outlives_a_commit_and_tells_its_version(
    library: ba.Library, source: Path, tmp_path: Path
) -> None:
    own = tmp_path / "own"
    shutil.copytree(source, own)
    with ba.create(tmp_path / "library") as made:
        options = IndexOptions(extractors=(RAW,), workers=1)
        ba.index(made, str(own), "own", options=options)
        before = measure_invariances(made, "own", RAW, TestOptions(n_works=4))
        paint(own / "new.png", 99)
        ba.index(made, str(own), "own", options=options)
        found = find_invariances(made["own"], RAW)
        assert found == before
        assert found.collection_version < made["own"].info.version


def test_without_their_source_thumbnails_are_read(source: Path, tmp_path: Path) -> None:
    own = tmp_path / "own"
    shutil.copytree(source, own)
    with ba.create(tmp_path / "library") as made:
        options = IndexOptions(extractors=(PALETTE,), workers=1)
        ba.index(made, str(own), "own", options=options)
        shutil.rmtree(own)
        measured = measure_invariances(made, "own", PALETTE, TestOptions(n_works=6))
        assert measured.n_from_thumbnails == measured.n_works == 6
        assert effects(measured)["mirrored"].overlap == 1


def test_what_cannot_be_tested_is_refused_in_words(library: ba.Library, tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="raw_32"):
        measure_invariances(library, "painted", "raw_23.pixels")
    with pytest.raises(UnknownNameError):
        submit_invariances(library, "nowhere", RAW)
    for seed in range(3):
        paint(tmp_path / f"{seed}.png", seed)
    options = IndexOptions(extractors=(RAW,), workers=1)
    ba.index(library, str(tmp_path), "tiny", options=options)
    with pytest.raises(QueryError, match="at least 4 are needed"):
        measure_invariances(library, "tiny", RAW)
    older = {**library["tiny"].store.space(RAW).card_json, "version": 0}
    tiny = spaces.c.collection_id == library["tiny"].store.id
    with library.store.database.begin() as connection:
        connection.execute(update(spaces).where(tiny).values(card_json=json.dumps(older)))
    with pytest.raises(UnavailableError, match="another version"):
        submit_invariances(library, "tiny", RAW)


def test_examples_differ_and_follow_the_seed(library: ba.Library) -> None:
    collection = library["painted"]
    chosen = choose_examples(collection, 5, 0)
    assert len(set(chosen)) == 5 and chosen == choose_examples(collection, 5, 0)
    assert any(choose_examples(collection, 5, seed) != chosen for seed in (1, 2))
    [first, *_] = compare_criteria(collection, n_works=2, k=3)
    assert first.image_id == chosen[0]
    assert list(first.neighbours) == [RAW, PALETTE, DETAILS]
    assert [hit.image_id for hit in first.neighbours[RAW]] == [
        hit.image_id for hit in collection.search(like=first.image_id, extractor=RAW, k=3)
    ]
    assert first.neighbours[DETAILS] == ()  # nothing is verified, so nothing is near
