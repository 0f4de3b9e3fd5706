"""Extractors as a run uses them: ready, on the device and in the precision that were asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bilderatlas.errors import UnavailableError, UsageError
from bilderatlas.extractors import Extractor
from bilderatlas.extractors.gate import try_gate
from bilderatlas.extractors.neural import NeuralExtractor
from bilderatlas.extractors.runtimes.base import RuntimeOptions


def prepare_extractors(
    extractors: Sequence[Extractor], device: str, precision: str
) -> tuple[list[Extractor], list[str]]:
    """Return the extractors to run, and what the user should know about how they run.

    One that cannot use `precision`, or fails the gate in it, runs in fp32 and says so.

    Raises:
        UnavailableError: when one cannot run here, saying what it needs.
        UsageError: for a precision that there is not.
    """
    if precision not in {"fp32", "bf16"}:
        raise UsageError(
            f"Cannot compute in '{precision}': expected fp32 or bf16. An int8 model is an "
            "extractor of its own, whose id ends in ~int8."
        )
    prepared, notes = [], []
    for extractor in extractors:
        one: Extractor = extractor
        if isinstance(extractor, NeuralExtractor):
            options = replace(extractor.options, device=device)
            one = extractor.configured(options)
            if precision == "bf16" and options.precision == "fp32":
                one, note = _gated(extractor, options)
                notes.append(note)
        readiness = one.readiness()
        if readiness.state != "ready":
            raise UnavailableError(readiness.sentence)
        prepared.append(one)
    return prepared, notes


def _gated(extractor: NeuralExtractor, options: RuntimeOptions) -> tuple[Extractor, str]:
    fast = replace(options, precision="bf16")
    report = try_gate(extractor, fast)
    return extractor.configured(fast if report.passed else options), report.sentence
