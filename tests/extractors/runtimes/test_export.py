"""Export: proven on the canaries, or nothing is kept; and the proof can be repeated."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bilderatlas.errors import UnavailableError, WeightsError
from bilderatlas.extractors.runtimes import export as exporting
from bilderatlas.extractors.runtimes.export import export
from bilderatlas.extractors.runtimes.given import take_given
from bilderatlas.extractors.runtimes.likeness import cosines_of
from bilderatlas.extractors.runtimes.verify import verify
from bilderatlas.extractors.runtimes.weights import sha256_of
from tests.extractors.runtimes.tiny import SIDE, TinyExtractor, mean_colours, save_weights

torch = pytest.importorskip("torch")


@pytest.fixture
def tiny(tmp_path: Path) -> TinyExtractor:
    extractor = TinyExtractor(tmp_path / "tiny")
    save_weights(extractor.folder / "weights.safetensors")
    return extractor


@pytest.fixture
def done(tmp_path: Path, exported: Path) -> TinyExtractor:
    """Return the tiny network with everything that its export left."""
    shutil.copytree(exported, tmp_path / "done")
    return TinyExtractor(tmp_path / "done")


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_both_runtimes_are_one_space(tiny: TinyExtractor) -> None:
    report = export(tiny)
    assert report.same_space and report.min_cosine >= 0.9999
    assert {tower: len(values) for tower, values in report.cosines.items()} == {
        "image": 8,
        "text": 8,
    }
    assert tiny.possible_runtimes() == ["onnxruntime", "torch"]
    facts = tiny.model_files.record.exports["image.onnx"]
    assert facts.sha256 == sha256_of(tiny.folder / "image.onnx")
    assert facts.weights_sha256 == tiny.card.weights_sha256
    assert facts.made_with["torch"] == torch.__version__.split("+")[0] or facts.made_with["torch"]
    pixels = np.random.default_rng(2).integers(0, 256, (SIDE, SIDE, 3)).astype(np.uint8)
    assert tiny.runtime().name == "onnxruntime"
    np.testing.assert_allclose(tiny.embed_images([pixels])[0], mean_colours(pixels), atol=1e-6)
    texts = tiny.embed_texts(["a ship", "a horse", "a tower"])
    by_torch = tiny.build_runtime("torch").run("text", tiny.tokenise(["a ship", "a horse"]))
    assert min(cosines_of(texts[:2], by_torch)) >= 0.9999


def test_no_folder_of_this_machine_is_in_the_file(exported: Path) -> None:
    content = (exported / "image.onnx").read_bytes()
    assert b"tiny.py" not in content and b"site-packages" not in content


def test_another_space_is_refused_and_nothing_is_left(
    tiny: TinyExtractor, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Turned(exporting.OnnxRuntime):
        """What an exporter with a fault would give: the channels in another order."""

        def run_all(self, tower: str, inputs: Any) -> Any:
            return (super().run_all(tower, inputs)[0][:, ::-1],)

    monkeypatch.setattr(exporting, "OnnxRuntime", Turned)
    with pytest.raises(WeightsError, match="Nothing was kept") as caught:
        export(tiny)
    assert caught.value.reason_code == "not-the-same-space"
    assert names_in(tiny.folder) in (
        ["weights.safetensors"],
        ["record.json", "weights.safetensors"],
    )
    assert not tiny.model_files.record.exports


def test_a_changed_network_is_refused_when_it_is_loaded(
    done: TinyExtractor, exported: Path
) -> None:
    path = done.folder / "image.onnx"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(WeightsError, match=r"extractors export tiny_grid\.test"):
        done.runtime()
    report = verify(done)
    assert not report.ok
    assert [one.name for one in report.files if not one.ok] == ["image.onnx"]
    assert report.spaces == [] and "were not run" in report.notes[0]
    shutil.copy(exported / "image.onnx", path)
    assert verify(done).ok


def test_verify_records_once_and_compares_ever_after(tiny: TinyExtractor, exported: Path) -> None:
    first = verify(tiny)  # torch alone: nothing to compare with yet
    assert first.ok and first.spaces == [] and len(first.notes) == 2
    second = verify(tiny)
    assert second.ok and {(one.one, one.other) for one in second.spaces} == {("torch", "recorded")}
    for name in ("image.onnx", "text.onnx"):
        take_given(tiny, exported / name)
    third = verify(tiny)
    assert {(one.one, one.other) for one in third.spaces} == {
        ("onnxruntime", "recorded"),
        ("torch", "recorded"),
        ("torch", "onnxruntime"),
    }
    assert third.ok and third.to_json()["spaces"][0]["min_cosine"] >= 0.9999


def test_without_weights_or_laboratory(
    tiny: TinyExtractor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UnavailableError, match="extractors fetch"):
        export(tiny.at(tmp_path / "empty"))
    from bilderatlas.extractors import neural

    monkeypatch.setattr(exporting, "has_torch", lambda: False)
    monkeypatch.setattr(neural, "has_torch", lambda: False)
    assert tiny.readiness().state == "to export"
    assert "bilderatlas[lab]" in tiny.readiness().sentence
    with pytest.raises(UnavailableError, match=r"bilderatlas\[lab\]"):
        export(tiny)
    assert "bilderatlas[lab]" in verify(tiny).notes[0]


def test_cosines() -> None:
    one = np.array([[3, 0], [0, 0], [1, 1], [0, 0]], np.float32)
    other = np.array([[6, 0], [0, 0], [1, -1], [1, 0]], np.float32)
    assert cosines_of(one, other) == (1.0, 1.0, 0.0, 0.0)
    assert cosines_of(one, np.full((4, 2), np.nan, np.float32)) == (0.0, 0.0, 0.0, 0.0)
    assert cosines_of(one, other[:, :1]) == (0.0,) * 4
