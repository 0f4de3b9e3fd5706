"""One space that cannot be used here spoils no page: neither its own nor anybody else's."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

import bilderatlas.api as ba
from bilderatlas.api.invariance import readiness_of
from bilderatlas.exchange.base import ImportOptions, open_features
from bilderatlas.exchange.take_in import import_features
from bilderatlas.extractors import EXTRACTORS, Extractor, ImageRows
from bilderatlas.indexing import IndexOptions
from bilderatlas.store.schema import spaces
from bilderatlas.web.security import Access
from tests.exchange.packages import Work, paint, write_package
from tests.web.conftest import client_of

RAW = "raw_32.pixels"
FOREIGN = "foreign.pixels"
ODD = f"{RAW}~pca8"
"""The name of a reduced space, of which there is no projection."""


class Foreign(Extractor):
    """Makes the rows of `raw_32.pixels`, under another name."""

    card = replace(EXTRACTORS.get(RAW).card, model_id=FOREIGN)

    def extract_batch(self, images: Any) -> list[ImageRows]:
        return EXTRACTORS.get(RAW).extract_batch(images)


@pytest.fixture(scope="module")
def works() -> list[Work]:
    return [paint(seed) for seed in range(10)]


@pytest.fixture
def library(works: list[Work], tmp_path: Path) -> Iterator[ba.Library]:
    """Return a library with a collection of its own and an imported one with the odd space."""
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for work in works:
        (pictures / f"{work.image_id}.png").write_bytes(work.png)
    write_package(tmp_path / "package", Foreign(), works, canary=False)
    with ba.create(tmp_path / "library") as made:
        ba.index(made, str(pictures), "mine", options=IndexOptions(extractors=(RAW,), workers=1))
        with open_features(str(tmp_path / "package"), ImportOptions()) as features:
            import_features(made.store, features, "theirs")
        theirs = made["theirs"].store
        theirs.space_folder(FOREIGN).rename(theirs.space_folder(ODD))
        with made.store.database.begin() as connection:
            mine = spaces.c.model_id == FOREIGN
            connection.execute(update(spaces).where(mine).values(model_id=ODD))
        change_odd_card(made, model_id=ODD)
        yield made


def change_odd_card(library: ba.Library, **values: object) -> None:
    """Store what an earlier version, which looked less closely, may have taken in."""
    with library.store.database.begin() as connection:
        for row in connection.execute(select(spaces).where(spaces.c.model_id == ODD)).all():
            card = {**json.loads(row.card_json), **values}
            mine = spaces.c.id == row.id
            connection.execute(update(spaces).where(mine).values(card_json=json.dumps(card)))


FACTS = {"base": RAW, "base_dim": 3072, "dim": 8, "whitened": False, "sha256": "ab" * 32}
ODDITIES: tuple[Mapping[str, Any], ...] = (
    {},
    {"projection": {}},
    {"projection": {"kind": "pca"}},
    {"projection": {**FACTS, "file": "projection-0123456789abcdef.npy"}},
    {
        "projection": {
            **FACTS,
            "file": "../../library.toml",
            "fitted_on": "theirs@1",
            "explained_variance": "much",
        }
    },
    {"projection": {**FACTS, "file": 7, "fitted_on": None, "explained_variance": 1}},
    {"weights": None, "languages": None, "text_tower": None, "preprocessing": []},
)


@pytest.mark.parametrize("values", ODDITIES, ids=str)
def test_every_page_answers(library: ba.Library, values: Mapping[str, Any]) -> None:
    change_odd_card(library, **values)
    readiness = readiness_of(library["theirs"].store, ODD)
    assert readiness.state == "to fetch" and readiness.sentence.startswith("Cannot")
    client = client_of(library, Access.public())
    pages = ["/", "/about/criteria", f"/about/criteria/{ODD}", f"/about/criteria/{RAW}"]
    for name in ("mine", "theirs"):
        pages += [f"/c/{name}", f"/c/{name}/embeddings"]
    pages += [f"/c/mine/criteria/{RAW}", f"/c/theirs/criteria/{ODD}"]
    pages += [f"/c/theirs?like=work-001&by={ODD}"]
    for page in pages:
        path, _, query = page.partition("?")
        for address in (page, f"{path}.json" + (f"?{query}" if query else "")):
            if address != "/.json":
                assert client.get(address).status_code in {200, 404}, address
    for page in ("/about/criteria", f"/c/theirs/criteria/{ODD}", f"/c/mine/criteria/{RAW}"):
        assert client.get(page).status_code == 200
    twin = client.get("/about/criteria.json").json()
    named = {one["card"]["model_id"]: one["collections"] for one in twin["criteria"]}
    assert named[RAW] == {"mine": 10} and named[ODD] == {"theirs": 10}
    words = client.get("/c/theirs.json", params={"text": "red", "by": ODD})
    assert words.status_code in {400, 422, 503} and "Cannot" in words.text
