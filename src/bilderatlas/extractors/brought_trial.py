"""The trial of a brought model: does it do on the canaries what its card says?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bilderatlas.arrays import Embeddings
from bilderatlas.errors import UsageError, WeightsError
from bilderatlas.extractors.brought_card import BroughtCard
from bilderatlas.extractors.canaries import canary_pictures
from bilderatlas.extractors.preprocessing import preprocess
from bilderatlas.extractors.runtimes.onnx import open_session

LARGEST_F16 = 65_504.0
SMALLEST_COSINE = 0.999
"""Of an embedding alone to the same one in a batch: below it, a batch would decide what is near."""

Run = Callable[[npt.NDArray[Any]], npt.NDArray[Any]]


def try_model(
    brought: BroughtCard, image: Path, text: Path | None, tokens: npt.NDArray[np.int64] | None
) -> int:
    """Run the canaries through a model as its card says.

    Args:
        brought: What the card says.
        image: The ONNX file of the image tower.
        text: The ONNX file of the text tower, where there is one.
        tokens: The canary texts, tokenised.

    Returns:
        How many pictures the model takes at once: 1, or 0 for any number.

    Raises:
        WeightsError: for a model that does not do what its card says.
    """
    try:
        batch = preprocess(canary_pictures(), brought.card.preprocessing)
    except UsageError as error:
        raise _refusal("misfit", f"its preprocessing fails on the canaries: {error}") from error
    n_at_once = _try_tower(brought, "image tower", image, batch, "float")
    if text is None or tokens is None:
        return n_at_once
    if _try_tower(brought, "text tower", text, tokens, "int64") != n_at_once:
        raise _refusal(
            "input-shape", "one tower takes one input at a time and the other takes several"
        )
    return n_at_once


def _try_tower(
    brought: BroughtCard, tower: str, path: Path, batch: npt.NDArray[Any], kind: str
) -> int:
    session = open_session(path)
    n_at_once = _check_input(session, tower, batch.shape, kind)
    name = session.get_inputs()[0].name

    def run(inputs: npt.NDArray[Any]) -> npt.NDArray[Any]:
        try:
            return np.asarray(session.run(None, {name: inputs})[0])
        except Exception as error:  # the library has no common base for what a model raises
            reason = " ".join(str(error).split())[:300]
            raise _refusal("misfit", f"its {tower} fails on the canaries: {reason}") from error

    alone = np.concatenate([_checked_output(run(one[None]), 1, tower, brought) for one in batch])
    _check_values(alone, tower, brought)
    if n_at_once != 1:
        together = _checked_output(run(batch), len(batch), tower, brought)
        _check_batch(alone, together, tower)
    return n_at_once


def _check_input(session: Any, tower: str, shape: tuple[int, ...], kind: str) -> int:
    """Return 1 for a tower that takes one input at a time, 0 for one that takes any number."""
    inputs = session.get_inputs()
    if len(inputs) != 1:
        names = ", ".join(f"'{one.name}'" for one in inputs)
        raise _refusal(
            "input-shape", f"its {tower} has {len(inputs)} inputs ({names}), expected one"
        )
    declared = list(inputs[0].shape or [])
    shown = f"[{', '.join(str(one) for one in declared)}]"
    if inputs[0].type != f"tensor({kind})":
        raise _refusal(
            "input-dtype",
            f"its {tower} takes {inputs[0].type}, expected tensor({kind})",
        )
    expected = ["n", *shape[1:]]
    fits = len(declared) == len(expected) and all(
        not isinstance(one, int) or one == wanted
        for one, wanted in zip(declared[1:], expected[1:], strict=True)
    )
    if not fits or (isinstance(declared[0], int) and declared[0] != 1):
        raise _refusal(
            "input-shape",
            f"its {tower} takes {shown}, and its card makes "
            f"[{', '.join(str(one) for one in expected)}]",
        )
    return 1 if declared[0] == 1 else 0


def _checked_output(
    found: npt.NDArray[Any], n: int, tower: str, brought: BroughtCard
) -> Embeddings:
    if found.shape != (n, brought.card.dim) or found.dtype.kind != "f":
        raise _refusal(
            "output-shape",
            f"the first output of its {tower} has shape {found.shape} and type {found.dtype} for "
            f"{n} input{'s' * (n != 1)}, and its card says dim {brought.card.dim}: expected "
            f"({n}, {brought.card.dim}) floats",
        )
    return found.astype(np.float32)


def _check_values(found: Embeddings, tower: str, brought: BroughtCard) -> None:
    if not np.isfinite(found).all():
        n_bad = int((~np.isfinite(found).all(axis=1)).sum())
        raise _refusal(
            "not-finite",
            f"its {tower} gives NaN or infinity for {n_bad} of {len(found)} canaries",
        )
    norms = np.linalg.norm(found, axis=1)
    if not norms.all():
        raise _refusal("constant", f"its {tower} gives nothing but zeros for a canary")
    if np.ptp(found, axis=0).max() <= 1e-6 * norms.max():
        raise _refusal("constant", f"its {tower} gives every canary the same embedding")
    largest = float(np.abs(found).max())
    is_scaled = brought.card.normalised == "l2"
    if brought.card.dtype == "f16" and not is_scaled and largest > LARGEST_F16 / 4:
        raise _refusal(
            "overflow",
            f"its {tower} gives numbers up to {largest:.0f}, too near to what f16 can hold "
            f"({LARGEST_F16:.0f}). Say dtype f32 on its card",
        )


def _check_batch(alone: Embeddings, together: Embeddings, tower: str) -> None:
    norms = np.linalg.norm(alone, axis=1) * np.linalg.norm(together, axis=1)
    cosines = (alone * together).sum(axis=1) / np.where(norms > 0, norms, 1)
    if not cosines.min() >= SMALLEST_COSINE:
        raise _refusal(
            "batch",
            f"its {tower} gives an input another embedding in a batch than alone (cosine "
            f"{cosines.min():.4f}). Was it exported in training mode?",
        )


def _refusal(code: str, what: str) -> WeightsError:
    return WeightsError(code, f"Cannot bring this model: {what}. Nothing of it was kept.")
