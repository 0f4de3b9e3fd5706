"""What the search page says of a line above which nothing stands, and of groups that are many."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from starlette.testclient import TestClient

import bilderatlas.api as ba
from bilderatlas.arrays import Metric, unit_rows
from bilderatlas.extractors.base import Card, ImageRows
from bilderatlas.records import Record
from bilderatlas.search.arrange import MAX_GROUPS
from bilderatlas.store.images import NewImage
from bilderatlas.store.library import LibraryStore
from bilderatlas.web.security import Access
from tests.web.conftest import client_of

N_WORKS = 150
CARD = Card(
    model_id="directions.fake",
    judges_by="the direction",
    sees="Works are alike that point the same way.",
    dim=32,
    dtype="f32",
    metrics=(Metric.ANGULAR,),
    side_px=1,
    preprocessing=(),
)


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """Return a site of works in random directions, by fifty makers and of three schools."""
    root = tmp_path_factory.mktemp("crowd") / "library"
    drawn = np.random.default_rng(3).standard_normal((N_WORKS, CARD.dim), dtype=np.float32)
    rows = [(f"w{n}", ImageRows(row[np.newaxis])) for n, row in enumerate(unit_rows(drawn))]
    images = [
        NewImage(
            Record(name, creators=(f"Maker {n % 50}",), school=f"School {n % 3}"),
            content_sha256=name.encode().hex().ljust(64, "0"),
            size_wh=(30, 20),
        )
        for n, (name, _) in enumerate(rows)
    ]
    with LibraryStore.create(root) as store:
        made = store.create_collection("crowd", source_kind="folder", source_address="/nowhere")
        with made.writer() as writer:
            writer.ensure_space(CARD)
            writer.commit_batch(images, {CARD.model_id: rows})
    with ba.open(root) as library:
        yield client_of(library, Access.local(8642))


def unlined(crowd: TestClient) -> str:
    """Return a work that no other one is like."""
    for number in range(N_WORKS):
        stop = crowd.get(f"/c/crowd.json?like=w{number}&k=1").json()["stop"]
        if stop and stop["n_better"] == 0:
            return f"w{number}"
    raise AssertionError("every work is like another: draw other directions")


def test_a_line_at_nothing_speaks_against_no_work(crowd: TestClient) -> None:
    page = crowd.get(f"/c/crowd?like={unlined(crowd)}").text
    assert "works, none stands out" in page
    assert '<li class="stop"><span>No work stands out from the rest' in page
    assert "0</strong> works better than chance" not in page
    german = crowd.get(f"/c/crowd?like={unlined(crowd)}", headers={"Accept-Language": "de"}).text
    assert "keines hebt sich ab" in german


def test_groups_that_are_cut_say_so(crowd: TestClient) -> None:
    said = f"At most {MAX_GROUPS} groups are shown, the largest ones."
    many = crowd.get("/c/crowd?group=creators").text
    assert many.count('<section class="group"') == MAX_GROUPS
    assert said in many
    assert said not in crowd.get("/c/crowd?group=school").text


def test_the_way_past_the_header_leads_to_the_pictures(crowd: TestClient) -> None:
    page = crowd.get("/c/crowd").text
    assert '<a class="skip" href="#pictures">' in page
    assert '<picture-grid id="pictures" tabindex="-1">' in page
    assert '<a class="skip" href="#main">' in crowd.get("/about/criteria").text
