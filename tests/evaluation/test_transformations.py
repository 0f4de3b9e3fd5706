"""What happens to a picture, on pictures small enough to check by eye."""

from __future__ import annotations

import numpy as np
import pytest

from bilderatlas.arrays import Pixels
from bilderatlas.errors import UnknownNameError
from bilderatlas.evaluation import transformations as changes
from bilderatlas.evaluation.transformations import TRANSFORMATIONS, get_transformation

RED, BLUE = (200, 30, 30), (30, 30, 200)


def halves(height: int = 60, width: int = 100) -> Pixels:
    """Return a picture that is red on the left and blue on the right."""
    pixels = np.empty((height, width, 3), np.uint8)
    pixels[:, : width // 2], pixels[:, width // 2 :] = RED, BLUE
    return pixels


def noise(height: int = 60, width: int = 100) -> Pixels:
    """Return a picture without margin, frame or symmetry."""
    return np.random.default_rng(5).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize("change", TRANSFORMATIONS, ids=lambda one: one.name)
def test_every_change_returns_a_picture_and_leaves_its_own_alone(
    change: changes.Transformation,
) -> None:
    for pixels in (halves(), noise(), noise(1, 1), noise(3, 200)):
        before = pixels.copy()
        after = change.change(pixels)
        assert np.array_equal(pixels, before)
        if after is None:
            assert change.lacking
            continue
        assert after.dtype == np.uint8 and after.ndim == 3 and after.shape[2] == 3
        assert after.flags.c_contiguous and min(after.shape) > 0
        assert np.array_equal(after, change.change(before))


def test_mirrored_twice_and_turned_four_times_are_nothing() -> None:
    pixels = noise()
    assert np.array_equal(changes.mirrored(changes.mirrored(pixels)), pixels)
    assert tuple(changes.mirrored(halves())[0, 0]) == BLUE
    assert tuple(changes.turned(halves())[0, 0]) == RED  # the left side lies on top now
    assert changes.turned(halves()).shape == (100, 60, 3)
    turned = pixels
    for _ in range(4):
        turned = changes.turned(turned)
    assert np.array_equal(turned, pixels)


def test_grey_keeps_the_luma() -> None:
    after = changes.grey(halves())
    assert (after == after[..., :1]).all()
    assert after[0, 0, 0] == round(0.299 * 200 + 0.587 * 30 + 0.114 * 30)
    assert np.array_equal(changes.grey(after), after)


def test_cropped_keeps_the_middle() -> None:
    pixels = noise(50, 100)
    assert np.array_equal(changes.cropped(pixels), pixels[5:45, 10:90])


def test_a_frame_is_put_on() -> None:
    pixels = noise(120, 160)
    framed = changes.framed(pixels)
    assert framed.shape == (140, 180, 3)  # 8 % of 120 px are 10 px on each side
    assert np.array_equal(framed[10:130, 10:170], pixels)
    assert tuple(framed[0, 0]) == changes.FRAME_RGB and tuple(framed[9, 9]) == changes.LIP_RGB
    assert changes.unframed(pixels) is None


def test_a_frame_is_found_again_to_the_pixel_or_two() -> None:
    pixels = noise(120, 160) // 5  # darker than the lip, so that its edge is plain
    inner = changes.unframed(changes.framed(pixels))
    assert inner is not None
    assert np.array_equal(inner, pixels[1:-1, 1:-1])  # an edge is two pixels wide


def test_coarse_keeps_colours_and_loses_what_is_small() -> None:
    pixels = np.zeros((384, 384, 3), np.uint8)
    pixels[::2, ::2] = 255  # a pattern of single pixels
    after = changes.coarse(pixels)
    assert after.shape == pixels.shape
    assert np.abs(after.astype(int) - 64).max() <= 1
    flat = halves(96, 96)
    assert np.array_equal(changes.coarse(flat), flat)  # nothing to lose at that size


def test_names() -> None:
    assert len({one.name for one in TRANSFORMATIONS}) == len(TRANSFORMATIONS)
    assert get_transformation("turned").noun == "turning"
    with pytest.raises(UnknownNameError, match="mirrored"):
        get_transformation("mirored")
