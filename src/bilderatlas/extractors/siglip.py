"""SigLIP 2: pictures and words of many languages in one space.

Facts: open_clip 3.3 (`pretrained.py`, `model_configs/ViT-B-16-SigLIP2.json`) and the authors'
own preparation of texts (big_vision: lower-cased, 64 pieces, no beginning, an end that stays).
The pins are those that several public projects have recorded for these files.
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
    SIGLIP2_CONTEXT_LENGTH,
    TOKENIZER_FILE,
    load_siglip2_tokenizer,
    with_tokenizer,
)

if TYPE_CHECKING:
    import torch

REPO = "timm/ViT-B-16-SigLIP2"
REVISION = "eee10eff6dd8cabae2d7f379d4e8cfcd352030aa"
SIDE_PX = 512
LANGUAGES = (
    *("ar", "bn", "cs", "da", "de", "el", "en", "es", "fa", "fi", "fr", "he", "hi", "hr", "hu"),
    *("id", "it", "ja", "ko", "nl", "no", "pl", "pt", "ro", "ru", "sv", "sw", "te", "th", "tl"),
    *("tr", "uk", "vi", "zh"),
)
"""Those of Crossmodal-3600, on which it was measured, but for Māori and Quechua; it saw more."""


class Siglip2(NeuralExtractor):
    """The image and the text tower of Google's SigLIP 2, ViT-B/16 at 224 pixels."""

    architecture: ClassVar[dict[str, Any]] = {
        "embed_dim": 768,
        "vision_cfg": {
            "image_size": 224,
            "timm_model_name": "vit_base_patch16_siglip_224",
            "timm_model_pretrained": False,
            "timm_pool": "map",
            "timm_proj": "none",
        },
        "text_cfg": {
            "context_length": SIGLIP2_CONTEXT_LENGTH,
            "vocab_size": 256000,
            "width": 768,
            "heads": 12,
            "layers": 12,
            "no_causal_mask": True,
            "proj_bias": True,
            "pool_type": "last",
            "norm_kwargs": {"eps": 1e-6},
            "act_kwargs": {"approximate": "tanh"},
        },
    }
    base_card = Card(
        model_id="siglip2_base_p16_224.webli",
        judges_by="what is depicted, in words of many languages",
        sees=(
            "Two pictures are alike when the same words, in any of its languages, would describe "
            "them: what they show, their kind and manner, and the writing in them. It sees the "
            "whole picture, squashed to a square, in pieces half as long as those of CLIP."
        ),
        dim=768,
        dtype="f16",
        metrics=(Metric.ANGULAR, Metric.EUCLIDEAN, Metric.MANHATTAN, Metric.DOT),
        side_px=SIDE_PX,
        preprocessing=(
            {"step": "decode", "long_side_px": SIDE_PX, "orientation": "exif", "profile": "srgb"},
            {
                "step": "resize",
                "mode": "squash",
                "size_px": 224,
                "filter": "bicubic",
                "antialias": True,
            },
            {"step": "scale", "divide_by": 255},
            {"step": "normalise", "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]},
            {"step": "channels", "order": "RGB"},
            {"step": "layout", "order": "NCHW"},
        ),
        licence="Apache-2.0",
        paper=(
            "M. Tschannen et al.: SigLIP 2: multilingual vision-language encoders with improved "
            "semantic understanding, localization, and dense features, arXiv:2502.14786"
        ),
        embeds_text=True,
        normalised="l2",
        tap="the output of the attention pooling head",
        pooling="attention over all patches; of a text, its last place, projected",
        training_data=(
            "WebLI: pictures with captions from the web in 109 languages, nine tenths of them "
            "English (Google)"
        ),
        languages=LANGUAGES,
        text_tower={
            "tokenizer": "sentence pieces of any script, lower-cased, 256,000 pieces",
            "context_length": SIGLIP2_CONTEXT_LENGTH,
            "template": "{}",
        },
        knows_only=(
            "It learned from what people wrote beside pictures on the web, mostly in English: "
            "common motifs it knows in many languages, learned iconography hardly in any, and it "
            "repeats the prejudices of its captions."
        ),
    )
    files = (
        WeightsFile(
            "safetensors",
            WEIGHTS_FILE,
            repo=REPO,
            path="open_clip_model.safetensors",
            revision=REVISION,
            size_bytes=1_500_786_832,
        ),
        WeightsFile(
            "tokenizer",
            TOKENIZER_FILE,
            repo=REPO,
            path=TOKENIZER_FILE,
            revision=REVISION,
            sha256="220c63d496e0c14e63eb656c91e0215e926202e4c74b1f089e09f1920d779b04",
            size_bytes=34_362_885,
        ),
    )
    towers = ("image", "text")

    @property
    def card(self) -> Card:
        """The facts, with those of the weights and of the tokenizer as far as they are known."""
        return with_tokenizer(super().card)

    def build_towers(self, weights: Path | None) -> dict[str, torch.nn.Module]:
        """Build both towers, from open_clip's layout or at random."""
        from bilderatlas.extractors.towers import open_clip_towers

        return open_clip_towers(self.architecture, weights, self.base_card.model_id)

    def tokenise(self, texts: Sequence[str]) -> Ints:
        """Turn texts into `(n, 64)` int64; see `Siglip2Tokenizer`."""
        path = self.find_file(TOKENIZER_FILE)
        return load_siglip2_tokenizer(path, path.stat().st_mtime_ns)(texts)


EXTRACTORS.register(Siglip2.base_card.model_id, Siglip2())
