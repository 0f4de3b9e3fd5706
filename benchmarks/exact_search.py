"""Time the exact engine over memory-mapped rows, beside the bandwidth of memory and its peers.

All candidates answer the same queries in turn, within one run and on one thread, so that their
ratios hold even where the machine is busy. Rows mimic CLIP: a mixture of 2,000 clusters with a
power-law spectrum, unit length, stored as float16. Two kinds of queries: `stored` is a row of the
collection (a click on an image), `free` a vector between rows (words, several examples).
Recall@30 is against float64 on the vectors before they were rounded for storage.

    python benchmarks/exact_search.py --rows 100000 --dim 512 --json
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import numpy.typing as npt

from bilderatlas.arrays import Metric, unit_rows
from bilderatlas.store.engines import select_top
from bilderatlas.store.engines.exact import ExactEngine

K = 30
N_QUERIES = 20
RAW_DIM = 3072
Found = npt.NDArray[np.int64]
Rows = npt.NDArray[Any]
Task = Callable[[int], Found]


@dataclass(frozen=True)
class MappedRows:
    """The rows of a space: one mapped file."""

    rows: Rows
    dtype: str

    @property
    def dim(self) -> int:
        """Return the dimension of a row."""
        return int(self.rows.shape[1])

    @property
    def n_rows(self) -> int:
        """Return the number of rows."""
        return len(self.rows)

    def blocks(self) -> Iterator[tuple[int, Rows]]:
        """Yield the one block."""
        yield 0, self.rows


def clip_like(n_rows: int, dim: int, random: np.random.Generator) -> npt.NDArray[np.float32]:
    """Return `(n, d)` unit vectors: clusters in a space whose axes matter less and less."""
    spectrum = (np.arange(1, dim + 1) ** -0.5).astype(np.float32)
    centres = random.standard_normal((2000, dim), dtype=np.float32) * spectrum
    rows = random.standard_normal((n_rows, dim), dtype=np.float32) * (0.7 * spectrum)
    rows += centres[random.integers(0, len(centres), n_rows)]
    return unit_rows(rows)


def map_rows(folder: Path, name: str, rows: Rows) -> Rows:
    """Write `rows` to a file and map it."""
    rows.tofile(folder / name)
    return np.memmap(folder / name, rows.dtype, "r", shape=rows.shape)


def engine_task(view: MappedRows, queries: npt.NDArray[np.float32], metric: Metric) -> Task:
    """Return the search of the exact engine, the choice of the best 30 included."""
    engine = ExactEngine()
    return lambda i: select_top(engine.score(view, queries[i : i + 1], metric)[0], K)


def faiss_task(index: faiss.Index, queries: npt.NDArray[np.float32]) -> Task:
    """Return the search of a faiss index."""
    return lambda i: np.asarray(index.search(queries[i : i + 1], K)[1][0])


def read_task(rows: Rows) -> Task:
    """Return the reading of every byte once: the floor below which no scan can go."""
    words = np.asarray(rows).reshape(-1).view(np.uint64)
    return lambda i: np.array([words.sum()], np.uint64).astype(np.int64)


def measure(tasks: dict[str, Task], rounds: int) -> dict[str, tuple[list[float], list[Found]]]:
    """Let all tasks answer each query in turn; times in ms and answers by task."""
    for task in tasks.values():
        task(0)  # pages mapped, norms derived
    results: dict[str, tuple[list[float], list[Found]]] = {name: ([], []) for name in tasks}
    for i in (i for _ in range(rounds) for i in range(N_QUERIES)):
        for name, task in tasks.items():
            started = time.perf_counter()
            found = task(i)
            results[name][0].append((time.perf_counter() - started) * 1e3)
            results[name][1].append(found)
    return results


def best_rows(rows: Rows, queries: Rows) -> list[Found]:
    """Return the true best 30 of each query by inner product, in float64."""
    scores = np.empty((len(queries), len(rows)))
    for start in range(0, len(rows), 10_000):
        part = rows[start : start + 10_000].astype(np.float64)
        scores[:, start : start + len(part)] = queries.astype(np.float64) @ part.T
    return [select_top(each, K) for each in scores]


def report(
    results: dict[str, tuple[list[float], list[Found]]], truth: list[Found], floor: str
) -> dict[str, dict[str, float]]:
    """Sum up: p50, p95, times the floor, recall where there is a truth."""
    lowest = float(np.median(results[floor][0]))
    summary = {}
    for name, (times, answers) in results.items():
        p50, p95 = np.percentile(times, (50, 95))
        line = {
            "p50_ms": round(p50, 2),
            "p95_ms": round(p95, 2),
            "times_floor": round(p50 / lowest, 2),
        }
        if name != floor and truth:
            shares = [
                len(np.intersect1d(found, truth[i % N_QUERIES])) / K
                for i, found in enumerate(answers)
            ]
            line["recall_at_30"] = round(float(np.mean(shares)), 4)
        summary[name] = line
    return summary


def run_angular(folder: Path, n_rows: int, dim: int, rounds: int) -> dict[str, Any]:
    """Compare the engine with faiss on CLIP-like rows."""
    random = np.random.default_rng(7)
    vectors = clip_like(n_rows + N_QUERIES, dim, random)
    rows, between = vectors[:n_rows], vectors[n_rows:]
    view = MappedRows(map_rows(folder, "rows.f16", rows.astype(np.float16)), "f16")
    stored = view.rows[: N_QUERIES * 100 : 100][:N_QUERIES].astype(np.float32)
    flat = faiss.IndexFlatIP(dim)
    flat.add(rows)
    eight_bit = faiss.IndexScalarQuantizer(
        dim, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT
    )
    eight_bit.train(rows[:20_000])
    eight_bit.add(rows)
    summary = {}
    for kind, queries in (("free", between), ("stored", stored)):
        tasks = {
            "read the rows once": read_task(view.rows),
            "bilderatlas exact f16": engine_task(view, queries, Metric.ANGULAR),
            "faiss IndexFlatIP f32": faiss_task(flat, queries),
            "faiss ScalarQuantizer 8 bit": faiss_task(eight_bit, queries),
        }
        truth = best_rows(rows, queries)
        summary[kind] = report(measure(tasks, rounds), truth, "read the rows once")
    return summary


def run_raw(folder: Path, n_rows: int, rounds: int) -> dict[str, Any]:
    """Time manhattan over raw pixels."""
    random = np.random.default_rng(8)
    pixels = random.integers(0, 256, (n_rows, RAW_DIM), dtype=np.uint8)
    view = MappedRows(map_rows(folder, "rows.u8", pixels), "u8")
    stored = pixels[:N_QUERIES].astype(np.float32)
    tasks = {
        "read the rows once": read_task(view.rows),
        "bilderatlas exact u8, stored": engine_task(view, stored, Metric.MANHATTAN),
        "bilderatlas exact u8, free": engine_task(view, stored * 0.9 + 7.3, Metric.MANHATTAN),
    }
    return report(measure(tasks, rounds), [], "read the rows once")


def machine() -> dict[str, str]:
    """Name the processor and what was linked."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = info.read_text().splitlines()
        model = next((li.split(":", 1)[1].strip() for li in lines if "model name" in li), model)
    return {"cpu": model, "python": platform.python_version(), "faiss": faiss.__version__}


