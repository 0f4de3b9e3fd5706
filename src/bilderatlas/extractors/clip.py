"""CLIP: pictures and English words in one space; the eye of the founding system.

Facts: open_clip 3.3 (`pretrained.py`, `model_configs/ViT-B-32-quickgelu.json`). The pins are those
that many public projects have recorded for this file.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from bilderatlas.arrays import Ints, Metric
from bilderatlas.extractors.base import EXTRACTORS, Card
from bilderatlas.extractors.neural import NeuralExtractor
from bilderatlas.extractors.runtimes.weights import WEIGHTS_FILE, WeightsFile
from bilderatlas.extractors.tokens import (
    CLIP_CONTEXT_LENGTH,
    TOKENIZER_FILE,
    load_clip_tokenizer,
    with_tokenizer,
)

if TYPE_CHECKING:
    import torch

REPO = "timm/vit_base_patch32_clip_224.openai"
REVISION = "a6f597a30f7b82c51704746581f9a4e41421e878"
SIDE_PX = 512


class Clip(NeuralExtractor):
    """The image and the text tower of OpenAI's CLIP, ViT-B/32."""

    architecture: ClassVar[dict[str, Any]] = {
        "embed_dim": 512,
        "quick_gelu": True,  # how OpenAI trained it; the ordinary GELU gives other vectors
        "vision_cfg": {"image_size": 224, "layers": 12, "width": 768, "patch_size": 32},
        "text_cfg": {
            "context_length": CLIP_CONTEXT_LENGTH,
            "vocab_size": 49408,
            "width": 512,
            "heads": 8,
            "layers": 12,
        },
    }
    base_card = Card(
        model_id="clip_vit_b32.openai",
        judges_by="what is depicted, in words",
        sees=(
            "Two pictures are alike when the same English words would describe them: what they "
            "show first of all, but also their kind and manner, as far as captions speak of them. "
            "Writing in a picture sways it. It sees the central square of a picture."
        ),
        dim=512,
        dtype="f16",
        metrics=(Metric.ANGULAR, Metric.EUCLIDEAN, Metric.MANHATTAN, Metric.DOT),
        side_px=SIDE_PX,
        preprocessing=(
            {"step": "decode", "long_side_px": SIDE_PX, "orientation": "exif", "profile": "srgb"},
            {
                "step": "resize",
                "mode": "short_side",
                "size_px": 224,
                "filter": "bicubic",
                "antialias": True,
            },
            {"step": "crop", "mode": "center", "size_px": 224},
            {"step": "scale", "divide_by": 255},
            {
                "step": "normalise",
                "mean": [0.48145466, 0.4578275, 0.40821073],
                "std": [0.26862954, 0.26130258, 0.27577711],
            },
            {"step": "channels", "order": "RGB"},
            {"step": "layout", "order": "NCHW"},
        ),
        licence="MIT",
        paper=(
            "A. Radford et al.: Learning transferable visual models from natural language "
            "supervision, arXiv:2103.00020"
        ),
        embeds_text=True,
        normalised="l2",
        tap="the class token after the last layer normalisation, projected into the shared space",
        pooling="class token; of a text, its end token",
        training_data="WIT-400M: 400 million pictures with English captions from the web (OpenAI)",
        languages=("en",),
        text_tower={
            "tokenizer": "byte-pair encoding, lower-cased, 49,408 pieces",
            "context_length": CLIP_CONTEXT_LENGTH,
            "template": "{}",
        },
        knows_only=(
            "It learned from what people wrote in English beside pictures on the web: it knows "
            "famous works, common motifs and styles by name, rarer subjects hardly, and repeats "
            "the prejudices of its captions."
        ),
    )
    files = (
        WeightsFile(
            "safetensors",
            WEIGHTS_FILE,
            repo=REPO,
            path="open_clip_model.safetensors",
            revision=REVISION,
            sha256="e6d1bd7789aa45192b3bf90570a789b478bae1b74ebcce7eddd908e83a2b7c31",
            size_bytes=605_143_284,
        ),
        WeightsFile("tokenizer", TOKENIZER_FILE, repo=REPO, path=TOKENIZER_FILE, revision=REVISION),
    )
    towers = ("image", "text")
    free_axes: ClassVar[dict[str, tuple[int, ...]]] = {"text": (0, 1)}

    @property
    def card(self) -> Card:
        """The facts, with those of the weights and of the tokenizer as far as they are known."""
        return with_tokenizer(super().card)

    def build_towers(self, weights: Path | None) -> dict[str, torch.nn.Module]:
        """Build both towers, from open_clip's layout or at random."""
        from bilderatlas.extractors.towers import open_clip_towers

        return open_clip_towers(self.architecture, weights, self.base_card.model_id)

    def tokenise(self, texts: Sequence[str]) -> Ints:
        """Turn texts into `(n, length)` int64 as open_clip does, up to the end of the longest."""
        path = self.find_file(TOKENIZER_FILE)
        rows = load_clip_tokenizer(path, path.stat().st_mtime_ns)(texts)
        return rows[:, : int(rows.argmax(axis=1).max(initial=0)) + 1]


EXTRACTORS.register(Clip.base_card.model_id, Clip())
