"""Palettes, and the vectors whose distance approximates the transport between them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bilderatlas.arrays import Pixels
from bilderatlas.extractors.colour import hex_of_lab, lab_of_srgb, srgb_of_lab
from bilderatlas.extractors.palette import (
    MAX_COLOURS,
    Palette,
    PaletteVectors,
    directions,
    embed_colours,
    palette_of,
    transport_distance,
)


def palette(colours: Any, shares: Any) -> Palette:
    lab, masses = np.array(colours, float), np.array(shares, float)
    return Palette(lab, masses / masses.sum(), hex_of_lab(lab))


def embedded(of: Palette) -> npt.NDArray[np.float64]:
    return embed_colours(of.colours_lab, of.shares).astype(np.float64)


def least_work(a: Palette, b: Palette) -> float:
    """Solve the transport exactly: shortest augmenting paths over the residual plan.

    Costs reach 20,000: a gain below `gain` is rounding, and following it could run in a circle.
    """
    gain = 1e-7
    costs = ((a.colours_lab[:, None] - b.colours_lab[None]) ** 2).sum(-1)
    supply, demand, plan = a.shares.copy(), b.shares.copy(), np.zeros(costs.shape)
    while min(supply.sum(), demand.sum()) > 1e-9:
        rows = np.where(supply > 1e-12, 0.0, np.inf)
        columns = np.full(len(demand), np.inf)
        from_row, from_column = np.zeros(len(demand), int), np.full(len(supply), -1)
        for _ in range(len(supply) + len(demand)):  # Bellman-Ford
            reached = rows[:, None] + costs
            from_row = np.where(reached.min(0) < columns - gain, reached.argmin(0), from_row)
            columns = np.minimum(columns, reached.min(0))
            back = np.where(plan > 1e-12, columns[None] - costs, np.inf)
            better = back.min(1) < rows - gain
            from_column = np.where(better, back.argmin(1), from_column)
            rows = np.where(better, back.min(1), rows)
        column = int(np.argmin(np.where(demand > 1e-12, columns, np.inf)))
        path, end = [], column
        while True:
            path.append((from_row[column], column, 1))
            row = from_row[column]
            if from_column[row] < 0:
                break
            column = from_column[row]
            path.append((row, column, -1))
            assert len(path) <= 2 * costs.size, "the shortest path runs in a circle"
        amount = min([supply[row], demand[end], *(plan[i, j] for i, j, sign in path if sign < 0)])
        for i, j, sign in path:
            plan[i, j] += sign * amount
        supply[row] -= amount
        demand[end] -= amount
    return float(np.sqrt((plan * costs).sum()))


COLOUR = st.tuples(st.floats(0, 100), st.floats(-60, 60), st.floats(-60, 60))
PALETTES = st.lists(st.tuples(COLOUR, st.floats(0.01, 1)), min_size=1, max_size=7).map(
    lambda entries: palette(*zip(*entries, strict=True))
)


@given(st.tuples(*[st.integers(0, 255)] * 3))
def test_colours_survive_the_way_there_and_back(srgb: tuple[int, int, int]) -> None:
    assert srgb_of_lab(lab_of_srgb(np.array(srgb))).tolist() == list(srgb)


def test_white_grey_and_black_stand_on_the_axis_of_lightness() -> None:
    lab = lab_of_srgb(np.array([[255, 255, 255], [0, 0, 0], [119, 119, 119]]))
    assert lab[:2] == pytest.approx(np.array([[100, 0, 0], [0, 0, 0]]), abs=1e-3)
    assert np.abs(lab[2, 1:]).max() < 1e-3


def test_directions_weigh_all_axes_equally() -> None:
    assert directions().shape == (16, 3)
    assert directions().T @ directions() == pytest.approx(16 / 3 * np.eye(3), abs=1e-12)


@settings(deadline=None, max_examples=60)
@given(PALETTES, PALETTES)
def test_transport_is_the_least_work(a: Palette, b: Palette) -> None:
    assert transport_distance(a, b) == pytest.approx(least_work(a, b), abs=0.02, rel=1e-3)


@given(PALETTES, PALETTES)
def test_vectors_are_never_farther_apart_than_the_transport(a: Palette, b: Palette) -> None:
    assert np.linalg.norm(embedded(a) - embedded(b)) <= transport_distance(a, b) * 1.001 + 0.05


@given(PALETTES, COLOUR)
def test_a_palette_shifted_as_a_whole_is_as_far_as_it_was_shifted(
    of: Palette, shift: tuple[float, float, float]
) -> None:
    moved = palette(of.colours_lab + np.array(shift), of.shares)
    length = float(np.linalg.norm(shift))
    assert np.linalg.norm(embedded(of) - embedded(moved)) == pytest.approx(length, abs=0.02)
    assert transport_distance(of, moved) == pytest.approx(length, abs=0.05)


def test_colours_come_with_their_shares() -> None:
    pixels = np.zeros((10, 10, 3), np.uint8)
    pixels[:6] = (200, 30, 30)
    pixels[6:9] = (30, 60, 180)
    found = palette_of(pixels)
    assert found.srgb_hex == ("#c81e1e", "#1e3cb4", "#000000")
    assert found.shares == pytest.approx([0.6, 0.3, 0.1])


def test_place_does_not_matter_and_proportion_does() -> None:
    pixels = np.full((40, 40, 3), (240, 230, 200), np.uint8)
    pixels[:20] = (20, 30, 90)
    turned, more_blue = np.rot90(pixels).copy(), pixels.copy()
    more_blue[20:30] = (20, 30, 90)
    rows = PaletteVectors().embed_images([pixels, turned, more_blue])
    assert np.array_equal(rows[0], rows[1])
    assert np.linalg.norm(rows[0] - rows[2]) > 5


def framed() -> Pixels:
    """A green picture in a speckled golden frame on a white wall."""
    random = np.random.default_rng(0)
    pixels = np.full((200, 240, 3), 250, np.uint8)
    pixels[20:180, 20:220] = random.normal((190, 150, 60), 12, (160, 200, 3)).clip(0, 255)
    pixels[32:168, 32:208] = random.normal((40, 90, 50), 6, (136, 176, 3)).clip(0, 255)
    return pixels


def test_frame_and_wall_are_left_out_on_request() -> None:
    green = lab_of_srgb(np.array([40, 90, 50]))
    whole = palette_of(framed())
    inner = palette_of(framed(), ignore_frame=True)
    assert max(np.linalg.norm(whole.colours_lab - green, axis=1)) > 40
    assert max(np.linalg.norm(inner.colours_lab - green, axis=1)) < 15


def test_background_is_left_out_on_request() -> None:
    pixels = np.full((120, 120, 3), (128, 130, 127), np.uint8)
    cv2.circle(pixels, (60, 60), 25, (170, 90, 40), -1)
    found = palette_of(pixels, ignore_background=True)
    assert found.srgb_hex[0] == "#aa5a28"
    assert found.shares[0] > 0.95


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (12, 200, 90)])
def test_a_surface_of_one_colour_is_no_frame_and_no_background(
    colour: tuple[int, int, int],
) -> None:
    for shape in ((1, 1, 3), (2, 50, 3), (40, 40, 3)):
        found = palette_of(
            np.full(shape, colour, np.uint8), ignore_frame=True, ignore_background=True
        )
        assert found.shares.tolist() == [1.0]


@pytest.fixture(scope="module")
def painted(paintings: Path) -> list[Pixels]:
    files = sorted((paintings / "images").iterdir())[::8]
    pictures = [cv2.cvtColor(cv2.imread(str(file)), cv2.COLOR_BGR2RGB) for file in files]
    return [cv2.resize(pixels, (200, 200), interpolation=cv2.INTER_AREA) for pixels in pictures]


def test_vectors_rank_paintings_as_the_transport_does(painted: list[Pixels]) -> None:
    palettes = [palette_of(pixels) for pixels in painted]
    rows = PaletteVectors().embed_images(painted)
    first, second = np.triu_indices(len(painted), 1)
    exact = [
        transport_distance(palettes[i], palettes[j]) for i, j in zip(first, second, strict=True)
    ]
    approximate = np.linalg.norm(rows[first] - rows[second], axis=1)
    ranks = np.argsort(np.argsort([exact, approximate], axis=1), axis=1)
    assert np.corrcoef(ranks)[0, 1] > 0.985
    assert np.median(approximate / exact) > 0.9


def test_palettes_of_paintings_are_short_and_complete(painted: list[Pixels]) -> None:
    for pixels in painted:
        found = palette_of(pixels, ignore_frame=True, ignore_background=True)
        assert 1 <= len(found.shares) == len(found.colours_lab) == len(found.srgb_hex)
        assert len(found.shares) <= MAX_COLOURS
        assert found.shares.sum() == pytest.approx(1)
        assert (np.diff(found.shares) <= 0).all() and found.shares[-1] > 0
