"""Poses on the pages: the outline of the figure, mirror images on request, rules that fit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

import bilderatlas.api as ba
from bilderatlas.extractors.pose import PoseKeypointRcnn
from bilderatlas.extractors.pose_vectors import rows_of_figures
from bilderatlas.indexing import IndexOptions
from bilderatlas.web.security import Access
from tests.web.conftest import client_of

MODEL_ID = PoseKeypointRcnn.base_card.model_id
SIZE = (120, 90)


def figure(arm_x: float) -> np.ndarray:
    """Return a figure in the right half of the picture, one hand at `arm_x`."""
    places = [(90 + dx, 45 + dy) for dx in (-10, 0, 10, 20) for dy in (-20, -5, 10, 20)]
    return np.array([(*place, 1.0) for place in [*places, (arm_x, 20)]])


def mirrored(joints: np.ndarray) -> np.ndarray:
    swapped = joints[[0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15]]
    return np.c_[SIZE[0] - swapped[:, 0], swapped[:, 1:]]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """Return a site with three works that show a figure and one that shows none."""
    folder: Path = tmp_path_factory.mktemp("figures")
    figures = {"a.png": [figure(70)], "b.png": [figure(72)], "c.png": [mirrored(figure(70))]}
    for place, name in enumerate([*figures, "d.png"]):
        Image.new("RGB", SIZE, (40 * place, 90, 200)).save(folder / name)
    with ba.create(tmp_path_factory.mktemp("library")) as library:
        options = IndexOptions(extractors=("raw_32.pixels",), workers=1)
        ba.index(library, str(folder), "figures", options=options)
        assert list(library["figures"].store.columns.image_ids) == [*figures, "d.png"]
        rows = [
            (name, rows_of_figures(np.array(figures.get(name, [])).reshape(-1, 17, 3), SIZE))
            for name in (*figures, "d.png")
        ]
        with library["figures"].store.writer() as writer:
            writer.ensure_space(PoseKeypointRcnn.base_card)
            writer.commit_batch([], {MODEL_ID: rows})
        yield client_of(library, Access.local(8642))


def test_the_page_outlines_the_figure(site: TestClient) -> None:
    found = site.get(f"/c/figures.json?by={MODEL_ID}&like=a.png").json()
    assert [hit["image_id"] for hit in found["hits"]] == ["b.png", "c.png"]
    x1, _, x2, _ = found["hits"][0]["figure"]["region_xyxyn"]
    assert 0.5 < x1 < x2 <= 1
    page = site.get(f"/c/figures?by={MODEL_ID}&like=a.png").text
    assert page.count('class="outline"') == 2
    assert "From here on, no detail agrees" not in page


def test_mirror_images_are_offered_and_named(site: TestClient) -> None:
    address = f"/c/figures?by={MODEL_ID}&like=a.png"
    assert 'name="mirrored"' in site.get(address).text
    page = site.get(f"{address}&mirrored=1").text
    assert page.count('<span class="verdict">mirrored</span>') == 1
    found = site.get(address.replace("figures?", "figures.json?") + "&mirrored=1").json()
    assert found["hits"][0]["image_id"] == "c.png" and found["hits"][0]["figure"]["mirrored"]


def test_rules_that_mean_nothing_here_are_barred(site: TestClient) -> None:
    page = site.get(f"/c/figures?by={MODEL_ID}&like=a.png").text
    assert "Not for the pose of figures: a picture may show several figures." in page
    refused = site.get(f"/c/figures?by={MODEL_ID}&like=a.png&rule=projection")
    assert refused.status_code == 400
    assert "Choose &#39;difference&#39;" in refused.text


def test_the_work_page_says_which_figure_and_lists_neighbours(site: TestClient) -> None:
    page = site.get(f"/c/figures/i/c.png?by={MODEL_ID}&like=a.png&mirrored=1").text
    assert "The outline shows the figure whose pose is nearest to the question" in page
    assert "as in a mirror" in page
    assert page.count('class="outline"') >= 2  # on the work itself, and on its neighbours
    none = site.get("/c/figures/i/d.png").text
    assert "This work has no place under this criterion." in none
    assert "No other work shares its details." not in none
