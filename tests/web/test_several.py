"""Facets and groups on the search page, where several collections are asked at once."""

from __future__ import annotations

import csv
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

import bilderatlas.api as ba
from bilderatlas.indexing import IndexOptions
from tests.web.conftest import EXTRACTORS, draw

BOTH = "/c/fields.json?like=red.png&also=walls"


@pytest.fixture(scope="module")
def walls(library: ba.Library, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the name of a second collection, with makers and dates, for a while."""
    source = tmp_path_factory.mktemp("walls")
    rows = [("rust.png", (200, 60, 40), "Maria Rot", 1625), ("sky.png", (60, 90, 230), "Ann", 1850)]
    with (source / "metadata.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "artist", "year"])
        for name, colour, maker, year in rows:
            draw(source / name, colour, (90, 60))
            writer.writerow([name, maker, year])
    options = IndexOptions(extractors=EXTRACTORS, workers=1)
    ba.index(library, str(source), "walls", options=options)
    yield "walls"
    library.remove("walls")


def test_counts_are_those_of_all_collections(client: TestClient, walls: str) -> None:
    answer = client.get(f"{BOTH}&facet=creators:Maria+Rot").json()
    makers = next(one for one in answer["facets"] if one["column"] == "creators")
    counts = {one["value"]: one["n"] for one in makers["values"]}
    assert counts["Maria Rot"] == 2  # the red field is the question itself
    assert counts["Jan Blauw"] == 2
    for value, n in counts.items():
        chosen = client.get(f"{BOTH}&facet=creators:{value}").json()
        assert len(chosen["hits"]) == n


def test_groups_name_works_of_all_collections(client: TestClient, walls: str) -> None:
    answer = client.get(f"{BOTH}&group=century").json()
    labels = [(one["label"], one["n"]) for one in answer["groups"]]
    assert ("17th century", 2) in labels
    assert ("19th century", 1) in labels
    page = client.get(f"{BOTH}&group=century".replace(".json", ""))
    assert page.status_code == 200
    assert f'data-id="{walls}/rust.png"' in page.text


def test_an_old_link_to_a_collection_that_was_removed_is_answered(client: TestClient) -> None:
    answer = client.get("/c/fields?like=red.png&also=gone")
    assert answer.status_code == 200
    assert "gone could not answer." in answer.text
