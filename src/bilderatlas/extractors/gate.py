"""The gate: whether a faster precision gives the same space as fp32, on real pictures too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bilderatlas.arrays import Embeddings, Pixels, unit_rows
from bilderatlas.errors import BilderatlasError
from bilderatlas.extractors.base import Extractor
from bilderatlas.extractors.canaries import canary_pictures
from bilderatlas.extractors.neural import NeuralExtractor

MIN_COSINE = 0.999
"""For half precision against fp32; DESIGN section 5."""
MIN_OVERLAP = 0.95
N_NEIGHBOURS = 30
MIN_PICTURES = 2 * N_NEIGHBOURS
"""Of fewer, nearly all are neighbours of each other, and their overlap says nothing."""


@dataclass(frozen=True, slots=True)
class GateReport:
    """What the gate found.

    Attributes:
        passed: Whether the precision may be used in place of fp32.
        cosine: The smallest cosine to fp32 among the rows; None where not measured.
        overlap: Mean share of the nearest `N_NEIGHBOURS` that stay; None where there were too few
            pictures to tell.
        sentence: The same for a reader.
    """

    passed: bool
    cosine: float | None
    overlap: float | None
    sentence: str


def try_gate(
    exact: NeuralExtractor, fast: NeuralExtractor, pictures: Sequence[Pixels] = ()
) -> GateReport:
    """Compare rows under `fast` with those under `exact` (fp32): of the canaries, and `pictures`.

    It proves that a precision suits these weights; random weights pass it whatever it does.
    """
    model_id, name = exact.base_card.model_id, fast.options.precision
    images = [*canary_pictures(), *pictures]
    try:
        found, expected = _rows(fast, images), _rows(exact, images)
    except BilderatlasError as error:
        return _shut(model_id, name, str(error))
    if found.shape != expected.shape:
        reason = f"it finds {len(found)} rows in {len(images)} pictures instead of {len(expected)}"
        return _shut(model_id, name, f"{reason}.")
    if not len(expected):
        return _shut(model_id, name, "it finds nothing in the pictures that could be compared.")
    found, expected = unit_rows(found), unit_rows(expected)
    cosine = float((found * expected).sum(axis=1).min())
    overlap = _overlap(found, expected)
    told = f"{len(images)} pictures agree with fp32 to {cosine:.5f}"
    if overlap is not None:
        told += f" and keep {overlap:.1%} of their {N_NEIGHBOURS} nearest"
    if not cosine >= MIN_COSINE or (overlap is not None and overlap < MIN_OVERLAP):
        return _shut(model_id, name, f"{told} only.", cosine, overlap)
    return GateReport(True, cosine, overlap, f"'{model_id}' computes in {name}: {told}.")


def _shut(
    model_id: str,
    precision: str,
    reason: str,
    cosine: float | None = None,
    overlap: float | None = None,
) -> GateReport:
    told = f"'{model_id}' computes in fp32, not in {precision}: {reason}"
    return GateReport(False, cosine, overlap, told)


def _rows(extractor: Extractor, images: Sequence[Pixels]) -> Embeddings:
    rows = extractor.extract_batch(images)
    return np.concatenate([one.vectors for one in rows]).astype(np.float32)


def _overlap(found: Embeddings, expected: Embeddings) -> float | None:
    if len(expected) < MIN_PICTURES:
        return None
    pairs = zip(_nearest(found), _nearest(expected), strict=True)
    return float(np.mean([len(np.intersect1d(one, other)) / N_NEIGHBOURS for one, other in pairs]))


def _nearest(rows: Embeddings) -> npt.NDArray[np.intp]:
    scores = rows @ rows.T
    np.fill_diagonal(scores, -np.inf)
    return np.argpartition(-scores, N_NEIGHBOURS, axis=1)[:, :N_NEIGHBOURS]
