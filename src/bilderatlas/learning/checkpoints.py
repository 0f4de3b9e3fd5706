"""Checkpoints of a training run: a safetensors file, replaced in one move."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bilderatlas.errors import ConflictError

if TYPE_CHECKING:
    from torch import Tensor, nn, optim

_MOMENTS = ("exp_avg", "exp_avg_sq", "step")


def save_checkpoint(
    path: Path, model: nn.Module, optimiser: optim.Optimizer, facts: dict[str, Any]
) -> None:
    """Write the model, the moments of its optimiser and `facts`; a kill leaves the old file."""
    from safetensors.torch import save_file

    tensors = {f"model.{name}": value for name, value in model.state_dict().items()}
    for name, parameter in model.named_parameters():
        for moment in _MOMENTS:
            if parameter in optimiser.state:
                tensors[f"{moment}.{name}"] = optimiser.state[parameter][moment]
    plain = {name: value.detach().contiguous().clone() for name, value in tensors.items()}
    fresh = path.with_suffix(".part")
    save_file(plain, fresh, metadata={"facts": json.dumps(facts)})
    fresh.replace(path)


def load_checkpoint(
    path: Path, model: nn.Module, optimiser: optim.Optimizer, expected: dict[str, Any]
) -> dict[str, Any]:
    """Restore model and optimiser, and return the facts.

    Args:
        path: The file.
        model: Of the same shape.
        optimiser: Fresh, of all the model's parameters.
        expected: Facts that the checkpoint must have been written with.

    Raises:
        ConflictError: The checkpoint belongs to another training.
    """
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        facts: dict[str, Any] = json.loads(file.metadata()["facts"])
        for key, value in expected.items():
            if facts.get(key) != value:
                raise ConflictError(
                    f"Cannot go on training in {path.parent}: it was begun with {key} = "
                    f"{facts.get(key)}, and {value} was asked for. Repeat the command as it was, "
                    "or name another folder."
                )
        tensors: dict[str, Tensor] = {name: file.get_tensor(name) for name in sorted(file.keys())}
    model.load_state_dict(
        {name[6:]: value for name, value in tensors.items() if name.startswith("model.")}
    )
    for name, parameter in model.named_parameters():
        state = {m: tensors[f"{m}.{name}"] for m in _MOMENTS if f"{m}.{name}" in tensors}
        if state:
            optimiser.state[parameter].update(state)
    return facts
