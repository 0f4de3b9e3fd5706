"""What every extractor owes, tested the moment it registers."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from bilderatlas.arrays import Pixels
from bilderatlas.errors import UnavailableError
from bilderatlas.extractors import EXTRACTORS, Extractor, ImageRows
from bilderatlas.extractors.neural import NeuralExtractor
from bilderatlas.extractors.preprocessing import check_steps
from bilderatlas.extractors.runtimes import RuntimeOptions
from bilderatlas.extractors.runtimes.torch import TorchRuntime, has_torch

STORED = {"u8": np.uint8, "f16": np.float16, "f32": np.float32}
NEEDED = ("model_id", "judges_by", "sees", "dim", "metrics", "side_px", "preprocessing", "licence")


SMALL_BYTES = 20_000_000  # larger networks are tried by the tests of their own family


@pytest.fixture(scope="module")
def on_random_weights() -> Callable[[NeuralExtractor], NeuralExtractor | None]:
    """Return what runs a small extractor on random weights, built once; nothing is fetched."""
    built: dict[str, NeuralExtractor | None] = {}

    def build(extractor: NeuralExtractor) -> NeuralExtractor | None:
        model_id = extractor.card.model_id
        n_bytes = sum(one.size_bytes or SMALL_BYTES for one in extractor.files)
        tokenised = any(one.role == "tokenizer" for one in extractor.files)
        if model_id not in built and n_bytes < SMALL_BYTES and not tokenised and has_torch():
            runtime = TorchRuntime(extractor.build_towers(None), RuntimeOptions(n_threads=1))
            built[model_id] = extractor.configured(extractor.options)
            built[model_id].runtime = lambda: runtime  # type: ignore[method-assign]
        return built.get(model_id)

    return build


@pytest.fixture(params=EXTRACTORS.names())
def registered(request: pytest.FixtureRequest) -> Extractor:
    """Return each registered extractor, whether it is ready or not."""
    return EXTRACTORS.get(request.param)


@pytest.fixture
def extractor(
    registered: Extractor,
    on_random_weights: Callable[[NeuralExtractor], NeuralExtractor | None],
) -> Extractor:
    """Return an extractor that can run: ready, or small enough for random weights."""
    readiness = registered.readiness()
    if readiness.state == "ready":
        return registered
    small = on_random_weights(registered) if isinstance(registered, NeuralExtractor) else None
    if small is None:
        pytest.skip(f"tested on random weights by its own family: {readiness.sentence}")
    return small


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


def same(a: ImageRows, b: ImageRows, extractor: Extractor) -> bool:
    """Tell whether rows are equal; of a network, equal but for the order of its sums."""
    if (a.geometry is None) != (b.geometry is None) or a.vectors.shape != b.vectors.shape:
        return False
    geometry = a.geometry is None or np.array_equal(a.geometry, b.geometry)
    if isinstance(extractor, NeuralExtractor):
        room = 1e-4 * max(1.0, float(np.abs(a.vectors).max(initial=0)))
        return np.allclose(a.vectors, b.vectors, rtol=1e-4, atol=room)
    return np.array_equal(a.vectors, b.vectors) and geometry


def test_the_card_is_complete(registered: Extractor) -> None:
    extractor = registered
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


def test_what_is_not_ready_says_what_to_do(registered: Extractor) -> None:
    readiness = registered.readiness()
    if not isinstance(registered, NeuralExtractor):
        assert readiness.state == "ready" and registered.card.weights_sha256 is None
    if readiness.state == "ready":
        assert readiness.sentence == ""
        return
    assert isinstance(registered, NeuralExtractor)
    for part in (registered.card.model_id, "extractors fetch", "--weights FILE"):
        assert part in readiness.sentence
    assert all(one.source() in readiness.sentence for one in registered.files)
    with pytest.raises(UnavailableError) as caught:
        registered.extract_batch([painted(40, 30, 1)])
    assert str(caught.value) == readiness.sentence
    assert not registered.folder.exists(), "asking must leave nothing behind"


def test_a_network_says_all_of_itself(registered: Extractor) -> None:
    if not isinstance(registered, NeuralExtractor):
        pytest.skip("it has no network")
    card = registered.card
    names = [one["step"] for one in card.preprocessing]
    check_steps(card.preprocessing[: names.index("layout") + 1])  # the rest is the network's own
    assert card.tap and card.training_data and card.paper
    assert card.weights, "the card names its weights, fetched or not"
    for one in card.weights:
        assert one["name"] and one["source"]
        assert one["origin"] in {"pinned", "recorded", "given", "not fetched"}
    assert card.embeds_text == ("text" in registered.towers) == bool(card.languages)
    # a registered one is never run in a way that makes it another space
    assert registered.options == RuntimeOptions()


def test_odd_pictures_have_sound_rows(extractor: Extractor) -> None:
    for name, pixels in odd_pictures(extractor.card.side_px).items():
        before = pixels.copy()
        (rows,) = extractor.extract_batch([pixels])
        check_rows(rows, extractor)
        assert np.array_equal(pixels, before), f"{name}: the picture was changed"


def test_a_batch_gives_what_single_pictures_give(extractor: Extractor) -> None:
    pictures = list(odd_pictures(extractor.card.side_px).values())
    if isinstance(extractor, NeuralExtractor):
        pictures = pictures[-4:]  # to its network all have the same size
    together = extractor.extract_batch(pictures)
    again = extractor.extract_batch(pictures[::-1])[::-1]
    assert len(together) == len(pictures)
    for pixels, rows, repeated in zip(pictures, together, again, strict=True):
        assert same(rows, repeated, extractor)
        assert same(rows, extractor.extract_batch([pixels])[0], extractor)
    assert extractor.extract_batch([]) == []


def test_a_view_that_is_read_only_or_not_contiguous_gives_the_same(extractor: Extractor) -> None:
    pixels = painted(120, 90, 7)
    wide = np.zeros((90, 240, 3), np.uint8)
    wide[:, ::2] = pixels
    strided = wide[:, ::2]
    strided.flags.writeable = False
    assert same(*extractor.extract_batch([pixels, strided]), extractor)


def test_threads_do_not_disturb_each_other(extractor: Extractor) -> None:
    pictures = [painted(100 + i, 80, i) for i in range(8)]
    alone = extractor.extract_batch(pictures)
    with ThreadPoolExecutor(4) as pool:
        at_once = list(pool.map(lambda pixels: extractor.extract_batch([pixels])[0], pictures * 3))
    assert all(same(a, b, extractor) for a, b in zip(alone * 3, at_once, strict=True))
