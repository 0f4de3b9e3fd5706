"""What every extractor owes, tested the moment it registers."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from bilderatlas.arrays import Pixels
from bilderatlas.extractors import EXTRACTORS, Extractor, ImageRows

STORED = {"u8": np.uint8, "f16": np.float16, "f32": np.float32}
NEEDED = ("model_id", "judges_by", "sees", "dim", "metrics", "side_px", "preprocessing", "licence")


@pytest.fixture(params=EXTRACTORS.names())
def extractor(request: pytest.FixtureRequest) -> Extractor:
    found = EXTRACTORS.get(request.param)
    readiness = found.readiness()
    if readiness.state != "ready" and request.function is not test_the_card_is_complete:
        pytest.skip(readiness.sentence)  # each family tests itself on random weights
    return found


def painted(width: int, height: int, seed: int) -> Pixels:
    """Paint patches of colour under noise: something for every extractor to find."""
    random = np.random.default_rng(seed)
    patches = random.integers(0, 256, (1 + height // 12, 1 + width // 12, 3))
    large = patches.repeat(12, axis=0).repeat(12, axis=1)[:height, :width]
    return np.clip(large + random.normal(0, 8, large.shape), 0, 255).astype(np.uint8)


def odd_pictures(side_px: int) -> dict[str, Pixels]:
    grey = np.linspace(0, 255, 60 * 80).reshape(60, 80, 1).astype(np.uint8).repeat(3, axis=2)
    return {
        "one pixel": np.full((1, 1, 3), 200, np.uint8),
        "black": np.zeros((64, 48, 3), np.uint8),
        "white": np.full((48, 64, 3), 255, np.uint8),
        "one colour": np.full((32, 32, 3), (180, 40, 90), np.uint8),
        "grey": grey,
        "a line": painted(side_px, 1, 1),
        "a column": painted(1, side_px, 2),
        "a scroll": painted(side_px, 9, 3),
        "two by three": painted(2, 3, 4),
        "noise": painted(7, 7, 5),
        "ordinary": painted(side_px, side_px * 3 // 4, 6),
    }


def check_rows(rows: ImageRows, extractor: Extractor) -> None:
    card, vectors = extractor.card, rows.vectors
    assert vectors.ndim == 2 and vectors.shape[1] == card.dim
    assert vectors.dtype == (np.uint8 if card.dtype == "u8" else np.float32)
    assert np.isfinite(vectors.astype(STORED[card.dtype]).astype(np.float64)).all()
    if not card.many_rows:
        assert len(vectors) == 1
        assert rows.geometry is None
    elif rows.geometry is not None:
        assert rows.geometry.shape == (len(vectors), 4)
        assert rows.geometry.dtype == np.float32
        assert np.isfinite(rows.geometry).all()


def same(a: ImageRows, b: ImageRows) -> bool:
    if (a.geometry is None) != (b.geometry is None):
        return False
    geometry = a.geometry is None or np.array_equal(a.geometry, b.geometry)
    return np.array_equal(a.vectors, b.vectors) and geometry


def test_the_card_is_complete(extractor: Extractor) -> None:
    card = extractor.card
    for name in NEEDED:
        assert getattr(card, name), f"{name} is empty"
    assert card.many_rows == (card.rows_are != "image")
    assert EXTRACTORS.get(card.model_id) is extractor
    assert card.model_id.count(".") == 1 and card.model_id == card.model_id.lower()
    assert card.dtype in STORED
    assert card.sees.endswith(".") and not card.judges_by.endswith(".")
    assert len(set(card.metrics)) == len(card.metrics)
    assert json.loads(json.dumps(card.to_json()))["model_id"] == card.model_id
    assert all("step" in step for step in card.preprocessing)


def test_odd_pictures_have_sound_rows(extractor: Extractor) -> None:
    for name, pixels in odd_pictures(extractor.card.side_px).items():
        before = pixels.copy()
        (rows,) = extractor.extract_batch([pixels])
        check_rows(rows, extractor)
        assert np.array_equal(pixels, before), f"{name}: the picture was changed"


def test_a_batch_gives_what_single_pictures_give(extractor: Extractor) -> None:
    pictures = list(odd_pictures(extractor.card.side_px).values())
    together = extractor.extract_batch(pictures)
    again = extractor.extract_batch(pictures[::-1])[::-1]
    assert len(together) == len(pictures)
    for pixels, rows, repeated in zip(pictures, together, again, strict=True):
        assert same(rows, repeated)
        assert same(rows, extractor.extract_batch([pixels])[0])
    assert extractor.extract_batch([]) == []


def test_a_view_that_is_read_only_or_not_contiguous_gives_the_same(extractor: Extractor) -> None:
    pixels = painted(120, 90, 7)
    wide = np.zeros((90, 240, 3), np.uint8)
    wide[:, ::2] = pixels
    strided = wide[:, ::2]
    strided.flags.writeable = False
    assert same(*extractor.extract_batch([pixels, strided]))


def test_threads_do_not_disturb_each_other(extractor: Extractor) -> None:
    pictures = [painted(100 + i, 80, i) for i in range(8)]
    alone = extractor.extract_batch(pictures)
    with ThreadPoolExecutor(4) as pool:
        at_once = list(pool.map(lambda pixels: extractor.extract_batch([pixels])[0], pictures * 3))
    assert all(same(a, b) for a, b in zip(alone * 3, at_once, strict=True))
