"""A small folder of pictures whose embeddings can be told apart by eye."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bilderatlas.store.library import LibraryStore

MakeFolder = Callable[[int], Path]


def paint(path: Path, seed: int, size_wh: tuple[int, int] = (96, 72)) -> None:
    """Write a picture of random blocks: every seed another picture, features included."""
    blocks = np.random.default_rng(seed).integers(0, 256, (9, 12, 3), dtype=np.uint8)
    Image.fromarray(blocks).resize(size_wh, Image.Resampling.NEAREST).save(path)


@pytest.fixture
def make_folder(tmp_path: Path) -> MakeFolder:
    def make(n: int) -> Path:
        folder = tmp_path / "pictures"
        folder.mkdir()
        for number in range(n):
            paint(folder / f"work-{number:03d}.png", number)
        return folder

    return make


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LibraryStore]:
    store = LibraryStore.create(tmp_path / "library")
    yield store
    store.close()
