"""CLIP: its facts are open_clip's, its vectors are open_clip's, and it runs without torch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from bilderatlas.arrays import unit_rows
from bilderatlas.errors import UnavailableError, WeightsError
from bilderatlas.extractors.canaries import canary_pictures, canary_texts
from bilderatlas.extractors.clip import Clip
from bilderatlas.extractors.preprocessing import preprocess
from bilderatlas.extractors.runtimes.base import RuntimeOptions
from bilderatlas.extractors.runtimes.torch import TorchRuntime
from tests.extractors.small_models import SmallClip, save_random, unpinned
from tests.extractors.vocabularies import save_clip_tokenizer

torch = pytest.importorskip("torch")
open_clip = pytest.importorskip("open_clip")
export = pytest.importorskip("bilderatlas.extractors.runtimes.export")

ONE_THREAD = RuntimeOptions(n_threads=1)


@pytest.fixture(scope="module")
def transform() -> Any:
    """Return open_clip's own preparation of pictures for these weights."""
    facts = open_clip.get_pretrained_cfg("ViT-B-32", "openai")
    return open_clip.transform.image_transform(
        224,
        is_train=False,
        mean=facts["mean"],
        std=facts["std"],
        interpolation=facts["interpolation"],
        resize_mode=facts["resize_mode"],
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of weights as they are published, at a small width."""
    folder = tmp_path_factory.mktemp("clip")
    save_random(open_clip.model.CLIP(**SmallClip.architecture), folder / "weights.safetensors")
    save_clip_tokenizer(folder / "tokenizer.json")
    return folder


@pytest.fixture(scope="module")
def theirs(folder: Path) -> Any:
    """Return open_clip's own model with these weights."""
    from safetensors.torch import load_file

    model = open_clip.model.CLIP(**SmallClip.architecture)
    model.load_state_dict(load_file(folder / "weights.safetensors"), strict=True)
    return model.eval()


@pytest.fixture(scope="module")
def pictures(paintings: Path) -> list[Image.Image]:
    paths = sorted(paintings.rglob("*.jpg"))[::90]
    return [Image.open(path).convert("RGB") for path in paths]


def test_the_facts_are_those_of_open_clip() -> None:
    facts = open_clip.get_pretrained_cfg("ViT-B-32", "openai")
    weights, tokenizer = Clip.files
    assert facts["hf_hub"] == f"{weights.repo}/" == f"{tokenizer.repo}/"
    assert weights.path == open_clip.constants.HF_SAFE_WEIGHTS_NAME
    assert facts["quick_gelu"] and facts["resize_mode"] == "shortest"
    steps = {step["step"]: step for step in Clip.base_card.preprocessing}
    assert tuple(steps["normalise"]["mean"]) == facts["mean"]
    assert tuple(steps["normalise"]["std"]) == facts["std"]
    assert steps["resize"]["filter"] == facts["interpolation"]
    assert steps["resize"]["size_px"] == steps["crop"]["size_px"] == 224
    assert Clip.architecture == open_clip.get_model_config("ViT-B-32-quickgelu")
    assert Clip.architecture["embed_dim"] == Clip.base_card.dim
    with torch.device("meta"):
        model = open_clip.model.CLIP(**Clip.architecture)
    n_bytes = 4 * sum(one.numel() for one in model.parameters())
    assert weights.size_bytes and n_bytes < weights.size_bytes < n_bytes + 100_000


def test_pictures_are_prepared_as_open_clip_prepares_them(
    pictures: list[Image.Image], transform: Any
) -> None:
    expected = torch.stack([transform(picture) for picture in pictures]).numpy()
    pixels = [np.asarray(picture) for picture in pictures]
    found = preprocess(pixels, Clip.base_card.preprocessing)
    np.testing.assert_allclose(found, expected, atol=2e-6)


def test_pictures_are_embedded_as_open_clip_embeds_them(
    folder: Path, theirs: Any, pictures: list[Image.Image], transform: Any
) -> None:
    with torch.inference_mode():
        batch = torch.stack([transform(picture) for picture in pictures])
        expected = theirs.encode_image(batch, normalize=True).numpy()
    found = SmallClip(folder, ONE_THREAD).embed_images([np.asarray(one) for one in pictures])
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert np.abs(expected @ expected.T - 1).max() > 0.001  # the pictures can be told apart


def test_texts_are_embedded_as_open_clip_embeds_them(folder: Path, theirs: Any) -> None:
    texts = [*canary_texts(), "", "a " * 90]
    with torch.inference_mode():
        ids = open_clip.tokenizer.SimpleTokenizer()(texts)
        expected = theirs.encode_text(ids, normalize=True).numpy()
    found = SmallClip(folder, ONE_THREAD).embed_texts(texts)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_the_ordinary_gelu_would_give_other_vectors(folder: Path, theirs: Any) -> None:
    plain = {**SmallClip.architecture, "quick_gelu": False}
    other = open_clip.model.CLIP(**plain).eval()
    other.load_state_dict(theirs.state_dict())
    batch = torch.from_numpy(preprocess(canary_pictures()[:2], Clip.base_card.preprocessing))
    with torch.inference_mode():
        assert (other.encode_image(batch) - theirs.encode_image(batch)).abs().max() > 1e-4


def test_it_exports_and_then_runs_without_torch(folder: Path) -> None:
    extractor = SmallClip(folder, ONE_THREAD)
    images = extractor.embed_images(canary_pictures())
    texts = extractor.embed_texts(canary_texts())
    report = export.export(extractor)
    assert report.same_space and set(report.paths) == {"image", "text"}
    facts = extractor.card
    alone = [extractor.embed_texts([text])[0] for text in canary_texts()]  # each at its own length
    np.testing.assert_allclose(alone, texts, atol=1e-5)
    longest = extractor.embed_texts(["a " * 200, canary_texts()[0]])
    np.testing.assert_allclose(longest[1], texts[0], atol=1e-5)
    script = f"""if True:
        import sys
        import numpy as np
        from pathlib import Path
        from bilderatlas.extractors.canaries import canary_pictures, canary_texts
        from tests.extractors.small_models import ONNX_ONLY, SmallClip
        extractor = SmallClip(Path({str(folder)!r}))
        np.save({str(folder / "images.npy")!r}, extractor.embed_images(canary_pictures()))
        np.save({str(folder / "texts.npy")!r}, extractor.embed_texts(canary_texts()))
        print(sorted(ONNX_ONLY & set(sys.modules)))
    """
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        check=False,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert done.stdout.strip() == "[]", done.stderr
    np.testing.assert_allclose(np.load(folder / "images.npy"), images, atol=1e-5)
    np.testing.assert_allclose(np.load(folder / "texts.npy"), texts, atol=1e-5)
    np.testing.assert_allclose(unit_rows(images), images, atol=1e-6)
    assert facts.weights_sha256 and facts.text_tower and facts.text_tower["tokenizer_sha256"]


def test_half_precision_is_near(folder: Path) -> None:
    exact = SmallClip(folder).build_runtime(TorchRuntime.name)
    half = SmallClip(folder, RuntimeOptions(precision="bf16")).build_runtime(TorchRuntime.name)
    extractor = SmallClip(folder)
    for tower in ("image", "text"):
        inputs = extractor.example_inputs(tower)
        ours, theirs = (unit_rows(one.run(tower, inputs)) for one in (half, exact))
        assert (ours * theirs).sum(axis=1).min() > 0.999


def test_weights_that_do_not_fit_are_refused_by_name(folder: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    whole = load_file(folder / "weights.safetensors")
    path = tmp_path / "weights.safetensors"

    def told(state: dict[str, Any]) -> str:
        save_file(state, path)
        with pytest.raises(WeightsError) as refused:
            SmallClip().build_towers(path)
        assert refused.value.reason_code == "misfit"
        return str(refused.value)

    less = {name: one for name, one in whole.items() if name != "visual.proj"}
    assert "it lacks 'visual.proj'" in told(less)
    more = {**whole, "visual.tail": torch.zeros(2)}
    assert "it has 'visual.tail', which has no place" in told(more)
    other = {**whole, "visual.proj": torch.zeros(64, 16)}
    assert "'visual.proj' is 64 × 16 instead of 64 × 32" in told(other)
    assert f"it lacks 'visual.proj' and {len(whole) - 4} more." in told({})  # not logit_scale
    path.write_bytes(b"<html>Not found</html>")
    with pytest.raises(WeightsError, match="cannot be read as safetensors"):
        SmallClip().build_towers(path)


def test_without_weights_it_says_what_to_fetch(tmp_path: Path) -> None:
    extractor = Clip(tmp_path / "nothing")
    assert extractor.readiness().state == "to fetch"
    with pytest.raises(UnavailableError, match="605 MB"):
        extractor.embed_texts(["a portrait"])
    assert extractor.card.weights_sha256 == Clip.files[0].sha256


class FullSizeClip(Clip):
    """The architecture as it is published, with weights that are not."""

    files = unpinned(Clip.files)


@pytest.mark.slow
def test_the_full_size_exports(tmp_path: Path) -> None:
    save_random(open_clip.model.CLIP(**Clip.architecture), tmp_path / "weights.safetensors")
    save_clip_tokenizer(tmp_path / "tokenizer.json")
    assert export.export(FullSizeClip(tmp_path)).same_space
