"""kill -9 at any moment of indexing: nothing acknowledged is lost, nothing is there twice."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from bilderatlas.indexing import IndexOptions, index_source
from bilderatlas.sources import open_source
from bilderatlas.store.library import LibraryStore
from tests.indexing.conftest import paint

SPACES = ("raw_32.pixels", "palette_lab.pixels", "details_sift.pixels")
N_IMAGES = 40
BATCH = 4

# Prints the number of acknowledged images after each commit, so that the parent knows them.
SCRIPT = """
import sys
from bilderatlas.indexing import IndexOptions, index_source
from bilderatlas.sources import open_source
from bilderatlas.store.library import LibraryStore
store = LibraryStore.open(sys.argv[1])
tell = lambda progress: print(progress.done, progress.total, flush=True)
options = IndexOptions(extractors=tuple(sys.argv[3:]), workers=2, batch_images=4, on_progress=tell)
index_source(store, open_source(sys.argv[2]), "works", options)
"""


def contents(root: Path) -> dict[str, tuple[object, ...]]:
    """Return everything that a reader can see, by image."""
    store = LibraryStore.open(root)
    try:
        collection = store.get_collection("works")
        views = {name: collection.space(name).snapshot() for name in SPACES}
        return {
            image.record.image_id: (
                image.record.to_json(),
                image.content_sha256,
                *(
                    np.asarray(view.vectors_of(image.record.image_id)).tobytes()
                    for view in views.values()
                ),
            )
            for image in collection.iter_images()
        }
    finally:
        store.close()


def kill_once(library: Path, folder: Path, moment_s: float) -> int:
    """Index in a child, kill it after `moment_s`, and return how many images it acknowledged."""
    command = [sys.executable, "-c", SCRIPT, str(library), str(folder), *SPACES]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, stderr=subprocess.DEVNULL)
    assert child.stdout is not None
    first = child.stdout.readline()  # the plan is made: from now on every moment is interesting
    time.sleep(moment_s)
    child.kill()
    lines = [first, *child.stdout.read().splitlines()]
    child.wait()
    child.stdout.close()
    complete = [line.split() for line in lines if len(line.split()) == 2]
    return int(complete[-1][0]) if complete else 0


def campaign(tmp_path: Path, n_kills: int, seed: int) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(N_IMAGES):
        paint(folder / f"{number:03d}.png", number, (256, 192))
    undisturbed, library = tmp_path / "undisturbed", tmp_path / "library"
    store = LibraryStore.create(undisturbed)
    options = IndexOptions(extractors=SPACES, workers=2, batch_images=BATCH)
    index_source(store, open_source(str(folder)), "works", options)
    store.close()
    expected = contents(undisturbed)
    assert len(expected) == N_IMAGES

    moments = random.Random(seed)
    LibraryStore.create(library).close()
    held = 0
    for _ in range(n_kills):
        acknowledged = kill_once(library, folder, moments.uniform(0, 0.35))
        store = LibraryStore.open(library)
        names = [info.name for info in store.list_collections()]
        now = store.get_collection("works").n_images if names else 0
        store.close()
        assert now >= held + acknowledged, "an acknowledged image was lost"
        assert now <= held + acknowledged + BATCH, "more than one batch was committed untold"
        held = now
        if held == N_IMAGES:
            assert contents(library) == expected
            shutil.rmtree(library)
            LibraryStore.create(library).close()
            held = 0
    store = LibraryStore.open(library)
    index_source(store, open_source(str(folder)), "works", options)
    collection = store.get_collection("works")
    assert [finding for finding in collection.check() if finding.severity == "error"] == []
    assert collection.space(SPACES[0]).n_rows == N_IMAGES, "no duplicates"
    store.close()
    assert contents(library) == expected, "the result equals an undisturbed run"


def test_twenty_kills(tmp_path: Path) -> None:
    campaign(tmp_path, 20, seed=1)


@pytest.mark.slow
def test_two_hundred_kills(tmp_path: Path) -> None:
    campaign(tmp_path, 200, seed=2)
