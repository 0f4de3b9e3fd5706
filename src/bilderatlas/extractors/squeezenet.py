"""SqueezeNet 1.1: a classifier of five megabytes; its last features, averaged over the picture.

F. N. Iandola, S. Han, M. W. Moskewicz, K. Ashraf, W. J. Dally, K. Keutzer: SqueezeNet.
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


class SqueezeNet(NeuralExtractor):
    """512 numbers: how much of each learned pattern is in the picture, wherever it is."""

    base_card = Card(
        model_id="squeezenet1_1.imagenet1k",
        judges_by="surfaces and parts of things, as a very small network sees them",
        sees=(
            "Two pictures are alike when a small network that learned to name photographed things "
            f"finds as much of the same surfaces and parts in them. {imagenet.CROP}"
        ),
        dim=512,
        dtype="f16",  # rows of length 1: 11 bits a number move a cosine by less than 1e-6
        metrics=(Metric.ANGULAR, Metric.EUCLIDEAN, Metric.DOT),
        side_px=imagenet.SIDE_PX,
        preprocessing=imagenet.STEPS,
        licence=imagenet.LICENCE,
        paper="F. N. Iandola et al.: arXiv:1602.07360",
        normalised="l2",
        tap="features.12: the last fire module, after its ReLU",
        pooling="mean over the map of 13 × 13 places",
        training_data=imagenet.TRAINING_DATA,
        knows_only=imagenet.KNOWS_ONLY,
    )
    files = (imagenet.torchvision_file("squeezenet1_1-b8a52dc0.pth", 4_960_000),)

    def build_towers(self, weights: Path | None) -> dict[str, torch.nn.Module]:
        """Build the features and their mean, from torchvision's layout or at random."""
        import torch
        from torchvision.models import squeezenet1_1

        with nullcontext() if weights is None else torch.device("meta"):
            network = squeezenet1_1(weights=None)
            network.classifier = torch.nn.AdaptiveAvgPool2d((1, 1))
        if weights is not None:
            imagenet.load_into(network, weights, self.base_card.model_id)
        return {"image": network.eval()}


EXTRACTORS.register(SqueezeNet.base_card.model_id, SqueezeNet())
