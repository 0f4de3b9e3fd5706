"""Packages of reduced spaces: with a whole projection, or refused before anything is created."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bilderatlas.api.features import verify_package
from bilderatlas.errors import PackageError
from bilderatlas.exchange.base import ImportOptions, open_features
from bilderatlas.exchange.take_in import import_features
from bilderatlas.exchange.validate import validate
from bilderatlas.extractors.base import Extractor
from bilderatlas.extractors.raw import RawPixels
from bilderatlas.extractors.reduced import Projection, ReducedExtractor
from bilderatlas.store.library import LibraryStore
from tests.exchange.packages import paint, write_package
from tests.exchange.test_mistakes import rewrite

WORKS = [paint(seed) for seed in range(6)]
BASE = RawPixels()
DIM = 3
MATRIX = np.random.default_rng(2).normal(size=(1 + DIM, BASE.card.dim)).astype("<f4")


def npy(array: Any) -> bytes:
    written = io.BytesIO()
    np.save(written, array)
    return written.getvalue()


def zipped() -> bytes:
    written = io.BytesIO()
    np.savez(written, MATRIX)
    return written.getvalue()


def facts_of(content: bytes) -> dict[str, Any]:
    sha256 = hashlib.sha256(content).hexdigest()
    return {
        "kind": "pca",
        "base": BASE.card.model_id,
        "base_dim": BASE.card.dim,
        "dim": DIM,
        "whitened": False,
        "sha256": sha256,
        "file": f"projection-{sha256[:16]}.npy",
        "fitted_on": "works@1",
        "n_rows": 60,
        "explained_variance": 0.75,
    }


def package(
    folder: Path,
    content: bytes | None = None,
    change: Callable[[dict[str, Any]], Any] = lambda facts: None,
) -> Path:
    """Write a reduced space; `content` is the file instead of the true one."""
    true = npy(MATRIX)
    extractor: Extractor = ReducedExtractor(BASE, Projection.from_bytes(true), facts_of(true))
    write_package(folder, extractor, WORKS)
    content = true if content is None else content
    facts = facts_of(content)
    attach(folder, facts["file"], content)
    change(facts)

    def describe(values: dict[str, Any]) -> None:
        values["model"]["projection"] = facts or None

    rewrite(folder, describe)
    for part in folder.glob("part-*.parquet"):
        strip(folder, part)
    return folder


def attach(folder: Path, name: str, content: bytes) -> None:
    (folder / name).write_bytes(content)
    listed = {
        "name": name,
        "sha256": hashlib.sha256(content).hexdigest(),
        "n_bytes": len(content),
    }
    rewrite(folder, lambda values: values["integrity"].update(attachments=[listed]))


def strip(folder: Path, part: Path) -> None:
    """Take the description out of a part, so that the manifest alone tells what it is."""
    import pyarrow.parquet as pq

    table = pq.read_table(part)
    pq.write_table(table.replace_schema_metadata(None), part)
    content = part.read_bytes()
    facts = {"sha256": hashlib.sha256(content).hexdigest(), "n_bytes": len(content)}

    def change(values: dict[str, Any]) -> None:
        one = next(p for p in values["integrity"]["parts"] if p["name"] == part.name)
        one.update(facts)

    rewrite(folder, change)


def test_a_whole_projection_is_taken_in(library: LibraryStore, tmp_path: Path) -> None:
    path = package(tmp_path / "package")
    assert validate(path) == []
    with open_features(str(path), ImportOptions()) as features:
        import_features(library, features, "theirs")
    assert library.get_collection("theirs").check() == []


def without(*names: str) -> Callable[[dict[str, Any]], None]:
    def change(facts: dict[str, Any]) -> None:
        for name in names:
            del facts[name]

    return change


REFUSED: dict[str, tuple[bytes | None, Callable[[dict[str, Any]], Any]]] = {
    "a zip": (zipped(), lambda facts: None),
    "a header alone": (npy(MATRIX)[:128], lambda facts: None),
    "no array": (b"x" * 10, lambda facts: None),
    "not finite": (npy(np.where(MATRIX > 1, np.nan, MATRIX)), lambda facts: None),
    "of fewer numbers": (npy(MATRIX[:-1]), lambda facts: None),
    "of another base": (npy(MATRIX[:, :-1]), lambda facts: None),
    "float64": (npy(MATRIX.astype("<f8")), lambda facts: None),
    "no sha256": (None, without("sha256")),
    "another sha256": (None, lambda facts: facts.update(sha256="0" * 64)),
    "no base": (None, without("base")),
    "no base_dim": (None, without("base_dim")),
    "a reduced base": (None, lambda facts: facts.update(base="raw_32.pixels~pca8")),
    "base_dim as text": (None, lambda facts: facts.update(base_dim="3072")),
    "another dim": (None, lambda facts: facts.update(dim=DIM + 1)),
    "another base's name": (None, lambda facts: facts.update(base="palette_lab.pixels")),
    "no word of the collection": (None, without("fitted_on")),
    "no file": (None, without("file")),
    "a file that is not attached": (None, lambda f: f.update(file=f"projection-{'0' * 16}.npy")),
    "no projection at all": (None, lambda facts: facts.clear()),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_a_projection_that_is_not_whole_is_refused_before_anything_is_created(
    fault: str, library: LibraryStore, tmp_path: Path
) -> None:
    content, change = REFUSED[fault]
    path = package(tmp_path / "package", content, change)
    features = open_features(str(path), ImportOptions())
    with features, pytest.raises(PackageError) as caught:
        import_features(library, features, "theirs")
    assert caught.value.reason_code == "projection"
    assert library.list_collections() == []
    assert [one.code for one in validate(path)] == ["projection"]
    assert verify_package(path).verdict == "differs"


def test_a_projection_that_is_gone_is_named(library: LibraryStore, tmp_path: Path) -> None:
    path = package(tmp_path / "package")
    next(path.glob("projection-*.npy")).unlink()
    with pytest.raises(PackageError) as caught:
        open_features(str(path), ImportOptions())
    assert caught.value.reason_code == "missing-part"
    assert [one.code for one in validate(path)] == ["missing-part"]
    assert verify_package(path).verdict == "differs"


def test_vectors_that_were_projected_elsewhere_need_no_file(
    library: LibraryStore, tmp_path: Path
) -> None:
    """Nobody promises that further pictures can be projected: the rows are as good as any."""
    extractor = RawPixels()
    extractor.card = replace(BASE.card, projection={"kind": "whitening", "sha256": "0" * 64})
    write_package(tmp_path / "package", extractor, WORKS)
    with open_features(str(tmp_path / "package"), ImportOptions()) as features:
        import_features(library, features, "theirs")
    assert library.get_collection("theirs").check() == []
