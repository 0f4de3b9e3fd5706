"""What the classifiers that torchvision publishes share: preparation of pictures, files.

Facts from torchvision 0.29: `torchvision/transforms/_presets.py` (ImageClassification) and the
addresses in `torchvision/models/*.py`. Its file names end in the first eight hex digits of the
file's sha256, which pins them.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from bilderatlas.errors import WeightsError
from bilderatlas.extractors.runtimes.weights import WeightsFile

if TYPE_CHECKING:
    import torch

SIDE_PX = 512
"""So that pictures up to twice as long as high are never enlarged to a short side of 256."""

STEPS: tuple[dict[str, Any], ...] = (
    {"step": "decode", "long_side_px": SIDE_PX, "orientation": "exif", "profile": "srgb"},
    {
        "step": "resize",
        "mode": "short_side",
        "size_px": 256,
        "filter": "bilinear",
        "antialias": True,
    },
    {"step": "crop", "mode": "center", "size_px": 224},
    {"step": "scale", "divide_by": 255},
    {"step": "normalise", "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]},
    {"step": "channels", "order": "RGB"},
    {"step": "layout", "order": "NCHW"},
)
"""The short side becomes 256 px, and the central square of 224 px is what the network sees."""

CROP = "It sees the central square of a picture, seven eighths of its shorter side."
TRAINING_DATA = "ImageNet-1K (ILSVRC 2012): 1.28 million photographs in 1,000 classes"
KNOWS_ONLY = (
    "It learned to tell 1,000 classes of photographed things apart, from goldfish to trolleybus; "
    "people, saints and styles are hardly among them."
)
LICENCE = "BSD-3-Clause"


def torchvision_file(name: str, size_bytes: int) -> WeightsFile:
    """Return the file `name-0a1b2c3d.pth` that torchvision fetches, pinned by these digits."""
    return WeightsFile(
        "pickle",
        name,
        url=f"https://download.pytorch.org/models/{name}",
        sha256_prefix=name.removesuffix(".pth").rpartition("-")[2],
        size_bytes=size_bytes,
    )


def load_into(network: torch.nn.Module, weights: Path, model_id: str) -> None:
    """Load a safetensors file in torchvision's layout into `network`, as float32.

    What the file has beyond the network (the classes, for the most part) is left aside.

    Raises:
        WeightsError: when a tensor is missing or has another shape.
    """
    from safetensors.torch import load_file

    found = load_file(weights)
    wanted = network.state_dict()
    for name, tensor in wanted.items():
        if name not in found and name.endswith("num_batches_tracked"):
            found[name] = tensor.new_zeros(tensor.shape, device="cpu")  # counts steps of training
        shape = tuple(found[name].shape) if name in found else "nothing"
        if shape != tuple(tensor.shape):
            raise WeightsError(
                "misfit",
                f"Cannot use '{weights.name}' for '{model_id}': it has {shape} for '{name}', "
                f"expected {tuple(tensor.shape)}. Give the weights that belong to it, in "
                "torchvision's layout.",
            )
    chosen = {
        name: found[name].float() if found[name].is_floating_point() else found[name]
        for name in wanted
    }
    network.load_state_dict(chosen, assign=True)
