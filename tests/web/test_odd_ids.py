"""Ids that look like something else in an address: followed link by link."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

import bilderatlas.api as ba
from bilderatlas.indexing import IndexOptions
from bilderatlas.web import urls
from bilderatlas.web.security import Access
from tests.web.conftest import client_of, draw
from tests.web.reading import Document

IDS = ("upload:1.png", "upload:a/2.png", "a #1?.png", "50% off & more.png", "x.json.png", "~2E.png")


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """Return a client of a library whose works have odd ids."""
    if sys.platform == "win32":
        pytest.skip("files cannot have such names here")
    source = tmp_path_factory.mktemp("odd")
    for place, image_id in enumerate(IDS):
        draw(source / image_id, (40 * place, 90, 200 - 30 * place), (60, 50))
    with ba.create(tmp_path_factory.mktemp("library")) as library:
        options = IndexOptions(extractors=("raw_32.pixels",), workers=1)
        assert ba.index(library, str(source), "odd", options=options).added == len(IDS)
        yield client_of(library, Access.local(8642))


def links(client: TestClient, path: str) -> list[str]:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text[:300]
    return [one.get("href") for one in Document(answer.text).all("a")]


@pytest.mark.parametrize("image_id", IDS)
def test_more_and_less_like_any_work(odd: TestClient, image_id: str) -> None:
    found = [one for one in links(odd, urls.work("odd", image_id)) if "like=" in one]
    assert len(found) >= 2
    for link in found:
        answer = odd.get(link)
        assert answer.status_code == 200, link
        tiles = Document(answer.text).all("details", class_="tile")
        assert len(tiles) == 1, link


@pytest.mark.parametrize("image_id", IDS)
def test_the_json_link_is_an_address(odd: TestClient, image_id: str) -> None:
    spelled = urls.work("odd", image_id, [("where", "title is null and id != '#'")])
    twin = urls.work("odd", image_id, json=True)
    [link] = [one for one in links(odd, spelled) if one.startswith(twin)]
    assert not {" ", "#", "<", '"'} & set(link)
    assert "where=" in link
    assert odd.get(link).json()["image_id"] == image_id


def test_every_work_is_among_the_results_by_its_own_link(odd: TestClient) -> None:
    found = links(odd, "/c/odd")
    for image_id in IDS:
        assert any(urls.work("odd", image_id) == one for one in found), quote(image_id)


def test_nothing_is_read_beside_the_library(odd: TestClient) -> None:
    assert not Path("upload:1.png").exists()
    assert odd.get("/c/odd.json?like=upload:1.png").status_code == 400
