"""The same pose, mirrored, moved and scaled: whether it is found among the figures of a museum.

    python benchmarks/poses.py [--figures 1000] [--queries 200] [--json]

The figures of works of the synthetic museum, whose joints are known, are stored as a space of
poses, a row a figure. Queries are figures among them, drawn by a seed: mirrored (the names of left
and right exchanged), shifted, enlarged or reduced, and jittered joint by joint. Each is asked with
mirror images accepted; what is judged is the first figure of the answer (Success@1).

What is *the same pose* is told apart from the vectors: the same figure of the same scene (its own
work, or a variant of it), or a figure that shows the same joints, none of which is farther than a
tolerance, as a share of the figure's height, from its counterpart once the boxes around both are
laid over each other. The museum poses many figures from one pattern, so there are many such, and
jitter makes one of them as good an answer as another: hence the second measure, without jitter, for
which nothing but the figure's own scene counts; under the angular metric, too, where poses that
differ by a ten-thousandth have the same score in float32.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bilderatlas.arrays import Metric
from bilderatlas.extractors.base import ImageRows
from bilderatlas.extractors.pose import PoseKeypointRcnn
from bilderatlas.extractors.pose_vectors import rows_of_figures
from bilderatlas.museum.paint import objects_of
from bilderatlas.museum.plan import plan_work
from bilderatlas.records import Record
from bilderatlas.search.hits import Hit
from bilderatlas.search.query import Part, PartKind, Query
from bilderatlas.search.run import search
from bilderatlas.store.collection import CollectionStore
from bilderatlas.store.images import NewImage
from bilderatlas.store.library import LibraryStore

MODEL_ID = PoseKeypointRcnn.base_card.model_id
MUSEUM_SEED = 7
TOLERANCES = (0.02, 0.01)  # of the height: the first, about the width of a wrist, is the bar's
METRICS = (Metric.EUCLIDEAN, Metric.ANGULAR)  # the default first
JITTER = 0.005  # of the height, standard deviation in x and in y
SCALES = (0.4, 2.5)
_SWAPPED = [0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Figure:
    """One figure of the museum: its joints `(17, 3)`, where it is, and in which scene."""

    image_id: str
    number: int
    scene: tuple[int, int]
    joints: Floats
    size_wh: tuple[int, int]


def figures_of_works() -> Iterator[list[Figure]]:
    """Yield the figures of one work after the other; works without any are left out."""
    index = 0
    while True:
        truth, work = objects_of(MUSEUM_SEED, index), plan_work(MUSEUM_SEED, index)
        found = [
            Figure(
                truth.image_id,
                number,
                (work.scene_index, number),
                np.array(figure.joints, np.float64),
                truth.size_wh,
            )
            for number, figure in enumerate(truth.figures)
        ]
        kept = [one for one in found if len(rows_of(one.joints, one.size_wh).vectors)]
        if kept:
            yield kept
        index += 1


def rows_of(joints: Floats, size_wh: tuple[int, int]) -> ImageRows:
    """Return the row of one figure, or none where it shows too little of itself."""
    return rows_of_figures(joints[np.newaxis], size_wh)


def changed(
    figure: Figure, random: np.random.Generator, jitter: float
) -> tuple[Floats, tuple[int, int]]:
    """Return the figure mirrored, jittered, scaled and moved, and the size of its new picture."""
    joints = figure.joints.copy()
    seen = joints[:, 2] > 0
    height = extent(joints)[1]
    joints[seen, :2] += random.normal(0, jitter * height, (seen.sum(), 2))
    joints[:, 0] = np.where(seen, figure.size_wh[0] - joints[:, 0], 0)
    joints = joints[_SWAPPED]
    seen = seen[_SWAPPED]
    scale = float(np.exp(random.uniform(*np.log(SCALES))))
    size_wh = tuple(round(3 * scale * side) for side in figure.size_wh)
    room = np.array(size_wh) - scale * np.array(figure.size_wh)
    joints[seen, :2] = joints[seen, :2] * scale + random.uniform(0, 1, 2) * room
    return joints, (size_wh[0], size_wh[1])


def extent(joints: Floats) -> tuple[float, float]:
    """Return width and height of the box around the joints that are seen."""
    places = joints[joints[:, 2] > 0, :2]
    width, height = (places.max(axis=0) - places.min(axis=0)).tolist()
    return width, max(height, 1e-9)


def same_pose(one: Figure, other: Figure, tolerance: float) -> bool:
    """Tell whether two figures are in the same pose, by their joints alone, or one as the other's.

    Mirrored ones count: mirror images are accepted in the question.
    """
    if one.scene == other.scene:
        return True
    turned = other.joints.copy()
    turned[:, 0] = np.where(turned[:, 2] > 0, -turned[:, 0], 0)
    return any(_agree(one.joints, each, tolerance) for each in (other.joints, turned[_SWAPPED]))


def _agree(one: Floats, other: Floats, tolerance: float) -> bool:
    seen = one[:, 2] > 0
    if not np.array_equal(seen, other[:, 2] > 0):
        return False
    placed = []
    for joints in (one, other):
        places = joints[seen, :2]
        middle = (places.max(axis=0) + places.min(axis=0)) / 2
        placed.append((places - middle) / extent(joints)[1])
    return bool(np.linalg.norm(placed[0] - placed[1], axis=1).max() <= tolerance)


def build(folder: Path, works: list[list[Figure]]) -> tuple[LibraryStore, CollectionStore]:
    """Store the figures of `works`, a row each, in a library of their own."""
    library = LibraryStore.create(folder)
    collection = library.create_collection("figures", source_kind="folder", source_address="/-")
    images = [
        NewImage(Record(work[0].image_id), content_sha256=f"{n:064x}", size_wh=work[0].size_wh)
        for n, work in enumerate(works)
    ]
    rows = [
        (
            work[0].image_id,
            rows_of_figures(np.stack([figure.joints for figure in work]), work[0].size_wh),
        )
        for work in works
    ]
    with collection.writer() as writer:
        writer.ensure_space(PoseKeypointRcnn.base_card)
        writer.commit_batch(images, {MODEL_ID: rows})
    return library, collection


def figure_of(hit: Hit, works: dict[str, list[Figure]]) -> Figure:
    """Return which figure of its work a hit outlines: the one whose joints lie where it says."""
    assert hit.figure is not None

    def off(figure: Figure) -> float:
        places = figure.joints[:, :2] / figure.size_wh
        told = hit.figure.joints_xyn if hit.figure else ()
        pairs = [
            np.abs(place - np.array(joint)).max()
            for place, joint, seen in zip(places, told, figure.joints[:, 2] > 0, strict=True)
            if seen and joint is not None
        ]
        return float(np.median(pairs)) if pairs else np.inf

    return min(works[hit.image_id], key=off)


def run(n_figures: int, n_queries: int, seed: int) -> dict[str, Any]:
    """Build, ask, and return what is printed."""
    works: list[list[Figure]] = []
    started = time.perf_counter()
    for work in figures_of_works():
        works.append(work)
        if sum(map(len, works)) >= n_figures:
            break
    figures = [figure for work in works for figure in work]
    laid_s = time.perf_counter() - started
    by_id = {work[0].image_id: work for work in works}
    random = np.random.default_rng(seed)
    asked = random.choice(len(figures), n_queries, replace=False).tolist()
    with tempfile.TemporaryDirectory() as folder:
        library, collection = build(Path(folder) / "library", works)
        with library:
            answers = [_ask(collection, figures, figures[place], by_id, random) for place in asked]
    return {
        "works": len(works),
        "figures": len(figures),
        "queries": n_queries,
        "seed": seed,
        "jitter_share_of_height": JITTER,
        "scales": list(SCALES),
        "tolerances_share_of_height": list(TOLERANCES),
        **_summary(answers),
        "laying_the_scenes_s": round(laid_s, 1),
    }


@dataclass(frozen=True)
class Answer:
    """What one query gave.

    Attributes:
        same: For each tolerance, whether the first figure is in the same pose.
        own: Whether it is the figure of the very scene.
        own_exactly: The same for a query without jitter, under each metric of METRICS.
        own_plain: Whether the figure of the very scene is first when no mirror image is accepted.
        n_same: For each tolerance, how many figures of other scenes are in the same pose.
        ms: Time of the question.
    """

    same: tuple[bool, ...]
    own: bool
    own_exactly: tuple[bool, ...]
    own_plain: bool
    n_same: tuple[int, ...]
    ms: float


def _ask(
    collection: CollectionStore,
    figures: list[Figure],
    figure: Figure,
    by_id: dict[str, list[Figure]],
    random: np.random.Generator,
) -> Answer:
    def first(rows: ImageRows, *, metric: Metric = METRICS[0], mirrored: bool = True) -> Figure:
        part = Part(PartKind.UPLOAD, "0" * 64)
        query = Query((part,), MODEL_ID, metric, k=1, mirrored=mirrored)
        (hit,) = search(collection, query, lambda _: rows.vectors, lambda _: rows)
        return figure_of(hit, by_id)

    jittered = rows_of(*changed(figure, random, JITTER))
    exactly = rows_of(*changed(figure, random, 0))
    started = time.perf_counter()
    best = first(jittered)
    ms = 1000 * (time.perf_counter() - started)
    others = [other for other in figures if other.scene != figure.scene]
    return Answer(
        tuple(same_pose(figure, best, tolerance) for tolerance in TOLERANCES),
        best.scene == figure.scene,
        tuple(first(exactly, metric=metric).scene == figure.scene for metric in METRICS),
        first(exactly, mirrored=False).scene == figure.scene,
        tuple(
            sum(same_pose(figure, each, tolerance) for each in others) for tolerance in TOLERANCES
        ),
        ms,
    )


def _summary(answers: list[Answer]) -> dict[str, Any]:
    def share(values: list[bool]) -> float:
        return round(float(np.mean(values)), 4)

    found = {
        f"{tolerance:g}": {
            "success@1": share([answer.same[place] for answer in answers]),
            "same_pose_in_other_scenes_median": float(
                np.median([answer.n_same[place] for answer in answers])
            ),
        }
        for place, tolerance in enumerate(TOLERANCES)
    }
    return {
        "success@1": found[f"{TOLERANCES[0]:g}"]["success@1"],
        "by_tolerance": found,
        "own_scene_first": share([answer.own for answer in answers]),
        "without_jitter": {
            "own_scene_first": {
                metric.value: share([answer.own_exactly[place] for answer in answers])
                for place, metric in enumerate(METRICS)
            },
            "own_scene_first_no_mirror_images": share([answer.own_plain for answer in answers]),
        },
        "ms_a_query_p50": round(float(np.median([answer.ms for answer in answers])), 2),
    }


def main() -> None:
    """Print the result as JSON; the exit status is 1 below the bar."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--figures", type=int, default=1000)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="as it is printed anyway")
    arguments = parser.parse_args()
    result = run(arguments.figures, arguments.queries, arguments.seed)
    print(json.dumps(result, indent=2))
    sys.exit(result["success@1"] < 0.95)


if __name__ == "__main__":
    main()
