"""Pyramids on disk: whole or absent, bounded, and gone with their pictures."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bilderatlas.errors import UsageError
from bilderatlas.store.tiles import TileStore

A, B, C = ("a" * 64, "b" * 64, "c" * 64)
TILES = [b"first", b"second one", b"third"]


def shown(*hashes: str) -> Callable[[list[str]], set[str]]:
    return lambda asked: set(asked) & set(hashes)


def files(store: TileStore) -> list[Path]:
    return [path for path in store.folder.rglob("*") if path.is_file()]


def test_every_tile_comes_back(tmp_path: Path) -> None:
    store = TileStore(tmp_path / "tiles", 1)
    assert store.find(A, 0) is None and not store.has(A)
    store.put(A, TILES)
    store.put(A, TILES)
    assert store.has(A) and len(files(store)) == 1
    assert [store.find(A, number) for number in range(4)] == [*TILES, None]
    assert store.find(A, -1) is None
    assert TileStore(store.folder, 2).find(A, 0) is None


@given(st.lists(st.binary(max_size=50), min_size=1, max_size=20))
def test_any_tiles_come_back(tmp_path_factory: pytest.TempPathFactory, tiles: list[bytes]) -> None:
    store = TileStore(tmp_path_factory.mktemp("any"), 1)
    store.put(A, tiles)
    assert [store.find(A, number) for number in range(len(tiles))] == tiles


def test_only_hashes_become_paths(tmp_path: Path) -> None:
    store = TileStore(tmp_path, 1)
    for wrong in ("../../etc/passwd", "A" * 64, "", "a" * 63):
        with pytest.raises(UsageError):
            store.find(wrong, 0)
        with pytest.raises(UsageError):
            store.put(wrong, TILES)


def test_a_file_that_lost_its_end_is_no_pyramid(tmp_path: Path) -> None:
    store = TileStore(tmp_path / "tiles", 1)
    for length in (0, 7, 30, -1):
        store.put(A, TILES)
        (path,) = files(store)
        path.write_bytes(path.read_bytes()[:length])
        assert store.find(A, 0) is None
        assert files(store) == []  # it is made again


def test_what_was_not_read_for_longest_gives_way(tmp_path: Path) -> None:
    store = TileStore(tmp_path / "tiles", 1, max_bytes=2_100)
    for age_s, sha256 in ((30_000, A), (20_000, B), (10_000, C)):
        store.put(sha256, [b"x" * 950])
        path = next(path for path in files(store) if path.name.startswith(sha256))
        os.utime(path, (time.time() - age_s, time.time() - age_s))
    assert store.find(A, 0) is not None  # read just now: B is the oldest one
    assert store.sweep(shown(A, B, C)) == 1
    assert [store.has(one) for one in (A, B, C)] == [True, False, True]


def test_what_no_image_shows_goes(tmp_path: Path) -> None:
    store = TileStore(tmp_path / "tiles", 2)
    TileStore(store.folder, 1).put(A, TILES)  # of an earlier layout
    for sha256 in (A, B):
        store.put(sha256, TILES)
    abandoned = store.folder / "aa" / f"tmp-123-{A}-2.tiles"
    abandoned.write_bytes(b"half")
    assert store.sweep(shown(A)) == 2
    assert abandoned.exists()  # somebody may be writing it
    os.utime(abandoned, (1, 1))
    assert store.sweep(shown(A)) == 1
    assert [path.name for path in files(store)] == [f"{A}-2.tiles"]
    assert TileStore(tmp_path / "nowhere", 1).sweep(shown()) == 0


WRITER = """
import sys
from pathlib import Path
from bilderatlas.store.tiles import TileStore
store = TileStore(Path(sys.argv[1]), 1)
tiles = [bytes([n]) * 40_000 for n in range(60)]
print("ready", flush=True)
while True:
    for n in range(16):
        store.put(f"{n:x}" * 64, tiles)
        store.sweep(lambda asked: set())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_a_killed_writer_leaves_whole_pyramids_or_none(tmp_path: Path) -> None:
    store = TileStore(tmp_path / "tiles", 1)
    for attempt in range(6):
        command = [sys.executable, "-c", WRITER, str(store.folder)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
            assert writer.stdout and writer.stdout.readline()
            time.sleep(0.02 + 0.013 * attempt)
            writer.send_signal(signal.SIGKILL)
        for path in files(store):
            if path.name.startswith("tmp-"):
                continue
            found = [store.find(path.name[:64], n) for n in range(60)]
            assert found == [bytes([n]) * 40_000 for n in range(60)]
        for path in files(store):
            os.utime(path, (1, 1))
        store.sweep(shown())
        assert files(store) == []
