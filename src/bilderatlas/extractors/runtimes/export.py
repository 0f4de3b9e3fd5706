"""From torch to ONNX, proven to be the same space on the canaries, or not kept at all."""

from __future__ import annotations

import logging
import shutil
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

import numpy as np

from bilderatlas.errors import UnavailableError, WeightsError
from bilderatlas.extractors.canaries import canaries_sha256
from bilderatlas.extractors.runtimes.likeness import MIN_COSINE, cosines_of
from bilderatlas.extractors.runtimes.lock import changing
from bilderatlas.extractors.runtimes.onnx import OnnxRuntime
from bilderatlas.extractors.runtimes.portable import Note, write_note
from bilderatlas.extractors.runtimes.record import CanaryFacts, ExportFacts, write_record
from bilderatlas.extractors.runtimes.replaced import remove_quantised
from bilderatlas.extractors.runtimes.torch import TorchRuntime, has_torch
from bilderatlas.extractors.runtimes.weights import WEIGHTS_FILE, now, sha256_of

if TYPE_CHECKING:
    from bilderatlas.extractors.neural import NeuralExtractor

OPSET = 18
MAX_BYTES = 2_000_000_000  # what one ONNX file can hold
PACKAGES = ("torch", "onnx", "onnxscript", "onnxruntime")


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What an export made.

    Attributes:
        model_id: The extractor.
        paths: The ONNX file of each tower.
        cosines: Of each tower: cosine of torch's and ONNX Runtime's embedding, one a canary.
    """

    model_id: str
    paths: Mapping[str, Path]
    cosines: Mapping[str, tuple[float, ...]]

    @property
    def min_cosine(self) -> float:
        """The smallest cosine of all."""
        return min(min(values) for values in self.cosines.values())

    @property
    def same_space(self) -> bool:
        """Whether the two runtimes give one space; what is not is never kept."""
        return self.min_cosine >= MIN_COSINE

    def to_json(self) -> dict[str, Any]:
        """Return what is printed."""
        return {
            "model_id": self.model_id,
            "files": {tower: str(path) for tower, path in self.paths.items()},
            "cosines": {tower: list(values) for tower, values in self.cosines.items()},
            "min_cosine": self.min_cosine,
            "same_space": self.same_space,
        }


def export(extractor: NeuralExtractor) -> ExportReport:
    """Export every tower of an extractor whose weights are here, and record what was proven.

    Raises:
        UnavailableError: the weights, or the laboratory, are not here.
        WeightsError: `not-the-same-space` when a canary's embedding differs; nothing is left then.
        ConflictError: another process is at it.
    """
    files = extractor.model_files
    if files.find(WEIGHTS_FILE) is None:
        raise UnavailableError(extractor.to_fetch_sentence())
    if not has_torch():
        raise UnavailableError(extractor.to_export_sentence())
    with changing(extractor.folder):
        return _export(extractor)


def _export(extractor: NeuralExtractor) -> ExportReport:
    files = extractor.model_files
    towers = extractor.build_towers(files.verified(WEIGHTS_FILE))
    weights_sha256 = files.settled().files[WEIGHTS_FILE].sha256
    staged = Path(mkdtemp(prefix=".exporting-", dir=extractor.folder))
    try:
        made = {
            tower: _export_tower(extractor, tower, towers, staged, weights_sha256)
            for tower in extractor.towers
        }
        for tower in made:
            (staged / f"{tower}.onnx").replace(extractor.folder / f"{tower}.onnx")
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    record = files.settled()
    for tower, (facts, canaries) in made.items():
        record = record.with_export(facts).with_canaries(tower, canaries)
    write_record(extractor.folder, record)
    remove_quantised(extractor.folder)
    paths = {tower: extractor.folder / f"{tower}.onnx" for tower in made}
    cosines = {tower: facts.cosines for tower, (facts, _) in made.items()}
    return ExportReport(extractor.base_card.model_id, paths, cosines)


def _export_tower(
    extractor: NeuralExtractor,
    tower: str,
    towers: Mapping[str, Any],
    staged: Path,
    weights_sha256: str,
) -> tuple[ExportFacts, CanaryFacts]:
    model_id = extractor.base_card.model_id
    path = staged / f"{tower}.onnx"
    expected = extractor.canary_outputs(tower, TorchRuntime({tower: towers[tower]}).runner(tower))
    extractor.write_onnx(tower, towers[tower], path)
    canaries = CanaryFacts.of(expected, weights_sha256, canaries_sha256(tower), "torch fp32")
    made_with = {package: version(package) for package in PACKAGES}
    note = Note(
        model_id, tower, extractor.base_card.version, weights_sha256, now(), made_with, canaries
    )
    write_note(path, note)
    runtime = OnnxRuntime({tower: path})
    run = runtime.runner(tower)
    cosines = cosines_of(expected, extractor.canary_outputs(tower, run))
    alone = cosines_of(expected[:1], extractor.canary_outputs(tower, run, n=1))
    if min(*cosines, *alone) < MIN_COSINE:
        raise WeightsError(
            "not-the-same-space",
            f"Cannot export '{model_id}': on the canaries its {tower} network gives cosine "
            f"{min(*cosines, *alone):.6f} between torch and ONNX Runtime, expected at least "
            f"{MIN_COSINE}. Nothing was kept; use it with the laboratory, by torch.",
        )
    facts = ExportFacts(
        name=path.name,
        tower=tower,
        sha256=sha256_of(path),
        weights_sha256=weights_sha256,
        made_at=note.made_at,
        made_with=made_with,
        cosines=cosines,
    )
    return facts, canaries


def write_onnx(
    tower: Any, inputs: Any, path: Path, model_id: str, free_axes: Iterable[int] = (0,)
) -> None:
    """Write a network as ONNX; the input may be of any length along `free_axes` (the batch).

    Raises:
        WeightsError: when it is larger than such a file can be.
    """
    import torch

    n_bytes = sum(one.numel() * one.element_size() for one in tower.state_dict().values())
    if n_bytes > MAX_BYTES:
        raise WeightsError(
            "too-large",
            f"Cannot export '{model_id}': its network has {n_bytes / 1e9:.1f} GB, and one ONNX "
            "file holds 2 GB. Use it with the laboratory, by torch.",
        )
    example = torch.from_numpy(np.ascontiguousarray(inputs[:2]))
    tower = tower.to(memory_format=torch.contiguous_format)
    with torch.inference_mode(), _quiet():
        torch.onnx.export(
            tower,
            (example,),
            str(path),
            input_names=["inputs"],
            output_names=["embeddings"],
            opset_version=OPSET,
            dynamo=True,
            external_data=False,
            dynamic_shapes=(dict.fromkeys(free_axes, torch.export.Dim.DYNAMIC),),
            verbose=False,
        )


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter's remarks on its own doings off the user's terminal."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
