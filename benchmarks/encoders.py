"""Indexing with ViT-B/32, decode included, against the plain loop that peers run; one process.

    python benchmarks/encoders.py --paintings FOLDER [--pictures 192] [--rounds 3] [--json]

The weights are random: they decide about fidelity, not about speed. The plain loop opens each file
with Pillow, runs open_clip's own transform and encodes batches of 16 in eager fp32. Ours is the
whole of `bilderatlas index`, thumbnails and commits included, from the first picture on, as the
plain loop is; the start (network loaded and proved, gate of bf16) is told apart. int8 is a space of
its own. Rounds alternate; the median counts.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

MODEL_ID = "clip_vit_b32.openai"
LARGE_WH = (4000, 3000)
BATCH = 16


def copy_paintings(source: Path, folder: Path, n: int) -> Path:
    """Link `n` paintings, evenly chosen, into a folder of their own."""
    files = sorted(path for path in source.rglob("*") if path.suffix.lower() in {".jpg", ".jpeg"})
    folder.mkdir()
    for path in files[:: max(1, len(files) // n)][:n]:
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


def enlarge(source: Path, folder: Path, n: int) -> Path:
    """Write `n` of the pictures as JPEGs of 12 megapixels."""
    from PIL import Image

    folder.mkdir()
    for path in sorted(source.iterdir())[:n]:
        with Image.open(path) as picture:
            large = picture.convert("RGB").resize(LARGE_WH, Image.Resampling.BICUBIC)
            large.save(folder / path.name, quality=90)
    return folder


def prepare_weights(folder: Path) -> Any:
    """Give the extractor random weights of its own shape, and return open_clip's model of them."""
    import open_clip
    from safetensors.torch import save_file

    model = open_clip.create_model("ViT-B-32-quickgelu", pretrained=None).eval()
    weights = folder / "random.safetensors"
    save_file({name: value.contiguous() for name, value in model.state_dict().items()}, weights)

    from bilderatlas.extractors.resolve import get_extractor
    from bilderatlas.extractors.runtimes.export import export
    from bilderatlas.extractors.runtimes.given import take_given

    sys.path.insert(0, str(Path(__file__).parents[1]))  # the tests know where a vocabulary is
    from tests.extractors.vocabularies import save_clip_tokenizer

    extractor = get_extractor(MODEL_ID)
    save_clip_tokenizer(folder / "tokenizer.json")
    take_given(extractor, folder / "tokenizer.json")
    take_given(extractor, weights)
    export(extractor)
    return model


def plain_loop(model: Any, folder: Path) -> tuple[int, float]:
    """Run what peers run; return the number of pictures, and the seconds of its start: none."""
    import open_clip
    import torch
    from PIL import Image

    torch.set_num_threads(os.cpu_count() or 1)  # ours sets one a share of a batch
    transform = open_clip.image_transform(model.visual.image_size, is_train=False)
    paths = sorted(folder.iterdir())
    with torch.inference_mode():
        for start in range(0, len(paths), BATCH):
            batch = [transform(Image.open(path)) for path in paths[start : start + BATCH]]
            features = model.encode_image(torch.stack(batch))
            features /= features.norm(dim=-1, keepdim=True)
    return len(paths), 0.0  # the network was loaded before


def index_once(
    folder: Path, precision: str, scratch: Path, model_id: str = MODEL_ID
) -> tuple[int, float]:
    """Index with the product into a new library.

    Returns the number of pictures, and the seconds before the first of them is read: the network
    is loaded and its sha256 proved, and bf16 passes its gate.
    """
    import bilderatlas.api as ba
    from bilderatlas.indexing import IndexOptions

    begun: list[float] = []
    started = time.perf_counter()
    with ba.create(Path(tempfile.mkdtemp(dir=scratch)) / "library") as library:
        options = IndexOptions(
            extractors=(model_id,),
            precision=precision,
            on_plan=lambda _: begun.append(time.perf_counter()),
        )
        report = ba.index(library, str(folder), "bench", options=options)
    if report.failed:
        sys.exit(f"{report.failed} pictures failed: {report.failures[0].reason}")
    return report.added, begun[0] - started


def rates(runs: dict[str, Callable[[], tuple[int, float]]], rounds: int) -> dict[str, Any]:
    """Return the images a second of each run, and its ratio to the first."""
    measured: dict[str, list[float]] = {name: [] for name in runs}
    starts: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            started = time.perf_counter()
            n, start_s = run()
            measured[name].append(n / (time.perf_counter() - started - start_s))
            starts[name].append(start_s)
    median = {name: statistics.median(values) for name, values in measured.items()}
    base = next(iter(median.values()))
    return {
        name: {
            "images_per_s": round(value, 1),
            "rounds": [round(one, 1) for one in measured[name]],
            "ratio": round(value / base, 2),
            "start_s": round(statistics.median(starts[name]), 1),
        }
        for name, value in median.items()
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--paintings", type=Path, required=True)
    parser.add_argument("--pictures", type=int, default=632)
    parser.add_argument("--large", type=int, default=160, help="pictures of 12 megapixels")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="the only form; kept for symmetry")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        os.environ["BILDERATLAS_MODELS"] = str(scratch / "models")
        model = prepare_weights(scratch)
        small = copy_paintings(asked.paintings, scratch / "paintings", asked.pictures)
        large = enlarge(small, scratch / "large", asked.large)
        found = {}
        for label, folder in (("paintings", small), ("12_megapixels", large)):
            runs = {
                "plain_loop_fp32": lambda folder=folder: plain_loop(model, folder),
                "index_fp32_onnx": lambda folder=folder: index_once(folder, "fp32", scratch),
                "index_bf16_torch": lambda folder=folder: index_once(folder, "bf16", scratch),
                "index_int8_onnx": lambda folder=folder: index_once(
                    folder, "fp32", scratch, f"{MODEL_ID}~int8"
                ),
            }
            found[label] = {"pictures": len(list(folder.iterdir()))} | rates(runs, asked.rounds)
    result = {
        "benchmark": "encoders",
        "machine": f"{platform.processor() or platform.machine()}, {os.cpu_count()} processors",
        "model": f"{MODEL_ID}, random weights",
        **found,
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
