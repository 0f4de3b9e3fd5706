"""kill -9 at any moment: what was confirmed is there, nothing is there twice, work goes on."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from bilderatlas.store.collection import CollectionStore
from bilderatlas.store.library import LibraryStore
from tests.store.building import sha256_of
from tests.store.killed_writer import (
    MODELS,
    STEPS,
    State,
    collection_of,
    expected_states,
    open_writer,
    run_step,
)

ROOT = Path(__file__).parents[2]
N_POINTS = 520
"""About as many write points as an undisturbed run passes; a test holds the number."""

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows knows no SIGKILL")


def start_writer(root: Path, point: int = 0) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.store.killed_writer", str(root), str(point)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )


def confirmed(output: str) -> int:
    """Return the last step that the writer confirmed."""
    numbers = [int(line) for line in output.split("\n") if line.isdigit()]
    return numbers[-1] if numbers else 0


def state_of(collection: CollectionStore | None) -> State:
    """Read everything back, proving each row against what its image must have."""
    if collection is None:
        return {}
    state: State = {}
    views = {model: collection.space(model).snapshot() for model in collection.model_ids()}
    for image in collection.iter_images():
        image_id = image.image_id
        contents = {sha256_of(image_id, content): content for content in range(3)}
        content = contents[str(image.content_sha256)]
        covered = set()
        for model, view in views.items():
            vectors = view.vectors_of(image_id)
            ordinal = view.columns.ordinal_of(image_id)
            if ordinal in view.covered_ordinals:
                expected = MODELS[model](image_id, content).vectors
                assert np.array_equal(vectors, expected), f"{image_id} in {model}: other rows"
                covered.add(model)
            else:
                assert len(vectors) == 0, f"{image_id} in {model}: rows without coverage"
        state[image_id] = (content, frozenset(covered))
    return state


def prove_and_resume(root: Path, n_confirmed: int) -> None:
    """Open what a killed writer left; go on from there; compare with an undisturbed run."""
    states = expected_states()
    with LibraryStore.open(root) as library:
        found = state_of(collection_of(library))
        at_most_one_more = [n_confirmed, min(n_confirmed + 1, len(STEPS))]
        reached = next((n for n in at_most_one_more if states[n] == found), None)
        assert reached is not None, f"after {n_confirmed} confirmed steps: {sorted(found)}"
        with open_writer(library) as writer:
            for step in STEPS[reached:]:
                run_step(writer, step)
        collection = library.get_collection("works")
        assert state_of(collection) == states[-1]
        # The writer puts no thumbnails: only these may be missing.
        assert collection.check() == []
        with collection.writer():
            pass
        named = {
            (model, file.name)
            for model in MODELS
            for segment in collection.space(model).segments
            for file in segment.entry.files.values()
        }
        present = {(p.parent.name, p.name) for p in collection.folder.glob("features/*/*")}
        assert present == named | {(model, "features.json") for model in MODELS}
        assert collection.n_images == len(states[-1])


def kill_at_point(root: Path, point: int) -> bool:
    """Kill a writer at a write point, prove, and tell whether it came that far."""
    LibraryStore.create(root).close()
    writer = start_writer(root, point)
    output, _ = writer.communicate()
    assert writer.returncode in (0, -9)
    prove_and_resume(root, confirmed(output))
    return writer.returncode == -9


def kill_at_random(root: Path, rng: random.Random) -> None:
    """Kill a writer some time after its first confirmed step, and prove."""
    LibraryStore.create(root).close()
    writer = start_writer(root)
    assert writer.stdout is not None
    first = writer.stdout.readline()
    time.sleep(rng.random() * 0.4)
    writer.kill()
    output = first + writer.stdout.read()
    writer.stdout.close()
    writer.wait()
    prove_and_resume(root, confirmed(output))


def test_an_undisturbed_run_passes_the_points_that_are_killed(tmp_path: Path) -> None:
    LibraryStore.create(tmp_path / "library").close()
    output, _ = start_writer(tmp_path / "library").communicate()
    n_points = int(output.split("points ")[1])
    assert N_POINTS * 0.85 < n_points < N_POINTS
    prove_and_resume(tmp_path / "library", len(STEPS))


@pytest.mark.parametrize("point", [2, 9, 36, 61, 88, 115, 140, 167, 192, 219, 246, 271, 298, 321])
def test_killed_at_a_write_point(tmp_path: Path, point: int) -> None:
    assert kill_at_point(tmp_path / "library", point)


@pytest.mark.parametrize("seed", range(6))
def test_killed_at_a_random_moment(tmp_path: Path, seed: int) -> None:
    kill_at_random(tmp_path / "library", random.Random(seed))


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_killed_at_every_write_point(tmp_path: Path) -> None:
    n_killed = sum(kill_at_point(tmp_path / str(point), point) for point in range(1, N_POINTS + 1))
    assert n_killed > N_POINTS * 0.85


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_killed_200_times_at_random(tmp_path: Path) -> None:
    rng = random.Random(2)
    for number in range(200):
        kill_at_random(tmp_path / str(number), rng)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_killed_again_and_again(tmp_path: Path) -> None:
    """One library, killed 40 times in a row: what each writer confirmed survives all others."""
    root, rng = tmp_path / "library", random.Random(3)
    LibraryStore.create(root).close()
    states = expected_states()
    for _ in range(40):
        writer = start_writer(root, rng.randrange(1, N_POINTS))
        writer.communicate()
        with LibraryStore.open(root) as library:
            found = state_of(collection_of(library))
            assert all(image_id in states[-1] or image_id in states[14] for image_id in found)
            if (collection := collection_of(library)) is not None:
                with collection.writer():
                    pass
                assert collection.check() == []
