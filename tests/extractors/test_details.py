"""Local features: what is kept, what is not, and what a mirror does to them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from bilderatlas.arrays import Pixels
from bilderatlas.extractors.base import EXTRACTORS
from bilderatlas.extractors.details import (
    DIM,
    MAX_FEATURES,
    SIDE_PX,
    DetailsSift,
    mirror_rows,
    root_bytes,
    spread_choice,
)


def scribble(seed: int, width: int = 400, height: int = 300) -> Pixels:
    """Paint a picture full of corners: rectangles and discs in random greys and colours."""
    random = np.random.default_rng(seed)
    pixels = np.full((height, width, 3), 200, np.uint8)
    for _ in range(90):
        x, y = random.integers(0, [width, height])
        w, h = random.integers(6, 60, 2)
        colour = tuple(int(c) for c in random.integers(0, 256, 3))
        if random.random() < 0.5:
            cv2.rectangle(pixels, (int(x), int(y)), (int(x + w), int(y + h)), colour, -1)
        else:
            cv2.circle(pixels, (int(x), int(y)), int(w // 2), colour, -1)
    return cv2.GaussianBlur(pixels, (0, 0), 0.8)


def test_registered_with_many_rows() -> None:
    card = EXTRACTORS.get("details_sift.pixels").card
    assert (card.dim, card.dtype, card.many_rows, card.side_px) == (DIM, "u8", True, SIDE_PX)


def test_rows_are_bytes_with_a_place_each() -> None:
    (rows,) = DetailsSift().extract_batch([scribble(1)])
    assert rows.geometry is not None
    n_rows = len(rows.vectors)
    assert 50 < n_rows <= MAX_FEATURES
    assert rows.vectors.dtype == np.uint8
    assert rows.vectors.shape == (n_rows, DIM)
    assert rows.geometry.shape == (n_rows, 4)
    assert rows.geometry.dtype == np.float32
    assert rows.geometry[:, :3].min() >= 0
    assert rows.geometry[:, :2].max() <= 1
    assert 0 <= rows.geometry[:, 3].min() <= rows.geometry[:, 3].max() <= 2 * np.pi + 1e-5


def test_all_rows_have_the_same_length() -> None:
    (rows,) = DetailsSift().extract_batch([scribble(2)])
    lengths = np.linalg.norm(rows.vectors.astype(np.float64), axis=1)
    assert np.median(np.abs(lengths - 512)) < 3
    assert lengths.max() < 520


@pytest.mark.parametrize("shape_hw", [(1, 1), (3, 500), (500, 3), (12, 12), (40, 40), (640, 480)])
def test_a_picture_that_shows_nothing_has_no_rows(shape_hw: tuple[int, int]) -> None:
    (rows,) = DetailsSift().extract_batch([np.full((*shape_hw, 3), 127, np.uint8)])
    assert rows.vectors.shape == (0, DIM)
    assert rows.geometry is not None
    assert rows.geometry.shape == (0, 4)


@pytest.mark.parametrize("shape_hw", [(1, 1), (1, 640), (5, 5), (11, 640), (12, 640), (16, 16)])
def test_tiny_pictures_do_no_harm(shape_hw: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (*shape_hw, 3), dtype=np.uint8)
    (rows,) = DetailsSift().extract_batch([noise])
    assert len(rows.vectors) <= MAX_FEATURES


def test_noise_stays_below_the_bound() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (SIDE_PX, SIDE_PX, 3), dtype=np.uint8)
    (rows,) = DetailsSift().extract_batch([noise])
    assert len(rows.vectors) == MAX_FEATURES


def test_several_threads_give_what_one_gives() -> None:
    pictures = [scribble(seed) for seed in range(8)]
    alone = DetailsSift().extract_batch(pictures)
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda p: DetailsSift().extract_batch([p])[0], pictures))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one.vectors, other.vectors)
        np.testing.assert_array_equal(one.geometry, other.geometry)


def test_views_that_are_not_contiguous_are_read() -> None:
    picture = scribble(3)
    straight, viewed = DetailsSift().extract_batch([picture, picture[:, ::-1][:, ::-1]])
    np.testing.assert_array_equal(straight.vectors, viewed.vectors)


def test_root_bytes_by_hand() -> None:
    histogram = np.zeros((2, DIM))
    histogram[0, :16] = 1.0  # 16 equal bins: share 1/16, root 1/4, times 512 = 128
    assert root_bytes(histogram)[0, :17].tolist() == [128] * 16 + [0]
    assert not root_bytes(histogram)[1].any()


def test_mirrored_rows_are_those_of_the_mirrored_picture() -> None:
    picture = scribble(4)
    rows, found = DetailsSift().extract_batch([picture, np.ascontiguousarray(picture[:, ::-1])])
    mirrored = mirror_rows(rows)
    assert mirrored.geometry is not None and found.geometry is not None
    gaps = np.linalg.norm(
        mirrored.vectors[:, None].astype(np.float32) - found.vectors[None].astype(np.float32),
        axis=2,
    )
    nearest = gaps.argmin(axis=1)
    same = gaps.min(axis=1) < 40
    assert same.mean() > 0.8
    apart = np.abs(mirrored.geometry - found.geometry[nearest])[same]
    assert np.median(apart[:, :2]) < 2e-4
    assert np.median(apart[:, 3]) < 0.01


def test_a_mirror_of_a_mirror_is_the_picture() -> None:
    (rows,) = DetailsSift().extract_batch([scribble(5)])
    twice = mirror_rows(mirror_rows(rows))
    np.testing.assert_array_equal(twice.vectors, rows.vectors)
    np.testing.assert_allclose(twice.geometry[:, :3], rows.geometry[:, :3], atol=1e-6)


def test_spread_keeps_quiet_passages() -> None:
    random = np.random.default_rng(0)
    crowd = random.uniform(0, 0.1, (1000, 2)).astype(np.float32)  # loud, in one corner
    quiet = random.uniform(0.5, 1, (30, 2)).astype(np.float32)
    places = np.concatenate([crowd, quiet])
    responses = np.concatenate([np.full(1000, 1.0), np.full(30, 0.1)]).astype(np.float32)
    chosen = spread_choice(places, responses, max_features=200)
    assert len(chosen) == len(set(chosen.tolist())) == 200
    assert (chosen >= 1000).sum() == 30


def test_spread_keeps_everything_below_the_bound() -> None:
    places = np.zeros((5, 2), np.float32)
    assert spread_choice(places, np.zeros(5, np.float32), max_features=5).tolist() == [
        0,
        1,
        2,
        3,
        4,
    ]
