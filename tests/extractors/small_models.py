"""The architectures of the large models at a width that fits a test, with random weights.

Nothing here imports torch before it is called.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from bilderatlas.extractors.clip import Clip
from bilderatlas.extractors.dinov2 import Dinov2
from bilderatlas.extractors.runtimes.weights import WeightsFile
from bilderatlas.extractors.siglip import Siglip2


def unpinned(files: tuple[WeightsFile, ...]) -> tuple[WeightsFile, ...]:
    """Return the files of a model without their checksums: those of a small one are others."""
    return tuple(replace(one, sha256=None, sha256_prefix="") for one in files)


ONNX_ONLY = {"torch", "open_clip", "timm", "transformers", "ftfy", "safetensors"}
"""What a base install does not have."""


class SmallClip(Clip):
    architecture: ClassVar[dict[str, Any]] = {
        "embed_dim": 32,
        "quick_gelu": True,
        "vision_cfg": {"image_size": 224, "layers": 1, "width": 64, "patch_size": 32},
        "text_cfg": {
            "context_length": 77,
            "vocab_size": 49408,
            "width": 32,
            "heads": 2,
            "layers": 1,
        },
    }
    base_card = replace(Clip.base_card, dim=32)
    files = unpinned(Clip.files)


class SmallSiglip2(Siglip2):
    architecture: ClassVar[dict[str, Any]] = {
        "embed_dim": 32,
        "vision_cfg": {
            **Siglip2.architecture["vision_cfg"],
            "timm_model_name": "vit_small_siglip_of_a_test",
        },
        "text_cfg": {
            **Siglip2.architecture["text_cfg"],
            "vocab_size": 300,
            "width": 32,
            "heads": 2,
            "layers": 1,
        },
    }
    base_card = replace(Siglip2.base_card, dim=32)
    files = unpinned(Siglip2.files)


class SmallDinov2(Dinov2):
    architecture = "vit_small_dinov2_of_a_test"
    base_card = replace(Dinov2.base_card, dim=32)
    files = unpinned(Dinov2.files)


def register_small_transformers() -> None:
    """Make timm know the two small vision transformers."""
    from timm.models import is_model, register_model
    from timm.models.vision_transformer import VisionTransformer

    def build(own: dict[str, Any], given: dict[str, Any]) -> VisionTransformer:
        for name in ("pretrained_cfg", "pretrained_cfg_overlay", "pretrained", "cache_dir"):
            given.pop(name, None)
        shape = {"embed_dim": 32, "depth": 1, "num_heads": 2, "num_classes": 0}
        model = VisionTransformer(**{**shape, **own, **given})
        model.default_cfg = {}
        return model

    def vit_small_siglip_of_a_test(**given: Any) -> VisionTransformer:
        own = {"img_size": 224, "patch_size": 16, "class_token": False, "global_pool": "map"}
        return build(own, given)

    def vit_small_dinov2_of_a_test(**given: Any) -> VisionTransformer:
        return build({"img_size": 518, "patch_size": 14, "init_values": 1e-5}, given)

    for function in (vit_small_siglip_of_a_test, vit_small_dinov2_of_a_test):
        if not is_model(function.__name__):
            function.__module__ = "timm.models.vision_transformer"
            register_model(function)


def save_random(model: Any, path: Path) -> None:
    """Write what `model` holds as safetensors, every number moved off its initial value."""
    import torch
    from safetensors.torch import save_file

    dice = torch.Generator().manual_seed(3)
    state = {
        name: (tensor + 0.05 * torch.randn(tensor.shape, generator=dice)).contiguous()
        for name, tensor in model.state_dict().items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(state, path)
    model.load_state_dict(state)
