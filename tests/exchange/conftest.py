"""Libraries with small spaces of every dtype, and packages made of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bilderatlas.store.library import LibraryStore


@pytest.fixture
def library(tmp_path: Path) -> Iterator[LibraryStore]:
    with LibraryStore.create(tmp_path / "library") as opened:
        yield opened
