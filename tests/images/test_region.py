"""A rectangle in shares cuts the pixels that it touches."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bilderatlas.errors import QueryError
from bilderatlas.images.region import crop

GRID = np.arange(10 * 20 * 3, dtype=np.uint8).reshape(10, 20, 3)
SHARES = st.floats(0, 0.999)


def test_crop_by_hand() -> None:
    assert np.array_equal(crop(GRID, 0, 0, 1, 1), GRID)
    assert np.array_equal(crop(GRID, 0.5, 0.2, 0.25, 0.3), GRID[2:5, 10:15])
    assert np.array_equal(crop(GRID, 0.1, 0.1, 0.2, 0.2), GRID[1:3, 2:6])
    assert np.array_equal(crop(GRID, 0.99, 0.99, 0.0001, 0.0001), GRID[9:, 19:])
    assert np.array_equal(crop(GRID, -0.5, 0.5, 1, 2), GRID[5:, :10])


@given(SHARES, SHARES, st.floats(1e-6, 1), st.floats(1e-6, 1))
def test_crop_is_never_empty_and_stays_inside(x: float, y: float, w: float, h: float) -> None:
    part = crop(GRID, x, y, w, h)
    height, width = part.shape[:2]
    assert 1 <= height <= min(10, h * 10 + 2)
    assert 1 <= width <= min(20, w * 20 + 2)
    assert part.flags.c_contiguous
    assert part[0, 0] in GRID[:, :, :].reshape(-1, 3)


@given(SHARES, SHARES)
def test_halves_share_no_pixel_more_than_their_seam(x: float, y: float) -> None:
    left, right = crop(GRID, 0, y, 0.5, 1), crop(GRID, 0.5, y, 0.5, 1)
    assert left.shape[1] + right.shape[1] == 20


@pytest.mark.parametrize(
    "region",
    [
        (0, 0, 0, 1),
        (0, 0, 1, -1),
        (1, 0, 1, 1),
        (0, 1.5, 1, 1),
        (-2, 0, 1, 1),
        (float("nan"), 0, 1, 1),
        (0, 0, float("inf"), 1),
    ],
)
def test_nonsense_is_refused(region: tuple[float, float, float, float]) -> None:
    with pytest.raises(QueryError, match="shares"):
        crop(GRID, *region)
