"""VGG-19 and ResNeXt-101: the layer that the card names, and the files that torchvision names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bilderatlas.extractors.base import EXTRACTORS
from bilderatlas.extractors.imagenet import STEPS, load_into
from bilderatlas.extractors.neural import NeuralExtractor
from bilderatlas.extractors.preprocessing import preprocess
from bilderatlas.extractors.resnext import ResNext101
from bilderatlas.extractors.squeezenet import SqueezeNet
from bilderatlas.extractors.vgg import Vgg19

torch = pytest.importorskip("torch", reason="needs the laboratory")
torchvision = pytest.importorskip("torchvision", reason="needs the laboratory")

PUBLISHED = {
    Vgg19: "VGG19_Weights",
    ResNext101: "ResNeXt101_32X8D_Weights",
    SqueezeNet: "SqueezeNet1_1_Weights",
}


@pytest.mark.parametrize("kind", PUBLISHED, ids=lambda kind: kind.__name__)
def test_the_file_is_the_one_that_torchvision_names(kind: type[NeuralExtractor]) -> None:
    weights = getattr(torchvision.models, PUBLISHED[kind]).IMAGENET1K_V1
    (file,) = kind.files
    assert file.url == weights.url
    assert file.role == "pickle" and file.kept_as == "weights.safetensors"
    assert f"-{file.sha256_prefix}.pth" in weights.url and len(file.sha256_prefix) == 8
    assert file.size_bytes == pytest.approx(weights.meta["_file_size"] * 1024**2, rel=0.01)


@pytest.mark.parametrize("kind", PUBLISHED, ids=lambda kind: kind.__name__)
def test_without_weights_it_says_how_to_get_them(
    kind: type[NeuralExtractor], tmp_path: Path
) -> None:
    sentence = kind(tmp_path).readiness().sentence
    (file,) = kind.files
    assert str(file.url) in sentence and "--weights FILE" in sentence and "MB" in sentence


@pytest.mark.parametrize("kind", PUBLISHED, ids=lambda kind: kind.__name__)
def test_pictures_are_prepared_as_torchvision_prepares_them(kind: type[NeuralExtractor]) -> None:
    from PIL import Image

    transform = getattr(torchvision.models, PUBLISHED[kind]).IMAGENET1K_V1.transforms()
    random = np.random.default_rng(3)
    for size in ((300, 400, 3), (512, 260, 3), (90, 70, 3)):
        small = random.integers(0, 256, (size[0] // 10, size[1] // 10, 3), dtype=np.uint8)
        pixels = np.array(Image.fromarray(small).resize(size[1::-1]), np.uint8)
        expected = transform(Image.fromarray(pixels)).numpy()
        found = preprocess([pixels], kind.base_card.preprocessing)[0]
        assert np.abs(found - expected).max() < 0.02  # one step of 255 at most
    assert kind.base_card.preprocessing is STEPS


def on_meta(kind: type[NeuralExtractor]) -> Any:
    """Build the real architecture without its numbers: 575 MB of them are none of a test."""
    with torch.device("meta"):
        return kind().build_towers(None)["image"]


def test_vgg_ends_after_the_second_fully_connected_layer() -> None:
    tower = on_meta(Vgg19)
    assert tower(torch.empty(2, 3, 224, 224, device="meta")).shape == (2, 4096)
    kinds = [type(layer).__name__ for layer in tower.classifier]
    assert kinds == ["Linear", "ReLU", "Dropout", "Linear", "ReLU"]
    assert sum(type(layer).__name__ == "Conv2d" for layer in tower.features) == 16
    card = Vgg19.base_card
    assert "imgs.ai" in card.tap and "fc1" in card.tap and "deviation" in card.tap
    steps = [step["step"] for step in card.preprocessing]
    assert steps.index("normalise") > steps.index("scale")


def test_resnext_ends_after_its_pooling() -> None:
    tower = on_meta(ResNext101)
    assert tower(torch.empty(2, 3, 224, 224, device="meta")).shape == (2, 2048)
    assert tower.layer1[0].conv2.groups == 32


def test_weights_are_read_from_torchvisions_layout(tmp_path: Path) -> None:
    """The small ResNet has every kind of tensor that the large one has."""
    from safetensors.torch import save_file
    from torchvision.models import resnet18

    whole = resnet18(weights=None).eval()
    for module in whole.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.uniform_(-1, 1)
    state = {
        name: tensor.half() if tensor.is_floating_point() else tensor
        for name, tensor in whole.state_dict().items()
    }
    without_counts = {name: one for name, one in state.items() if "num_batches" not in name}
    picture = torch.rand(1, 3, 64, 64)
    for number, tensors in enumerate((state, without_counts)):
        save_file(tensors, tmp_path / f"{number}.safetensors")
        with torch.device("meta"):
            network = resnet18(weights=None)
            network.fc = torch.nn.Identity()
        load_into(network, tmp_path / f"{number}.safetensors", "resnet18.test")
        with torch.inference_mode():
            found = network.eval()(picture)
            whole.fc = torch.nn.Identity()
            expected = whole(picture)
        assert torch.nn.functional.cosine_similarity(found, expected).item() > 0.9999


@pytest.mark.slow
@pytest.mark.parametrize("kind", [Vgg19, ResNext101], ids=lambda kind: kind.__name__)
def test_the_whole_network_exports_to_the_same_space(
    kind: type[NeuralExtractor], tmp_path: Path
) -> None:
    """At full size on random weights: 575 and 356 MB twice."""
    from safetensors.torch import save_file

    from bilderatlas.extractors.runtimes.export import export

    torch.manual_seed(0)
    extractor = kind(tmp_path)
    save_file(extractor.build_towers(None)["image"].state_dict(), tmp_path / "weights.safetensors")
    report = export(extractor)
    assert report.same_space and report.min_cosine >= 0.9999
    assert extractor.readiness().state == "ready"


def test_they_are_registered() -> None:
    names = EXTRACTORS.names()
    for kind in PUBLISHED:
        assert kind.base_card.model_id in names
        assert not EXTRACTORS.get(kind.base_card.model_id).is_default_for("folder")
