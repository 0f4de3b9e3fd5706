"""A network whose output can be computed in the head: the mean colour of a grid of 4 × 4."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bilderatlas.arrays import Metric, Pixels
from bilderatlas.extractors.base import Card
from bilderatlas.extractors.neural import NeuralExtractor
from bilderatlas.extractors.runtimes.weights import WeightsFile

SIDE, GRID, LENGTH = 64, 4, 12
DIM = GRID * GRID * 3


class TinyExtractor(NeuralExtractor):
    base_card = Card(
        model_id="tiny_grid.test",
        judges_by="mean colours",
        sees="Pictures are alike when a grid of 4 by 4 shows the same mean colours.",
        dim=DIM,
        dtype="f32",
        metrics=(Metric.ANGULAR,),
        side_px=256,
        preprocessing=(
            {"step": "resize", "mode": "squash", "size_px": SIDE, "filter": "bilinear"},
            {"step": "scale", "divide_by": 255},
            {"step": "layout", "order": "NCHW"},
        ),
        embeds_text=True,
    )
    files = (
        WeightsFile(
            "safetensors",
            "weights.safetensors",
            repo="tests/tiny",
            path="model.safetensors",
            size_bytes=13_000,
        ),
    )
    towers = ("image", "text")

    def build_towers(self, weights: Path | None) -> dict[str, Any]:
        towers = modules()
        if weights is not None:
            from safetensors.torch import load_file

            towers.load_state_dict(load_file(weights))
        return {"image": towers["image"].eval(), "text": towers["text"].eval()}

    def tokenise(self, texts: Sequence[str]) -> npt.NDArray[np.int64]:
        rows = [list(text.encode()[:LENGTH].ljust(LENGTH, b" ")) for text in texts]
        return np.array(rows, dtype=np.int64)


def modules() -> Any:
    import torch
    from torch import nn

    class Grid(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            side = SIDE // GRID
            self.conv = nn.Conv2d(3, 3, side, stride=side, groups=3, bias=False)
            nn.init.constant_(self.conv.weight, 1 / side**2)

        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            return self.conv(pixels).flatten(1)

    class Letters(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table = nn.Embedding(256, DIM)
            nn.init.normal_(self.table.weight, generator=torch.Generator().manual_seed(1))

        def forward(self, tokens: torch.Tensor) -> torch.Tensor:
            return self.table(tokens).mean(1)

    return nn.ModuleDict({"image": Grid(), "text": Letters()})


def mean_colours(pixels: Pixels) -> npt.NDArray[np.float32]:
    """Compute what the network should say of a picture of 64 × 64."""
    side = SIDE // GRID
    grid = pixels.reshape(GRID, side, GRID, side, 3).mean(axis=(1, 3)) / 255
    return grid.transpose(2, 0, 1).reshape(-1).astype(np.float32)


def save_weights(path: Path, scale: float = 1.0) -> Path:
    """Write the weights of the tiny network; `scale` makes other weights of the same shape."""
    from safetensors.torch import save_file

    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: one * scale for name, one in modules().state_dict().items()}, path)
    return path
