"""How long indexing takes: the first run, the second, and where the time goes.

    python benchmarks/indexing.py --source FOLDER [--json]

Prints JSON: seconds of the first run with every extractor that needs no weights, seconds of the
same command again, failures, bytes on disk, and the processor time of each step on its own.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import cv2

from bilderatlas.arrays import scale_to_side
from bilderatlas.errors import Failure
from bilderatlas.extractors import default_extractors
from bilderatlas.images.decoder import Decoder
from bilderatlas.records import Record
from bilderatlas.sources import open_source

SAMPLE = 40


def index_once(source: str, library: Path) -> dict[str, Any]:
    """Run the command as a user does, in a process of its own."""
    command = [sys.executable, "-m", "bilderatlas", "index", source, "-c", "bench", "--json"]
    started = time.perf_counter()
    done = subprocess.run(
        [*command, "--library", str(library)], capture_output=True, text=True, check=True
    )
    report = json.loads(done.stdout)
    return {
        "wall_s": round(time.perf_counter() - started, 2),
        "added": report["added"],
        "unchanged": report["unchanged"],
        "failed": report["failed"],
    }


def steps_ms(address: str) -> dict[str, float]:
    """Measure each step alone on a sample: processor milliseconds an image, one thread."""
    cv2.setNumThreads(1)
    source = open_source(address)
    extractors = default_extractors(source.kind)
    records = [record for record in source.iter_records() if isinstance(record, Record)]
    sample = records[:: max(1, len(records) // SAMPLE)][:SAMPLE]
    files = [data for _, data in source.iter_images(sample) if not isinstance(data, Failure)]
    side_px = max(extractor.card.side_px for extractor in extractors)
    with Decoder(n_children=1) as decoder:
        decoder.decode(files[0], side_px=side_px, thumbnails=True)  # the child has started
        started = time.perf_counter()
        decoded = [decoder.decode(data, side_px=side_px, thumbnails=True).pixels for data in files]
        steps = {"decode_and_thumbnails": (time.perf_counter() - started) / len(files) * 1000}
    for extractor in extractors:
        images = []
        for pixels in decoded:
            size_wh = scale_to_side((pixels.shape[1], pixels.shape[0]), extractor.card.side_px)
            images.append(cv2.resize(pixels, size_wh, interpolation=cv2.INTER_AREA))
        extractor.extract_batch(images[:1])
        begun = time.process_time()
        extractor.extract_batch(images)
        spent = (time.process_time() - begun) / len(images)
        steps[extractor.card.model_id] = spent * 1000
    return {name: round(value, 1) for name, value in steps.items()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", default="museum://?works=200&seed=7")
    parser.add_argument("--json", action="store_true", help="the only form; kept for symmetry")
    source = parser.parse_args().source
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "library"
        first, second = index_once(source, library), index_once(source, library)
        n_bytes = sum(path.stat().st_size for path in library.rglob("*") if path.is_file())
    steps = steps_ms(source)
    result = {
        "benchmark": "indexing",
        "machine": f"{platform.processor() or platform.machine()}, {os.cpu_count()} processors",
        "extractors": list(steps)[1:],
        "first_run": first,
        "second_run": second,
        "library_bytes": n_bytes,
        "steps_ms_an_image": steps,
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
