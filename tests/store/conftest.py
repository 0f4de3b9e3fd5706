"""An empty library for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bilderatlas.store.library import LibraryStore


@pytest.fixture
def library(tmp_path: Path) -> Iterator[LibraryStore]:
    """Return an empty library in a fresh folder."""
    with LibraryStore.create(tmp_path / "library") as store:
        yield store
