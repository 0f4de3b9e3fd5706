"""SqueezeNet with its genuine weights on real paintings, by torch and by ONNX Runtime."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from bilderatlas.arrays import Pixels, scale_to_side
from bilderatlas.errors import WeightsError
from bilderatlas.extractors.neural import NeuralExtractor
from bilderatlas.extractors.runtimes.base import RuntimeOptions
from bilderatlas.extractors.runtimes.export import export
from bilderatlas.extractors.runtimes.onnx import OnnxRuntime
from bilderatlas.extractors.runtimes.torch import TorchRuntime
from bilderatlas.extractors.squeezenet import SqueezeNet

torch = pytest.importorskip("torch", reason="needs the laboratory")
N = 96
K = 30


@pytest.fixture(scope="module")
def squeezenet(tmp_path_factory: pytest.TempPathFactory, paintings: Path) -> SqueezeNet:
    """Return the extractor with its genuine weights and the network exported from them."""
    weights = paintings.parents[1] / "weights" / "squeezenet1_1.caffe_in1k.safetensors"
    if not weights.exists():
        pytest.skip(f"needs {weights}")
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("squeezenet")
    shutil.copyfile(weights, folder / "weights.safetensors")
    extractor = SqueezeNet(folder)
    export(extractor)
    return extractor


@pytest.fixture(scope="module")
def pictures(paintings: Path) -> list[Pixels]:
    """Return every sixth or so of the paintings, scaled as decoding scales them."""
    files = sorted(paintings.rglob("*.jpg"))
    found = []
    for path in files[:: max(1, len(files) // N)][:N]:
        pixels = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
        size_wh = scale_to_side((pixels.shape[1], pixels.shape[0]), SqueezeNet.base_card.side_px)
        found.append(cv2.resize(pixels, size_wh, interpolation=cv2.INTER_AREA))
    assert len(found) == N
    return found


def by(extractor: NeuralExtractor, name: str, pictures: list[Pixels], **options: str) -> np.ndarray:
    """Embed by one runtime, whichever the extractor itself would prefer."""
    runner = extractor.configured(RuntimeOptions(n_threads=1, **options))  # type: ignore[arg-type]
    runtime = runner.build_runtime(name)
    runner.runtime = lambda: runtime  # type: ignore[method-assign]
    return runner.embed_images(pictures)


@pytest.fixture(scope="module")
def reference(squeezenet: SqueezeNet, pictures: list[Pixels]) -> np.ndarray:
    return by(squeezenet, TorchRuntime.name, pictures)


def nearest(rows: np.ndarray) -> np.ndarray:
    scores = rows @ rows.T
    np.fill_diagonal(scores, -2)
    return np.argsort(-scores, axis=1)[:, :K]


def test_onnx_runtime_gives_the_same_space_as_torch(
    squeezenet: SqueezeNet, pictures: list[Pixels], reference: np.ndarray
) -> None:
    rows = by(squeezenet, OnnxRuntime.name, pictures)
    assert rows.shape == (N, 512)
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    assert (rows * reference).sum(axis=1).min() >= 0.9999


def test_bf16_and_stored_f16_keep_the_neighbours(
    squeezenet: SqueezeNet, pictures: list[Pixels], reference: np.ndarray
) -> None:
    fast = by(squeezenet, TorchRuntime.name, pictures, precision="bf16")
    assert (fast * reference).sum(axis=1).min() >= 0.999
    stored = reference.astype(np.float16).astype(np.float32)
    for rows, least in ((fast, 0.95), (stored, 0.999)):
        pairs = zip(nearest(reference), nearest(rows), strict=True)
        assert np.mean([len(np.intersect1d(a, b)) / K for a, b in pairs]) >= least


def test_the_network_is_torchvisions_with_its_last_features_pooled(
    squeezenet: SqueezeNet, pictures: list[Pixels], reference: np.ndarray
) -> None:
    from safetensors.torch import load_file
    from torchvision.models import squeezenet1_1
    from torchvision.transforms._presets import ImageClassification

    whole = squeezenet1_1(weights=None).eval()
    state = load_file(squeezenet.folder / "weights.safetensors")
    whole.load_state_dict({name: tensor.float() for name, tensor in state.items()})
    prepare = ImageClassification(crop_size=224)
    from PIL import Image

    with torch.inference_mode():
        batch = torch.stack([prepare(Image.fromarray(pixels)) for pixels in pictures[:4]])
        features = whole.features(batch).mean(dim=(2, 3)).numpy()
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    assert (features * reference[:4]).sum(axis=1).min() >= 0.99999


def test_pictures_that_a_scholar_would_call_alike_are_near(
    squeezenet: SqueezeNet, pictures: list[Pixels], reference: np.ndarray
) -> None:
    """A detail, a paler copy: nearer than nearly every other painting."""
    pale = [(pixels * 0.8 + 40).astype(np.uint8) for pixels in pictures]
    trimmed = [p[p.shape[0] // 20 :, p.shape[1] // 20 :] for p in pictures]
    for changed in (pale, trimmed):
        scores = by(squeezenet, OnnxRuntime.name, changed) @ reference.T
        first = np.mean(scores.argmax(axis=1) == np.arange(N))
        assert first >= 0.9


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    from safetensors.torch import save_file
    from torchvision.models import squeezenet1_0, squeezenet1_1

    save_file(squeezenet1_0(weights=None).state_dict(), tmp_path / "weights.safetensors")
    with pytest.raises(WeightsError, match=r"features\.0\.weight.*expected \(64, 3, 3, 3\)"):
        SqueezeNet(tmp_path).build_towers(tmp_path / "weights.safetensors")
    state = squeezenet1_1(weights=None).state_dict()
    del state["features.12.expand3x3.bias"]
    save_file(state, tmp_path / "weights.safetensors")
    with pytest.raises(WeightsError, match=r"nothing for 'features\.12\.expand3x3\.bias'"):
        SqueezeNet(tmp_path).build_towers(tmp_path / "weights.safetensors")


def test_random_weights_build_for_a_benchmark() -> None:
    tower = SqueezeNet().build_towers(None)["image"]
    with torch.inference_mode():
        assert tower(torch.zeros(2, 3, 224, 224)).shape == (2, 512)
