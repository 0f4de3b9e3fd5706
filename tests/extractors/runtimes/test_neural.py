"""A neural extractor from its files to its rows, in both runtimes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from bilderatlas.errors import QueryError, UnavailableError, WeightsError
from bilderatlas.extractors import neural
from bilderatlas.extractors.canaries import CANARIES, canary_pictures
from bilderatlas.extractors.runtimes import RuntimeOptions
from bilderatlas.extractors.runtimes.weights import sha256_of
from tests.extractors.runtimes.tiny import DIM, TinyExtractor, mean_colours, save_weights

torch = pytest.importorskip("torch")


@pytest.fixture
def tiny(tmp_path: Path) -> TinyExtractor:
    extractor = TinyExtractor(tmp_path / "tiny")
    save_weights(extractor.folder / "weights.safetensors")
    return extractor


def picture(seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (64, 64, 3)).astype(np.uint8)


def test_rows_are_what_the_head_computes(tiny: TinyExtractor) -> None:
    pictures = [picture(seed) for seed in range(70)]  # more than two batches
    rows = tiny.extract_batch(pictures)
    assert len(rows) == 70
    for pixels, row in zip(pictures, rows, strict=True):
        assert row.vectors.shape == (1, DIM)
        np.testing.assert_allclose(row.vectors[0], mean_colours(pixels), atol=1e-6)
    assert tiny.extract_batch([]) == []


def test_the_card_names_the_weights(tiny: TinyExtractor) -> None:
    sha256 = sha256_of(tiny.folder / "weights.safetensors")
    assert tiny.card.weights_sha256 == sha256
    assert tiny.card.weights[0]["origin"] == "given"
    assert tiny.readiness().state == "ready"
    assert not tiny.is_default_for("folder")


def test_without_weights_a_sentence_says_how_to_get_them(tmp_path: Path) -> None:
    missing = TinyExtractor(tmp_path / "none")
    sentence = missing.readiness().sentence
    assert missing.readiness().state == "to fetch"
    assert missing.card.weights_sha256 is None
    assert missing.card.weights[0]["origin"] == "not fetched"
    for part in ("tiny_grid.test", "13 kB", "/tests/tiny/", "--weights FILE"):
        assert part in sentence
    assert str(tmp_path) not in sentence  # strangers read it, too
    assert str(missing.folder / "weights.safetensors") in missing.readiness().told_here
    with pytest.raises(UnavailableError, match=r"extractors fetch tiny_grid\.test"):
        missing.extract_batch([picture()])
    with pytest.raises(UnavailableError, match=r"extractors fetch tiny_grid\.test"):
        missing.embed_texts(["a ship"])


def test_texts_and_pictures_share_a_space(tiny: TinyExtractor) -> None:
    texts = tiny.embed_texts(["a ship", "a horse", "a ship"])
    assert texts.shape == (3, DIM) and texts.dtype == np.float32
    np.testing.assert_allclose(texts[0], texts[2], rtol=1e-6)
    with pytest.raises(QueryError):
        tiny.embed_texts([])


def test_a_flipped_bit_is_refused(tiny: TinyExtractor) -> None:
    path = tiny.folder / "weights.safetensors"
    sha256 = tiny.card.weights_sha256
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(WeightsError) as caught:
        tiny.extract_batch([picture()])
    message = str(caught.value)
    assert caught.value.reason_code == "wrong-sha256"
    assert str(tiny.folder.parent) not in message
    for part in (
        "weights.safetensors",
        str(sha256),
        sha256_of(path),
        "extractors fetch tiny_grid.test",
    ):
        assert part in message


def test_threads_share_one_runtime(tiny: TinyExtractor) -> None:
    with ThreadPoolExecutor(4) as pool:
        runtimes = list(pool.map(lambda _: tiny.runtime(), range(8)))
        rows = list(pool.map(lambda _: tiny.extract_batch([picture()])[0].vectors, range(8)))
    assert len(set(map(id, runtimes))) == 1
    assert all(np.array_equal(row, rows[0]) for row in rows)


def test_half_precision_is_nearly_the_same(tiny: TinyExtractor) -> None:
    half = tiny.configured(RuntimeOptions(precision="bf16"))
    exact, rounded = tiny.embed_images([picture()]), half.embed_images([picture()])
    assert half.card == tiny.card
    assert not np.array_equal(exact, rounded)
    np.testing.assert_allclose(exact, rounded, rtol=0.02)


def test_a_missing_gpu_is_told(tiny: TinyExtractor) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    with pytest.raises(UnavailableError, match="Cannot run on 'cuda'"):
        tiny.configured(RuntimeOptions(device="cuda")).embed_images([picture()])
    with pytest.raises(UnavailableError, match="no such device"):
        tiny.configured(RuntimeOptions(device="abacus")).embed_images([picture()])


def test_what_cannot_be_together(tiny: TinyExtractor, monkeypatch: pytest.MonkeyPatch) -> None:
    both = tiny.configured(RuntimeOptions(device="cuda", precision="int8"))
    assert "int8 is made for the CPU" in both.readiness().sentence
    assert "extractors export" in (
        tiny.configured(RuntimeOptions(precision="int8")).readiness().sentence
    )
    monkeypatch.setattr(neural, "has_torch", lambda: False)
    on_gpu = tiny.configured(RuntimeOptions(device="cuda")).readiness()
    assert on_gpu.state == "to export" and "needs the laboratory" in on_gpu.sentence
    missing = tiny.at(tiny.folder / "elsewhere").readiness()
    assert "To run they need the laboratory" in missing.sentence


def test_a_damaged_record_hides_no_card(tiny: TinyExtractor) -> None:
    assert tiny.card.weights_sha256
    (tiny.folder / "record.json").write_text("{")
    assert tiny.card == tiny.base_card
    assert "record.json" in tiny.readiness().sentence


def test_the_canaries_are_the_committed_files() -> None:
    import hashlib

    folder = Path(__file__).parents[3] / "src" / "bilderatlas" / "extractors" / "canaries"
    found = [
        (path.name, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in sorted(folder.glob("*.png"))
    ]
    assert found == list(CANARIES)
    sizes = [pixels.shape[:2] for pixels in canary_pictures()]
    assert max(max(size) for size in sizes) == 256 and len(set(sizes)) == 8
