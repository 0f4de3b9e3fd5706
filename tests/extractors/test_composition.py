"""Composition: places and directions count, colours do not."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from bilderatlas.arrays import Embeddings, Pixels
from bilderatlas.extractors.composition import GRIDS, N_DIRECTIONS, Composition


def embedded(pixels: Pixels) -> Embeddings:
    return Composition().embed_images([np.ascontiguousarray(pixels)])[0]


def likeness(a: Pixels, b: Pixels) -> float:
    return float(embedded(a) @ embedded(b))


@pytest.fixture
def scene() -> Pixels:
    """A diagonal beam at the left, a disc at the right: unlike its mirror image."""
    pixels = np.full((150, 200, 3), (200, 190, 160), np.uint8)
    cv2.line(pixels, (10, 140), (80, 10), (90, 30, 20), 9)
    cv2.circle(pixels, (150, 100), 30, (40, 60, 120), -1)
    return pixels


def test_length_is_one(scene: Pixels) -> None:
    assert np.linalg.norm(embedded(scene)) == pytest.approx(1, abs=1e-6)


def test_a_negative_has_the_composition_of_its_positive(scene: Pixels) -> None:
    assert likeness(scene, 255 - scene) > 0.999


def test_grey_and_light_hardly_matter(scene: Pixels) -> None:
    grey = cv2.cvtColor(cv2.cvtColor(scene, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    assert likeness(scene, grey) > 0.999
    assert likeness(scene, (scene * 0.6 + 20).astype(np.uint8)) > 0.99


def test_a_mirrored_picture_is_another_one(scene: Pixels) -> None:
    assert likeness(scene, scene[:, ::-1]) < 0.5
    assert likeness(scene, scene[::-1]) < 0.5


def test_scale_and_proportion_of_the_canvas_do_not_matter(scene: Pixels) -> None:
    assert likeness(scene, cv2.resize(scene, (100, 150), interpolation=cv2.INTER_AREA)) > 0.97


def test_a_step_puts_its_mass_where_it_is() -> None:
    pixels = np.zeros((128, 128, 3), np.uint8)
    pixels[:, 40:] = 255  # one vertical edge, so a horizontal gradient, in the third column of 8
    masses = embedded(pixels)[: GRIDS[0] ** 2 * N_DIRECTIONS].reshape(8, 8, N_DIRECTIONS) ** 2
    assert masses[:, 1:4, 0].sum() == pytest.approx(masses.sum(), rel=1e-3)
    assert np.allclose(masses[1:-1], masses[1:2], atol=1e-4)


def test_an_even_surface_has_no_composition() -> None:
    assert not embedded(np.full((40, 40, 3), 77, np.uint8)).any()


def test_altered_paintings_are_found_again(paintings: Path) -> None:
    files = sorted((paintings / "images").iterdir())[::4]
    pictures = [
        cv2.resize(
            cv2.cvtColor(cv2.imread(str(file)), cv2.COLOR_BGR2RGB),
            (192, 192),
            interpolation=cv2.INTER_AREA,
        )
        for file in files
    ]
    rows = np.array([embedded(pixels) for pixels in pictures])
    drawn = [255 - cv2.Canny(cv2.GaussianBlur(p, (0, 0), 1.2), 40, 100) for p in pictures[::4]]
    queries = {
        "cropped negatives": [255 - pixels[12:184, 4:180] for pixels in pictures[::4]],
        "line drawings": [cv2.cvtColor(lines, cv2.COLOR_GRAY2RGB) for lines in drawn],
    }
    wanted = np.arange(len(pictures))[::4]
    for kind, altered in queries.items():
        best = np.argmax(np.array([embedded(pixels) for pixels in altered]) @ rows.T, axis=1)
        assert (best == wanted).mean() >= 0.85, kind
