"""A network small enough to be written down: two layers over patches, in numpy."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from bilderatlas.arrays import Metric
from bilderatlas.extractors.base import Card, Readiness
from bilderatlas.extractors.neural import NeuralExtractor
from bilderatlas.extractors.runtimes.base import Runtime, RuntimeOptions

DIM = 64
STEPS: tuple[dict[str, Any], ...] = (
    {"step": "decode", "long_side_px": 128, "orientation": "exif", "profile": "srgb"},
    {"step": "resize", "mode": "short_side", "size_px": 48, "filter": "bicubic", "antialias": True},
    {"step": "crop", "mode": "center", "size_px": 40},
    {"step": "scale", "divide_by": 255},
    {"step": "normalise", "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]},
    {"step": "channels", "order": "RGB"},
    {"step": "layout", "order": "NCHW"},
)


class SmallNetwork(Runtime):
    """Patches of 4 × 4 → 16 patterns, the mean in each quarter → 64 numbers → 64 numbers."""

    name = "numpy"

    def __init__(self, seed: int, layer: int = 2) -> None:
        random = np.random.default_rng(seed)
        self.patterns = random.standard_normal((48, 16)).astype(np.float32) / 7
        self.mixed = random.standard_normal((DIM, DIM)).astype(np.float32) / 8
        self.layer = layer

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.patterns.tobytes() + self.mixed.tobytes()).hexdigest()

    def run_all(self, tower: str, inputs: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], ...]:
        n = len(inputs)
        patches = inputs.reshape(n, 3, 10, 4, 10, 4).transpose(0, 2, 4, 1, 3, 5)
        found = np.maximum(patches.reshape(n, 10, 10, 48) @ self.patterns, 0)
        quarters = found.reshape(n, 2, 5, 2, 5, 16).mean(axis=(2, 4)).reshape(n, DIM)
        if self.layer == 1:
            return (quarters,)
        centred = quarters - quarters.mean(axis=1, keepdims=True)
        return (np.tanh(3 * centred @ self.mixed),)


class SmallExtractor(NeuralExtractor):
    """The network with a card, as all neural extractors have it."""

    base_card = Card(
        model_id="small_network.test",
        judges_by="patterns",
        sees="Two pictures are alike when they have the same patterns in the same quarters.",
        dim=DIM,
        dtype="f32",
        metrics=(Metric.ANGULAR,),
        side_px=128,
        preprocessing=STEPS,
        normalised="l2",
        tap="the second layer",
    )

    def __init__(self, seed: int = 1, layer: int = 2, *, states_seed: int | None = None) -> None:
        super().__init__(options=RuntimeOptions())
        self._network = SmallNetwork(seed, layer)
        self._stated = SmallNetwork(seed if states_seed is None else states_seed).sha256

    @property
    def card(self) -> Card:
        return replace(self.base_card, weights_sha256=self._stated)

    def readiness(self) -> Readiness:
        return Readiness()

    def runtime(self) -> Runtime:
        return self._network

    def with_steps(self, steps: Sequence[dict[str, Any]]) -> SmallExtractor:
        """Return one that does not do what its card says."""
        other = SmallExtractor()
        other.base_card = replace(self.base_card, preprocessing=tuple(steps))  # type: ignore[misc]
        return other
