"""The picture itself, small."""

from __future__ import annotations

import numpy as np

from bilderatlas.extractors.raw import RawPixels


def test_one_colour_stays_that_colour() -> None:
    (rows,) = RawPixels().extract_batch([np.full((20, 50, 3), (10, 200, 30), np.uint8)])
    assert (rows.vectors.reshape(32, 32, 3) == (10, 200, 30)).all()


def test_values_stand_in_reading_order() -> None:
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[:32, 32:, 0] = 255  # red, top right
    small = RawPixels().extract_batch([pixels])[0].vectors.reshape(32, 32, 3)
    assert small[5, 26].tolist() == [255, 0, 0]
    assert small[5, 5].tolist() == small[26, 26].tolist() == [0, 0, 0]


def test_a_picture_of_32_pixels_is_its_own_embedding() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3)).astype(np.uint8)
    assert np.array_equal(RawPixels().extract_batch([pixels])[0].vectors[0], pixels.ravel())
