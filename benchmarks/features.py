"""Time the way of a large space out of a library and into another: export, validate, import.

A library with synthetic rows is built first (not timed as part of the bars, but told): records as
a museum has them, unit vectors in float16. Each step then runs in a process of its own, so that the
peak of its memory is its own; `anonymous` leaves out pages of mapped files, which the system can
take back at any time.

    nice -n 10 python benchmarks/features.py --rows 1000000 --dim 512 --json
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bilderatlas.arrays import Metric, unit_rows
from bilderatlas.exchange.base import open_features
from bilderatlas.exchange.export import export_space
from bilderatlas.exchange.take_in import import_features
from bilderatlas.exchange.validate import validate
from bilderatlas.exchange.write import Identity
from bilderatlas.extractors.base import Card, ImageRows
from bilderatlas.records import Record
from bilderatlas.store.library import LibraryStore
from bilderatlas.store.writer import NewImage

MODEL = "synthetic_512.random"
BATCH = 50_000
SCHOOLS = ("Dutch", "Flemish", "Italian", "French", "German", "Spanish")


def card_of(dim: int) -> Card:
    """Return the card of the synthetic space."""
    return Card(
        model_id=MODEL,
        judges_by="chance",
        sees="Nothing: the vectors are random.",
        dim=dim,
        dtype="f16",
        metrics=(Metric.ANGULAR,),
        side_px=256,
        preprocessing=(),
        normalised="l2",
    )


def image_of(number: int) -> NewImage:
    """Return a work as a museum's table describes it."""
    year = 1500 + number % 400
    record = Record(
        f"SK-{number:07d}",
        title=f"Portrait of a burgher, number {number}",
        creators=(f"Painter {number % 5000}",),
        date_display=f"c. {year}",
        year_begin=year - 5,
        year_end=year + 5,
        school=SCHOOLS[number % len(SCHOOLS)],
        medium="oil on canvas",
        rights="https://creativecommons.org/publicdomain/zero/1.0/",
        image_url=f"https://museum.example/images/{number}.jpg",
        page_url=f"https://museum.example/works/{number}",
    )
    sha256 = hashlib.sha256(str(number).encode()).hexdigest()
    return NewImage(record, sha256, None, (4000, 3000))


def build(folder: Path, rows: int, dim: int) -> None:
    """Make the library that is exported."""
    random = np.random.default_rng(7)
    with LibraryStore.create(folder) as library:
        made = library.create_collection("works", source_kind="table", source_address="works.csv")
        with made.writer() as writer:
            writer.ensure_space(card_of(dim))
            for start in range(0, rows, BATCH):
                images = [image_of(n) for n in range(start, min(start + BATCH, rows))]
                vectors = unit_rows(random.standard_normal((len(images), dim), dtype=np.float32))
                found = [
                    (image.record.image_id, ImageRows(vectors[place : place + 1]))
                    for place, image in enumerate(images)
                ]
                writer.commit_batch(images, {MODEL: found})


def export(folder: Path) -> None:
    """Export the space."""
    with LibraryStore.open(folder / "library") as library:
        works = library.get_collection("works")
        export_space(works, MODEL, folder / "package", Identity("Works"), replace=True)


def prove(folder: Path) -> None:
    """Validate the package."""
    faults = validate(folder / "package")
    assert not faults, faults


def take_in(folder: Path) -> None:
    """Import the package, validation included."""
    with (
        LibraryStore.create(folder / "second") as library,
        open_features(str(folder / "package")) as features,
    ):
        import_features(library, features, "works")


def compare(folder: Path) -> None:
    """Prove that all rows came through to the bit."""
    with (
        LibraryStore.open(folder / "library") as one,
        LibraryStore.open(folder / "second") as two,
    ):
        first = one.get_collection("works").space(MODEL).snapshot()
        second = two.get_collection("works").space(MODEL).snapshot()
        for start in range(0, first.n_rows, 100_000):
            rows = np.arange(start, min(start + 100_000, first.n_rows))
            assert first.vectors_at(rows).tobytes() == second.vectors_at(rows).tobytes()


STEPS: dict[str, Callable[[Path], None]] = {
    "export": export,
    "validate": prove,
    "import": take_in,
    "compare": compare,
}


class PeakMemory:
    """Looks at this process's memory twenty times a second."""

    def __init__(self) -> None:
        """Begin to look."""
        self.resident_mb = self.anonymous_mb = 0.0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        path = Path("/proc/self/smaps_rollup")
        while path.exists() and not self._stopped.wait(0.05):
            sizes = {line.split(":")[0]: line.split() for line in path.read_text().splitlines()}
            self.resident_mb = max(self.resident_mb, int(sizes["Rss"][1]) / 1024)
            self.anonymous_mb = max(self.anonymous_mb, int(sizes["Anonymous"][1]) / 1024)

    def stop(self) -> dict[str, float]:
        """Stop looking, and tell."""
        self._stopped.set()
        self._thread.join()
        return {
            "peak_resident_mb": round(self.resident_mb),
            "peak_anonymous_mb": round(self.anonymous_mb),
        }


def run_step(name: str, folder: Path) -> None:
    """Run one step in this process and print what it took."""
    memory = PeakMemory()
    started = time.perf_counter()
    STEPS[name](folder)
    seconds = time.perf_counter() - started
    timed = {"seconds": round(seconds, 1), "processor_seconds": round(time.process_time(), 1)}
    print(json.dumps(timed | memory.stop()))


def main() -> None:
    """Build, and run each step in a process of its own."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument("--folder", type=Path, help="where to work; default: a temporary folder")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--step", choices=[*STEPS, "build"], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.step == "build":
        build(arguments.folder / "library", arguments.rows, arguments.dim)
        return
    if arguments.step:
        run_step(arguments.step, arguments.folder)
        return
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        print_results(measure(Path(folder), arguments.rows, arguments.dim), arguments.json)


def measure(folder: Path, rows: int, dim: int) -> dict[str, Any]:
    """Return what every step took."""
    base = [sys.executable, __file__, "--folder", str(folder)]
    started = time.perf_counter()
    sizes = ["--rows", str(rows), "--dim", str(dim)]
    subprocess.run([*base, "--step", "build", *sizes], check=True)
    results: dict[str, Any] = {
        "rows": rows,
        "dim": dim,
        "dtype": "f16",
        "machine": platform.processor() or platform.machine(),
        "build_seconds": round(time.perf_counter() - started, 1),
    }
    for name in STEPS:
        done = subprocess.run(
            [*base, "--step", name], check=True, stdout=subprocess.PIPE, text=True
        )
        results[name] = json.loads(done.stdout)
    results["package_mb"] = round(
        sum(path.stat().st_size for path in (folder / "package").iterdir()) / 1e6
    )
    return results


def print_results(results: dict[str, Any], as_json: bool) -> None:
    """Print the results as JSON, or a line a step."""
    if as_json:
        print(json.dumps(results, indent=2))
        return
    print(f"{results['rows']:,} × {results['dim']} f16, package {results['package_mb']:,} MB")
    for name in STEPS:
        step = results[name]
        print(
            f"{name:9} {step['seconds']:7.1f} s ({step['processor_seconds']:.1f} s of processor)   "
            f"{step['peak_resident_mb']:,} MB resident, "
            f"{step['peak_anonymous_mb']:,} MB anonymous"
        )


if __name__ == "__main__":
    main()
