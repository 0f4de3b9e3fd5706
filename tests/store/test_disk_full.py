"""A full disk: nothing is half done, readers go on, and so does the writer when there is space."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bilderatlas.errors import DiskFullError
from bilderatlas.extractors.base import ImageRows
from bilderatlas.store.collection import CollectionStore
from bilderatlas.store.library import LibraryStore
from tests.store.building import card, commit, filled, new_image, sha256_of, vector_of

MODEL = "colour.test"
DIM = 2000
ROOT = Path(__file__).parents[2]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a disk of 4 MB; skip where mounting is not allowed."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = shutil.which("mount")
    if mount is None:
        pytest.skip("needs the program mount")
    options = ["-t", "tmpfs", "-o", "size=4m", "tmpfs", str(place)]
    done = subprocess.run([mount, *options], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"needs the right to mount a small disk: {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def large(image_id: str) -> ImageRows:
    return ImageRows(vector_of(image_id, dim=DIM))


def assert_sound(collection: CollectionStore, ids: list[str]) -> None:
    view = collection.space(MODEL).snapshot()
    assert [image.image_id for image in collection.iter_images()] == ids
    assert all(
        np.array_equal(view.vectors_of(image_id), vector_of(image_id, dim=DIM)) for image_id in ids
    )


def fill_up(disk: Path, free_bytes: int) -> Path:
    ballast = disk / "ballast"
    ballast.write_bytes(bytes(max(0, shutil.disk_usage(disk).free - free_bytes)))
    return ballast


@pytest.mark.parametrize("free_bytes", [0, 4096, 20_000, 60_000, 90_000, 130_000])
def test_a_full_disk_at_a_commit(small_disk: Path, free_bytes: int) -> None:
    fill_and_go_on(small_disk, free_bytes)


@pytest.mark.slow
def test_a_full_disk_at_50_fill_points(small_disk: Path) -> None:
    for free_bytes in range(0, 250_000, 5000):
        fill_and_go_on(small_disk, free_bytes)
        shutil.rmtree(small_disk / "library")


def fill_and_go_on(small_disk: Path, free_bytes: int) -> None:
    """Write until the disk with so much space is full; prove; free it; write on; prove."""
    with LibraryStore.create(small_disk / "library") as library:
        collection = library.create_collection("a", source_kind="folder", source_address="/")
        writer = collection.writer()
        writer.ensure_space(card(dim=DIM))
        stored = ["first"]
        writer.commit_batch([new_image("first")], {MODEL: [("first", large("first"))]})
        ballast = fill_up(small_disk, free_bytes)
        with pytest.raises(DiskFullError, match="Free some space"):
            for number in range(60):
                ids = [f"n{number}-{place}" for place in range(4)]
                writer.commit_batch(
                    [new_image(image_id) for image_id in ids],
                    {MODEL: [(image_id, large(image_id)) for image_id in ids]},
                )
                stored += ids
        assert_sound(collection, stored)  # the same process reads on
        with LibraryStore.open(small_disk / "library") as other:  # and so does another one
            assert_sound(other.get_collection("a"), stored)
        ballast.unlink()
        writer.commit_batch([new_image("later")], {MODEL: [("later", large("later"))]})
        writer.close()
        assert_sound(collection, [*stored, "later"])
        assert {finding.kind for finding in collection.check()} <= {"thumbnails"}


def test_a_full_disk_elsewhere(small_disk: Path, tmp_path: Path) -> None:
    with LibraryStore.create(small_disk / "library") as library:
        works = filled(library)
        ballast = fill_up(small_disk, 0)
        with pytest.raises(DiskFullError):
            library.thumbnails.put(sha256_of("x"), {64: bytes(9000)})
        with pytest.raises(DiskFullError):
            library.uploads.put(bytes(9000))
        with pytest.raises(DiskFullError):
            library.backup(small_disk / "b.tar")
        assert not list(small_disk.glob("*b.tar*"))
        with pytest.raises(DiskFullError):
            LibraryStore.create(small_disk / "another")
        assert works.columns.n == 12  # in memory, for want of space
        ballast.unlink()
        library.backup(tmp_path / "b.tar")
        ballast = fill_up(small_disk, 16_000)
        with pytest.raises(DiskFullError):
            LibraryStore.restore(tmp_path / "b.tar", small_disk / "restored")
        assert not list(small_disk.glob("*restored*"))
        ballast.unlink()
        LibraryStore.restore(tmp_path / "b.tar", small_disk / "restored").close()
        assert works.check() == []


LIMITED = """
import resource, sys
from pathlib import Path
from tests.store.building import card, commit
from bilderatlas.errors import DiskFullError
from bilderatlas.store.library import LibraryStore

with LibraryStore.open(Path(sys.argv[1])) as library:
    writer = library.get_collection("works").writer()
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
    try:
        for number in range(200):
            commit(writer, [f"n{number}-{place}" for place in range(20)], ["colour.test"])
    except DiskFullError:
        print("full", number)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
    commit(writer, ["later"], ["colour.test"])
    writer.close()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on file sizes")
@pytest.mark.parametrize("limit", [200, 20_000, 400_000])
def test_a_file_limit_is_a_full_disk(library: LibraryStore, limit: int) -> None:
    works = filled(library)
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(library.root), str(limit)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("full")
    n_batches = int(done.stdout.split()[1])
    assert works.n_images == 12 + 20 * n_batches + 1
    assert works.space(MODEL).n_rows == works.n_images
    assert works.check() == []


def test_small_writes_of_the_building_blocks(small_disk: Path) -> None:
    """A batch with thumbnails, as indexing commits it, fills the disk to the brim."""
    with LibraryStore.create(small_disk / "library") as library:
        collection = library.create_collection("a", source_kind="folder", source_address="/")
        n_stored = 0
        with pytest.raises(DiskFullError), collection.writer() as writer:
            writer.ensure_space(card(MODEL))
            for n_stored in range(5000):
                commit(writer, [f"n{n_stored}-{place}" for place in range(20)], [MODEL])
        assert collection.n_images == 20 * n_stored
        assert collection.space(MODEL).n_rows == 20 * n_stored
