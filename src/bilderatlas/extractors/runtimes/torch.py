"""Torch: the laboratory's runtime, on a CPU or a GPU."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from bilderatlas.errors import UnavailableError
from bilderatlas.extractors.runtimes.base import Runtime, RuntimeOptions


def has_torch() -> bool:
    """Tell whether the laboratory is installed, without importing it."""
    return importlib.util.find_spec("torch") is not None


class TorchRuntime(Runtime):
    """Runs `{tower: nn.Module}`: inference mode, channels last for convolutions, real bf16."""

    name = "torch"

    def __init__(self, towers: Mapping[str, Any], options: RuntimeOptions | None = None) -> None:
        """Take over `towers` (`torch.nn.Module`, changed in place) for `options`.

        Raises:
            UnavailableError: no such device here, or int8 (which only ONNX Runtime has here).
        """
        import torch

        self._options = options or RuntimeOptions()
        if self._options.precision == "int8":
            raise UnavailableError(
                "Cannot run torch in int8: that form is made from the ONNX file. Export it first: "
                "bilderatlas extractors export ID"
            )
        self._device = _device(self._options.device)
        self._dtype = torch.bfloat16 if self._options.precision == "bf16" else torch.float32
        self._n_threads = self._options.n_threads or os.cpu_count() or 1
        self._towers = {name: self._placed(tower) for name, tower in towers.items()}
        self._planar = {
            name: any(weights.dim() == 4 for weights in tower.parameters())
            for name, tower in self._towers.items()
        }

    def run_all(self, tower: str, inputs: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], ...]:
        """Run a tower on a batch and return all of its outputs (a dict's in its order)."""
        import torch

        batch = torch.from_numpy(np.ascontiguousarray(inputs)).to(self._device)
        if batch.is_floating_point():
            batch = batch.to(self._dtype)
        if batch.dim() == 4 and self._planar[tower]:
            batch = batch.contiguous(memory_format=torch.channels_last)
        if torch.get_num_threads() != self._n_threads:
            torch.set_num_threads(self._n_threads)  # of the calling thread and those after it
        with torch.inference_mode():
            outputs = self._towers[tower](batch)
        return tuple(_as_numpy(one) for one in _flattened(outputs))

    def _placed(self, tower: Any) -> Any:
        import torch

        tower = tower.eval().to(device=self._device, dtype=self._dtype)
        return tower.to(memory_format=torch.channels_last)  # touches weights with 4 axes only


def _device(name: str) -> Any:
    import torch

    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise UnavailableError(
            f"Cannot run on '{name}': there is no such device. Choose cpu or cuda."
        ) from error
    if device.type == "cuda":
        n_devices = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if n_devices <= (device.index or 0):
            built = torch.version.cuda
            reason = (
                "this torch was built without CUDA"
                if built is None
                else f"torch (CUDA {built}) sees {n_devices or 'no'} GPU{'s' * (n_devices != 1)}"
            )
            raise UnavailableError(
                f"Cannot run on '{name}': {reason}. Use --device cpu, or install a driver and a "
                "torch that fit your GPU."
            )
    return device


def _flattened(outputs: Any) -> Iterator[Any]:
    if isinstance(outputs, Mapping):
        outputs = tuple(outputs.values())
    if isinstance(outputs, list | tuple):
        for one in outputs:
            yield from _flattened(one)
    else:
        yield outputs


def _as_numpy(tensor: Any) -> npt.NDArray[Any]:
    tensor = tensor.detach()
    if tensor.is_floating_point():
        tensor = tensor.float()
    return np.asarray(tensor.cpu().numpy())
