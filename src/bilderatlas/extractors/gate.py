"""The gate: whether a faster precision gives the same space as fp32, on the canary pictures."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bilderatlas.arrays import unit_rows
from bilderatlas.errors import BilderatlasError
from bilderatlas.extractors.base import Extractor
from bilderatlas.extractors.canaries import canary_pictures
from bilderatlas.extractors.neural import NeuralExtractor
from bilderatlas.extractors.runtimes.base import RuntimeOptions

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


def try_gate(extractor: NeuralExtractor, options: RuntimeOptions) -> GateReport:
    """Compare `options.precision` with fp32 on the same device, row by row of the canaries."""
    model_id = extractor.base_card.model_id
    name = options.precision
    try:
        fast = _canary_rows(extractor.configured(options))
        exact = _canary_rows(extractor.configured(replace(options, precision="fp32")))
    except BilderatlasError as error:
        return GateReport(False, None, f"'{model_id}' computes in fp32, not in {name}: {error}")
    if fast.shape != exact.shape:
        reason = f"it finds {len(fast)} rows in the canary pictures instead of {len(exact)}"
        return GateReport(False, None, f"'{model_id}' computes in fp32, not in {name}: {reason}.")
    cosine = float((unit_rows(fast) * unit_rows(exact)).sum(axis=1).min())
    if not cosine >= MIN_COSINE:
        told = f"its canary pictures agree with fp32 to {cosine:.5f} only"
        return GateReport(False, cosine, f"'{model_id}' computes in fp32, not in {name}: {told}.")
    told = f"its canary pictures agree with fp32 to {cosine:.5f} or better"
    return GateReport(True, cosine, f"'{model_id}' computes in {name}: {told}.")


def _canary_rows(extractor: Extractor) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    rows = extractor.extract_batch(canary_pictures())
    return np.concatenate([one.vectors for one in rows]).astype(np.float32)
