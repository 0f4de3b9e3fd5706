"""DINOv2: its facts are timm's, and its vectors are timm's at the size that the card says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bilderatlas.arrays import unit_rows
from bilderatlas.errors import WeightsError
from bilderatlas.extractors.canaries import canary_pictures
from bilderatlas.extractors.dinov2 import INPUT_PX, PUBLISHED_PX, Dinov2
from bilderatlas.extractors.preprocessing import preprocess
from bilderatlas.extractors.runtimes.base import RuntimeOptions
from bilderatlas.extractors.runtimes.onnx import OnnxRuntime
from tests.extractors.small_models import SmallDinov2, register_small_transformers, save_random

torch = pytest.importorskip("torch")
timm = pytest.importorskip("timm")
export = pytest.importorskip("bilderatlas.extractors.runtimes.export")

ONE_THREAD = RuntimeOptions(n_threads=1)


@pytest.fixture(scope="module")
def published() -> Any:
    """Return the network at the size that its weights are published for."""
    register_small_transformers()
    return timm.create_model(SmallDinov2.architecture, img_size=PUBLISHED_PX).eval()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, published: Any) -> Path:
    folder = tmp_path_factory.mktemp("dinov2")
    save_random(published, folder / "weights.safetensors")
    return folder


def test_the_facts_are_those_of_timm() -> None:
    facts = timm.get_pretrained_cfg("vit_small_patch14_dinov2.lvd142m")
    card, (weights,) = Dinov2.base_card, Dinov2.files
    steps = {step["step"]: step for step in card.preprocessing}
    assert tuple(steps["normalise"]["mean"]) == facts.mean
    assert tuple(steps["normalise"]["std"]) == facts.std
    assert steps["resize"]["filter"] == facts.interpolation
    assert steps["crop"]["mode"] == facts.crop_mode and facts.crop_pct == 1.0
    assert steps["resize"]["size_px"] == steps["crop"]["size_px"] == INPUT_PX
    assert facts.input_size == (3, PUBLISHED_PX, PUBLISHED_PX)
    assert weights.repo == facts.hf_hub_id
    assert card.licence.lower() == facts.license
    assert Dinov2.architecture == facts.architecture
    with torch.device("meta"):
        network = timm.create_model(Dinov2.architecture, num_classes=0)
    assert network.global_pool == "token" and network.embed_dim == card.dim
    n_numbers = sum(one.numel() for one in network.parameters())
    assert weights.size_bytes and 4 * n_numbers <= weights.size_bytes < 4 * n_numbers + 50_000


def test_it_embeds_as_timm_does_with_its_positions_resampled(folder: Path, published: Any) -> None:
    from timm.models.vision_transformer import checkpoint_filter_fn

    theirs = timm.create_model(SmallDinov2.architecture, img_size=INPUT_PX).eval()
    theirs.load_state_dict(checkpoint_filter_fn(published.state_dict(), theirs), strict=True)
    batch = torch.from_numpy(preprocess(canary_pictures(), Dinov2.base_card.preprocessing))
    with torch.inference_mode():
        expected = unit_rows(theirs(batch).numpy())
    extractor = SmallDinov2(folder, ONE_THREAD)
    np.testing.assert_allclose(extractor.embed_images(canary_pictures()), expected, atol=1e-5)
    assert export.export(extractor).same_space
    assert extractor.possible_runtimes()[0] == OnnxRuntime.name
    np.testing.assert_allclose(extractor.embed_images(canary_pictures()), expected, atol=1e-5)


def test_a_mask_token_is_left_aside_and_other_positions_are_refused(
    folder: Path, tmp_path: Path
) -> None:
    from safetensors.torch import load_file, save_file

    state = load_file(folder / "weights.safetensors")
    path = tmp_path / "weights.safetensors"
    save_file({**state, "mask_token": torch.zeros(1, 32)}, path)
    assert set(SmallDinov2().build_towers(path)) == {"image"}
    save_file({**state, "pos_embed": torch.zeros(1, 26, 32)}, path)
    with pytest.raises(WeightsError, match="'pos_embed' is 1 × 26 × 32 instead of 1 × 257 × 32"):
        SmallDinov2().build_towers(path)
