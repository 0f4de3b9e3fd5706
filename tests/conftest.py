"""Fixtures that several rooms share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("BILDERATLAS_TEST_SHARED", Path(__file__).parents[2] / "shared"))


@pytest.fixture(scope="session", autouse=True)
def _no_weights_of_this_user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let tests see the same extractors ready on every machine: those that need no weights."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BILDERATLAS_MODELS", str(tmp_path_factory.mktemp("models")))
        yield


def _shared(*parts: str) -> Path:
    path = SHARED.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"needs {path}: set BILDERATLAS_TEST_SHARED to a folder that holds it")
    return path


@pytest.fixture(scope="session")
def paintings() -> Path:
    """Return a folder of 632 real paintings with `metadata.csv`; skip where it is absent."""
    return _shared("art", "paintings")


@pytest.fixture(scope="session")
def tate_records() -> Path:
    """Return 69,202 real museum records as gzipped JSON lines; skip where they are absent."""
    return _shared("museums", "tate_artworks.jsonl.gz")


@pytest.fixture(scope="session")
def carnegie_records() -> Path:
    """Return 28,258 real museum records as gzipped JSON lines; skip where they are absent."""
    return _shared("museums", "cmoa_objects.jsonl.gz")
