"""The gate: whether a faster precision gives the same space as fp32, on the canary pictures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bilderatlas.arrays import unit_rows
from bilderatlas.errors import BilderatlasError
from bilderatlas.extractors.base import Extractor
from bilderatlas.extractors.canaries import canary_pictures
from bilderatlas.extractors.neural import NeuralExtractor

MIN_COSINE = 0.999
"""For half precision against fp32; DESIGN section 5."""


@dataclass(frozen=True, slots=True)
class GateReport:
    """What the gate found.

    Attributes:
        passed: Whether the precision may be used in place of fp32.
        cosine: The smallest cosine to fp32 among the canary pictures; None where not measured.
        sentence: The same for a reader.
    """

    passed: bool
    cosine: float | None
    sentence: str


def try_gate(exact: NeuralExtractor, fast: NeuralExtractor) -> GateReport:
    """Compare the rows of the canary pictures under `fast` with those under `exact` (fp32)."""
    model_id = exact.base_card.model_id
    name = fast.options.precision
    try:
        found, expected = _canary_rows(fast), _canary_rows(exact)
    except BilderatlasError as error:
        return GateReport(False, None, f"'{model_id}' computes in fp32, not in {name}: {error}")
    if found.shape != expected.shape:
        reason = f"it finds {len(found)} rows in the canary pictures instead of {len(expected)}"
        return GateReport(False, None, f"'{model_id}' computes in fp32, not in {name}: {reason}.")
    if not len(expected):
        reason = "it finds nothing in the canary pictures to compare"
        return GateReport(False, None, f"'{model_id}' computes in fp32, not in {name}: {reason}.")
    cosine = float((unit_rows(found) * unit_rows(expected)).sum(axis=1).min())
    if not cosine >= MIN_COSINE:
        told = f"its canary pictures agree with fp32 to {cosine:.5f} only"
        return GateReport(False, cosine, f"'{model_id}' computes in fp32, not in {name}: {told}.")
    told = f"its canary pictures agree with fp32 to {cosine:.5f} or better"
    return GateReport(True, cosine, f"'{model_id}' computes in {name}: {told}.")


def _canary_rows(extractor: Extractor) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    rows = extractor.extract_batch(canary_pictures())
    return np.concatenate([one.vectors for one in rows]).astype(np.float32)
