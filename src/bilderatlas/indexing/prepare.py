"""Extractors as a run uses them: ready, on the device and in the precision that were asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from bilderatlas.arrays import Pixels
from bilderatlas.errors import UnavailableError, UsageError
from bilderatlas.extractors import Extractor
from bilderatlas.extractors.gate import try_gate
from bilderatlas.extractors.neural import NeuralExtractor

TAKEN_OVER = (
    "Embeddings of the same pictures that the library has in fp32 are taken over, not made again."
)


def prepare_extractors(
    extractors: Sequence[Extractor],
    device: str,
    precision: str,
    pictures: Callable[[int], Sequence[Pixels]] = lambda side_px: (),
) -> tuple[list[Extractor], list[str]]:
    """Return the extractors to run, and what the user should know about how they run.

    One that cannot use `precision`, or fails the gate in it, runs in fp32 and says so. `pictures`
    gives some of those to be indexed, long side at most so many pixels, for the gate.

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
            options = replace(extractor.options, device=device, n_threads=_n_threads(device))
            exact = extractor if options == extractor.options else extractor.configured(options)
            one = exact
            if precision == "bf16" and options.precision == "fp32":
                fast = extractor.configured(replace(options, precision="bf16"))
                report = try_gate(exact, fast, pictures(exact.card.side_px))
                one = fast if report.passed else exact
                notes.append(report.sentence)
                if report.passed:
                    notes.append(TAKEN_OVER)
        readiness = one.readiness()
        if readiness.state != "ready":
            raise UnavailableError(readiness.told_here)
        if device != "cpu":
            load_networks([one])  # a device that is not here ends the run now
        prepared.append(one)
    return prepared, notes


def _n_threads(device: str) -> int:
    """Return the threads of one call of a network (0: all processors).

    On a processor the shares of a batch run side by side, one thread each: threads that work on
    one share would wait for each other at every layer, while decoding takes their processors.
    """
    return 1 if device == "cpu" else 0


def load_networks(extractors: Sequence[Extractor]) -> None:
    """Load what will be run, so that damaged weights end the run before it touches a picture.

    Raises:
        WeightsError: when weights are not what was recorded.
        UnavailableError: when one cannot run here.
    """
    for extractor in extractors:
        if isinstance(extractor, NeuralExtractor):
            extractor.runtime()
