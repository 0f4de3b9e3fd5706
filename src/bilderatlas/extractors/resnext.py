"""ResNeXt-101 32x8d: its last convolution, averaged over the picture.

S. Xie, R. Girshick, P. Dollár, Z. Tu, K. He: Aggregated residual transformations.
"""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from bilderatlas.arrays import Metric
from bilderatlas.extractors import imagenet
from bilderatlas.extractors.base import EXTRACTORS, Card
from bilderatlas.extractors.neural import NeuralExtractor

if TYPE_CHECKING:
    import torch


class ResNext101(NeuralExtractor):
    """2,048 numbers: how much of each learned pattern is in the picture, wherever it is."""

    base_card = Card(
        model_id="resnext101.imagenet1k",
        judges_by="depicted things and how they are arranged in parts",
        sees=(
            "Two pictures are alike when a network that learned to name photographed things finds "
            "as much of the same things in them, wherever they stand. "
            f"{imagenet.CROP}"
        ),
        dim=2048,
        dtype="f16",  # rows of length 1: 11 bits a number move a cosine by less than 1e-6
        metrics=(Metric.ANGULAR, Metric.EUCLIDEAN, Metric.DOT),
        side_px=imagenet.SIDE_PX,
        preprocessing=imagenet.STEPS,
        licence=imagenet.LICENCE,
        paper="S. Xie, R. Girshick, P. Dollár, Z. Tu, K. He: arXiv:1611.05431",
        normalised="l2",
        tap="layer4: the last convolution, after its ReLU",
        pooling="mean over the map of 7 × 7 places",
        training_data=(
            f"{imagenet.TRAINING_DATA}; the first of torchvision's two trainings (IMAGENET1K_V1)"
        ),
        knows_only=imagenet.KNOWS_ONLY,
    )
    files = (imagenet.torchvision_file("resnext101_32x8d-8ba56ff5.pth", 356_100_000),)

    def build_towers(self, weights: Path | None) -> dict[str, torch.nn.Module]:
        """Build the network up to its pooling, from torchvision's layout or at random."""
        import torch
        from torchvision.models import resnext101_32x8d

        with nullcontext() if weights is None else torch.device("meta"):
            network = resnext101_32x8d(weights=None)
            network.fc = torch.nn.Identity()
        if weights is not None:
            imagenet.load_into(network, weights, self.base_card.model_id)
        return {"image": network.eval()}


EXTRACTORS.register(ResNext101.base_card.model_id, ResNext101())
