"""No word of where this machine keeps its files reaches a stranger: by page, JSON or package."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

import bilderatlas.api as ba
from bilderatlas.api.features import export_features, take_in_features
from bilderatlas.arrays import Pixels, unit_rows
from bilderatlas.extractors.base import EXTRACTORS as REGISTERED
from bilderatlas.extractors.base import Extractor, ImageRows
from bilderatlas.extractors.runtimes.record import RECORD_FILE
from bilderatlas.indexing import IndexOptions
from bilderatlas.web import urls
from bilderatlas.web.app import create_app
from bilderatlas.web.security import Access
from tests.exchange.packages import paint, write_package
from tests.web.conftest import client_of

CLIP = "clip_vit_b32.openai"
RAW = "raw_32.pixels"
WORKS = [paint(seed) for seed in range(4)]


class Published(Extractor):
    """Numbers under the card of a model whose weights are not here."""

    card = REGISTERED.get(CLIP).card

    def extract_batch(self, images: Sequence[Pixels]) -> list[ImageRows]:
        drawn = np.random.default_rng(3).normal(size=(len(images), self.card.dim))
        return [ImageRows(row[None]) for row in unit_rows(drawn.astype(np.float32))]


@dataclass
class Home:
    """A machine whose folders have names that are easily found again."""

    library: ba.Library
    models: Path
    out: Path

    def leaks(self, text: str) -> list[str]:
        return [word for word in ("home-alice", str(self.library.store.root)) if word in text]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """Return a library of two collections: of a table of absolute paths, and of a package."""
    alice = tmp_path / "home-alice"
    pictures, models = alice / "pictures", alice / "models"
    pictures.mkdir(parents=True)
    monkeypatch.setenv("BILDERATLAS_MODELS", str(models))
    lines = ["id,image,title"]
    for work in WORKS:
        path = pictures / f"{work.image_id}.png"
        path.write_bytes(work.png)
        lines.append(f"{work.image_id},{path},Shapes")
    (pictures / "works.csv").write_text("\n".join(lines))
    write_package(tmp_path / "package", Published(), WORKS, canary=False)
    with ba.create(alice / "library") as library:
        options = IndexOptions(extractors=(RAW,), workers=1)
        ba.index(library, str(pictures / "works.csv"), "mine", options=options)
        take_in_features(library, str(tmp_path / "package"), "theirs")
        yield Home(library, models, tmp_path / "out")


def addresses(library: ba.Library) -> Iterator[str]:
    """Yield an address on every route of a public site, for each collection, and some questions."""
    names = {"mine": (RAW, "work-000"), "theirs": (CLIP, "work-000")}
    for route in create_app(library, Access.public())._app._app.routes:  # type: ignore[attr-defined]
        for name, (model_id, image_id) in names.items():
            path = route.path
            for pattern, value in {
                "{collection}": name,
                "{model_id}": model_id,
                "{encoded_id:path}": image_id,
                "{side_px:int}": "256",
                "{version}": "x",
                "{name}": "none.js",
                "{level:int}": "0",
                "{column:int}": "0",
                "{row:int}": "0",
                "{kind}": "csv",
            }.items():
                path = path.replace(pattern, value)
            assert "{" not in path, f"say what {route.path} is to be asked for"
            yield path
    for name, (model_id, image_id) in names.items():
        for suffix in ("", ".json"):
            yield f"/c/{name}{suffix}?text=a+ship&by={model_id}"
            yield f"/c/{name}{suffix}?words=a+ship&by={model_id}"
            yield f"/c/{name}{suffix}?like={image_id}&by={model_id}"


def put_nothing(models: Path) -> None:
    """Leave the weights away."""


def put_other_bytes(models: Path) -> None:
    (models / CLIP).mkdir(parents=True)
    (models / CLIP / "weights.safetensors").write_bytes(bytes(64))


def put_broken_record(models: Path) -> None:
    (models / CLIP).mkdir(parents=True)
    (models / CLIP / RECORD_FILE).write_text("{")


@pytest.mark.parametrize("put", [put_nothing, put_other_bytes, put_broken_record])
def test_no_page_of_a_public_server_names_a_folder(home: Home, put: object) -> None:
    assert callable(put)
    put(home.models)
    client = client_of(home.library, Access.public())
    told = []
    for address in dict.fromkeys(addresses(home.library)):
        answer = client.get(address)
        if answer.headers["content-type"].startswith("image/"):
            continue
        told.append(answer.text)
        assert not home.leaks(answer.text), (address, answer.text[:3000])
    assert any("Cannot use" in text for text in told)  # the sentences are there
    question = {"image_ids": ["work-000"]}
    answer = client.post(urls.embeddings("mine", json=True), json=question)
    assert answer.status_code == 200 and not home.leaks(answer.text)


def test_a_fault_of_the_store_is_told_without_its_folder(home: Home) -> None:
    for path in home.library.store.root.glob("collections/*/spaces/*/*"):
        path.unlink()
    client = client_of(home.library, Access.public())
    answers = [client.get(address) for address in (f"/c/mine?by={RAW}", "/c/mine/embeddings")]
    for answer in answers:
        assert not home.leaks(answer.text)


@pytest.mark.parametrize("put", [put_nothing, put_other_bytes, put_broken_record])
def test_no_published_package_names_a_folder(home: Home, put: object) -> None:
    assert callable(put)
    put(home.models)
    for name, model_id in (("mine", RAW), ("theirs", CLIP)):
        folder = home.out / name
        report = export_features(home.library, name, model_id, folder)
        assert not home.leaks((folder / "features.json").read_text("utf-8"))
        assert bool(report.manifest.integrity.no_canary_because) is (name == "theirs")
        for part in folder.glob("*.parquet"):
            for row in pq.read_table(part).drop_columns(["vector"]).to_pylist():
                assert not home.leaks(json.dumps(row, default=str))
                assert "image_path" not in json.loads(row["record"])


def test_whoever_sits_at_the_machine_is_told_the_folder(home: Home) -> None:
    readiness = REGISTERED.get(CLIP).readiness()
    assert f"bilderatlas extractors fetch {CLIP}" in readiness.sentence
    assert not home.leaks(readiness.sentence)
    assert str(home.models / CLIP) in readiness.here
    local = client_of(home.library, Access.local(8642))
    assert str(home.models / CLIP) in local.get(urls.criterion(CLIP)).text
