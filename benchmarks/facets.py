"""Facets, orders and groups over the columns of a million works; nothing but columns is needed.

    python benchmarks/facets.py [--works 1000000] [--rounds 15] [--json]

The columns are invented: values as unevenly frequent as names are (Zipf), one work in ten without
one, makers as lists, dates as intervals. They are written to a file and mapped, as a library's are.
The first count of a state of the records reads the lists once and lays out the years; it is told
apart. Median and maximum are of `--rounds` counts, in the time of the one thread that they take.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from bilderatlas.arrays import Mask
from bilderatlas.search.arrange import arrange, group
from bilderatlas.search.facets import count_facets
from bilderatlas.search.hits import Pool
from bilderatlas.store.columns import Columns, iter_packed_columns
from bilderatlas.store.columns_build import ColumnData, ColumnTable

TEXTS = {"school": 40, "genre": 12, "object_type": 30, "medium": 3000, "place": 5000, "style": 60}
N_MAKERS = 60_000
SHARES = {"all works": 1.0, "half of them": 0.5, "one in a hundred": 0.01}


def invent(n: int, rng: np.random.Generator) -> ColumnTable:
    """Return columns of `n` works."""
    columns: dict[str, ColumnData] = {}
    lengths = rng.choice([0, 1, 1, 1, 1, 2, 3], n)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    makers = rng.integers(0, N_MAKERS, offsets[-1]).astype(np.int32)
    columns["creators"] = ColumnData(
        "creators",
        "texts",
        codes=makers,
        offsets=offsets,
        values=[f"Maker number {code}" for code in range(N_MAKERS)],
    )
    for name, n_values in TEXTS.items():
        codes = np.minimum(rng.zipf(1.3, n) - 1, n_values - 1).astype(np.int32)
        codes[rng.random(n) < 0.1] = -1
        values = [f"{name} {code}" for code in range(n_values)]
        columns[name] = ColumnData(name, "text", codes=codes, values=values)
    titles = [f"Title {row} of a work" for row in range(n)]
    columns["title"] = ColumnData(
        "title", "text", codes=np.arange(n, dtype=np.int32), values=titles
    )
    begin, missing = rng.integers(1400, 1950, n).astype(np.int32), rng.random(n) < 0.1
    end = (begin + rng.integers(0, 30, n)).astype(np.int32)
    for name, years in (("year_begin", begin), ("year_end", end)):
        columns[name] = ColumnData(name, "year", numbers=years, missing=missing)
    ids = [f"w{row}" for row in range(n)]
    return ColumnTable(np.arange(n, dtype=np.int64), ids, columns)


def milliseconds(call: Callable[[], object]) -> float:
    """Return how long one call takes of the thread's own time: it waits for nothing."""
    started = time.thread_time()
    call()
    return (time.thread_time() - started) * 1000


def measure(call: Callable[[], object], rounds: int) -> dict[str, float]:
    """Return the first time, and median and maximum of those after it."""
    first = milliseconds(call)
    times = [milliseconds(call) for _ in range(rounds)]
    found = {"first_ms": first, "p50_ms": statistics.median(times), "max_ms": max(times)}
    return {name: round(value, 2) for name, value in found.items()}


def run(n: int, rounds: int) -> dict[str, object]:
    """Measure on `n` works."""
    rng = np.random.default_rng(1)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "columns.bin"
        with path.open("wb") as file:
            for part in iter_packed_columns(invent(n, rng), 1):
                file.write(part)
        columns = Columns.open(path)
        scores = rng.standard_normal(n).astype(np.float32)
        found: dict[str, object] = {"works": n, "rounds": rounds, "machine": platform.machine()}
        for name, share in SHARES.items():
            mask: Mask = rng.random(n) < share
            found[name] = measured(Pool(columns, scores, mask, mask, mask), rounds)
        return found


def measured(pool: Pool, rounds: int) -> dict[str, object]:
    """Measure facets, orders and groups of one answer."""
    few = max(rounds // 5, 1)
    counted = measure(lambda: count_facets(pool), rounds)
    return {
        "n_facets": len(count_facets(pool)),
        "all_facets": counted,
        "by_date": measure(lambda: arrange(pool, "date", 30), few),
        "by_title": measure(lambda: arrange(pool, "title", 30), few),
        "by_school": measure(lambda: group(pool, "school"), few),
        "by_century": measure(lambda: group(pool, "century"), few),
    }


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--works", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = run(options.works, options.rounds)
    print(json.dumps(found, indent=None if options.json else 2))


if __name__ == "__main__":
    main()
