"""The same mistakes with genuine weights on real paintings: SqueezeNet, by torch."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from bilderatlas.arrays import Pixels
from bilderatlas.exchange.verify import Pictures, verify
from bilderatlas.extractors.base import ImageRows
from bilderatlas.extractors.squeezenet import SqueezeNet
from tests.exchange.packages import Work, write_package

torch = pytest.importorskip("torch", reason="needs the laboratory")
N = 16


@pytest.fixture(scope="module")
def squeezenet(tmp_path_factory: pytest.TempPathFactory, paintings: Path) -> SqueezeNet:
    weights = paintings.parents[1] / "weights" / "squeezenet1_1.caffe_in1k.safetensors"
    if not weights.exists():
        pytest.skip(f"needs {weights}")
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("squeezenet")
    shutil.copyfile(weights, folder / "weights.safetensors")
    return SqueezeNet(folder)


@pytest.fixture(scope="module")
def works(paintings: Path) -> list[Work]:
    files = sorted(paintings.rglob("*.jpg"))
    found = []
    for path in files[:: len(files) // N][:N]:
        content = path.read_bytes()
        pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR_RGB)
        found.append(Work(path.stem, content, pixels))
    return found


def changed(extractor: SqueezeNet, **values: object) -> SqueezeNet:
    """Return one whose steps are not those of its card: `resize={…}`, `normalise=None`."""
    steps = []
    for step in extractor.base_card.preprocessing:
        change = values.get(step["step"], {})
        if change is not None:
            steps.append({**step, **change})  # type: ignore[dict-item]
    other = extractor.at(extractor.folder)
    vars(other)["base_card"] = replace(extractor.base_card, preprocessing=tuple(steps))
    return other


def by_other_layer(extractor: SqueezeNet) -> Callable[[Sequence[Pixels]], list[ImageRows]]:
    """Read the ninth fire module's neighbour, whose 512 numbers have the same length."""
    towers = extractor.build_towers(extractor.folder / "weights.safetensors")
    features = next(iter(towers["image"].children()))
    from bilderatlas.extractors.preprocessing import preprocess

    def extract(images: Sequence[Pixels]) -> list[ImageRows]:
        with torch.inference_mode():
            numbers = torch.from_numpy(preprocess(images, extractor.base_card.preprocessing))
            maps = features[:12](numbers)  # 512 maps of the module before the last
            return extractor.to_rows(maps.mean((2, 3)).numpy())

    return extract


MISTAKES = {
    "bgr": lambda e: lambda ims: e.extract_batch([i[:, :, ::-1].copy() for i in ims]),
    "resize-filter": lambda e: changed(e, resize={"antialias": False}).extract_batch,
    "normalisation": lambda e: changed(e, normalise=None).extract_batch,
    "crop": lambda e: changed(e, resize={"size_px": 224}).extract_batch,
    "mirrored": lambda e: lambda ims: e.extract_batch([i[:, ::-1].copy() for i in ims]),
    "other-layer": by_other_layer,
}


def pictures_of(works: Sequence[Work]) -> Pictures:
    pixels = {hashlib.sha256(work.png).hexdigest(): work for work in works}
    by_bytes = {work.png: work.pixels for work in works}
    return Pictures(
        frozenset(pixels), lambda sha256: pixels[sha256].png, lambda data, side_px: by_bytes[data]
    )


@pytest.mark.slow
@pytest.mark.parametrize("code", MISTAKES)
def test_mistakes_are_named_on_real_paintings(
    code: str, squeezenet: SqueezeNet, works: list[Work], tmp_path: Path
) -> None:
    write_package(tmp_path / "package", squeezenet, works, extract=MISTAKES[code](squeezenet))
    report = verify(tmp_path / "package", squeezenet, pictures=pictures_of(works))
    assert report.verdict == "differs"
    assert code in [cause.code for cause in report.causes]


def test_a_sound_package_of_real_paintings_passes(
    squeezenet: SqueezeNet, works: list[Work], tmp_path: Path
) -> None:
    write_package(tmp_path / "package", squeezenet, works[:6])
    report = verify(tmp_path / "package", squeezenet, pictures=pictures_of(works[:6]))
    assert report.verdict == "same", report.to_json()
    assert report.sample is not None and report.sample.min_cosine > 0.99999


def test_other_weights_are_named(squeezenet: SqueezeNet, works: list[Work], tmp_path: Path) -> None:
    """Weights at random, honestly stated by their hash."""
    torch.manual_seed(3)
    network = squeezenet.build_towers(None)["image"]

    def extract(images: Sequence[Pixels]) -> list[ImageRows]:
        from bilderatlas.extractors.preprocessing import preprocess

        with torch.inference_mode():
            numbers = torch.from_numpy(preprocess(images, squeezenet.base_card.preprocessing))
            return squeezenet.to_rows(network(numbers).flatten(1).numpy())

    class Stated(SqueezeNet):
        @property
        def card(self):  # type: ignore[no-untyped-def]
            return replace(super().card, weights_sha256="5" * 64)

    write_package(tmp_path / "package", Stated(squeezenet.folder), works[:4], extract=extract)
    report = verify(tmp_path / "package", squeezenet)
    assert [cause.code for cause in report.causes] == ["other-weights"]
