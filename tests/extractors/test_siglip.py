"""SigLIP 2: its facts are open_clip's; it loads, embeds and exports as open_clip's model does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from bilderatlas.errors import WeightsError
from bilderatlas.extractors.canaries import canary_pictures, canary_texts
from bilderatlas.extractors.preprocessing import preprocess
from bilderatlas.extractors.runtimes.base import RuntimeOptions
from bilderatlas.extractors.runtimes.onnx import OnnxRuntime
from bilderatlas.extractors.runtimes.torch import TorchRuntime
from bilderatlas.extractors.siglip import LANGUAGES, Siglip2
from tests.extractors.small_models import SmallSiglip2, register_small_transformers, save_random
from tests.extractors.vocabularies import save_sentence_pieces

torch = pytest.importorskip("torch")
open_clip = pytest.importorskip("open_clip")
export = pytest.importorskip("bilderatlas.extractors.runtimes.export")

ONE_THREAD = RuntimeOptions(n_threads=1)


@pytest.fixture(scope="module")
def theirs() -> Any:
    """Return open_clip's own model, at a small width and with random weights."""
    register_small_transformers()
    model = open_clip.model.CustomTextCLIP(**SmallSiglip2.architecture, init_logit_bias=-10)
    return model.eval()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, theirs: Any) -> Path:
    folder = tmp_path_factory.mktemp("siglip")
    save_random(theirs, folder / "weights.safetensors")
    save_sentence_pieces(folder / "tokenizer.json", [one.lower() for one in canary_texts()], 300)
    return folder


def test_the_facts_are_those_of_open_clip() -> None:
    facts = open_clip.get_pretrained_cfg("ViT-B-16-SigLIP2", "webli")
    weights, tokenizer = Siglip2.files
    assert facts["hf_hub"] == f"{weights.repo}/" == f"{tokenizer.repo}/"
    assert weights.path == open_clip.constants.HF_SAFE_WEIGHTS_NAME
    steps = {step["step"]: step for step in Siglip2.base_card.preprocessing}
    assert facts["resize_mode"] == steps["resize"]["mode"] == "squash"
    assert tuple(steps["normalise"]["mean"]) == facts["mean"]
    assert tuple(steps["normalise"]["std"]) == facts["std"]
    assert steps["resize"]["filter"] == facts["interpolation"]
    published = open_clip.get_model_config("ViT-B-16-SigLIP2")
    for side in ("vision_cfg", "text_cfg"):
        ours = Siglip2.architecture[side]
        left = {key: one for key, one in published[side].items() if "tokenizer" not in key}
        assert ours == left
    assert published["embed_dim"] == Siglip2.architecture["embed_dim"] == Siglip2.base_card.dim
    with torch.device("meta"):
        model = open_clip.model.CustomTextCLIP(**Siglip2.architecture, init_logit_bias=-10)
    n_bytes = 4 * sum(one.numel() for one in model.parameters())
    assert weights.size_bytes and n_bytes < weights.size_bytes < n_bytes + 100_000
    assert len(set(LANGUAGES)) == 34 and {"en", "de", "fr", "nl"} <= set(LANGUAGES)


def test_pictures_are_prepared_as_open_clip_prepares_them(paintings: Path) -> None:
    facts = open_clip.get_pretrained_cfg("ViT-B-16-SigLIP2", "webli")
    transform = open_clip.transform.image_transform(
        224,
        is_train=False,
        mean=facts["mean"],
        std=facts["std"],
        interpolation=facts["interpolation"],
        resize_mode=facts["resize_mode"],
    )
    paths = sorted(paintings.rglob("*.jpg"))[::120]
    pictures = [Image.open(path).convert("RGB") for path in paths]
    found = preprocess([np.asarray(one) for one in pictures], Siglip2.base_card.preprocessing)
    expected = torch.stack([transform(one) for one in pictures]).numpy()
    np.testing.assert_allclose(found, expected, atol=2e-6)


def test_it_embeds_as_open_clip_does_by_torch_and_by_onnx(folder: Path, theirs: Any) -> None:
    extractor = SmallSiglip2(folder, ONE_THREAD)
    batch = torch.from_numpy(preprocess(canary_pictures(), extractor.card.preprocessing))
    texts = [*canary_texts(), "", "ein " * 90]
    with torch.inference_mode():
        images = theirs.encode_image(batch, normalize=True).numpy()
        ids = torch.from_numpy(extractor.tokenise(texts))
        words = theirs.encode_text(ids, normalize=True).numpy()
    assert extractor.possible_runtimes() == [TorchRuntime.name]
    np.testing.assert_allclose(extractor.embed_images(canary_pictures()), images, atol=1e-5)
    np.testing.assert_allclose(extractor.embed_texts(texts), words, atol=1e-5)
    assert export.export(extractor).same_space
    assert extractor.possible_runtimes()[0] == OnnxRuntime.name
    np.testing.assert_allclose(extractor.embed_images(canary_pictures()), images, atol=1e-5)
    np.testing.assert_allclose(extractor.embed_texts(texts), words, atol=1e-5)


def test_weights_of_another_model_are_refused(tmp_path: Path) -> None:
    from tests.extractors.small_models import SmallClip

    path = tmp_path / "weights.safetensors"
    save_random(open_clip.model.CLIP(**SmallClip.architecture), path)
    with pytest.raises(WeightsError, match=r"it lacks 'visual\.trunk"):
        SmallSiglip2().build_towers(path)


def test_the_sharpness_of_training_is_of_no_use_here(folder: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    state = load_file(folder / "weights.safetensors")
    for name in ("logit_scale", "logit_bias"):
        state[name] = state[name].reshape(1)
    save_file(state, tmp_path / "weights.safetensors")
    towers = SmallSiglip2().build_towers(tmp_path / "weights.safetensors")
    assert set(towers) == {"image", "text"}
