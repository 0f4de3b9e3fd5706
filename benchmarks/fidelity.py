"""How faithful a runtime and a precision are: the same network, the same pictures, compared.

    python benchmarks/fidelity.py --pictures FOLDER --extractor ID [--weights FILE] [--json]

The reference is torch in fp32. Every other way of running the network (ONNX Runtime in fp32 and
int8, torch in bf16, rows rounded to f16 as they are stored) embeds all pictures too; printed are
the cosines to the reference and how many of the 30 nearest neighbours of each picture stay. Needs
the laboratory. Random weights are never measured: they flatter every precision.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bilderatlas.arrays import Embeddings, Pixels, unit_rows
from bilderatlas.errors import Failure
from bilderatlas.extractors.neural import NeuralExtractor
from bilderatlas.extractors.resolve import get_extractor
from bilderatlas.extractors.runtimes.base import RuntimeOptions
from bilderatlas.extractors.runtimes.export import export
from bilderatlas.extractors.runtimes.onnx import OnnxRuntime
from bilderatlas.extractors.runtimes.torch import TorchRuntime
from bilderatlas.extractors.runtimes.weights import WEIGHTS_FILE
from bilderatlas.images.decoder import Decoder
from bilderatlas.records import Record
from bilderatlas.sources import open_source

K = 30
GATES = {"onnx_fp32": (0.9999, 0.95), "torch_bf16": (0.999, 0.95)}
"""Smallest cosine, and mean share of neighbours kept, that a way of running must reach."""


def read_pictures(address: str, side_px: int) -> list[Pixels]:
    """Decode every picture of a source as indexing does."""
    source = open_source(address)
    records = [record for record in source.iter_records() if isinstance(record, Record)]
    files = (
        (record, found)
        for record, found in source.iter_images(records)
        if not isinstance(found, Failure)
    )
    with Decoder() as decoder:
        decoded = decoder.iter_decoded(
            files, side_px=side_px, subject=lambda record: record.image_id
        )
        return [found.pixels for _, found in decoded if not isinstance(found, Failure)]


def neighbours(rows: Embeddings, k: int = K) -> np.ndarray[Any, Any]:
    """Return the places `(n, k)` of the nearest others of each row, by angle."""
    scores = unit_rows(rows) @ unit_rows(rows).T
    np.fill_diagonal(scores, -np.inf)
    return np.argpartition(-scores, k - 1, axis=1)[:, :k]


def agreement(reference: Embeddings, other: Embeddings, k: int = K) -> dict[str, float]:
    """Compare two embeddings `(n, d)` of the same pictures: cosines, and neighbours kept."""
    exact = reference.astype(np.float64), other.astype(np.float64)
    lengths = np.linalg.norm(exact[0], axis=1) * np.linalg.norm(exact[1], axis=1)
    cosines = (exact[0] * exact[1]).sum(axis=1) / lengths
    pairs = zip(neighbours(reference, k), neighbours(other, k), strict=True)
    kept = np.array([len(np.intersect1d(one, two)) / k for one, two in pairs])
    return {
        "min_cosine": round(float(cosines.min()), 7),
        "mean_cosine": round(float(cosines.mean()), 7),
        f"mean_top{k}_overlap": round(float(kept.mean()), 4),
        f"p1_top{k}_overlap": round(float(np.quantile(kept, 0.01)), 4),
    }


def ways(extractor: NeuralExtractor) -> dict[str, tuple[str, RuntimeOptions]]:
    """Return the ways of running a network: runtime and options by name, the reference first."""
    found = {
        "torch_fp32": (TorchRuntime.name, RuntimeOptions()),
        "onnx_fp32": (OnnxRuntime.name, RuntimeOptions()),
        "torch_bf16": (TorchRuntime.name, RuntimeOptions(precision="bf16")),
        "onnx_int8": (OnnxRuntime.name, RuntimeOptions(precision="int8")),
    }
    has_onnx, has_torch = (
        extractor.model_files.onnx_is_here(),
        extractor.model_files.find(WEIGHTS_FILE) is not None,
    )
    here = {OnnxRuntime.name: has_onnx, TorchRuntime.name: has_torch}
    return {name: way for name, way in found.items() if here[way[0]]}


def embed(
    extractor: NeuralExtractor, way: tuple[str, RuntimeOptions], pictures: Sequence[Pixels]
) -> tuple[Embeddings, float]:
    """Embed all pictures one way; return the rows `(n, d)` and the milliseconds a picture."""
    name, options = way
    runner = extractor.configured(options)
    runtime = runner.build_runtime(name)
    runner.runtime = lambda: runtime  # type: ignore[method-assign]
    runner.extract_batch(pictures[:2])
    started = time.perf_counter()
    rows = runner.extract_batch(pictures)
    spent_ms = (time.perf_counter() - started) / len(pictures) * 1000
    return np.concatenate([one.vectors for one in rows]), round(spent_ms, 2)


def measure(extractor: NeuralExtractor, pictures: Sequence[Pixels]) -> dict[str, Any]:
    """Compare every way of running `extractor` with the reference."""
    found: dict[str, Any] = {}
    reference: Embeddings | None = None
    exact: Embeddings | None = None
    for name, way in ways(extractor).items():
        rows, spent_ms = embed(extractor, way, pictures)
        if reference is None:
            reference = rows
            found["reference"] = {"name": name, "ms_a_picture": spent_ms}
            found["stored_f16"] = agreement(rows, rows.astype(np.float16).astype(np.float32))
            continue
        if name == "onnx_int8" and exact is not None and np.array_equal(rows, exact):
            found[name] = {"note": "nothing to round: int8 takes matrices, and this has none"}
            continue
        exact = rows if name == "onnx_fp32" else exact
        found[name] = {**agreement(reference, rows), "ms_a_picture": spent_ms}
        if name in GATES:
            cosine, overlap = GATES[name]
            found[name]["passed"] = (
                found[name]["min_cosine"] >= cosine
                and found[name][f"mean_top{K}_overlap"] >= overlap
            )
    return found


def main() -> None:
    """Measure and print; the exit status is 1 when a gate was not passed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", required=True, help="a folder or another source")
    parser.add_argument("--extractor", required=True, help="a neural extractor")
    parser.add_argument("--weights", type=Path, help="a safetensors file, used in place of ours")
    parser.add_argument("--json", action="store_true", help="the only form; kept for symmetry")
    options = parser.parse_args()
    extractor = get_extractor(options.extractor)
    if not isinstance(extractor, NeuralExtractor):
        sys.exit(f"'{options.extractor}' is no network.")
    with tempfile.TemporaryDirectory() as folder:
        if options.weights is not None:
            shutil.copyfile(options.weights, Path(folder) / WEIGHTS_FILE)
            extractor = extractor.at(Path(folder))
            export(extractor)
        pictures = read_pictures(options.pictures, extractor.card.side_px)
        result = {
            "benchmark": "fidelity",
            "extractor": extractor.card.model_id,
            "weights_sha256": extractor.card.weights_sha256,
            "n_pictures": len(pictures),
            **measure(extractor, pictures),
        }
    print(json.dumps(result, indent=2))
    sys.exit(any(not one.get("passed", True) for one in result.values() if isinstance(one, dict)))


if __name__ == "__main__":
    main()
