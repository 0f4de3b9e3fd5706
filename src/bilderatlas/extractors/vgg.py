"""VGG-19: the second fully connected layer, as imgs.ai has it, with its input put right.

K. Simonyan, A. Zisserman: Very deep convolutional networks for large-scale image recognition.
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


class Vgg19(NeuralExtractor):
    """4,096 numbers of a classifier of photographs, two layers before it names a class."""

    base_card = Card(
        model_id="vgg19_fc2.imagenet1k",
        judges_by="depicted things and surfaces, as a network of 2014 sees them",
        sees=(
            "Two pictures are alike when a network that learned to name photographed things finds "
            f"the same parts and surfaces in them. {imagenet.CROP}"
        ),
        dim=4096,
        dtype="f16",  # activations are far below 65,504, and 11 bits are more than they mean
        metrics=(Metric.ANGULAR, Metric.EUCLIDEAN, Metric.MANHATTAN, Metric.DOT),
        side_px=imagenet.SIDE_PX,
        preprocessing=imagenet.STEPS,
        licence=imagenet.LICENCE,
        paper="K. Simonyan, A. Zisserman: arXiv:1409.1556",
        tap=(
            "classifier.4: the second fully connected layer (fc2), after its ReLU. imgs.ai takes "
            "this layer too and calls it fc1, but squashes the picture to 224 × 224 and leaves out "
            "the mean and deviation that the network was trained with, as we do not: its vectors "
            "are of another space."
        ),
        training_data=imagenet.TRAINING_DATA,
        knows_only=imagenet.KNOWS_ONLY,
    )
    files = (imagenet.torchvision_file("vgg19-dcbb9e9d.pth", 574_700_000),)

    def build_towers(self, weights: Path | None) -> dict[str, torch.nn.Module]:
        """Build the network up to fc2, from torchvision's layout or at random."""
        import torch
        from torchvision.models import vgg19

        with nullcontext() if weights is None else torch.device("meta"):
            network = vgg19(weights=None)
            network.classifier = network.classifier[:5]
        if weights is not None:
            imagenet.load_into(network, weights, self.base_card.model_id)
        return {"image": network.eval()}


EXTRACTORS.register(Vgg19.base_card.model_id, Vgg19())