def main() -> None:
    """Run the benchmark and print its results."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=100_000, help="number of rows")
    parser.add_argument("--dim", type=int, default=512, help="dimension of a row")
    parser.add_argument("--rounds", type=int, default=3, help="rounds over the 20 queries")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    if arguments.rows < 100 * N_QUERIES:
        parser.error(f"--rows must be at least {100 * N_QUERIES}")
    faiss.omp_set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        result = {
            "benchmark": "exact_search",
            "rows": arguments.rows,
            "dim": arguments.dim,
            "threads": 1,
            "machine": machine(),
            "angular": run_angular(Path(folder), arguments.rows, arguments.dim, arguments.rounds),
            "manhattan_u8_3072": run_raw(Path(folder), arguments.rows, arguments.rounds),
        }
    if arguments.json:
        json.dump(result, sys.stdout, indent=2)
        sys.stdout.write("\n")
        return
    tables = {**result["angular"], "manhattan, u8 × 3072": result["manhattan_u8_3072"]}
    for kind, lines in tables.items():
        sys.stdout.write(f"{kind}\n")
        for name, line in lines.items():
            figures = "  ".join(f"{key} {value}" for key, value in line.items())
            sys.stdout.write(f"  {name:30}{figures}\n")


if __name__ == "__main__":
    main()
