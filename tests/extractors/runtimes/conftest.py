"""Fixtures for runtimes: the tiny network, exported once."""

from __future__ import annotations

from pathlib import Path

import pytest

from bilderatlas.extractors.runtimes.export import export
from tests.extractors.runtimes.tiny import TinyExtractor, save_weights


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the tiny model, exported once; tests copy it."""
    pytest.importorskip("torch")
    tiny = TinyExtractor(tmp_path_factory.mktemp("exported") / "tiny")
    save_weights(tiny.folder / "weights.safetensors")
    export(tiny)
    return tiny.folder
