"""Steps are data: what a card says is what the network gets."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bilderatlas.errors import UsageError
from bilderatlas.extractors.preprocessing import check_steps, preprocess

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
SCALE = {"step": "scale", "divide_by": 255}
NORMALISE = {"step": "normalise", "mean": MEAN, "std": STD}


def resize(mode: str, size_px: int, filter: str = "bicubic", **more: Any) -> dict[str, Any]:
    return {"step": "resize", "mode": mode, "size_px": size_px, "filter": filter, **more}


def crop(size_px: int) -> dict[str, Any]:
    return {"step": "crop", "mode": "center", "size_px": size_px}


def picture(width: int, height: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)


def test_numbers_computed_in_the_head() -> None:
    pixels = np.zeros((2, 2, 3), np.uint8)
    pixels[0, 1] = (255, 51, 0)
    (batch,) = preprocess([pixels], [SCALE, NORMALISE])
    assert batch.shape == (3, 2, 2) and batch.dtype == np.float32
    assert batch[0, 0, 1] == pytest.approx((1 - 0.485) / 0.229, rel=1e-6)
    assert batch[1, 0, 1] == pytest.approx((0.2 - 0.456) / 0.224, rel=1e-6)
    assert batch[2, 1, 1] == pytest.approx(-0.406 / 0.225, rel=1e-6)


def test_channels_may_be_turned_before_or_after() -> None:
    pixels = picture(5, 4)
    turn = {"step": "channels", "order": "BGR"}
    plain = preprocess([pixels], [SCALE, NORMALISE])
    np.testing.assert_array_equal(preprocess([pixels], [SCALE, NORMALISE, turn]), plain[:, ::-1])
    before = preprocess([pixels], [turn, SCALE, NORMALISE])  # then the mean is of blue first
    expected = (pixels[:, :, ::-1] / 255 - MEAN) / STD
    np.testing.assert_allclose(before[0], expected.transpose(2, 0, 1), atol=1e-5)
    keep = {"step": "channels", "order": "RGB"}
    np.testing.assert_array_equal(preprocess([pixels], [keep, SCALE, NORMALISE]), plain)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 300), st.integers(1, 300), st.integers(8, 64))
def test_sizes(width: int, height: int, size: int) -> None:
    pixels = picture(width, height)
    short = preprocess([pixels], [resize("short_side", size)], stacked=False)[0]
    assert min(short.shape[1:]) == size
    fit = preprocess([pixels], [resize("fit", size)], stacked=False)[0]
    assert max(fit.shape[1:]) == size
    for steps in ([resize("squash", size)], [resize("fit", size), crop(size)]):
        assert preprocess([pixels], steps).shape == (1, 3, size, size)


@pytest.mark.parametrize("size_wh", [(640, 427), (427, 640), (500, 333), (224, 224), (301, 997)])
@pytest.mark.parametrize("filter", ["bicubic", "bilinear", "lanczos"])
def test_equal_to_torchvision(size_wh: tuple[int, int], filter: str) -> None:
    pytest.importorskip("torchvision")
    from PIL import Image
    from torchvision.transforms import CenterCrop, Compose, InterpolationMode, Normalize, Resize
    from torchvision.transforms import ToTensor as ToNumbers

    pixels = picture(*size_wh)
    reference = Compose(
        [Resize(235, InterpolationMode(filter)), CenterCrop(224), ToNumbers(), Normalize(MEAN, STD)]
    )
    expected = reference(Image.fromarray(pixels)).numpy()
    steps = [resize("short_side", 235, filter), crop(224), SCALE, NORMALISE]
    np.testing.assert_allclose(preprocess([pixels], steps)[0], expected, atol=2e-6)


def test_filters_differ_and_area_is_the_mean() -> None:
    pixels = picture(64, 64)
    found = {
        name: preprocess([pixels], [resize("squash", 16, name)])
        for name in ("bicubic", "bilinear", "lanczos", "area")
    }
    means = pixels.reshape(16, 4, 16, 4, 3).mean(axis=(1, 3)).transpose(2, 0, 1)
    assert np.abs(found["area"][0] - means).max() <= 0.5
    names = list(found)
    assert all(
        not np.array_equal(found[one], found[other])
        for i, one in enumerate(names)
        for other in names[:i]
    )
    hard = preprocess([pixels], [resize("squash", 16, "bilinear", antialias=False)])
    assert not np.array_equal(hard, found["bilinear"])


def test_a_margin_where_the_picture_is_too_small() -> None:
    cropped = preprocess([np.full((2, 6, 3), 9, np.uint8)], [crop(4)])[0]
    assert cropped.shape == (3, 4, 4)
    np.testing.assert_array_equal(cropped[0, :, 0], [0, 9, 9, 0])


def test_pictures_that_cannot_be_changed_stay_unchanged() -> None:
    pixels = picture(40, 30)
    pixels.flags.writeable = False
    wide = np.zeros((30, 80, 3), np.uint8)
    wide[:, ::2] = pixels
    steps = [resize("short_side", 16), crop(16), SCALE]
    np.testing.assert_array_equal(preprocess([wide[:, ::2]], steps), preprocess([pixels], steps))
    assert preprocess([], steps).shape[0] == 0


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        ([{"step": "rotate"}], "no step 'rotate'"),
        ([{}], "no step 'None'"),
        ([SCALE, resize("squash", 8)], "after 'scale'"),
        ([resize("stretch", 8)], "mode 'stretch'"),
        ([resize("squash", 8, "nearest")], "filter 'nearest'"),
        ([resize("squash", 0)], "size_px '0'"),
        ([{"step": "crop", "mode": "center"}], "size_px 'None'"),
        ([{"step": "scale", "divide_by": 0}], "divide_by '0'"),
        ([{"step": "normalise", "mean": [0, 0], "std": [1, 1, 1]}], "mean"),
        ([{"step": "normalise", "mean": [0, 0, 0], "std": [1, 0, 1]}], "std"),
        ([{"step": "normalise", "mean": ["a", "b", "c"], "std": [1, 1, 1]}], "mean"),
        ([{"step": "scale", "divide_by": "255"}], "divide_by"),
        ([{"step": "channels", "order": "GRB"}], "order 'GRB'"),
        ([{"step": "layout", "order": "NHWC"}], "order 'NHWC'"),
        ([{"step": ["list"]}], "no step"),
    ],
)
def test_what_cannot_be_carried_out_is_named(steps: list[dict[str, Any]], told: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_steps(steps)
    assert told in str(caught.value)


def test_sizes_that_do_not_stack() -> None:
    with pytest.raises(UsageError, match="different sizes"):
        preprocess([picture(4, 4), picture(5, 4)], [SCALE])
