"""DINOv2: likeness of forms, learned from pictures alone.

Facts: timm 1.0 (`default_cfg` of `vit_small_patch14_dinov2.lvd142m`). The pins are those that many
public projects have recorded for this file.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from bilderatlas.arrays import Metric
from bilderatlas.extractors.base import EXTRACTORS, Card
from bilderatlas.extractors.neural import NeuralExtractor
from bilderatlas.extractors.runtimes.weights import WEIGHTS_FILE, WeightsFile

if TYPE_CHECKING:
    import torch

SIDE_PX = 512
INPUT_PX = 224
PUBLISHED_PX = 518


class Dinov2(NeuralExtractor):
    """The class token of Meta's DINOv2, ViT-S/14."""

    architecture: ClassVar[str] = "vit_small_patch14_dinov2"
    base_card = Card(
        model_id="dinov2_small.lvd142m",
        judges_by="forms and their parts, without words",
        sees=(
            "Two pictures are alike when the forms in them correspond: things, their parts, their "
            "posture and arrangement. No words were used in learning it, so what a thing is "
            "called or means does not matter. It sees the central square of a picture."
        ),
        dim=384,
        dtype="f16",
        metrics=(Metric.ANGULAR, Metric.EUCLIDEAN, Metric.MANHATTAN, Metric.DOT),
        side_px=SIDE_PX,
        preprocessing=(
            {"step": "decode", "long_side_px": SIDE_PX, "orientation": "exif", "profile": "srgb"},
            {
                "step": "resize",
                "mode": "short_side",
                "size_px": INPUT_PX,
                "filter": "bicubic",
                "antialias": True,
            },
            {"step": "crop", "mode": "center", "size_px": INPUT_PX},
            {"step": "scale", "divide_by": 255},
            {"step": "normalise", "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]},
            {"step": "channels", "order": "RGB"},
            {"step": "layout", "order": "NCHW"},
        ),
        licence="Apache-2.0",
        paper=(
            "M. Oquab et al.: DINOv2: learning robust visual features without supervision, "
            "arXiv:2304.07193"
        ),
        normalised="l2",
        tap=(
            "the class token after the last layer normalisation, at 224 px: most of its training "
            "and its published nearest-neighbour figures are at that size, and it takes a fifth "
            "of the patches of the 518 px at which training ended and for which the file has its "
            "positions (resampled here, as timm does it)"
        ),
        pooling="class token",
        training_data="LVD-142M: 142 million pictures chosen from the web, without texts (Meta)",
        knows_only=(
            "It learned from pictures of the web, photographs for the most part, and without "
            "words: it has no notion of subjects, schools or periods."
        ),
    )
    files = (
        WeightsFile(
            "safetensors",
            WEIGHTS_FILE,
            repo="timm/vit_small_patch14_dinov2.lvd142m",
            path="model.safetensors",
            revision="4610ca143709d58a633b6397a74412c2c3842454",
            sha256="04d27f3400d059fc0cfd7d17dd1909a75bf3ea8fb3eeb48b97cb99e57ee20081",
            size_bytes=88_240_510,
        ),
    )

    def build_towers(self, weights: Path | None) -> dict[str, torch.nn.Module]:
        """Build the network for 224 px, from timm's layout or at random."""
        from bilderatlas.extractors.towers import timm_tower

        tower = timm_tower(
            self.architecture,
            weights,
            self.base_card.model_id,
            side_px=INPUT_PX,
            published_side_px=PUBLISHED_PX,
        )
        return {"image": tower}


EXTRACTORS.register(Dinov2.base_card.model_id, Dinov2())
