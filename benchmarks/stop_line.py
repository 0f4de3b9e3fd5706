"""Hold the stop line against the synthetic museum, which knows what it painted.

Questions in words for what is shown (each word that at least 4 works show and at most a third),
for the genres, and for what no work shows; directions drawn by lot, and directions whose numbers
are picked from works at random. Of each group: how many works stand above the line on average, how
often any does, and where the truth is known their precision and recall. Besides, what the line
costs among 100,000 scores.

    python benchmarks/stop_line.py --works 600 --json
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bilderatlas.arrays import Embeddings, Mask, unit_rows
from bilderatlas.extractors.museum_clip import MuseumClip
from bilderatlas.extractors.runtimes.base import RuntimeOptions
from bilderatlas.learning.painted import paint_set
from bilderatlas.search.stop_line import find_stop_line

NOWHERE = (
    "tax return", "quarterly report", "internet router", "photosynthesis", "algebra",
    "zebra crossing", "rocket engine", "football goal", "espresso machine", "train timetable",
    "xylophone", "bacteria", "gearbox", "spreadsheet", "helicopter", "algorithm", "inflation",
    "keyboard", "traffic light", "microscope",
)  # fmt: skip
N_RANDOM = 200


def main() -> None:
    """Run all of it and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, help="keeps the painted works from run to run")
    parser.add_argument("--works", type=int, default=600)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", action="store_true", help="print JSON (there is no other form)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        found = measure(options.works, options.seed, options.cache or Path(scratch))
    print(json.dumps(found | {"cost": cost()}, indent=2))


def measure(works: int, seed: int, folder: Path) -> dict[str, Any]:
    """Return the figures of every group of questions."""
    painted = paint_set(folder, seed, works)
    extractor = MuseumClip().configured(RuntimeOptions(n_threads=1))
    embeddings = unit_rows(extractor.embed_images(list(painted.pictures)))
    shown = [frozenset(work.plan.shown) for work in painted.works]
    genres = np.array([work.genre for work in painted.works])
    counts = {word: sum(word in each for each in shown) for word in frozenset().union(*shown)}
    words = sorted(word for word, n in counts.items() if 4 <= n <= works // 3)
    rng = np.random.default_rng(seed)
    directions = rng.standard_normal((N_RANDOM, embeddings.shape[1]))
    places = rng.integers(0, works, (N_RANDOM, embeddings.shape[1]))
    shuffled = embeddings[places, np.arange(embeddings.shape[1])]
    return {
        "works": works,
        "seed": seed,
        "words for what is shown": judged(
            embeddings,
            extractor.embed_texts(words),
            [np.array([word in each for each in shown]) for word in words],
        ),
        "words for genres": judged(
            embeddings,
            extractor.embed_texts([str(genre) for genre in np.unique(genres)]),
            [genres == genre for genre in np.unique(genres)],
        ),
        "words for what is in no work": judged(embeddings, extractor.embed_texts(NOWHERE)),
        "random directions": judged(embeddings, directions.astype(np.float32)),
        "shuffled embeddings": judged(embeddings, shuffled),
    }


def judged(
    embeddings: Embeddings, queries: Embeddings, relevant: list[Mask] | None = None
) -> dict[str, Any]:
    """Ask each query and hold the works above its line against the truth."""
    numbers: list[int] = []
    precisions: list[float] = []
    recalls: list[float] = []
    for place, query in enumerate(unit_rows(queries)):
        scores = embeddings @ query
        line = find_stop_line(scores, perfect=1.0)
        if line is None:
            continue
        above = scores >= line.threshold
        numbers.append(int(above.sum()))
        if relevant is not None:
            right = int((above & relevant[place]).sum())
            recalls.append(right / int(relevant[place].sum()))
            if above.any():
                precisions.append(right / int(above.sum()))
    found: dict[str, Any] = {
        "queries": len(queries),
        "with_a_line": len(numbers),
        "n_better": round(float(np.mean(numbers)), 2),
        "share_with_any": round(float(np.mean(np.array(numbers) > 0)), 3),
    }
    if relevant is not None:
        found["precision"] = round(float(np.mean(precisions)), 3)
        found["recall"] = round(float(np.mean(recalls)), 3)
    return found


def cost(n: int = 100_000, rounds: int = 50) -> dict[str, float]:
    """Return what the line takes among `n` scores, a hundredth of them far above the rest."""
    scores: npt.NDArray[np.float32] = np.random.default_rng(0).normal(size=n).astype(np.float32)
    scores[: n // 100] += 5
    taken = []
    for _ in range(rounds):
        started = time.perf_counter()
        find_stop_line(scores)
        taken.append(1000 * (time.perf_counter() - started))
    return {"n": n, "p50_ms": round(float(np.median(taken)), 3)}


if __name__ == "__main__":
    main()
