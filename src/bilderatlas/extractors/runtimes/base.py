"""What a runtime is: towers that turn a batch into numbers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

Precision = Literal["fp32", "bf16", "int8"]
Run: TypeAlias = Callable[[npt.NDArray[Any]], Sequence[npt.NDArray[Any]]]
"""One tower, ready to run: a batch to all of its outputs."""


@dataclass(frozen=True, slots=True)
class RuntimeOptions:
    """How a network is to be run.

    Attributes:
        device: `cpu`, or `cuda` (`cuda:1` …) in the laboratory.
        precision: `fp32`; `bf16` (laboratory, the same space where the gate was passed); `int8`
            (ONNX Runtime on a CPU, a space of its own: its id ends in `~int8`).
        n_threads: Threads of one call; 0: all processors.
    """

    device: str = "cpu"
    precision: Precision = "fp32"
    n_threads: int = 0


class Runtime(ABC):
    """Runs the towers of one model; safe to call from several threads at once."""

    name: ClassVar[str]

    @abstractmethod
    def run_all(self, tower: str, inputs: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], ...]:
        """Run a tower on a batch and return all of its outputs, in their order."""

    def runner(self, tower: str) -> Run:
        """Return one tower, ready to run."""
        return partial(self.run_all, tower)

    def run(self, tower: str, inputs: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """Run a tower on a batch and return its (first) output, `(n, d)` float32."""
        return np.asarray(self.run_all(tower, inputs)[0], dtype=np.float32)
