"""Photographs as a visitor takes them, and how well their details find the painting.

    python benchmarks/visitor_photographs.py --paintings DIR [--n 200] [--json]

A seeded recipe makes photographs of some of the paintings in DIR (two thirds with frame and wall,
one third details); each is asked for among all of them. Then every painting asks the index itself,
and the different works that it ranks highest are verified: none may be called the same work.
Pairs of parts, sides or pages of one object stand in `data/same_object.txt`.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from bilderatlas.arrays import Pixels, scale_to_side
from bilderatlas.extractors.base import ImageRows
from bilderatlas.extractors.details import DetailsSift
from bilderatlas.records import Record
from bilderatlas.search.details import engine_of, search_details
from bilderatlas.search.hits import Hits
from bilderatlas.search.query import Part, PartKind, Query
from bilderatlas.search.verify import SAME_WORK, Features, find_agreement, verdict_of
from bilderatlas.store.collection import CollectionStore
from bilderatlas.store.images import NewImage
from bilderatlas.store.library import LibraryStore

SAME_OBJECT_LIST = Path(__file__).parent / "data" / "same_object.txt"
SIDE_PX = 640
MAX_TILT_DEG = 35.0
DETAIL_SHARE = (0.2, 0.4)  # of the painting's area
MAX_BLUR_PX = 1.5
JPEG_QUALITY = (60, 90)
_RENDERED_PX = 2 * SIDE_PX  # then halved, so that no jagged edges help or harm

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Photograph:
    """A made-up photograph, and what is known about it."""

    pixels: Pixels
    is_detail: bool
    tilt_deg: float
    visible_share: float
    blur_px: float
    jpeg_quality: int


def photograph(painting: Pixels, *, seed: int, number: int, is_detail: bool) -> Photograph:
    """Photograph `painting` `(h, w, 3)` as it hangs on a wall; the same seed, the same photograph.

    The painting gets a frame and a wall; a camera with a normal lens looks at it from up to
    `MAX_TILT_DEG` off its axis in any direction, rolled by a few degrees; light falls off across
    the wall and a lamp is mirrored in the varnish; the lens blurs, the sensor is noisy, and the
    file is a JPEG. A detail is taken so close that 20-40 % of the painting are in view.
    """
    random = np.random.default_rng([seed, number])
    scene, origin = _hang(painting, random)
    tilt = float(random.uniform(0, MAX_TILT_DEG))
    landscape = (painting.shape[1] >= painting.shape[0]) != (random.random() < 0.15)
    size_wh = (_RENDERED_PX, _RENDERED_PX * 3 // 4) if landscape else (
        _RENDERED_PX * 3 // 4, _RENDERED_PX)  # fmt: skip
    corners = _corners(painting.shape[1], painting.shape[0])
    matrix, share = _aim(corners, size_wh, tilt, random, is_detail)
    shift = np.array([[1, 0, -origin[0]], [0, 1, -origin[1]], [0, 0, 1.0]])
    view = cv2.warpPerspective(
        scene, matrix @ shift, size_wh, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT
    )
    small = cv2.resize(view, (size_wh[0] // 2, size_wh[1] // 2), interpolation=cv2.INTER_AREA)
    blur = float(random.uniform(0, MAX_BLUR_PX))
    lit = _light(small.astype(np.float64), random)
    if blur > 0.05:
        lit = cv2.GaussianBlur(lit, (0, 0), blur)
    lit += random.normal(0, random.uniform(0.5, 3), lit.shape)
    quality = int(random.integers(JPEG_QUALITY[0], JPEG_QUALITY[1] + 1))
    pixels = _through_jpeg(np.clip(np.rint(lit), 0, 255).astype(np.uint8), quality)
    return Photograph(pixels, is_detail, tilt, share, blur, quality)


def _hang(painting: Pixels, random: np.random.Generator) -> tuple[Pixels, tuple[int, int]]:
    """Return the wall with the framed painting, and where on it the painting's corner lies."""
    height, width = painting.shape[:2]
    side = max(height, width)
    margin, frame = side, round(side * random.uniform(0.03, 0.1))
    scene = np.empty((height + 2 * margin, width + 2 * margin, 3), np.float64)
    scene[:] = random.uniform(90, 235) + random.uniform(-15, 15, 3)
    texture = random.normal(0, random.uniform(1, 6), scene.shape[:2])
    scene += cv2.GaussianBlur(texture, (0, 0), random.uniform(0.8, 3))[..., None] * 2
    shade = round(frame * 0.8)
    scene[margin:, margin + width + frame : margin + width + frame + shade] *= 0.75
    gilt = random.random()
    wood = (1 - gilt) * np.array([45, 30, 20]) + gilt * np.array([215, 175, 105])
    wood += random.uniform(-10, 10, 3)
    for step in range(frame, 0, -1):  # a moulding: bands that catch the light one after another
        band = wood * (0.75 + 0.35 * np.sin(step / frame * random.uniform(6, 7)))
        scene[margin - step : margin + height + step, margin - step : margin + width + step] = band
    carving = np.abs(random.normal(0, random.uniform(2, 14), scene.shape[:2]))
    ring = np.zeros(scene.shape[:2], bool)
    ring[margin - frame : margin + height + frame, margin - frame : margin + width + frame] = True
    scene[ring] += cv2.GaussianBlur(carving, (0, 0), 1.2)[ring][:, None]
    scene[margin : margin + height, margin : margin + width] = painting
    return np.clip(scene, 0, 255).astype(np.uint8), (margin, margin)


def _corners(width: int, height: int) -> Floats:
    return np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64)


def _aim(
    corners: Floats,
    size_wh: tuple[int, int],
    tilt_deg: float,
    random: np.random.Generator,
    is_detail: bool,
) -> tuple[Floats, float]:
    """Return the homography painting → photograph, and the share of the painting in view."""
    target = corners.mean(axis=0)
    if is_detail:
        target = random.uniform(0.28, 0.72, 2) * corners[2]
    axis, roll = random.uniform(0, 2 * np.pi), np.deg2rad(random.uniform(-6, 6))
    focal = max(size_wh) * random.uniform(0.9, 1.4)
    wanted = random.uniform(*DETAIL_SHARE)
    slack = random.uniform(1.02, 1.5)

    def camera(distance: float) -> Floats:
        return _camera(target, distance, np.deg2rad(tilt_deg), axis, roll, focal, size_wh)

    near, far = corners.max() * 0.55, corners.max() * 12
    for _ in range(50):
        middle = (near * far) ** 0.5
        share = _visible_share(camera(middle), corners, size_wh)
        if share < (wanted if is_detail else 1 - 1e-9):
            near = middle
        else:
            far = middle
    matrix = camera(far if is_detail else far * slack)
    return matrix, _visible_share(matrix, corners, size_wh)


def _camera(
    target: Floats,
    distance: float,
    tilt: float,
    axis: float,
    roll: float,
    focal: float,
    size_wh: tuple[int, int],
) -> Floats:
    """Return the homography of a pinhole camera that looks at `target` on the painting's plane."""
    turn_to, turn_back = _turn(axis), _turn(-axis)
    cosine, sine = np.cos(tilt), np.sin(tilt)
    nod = np.array([[1, 0, 0], [0, cosine, -sine], [0, sine, cosine]])
    rotation = _turn(roll) @ turn_to @ nod @ turn_back
    lens = np.array([[focal, 0, size_wh[0] / 2], [0, focal, size_wh[1] / 2], [0, 0, 1]])
    place = np.column_stack([rotation[:, 0], rotation[:, 1], [0, 0, distance]])
    centred = np.array([[1, 0, -target[0]], [0, 1, -target[1]], [0, 0, 1.0]])
    return np.asarray(lens @ place @ centred)


def _turn(angle: float) -> Floats:
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1.0]])


def _visible_share(matrix: Floats, corners: Floats, size_wh: tuple[int, int]) -> float:
    """Return the share of the painting's area that lies inside the photograph."""
    seen = cv2.perspectiveTransform(_corners(*size_wh)[None], np.linalg.inv(matrix))[0]
    depth = np.column_stack([seen, np.ones(4)]) @ matrix[2]
    if depth.min() <= 0:  # the camera would look past the horizon of the wall
        return 1.0
    _, common = cv2.intersectConvexConvex(seen.astype(np.float32), corners.astype(np.float32))
    if common is None:
        return 0.0
    return float(cv2.contourArea(common) / cv2.contourArea(corners.astype(np.float32)))


def _light(view: Floats, random: np.random.Generator) -> Floats:
    """Light the view unevenly: a fall-off to one side, a lamp's reflection, a colour cast."""
    height, width = view.shape[:2]
    y, x = np.mgrid[0:height, 0:width] / max(height, width)
    angle, fall = random.uniform(0, 2 * np.pi), random.uniform(0, 0.55)
    ramp = (x - 0.5) * np.cos(angle) + (y - 0.4) * np.sin(angle)
    spot = random.uniform(0.1, 0.9, 2) * [width, height] / max(height, width)
    spread = random.uniform(0.08, 0.25)
    lamp = np.exp(-((x - spot[0]) ** 2 + (y - spot[1]) ** 2) / (2 * spread**2))
    lit = view * (1 - fall * (ramp + 0.35))[..., None] * random.uniform(0.9, 1.1, 3)
    lit = lit + random.uniform(0, 45) * lamp[..., None]
    exposure = random.uniform(0.8, 1.25)
    return 255 * (np.clip(lit / 255, 0, 1) ** exposure)


def _through_jpeg(pixels: Pixels, quality: int) -> Pixels:
    encoded, file = cv2.imencode(
        ".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality]
    )
    if not encoded:
        raise ValueError("The photograph cannot be encoded as JPEG.")
    return cv2.cvtColor(cv2.imdecode(file, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


# The evaluation


def evaluate(
    paintings: Mapping[str, Pixels],
    folder: Path,
    *,
    n: int = 200,
    n_pairs: int = 1000,
    seed: int = 7,
) -> dict[str, Any]:
    """Index `paintings` (file name → pixels) in a library in `folder`, and measure.

    Args:
        paintings: All paintings; the photographs are of `n` of them.
        folder: An empty folder.
        n: Number of photographs; every third is a detail.
        n_pairs: Number of pairs of different works to verify, the highest ranked first.
        seed: Of the choice of paintings and of every photograph.
    """
    model_id = DetailsSift.card.model_id
    names = list(paintings)
    with LibraryStore.create(folder / "library") as library:
        collection = library.create_collection(
            "paintings", source_kind="folder", source_address="/paintings"
        )
        started = time.perf_counter()
        _index(collection, paintings)
        indexed_s = time.perf_counter() - started
        space = collection.space(model_id)
        started = time.perf_counter()
        engine_of(collection, space).build(space.snapshot())
        built_s = time.perf_counter() - started
        chosen = np.random.default_rng(seed).choice(len(names), min(n, len(names)), replace=False)
        asked = [
            _ask(collection, names[place], paintings[names[place]], seed, number)
            for number, place in enumerate(chosen.tolist())
        ]
        pairs = _verify_pairs(collection, n_pairs)
    return {
        "benchmark": "visitor_photographs",
        "n_paintings": len(names),
        "n_photographs": len(asked),
        "seed": seed,
        "all": _summary(asked),
        "full": _summary([each for each in asked if not each.is_detail]),
        "detail": _summary([each for each in asked if each.is_detail]),
        "ms": {
            stage: _percentiles([getattr(each, f"{stage}_ms") for each in asked[1:]])
            for stage in ("query", "extraction", "candidates", "verification", "query_cpu")
        },
        "different_works": pairs,
        "index": {"extract_and_store_s": round(indexed_s, 1), "build_engine_s": round(built_s, 1)},
        "machine": {
            "processor": platform.processor() or platform.machine(),
            "python": platform.python_version(),
            "opencv": cv2.__version__,
        },
    }


@dataclass(frozen=True)
class Asked:
    """One photograph that was asked for. `verification` is what is left of the whole query."""

    name: str
    is_detail: bool
    rank: int
    verdict: str
    false_verdicts: tuple[str, ...]
    query_ms: float
    extraction_ms: float
    candidates_ms: float
    query_cpu_ms: float

    @property
    def verification_ms(self) -> float:
        """Return the rest: verification, records, hits."""
        return max(0.0, self.query_ms - self.extraction_ms - self.candidates_ms)


def _ask(collection: CollectionStore, name: str, painting: Pixels, seed: int, number: int) -> Asked:
    taken = photograph(painting, seed=seed, number=number, is_detail=number % 3 == 2)
    extraction_ms = 0.0
    rows = ImageRows(np.empty((0, 128), np.uint8))

    def features_of(_: Part) -> ImageRows:
        nonlocal extraction_ms, rows
        begun = time.perf_counter()
        rows = _extract(taken.pixels)
        extraction_ms = 1000 * (time.perf_counter() - begun)
        return rows

    query = Query((Part(PartKind.UPLOAD, "photograph"),), DetailsSift.card.model_id)
    begun, begun_cpu = time.perf_counter(), time.process_time()
    hits = search_details(collection, query, features_of)
    query_ms = 1000 * (time.perf_counter() - begun)
    query_cpu_ms = 1000 * (time.process_time() - begun_cpu)
    space = collection.space(query.model_id)
    view = space.snapshot()
    begun = time.perf_counter()
    engine_of(collection, space).votes(view, rows.vectors, n_images=view.columns.n)
    candidates_ms = 1000 * (time.perf_counter() - begun)
    return Asked(
        name,
        taken.is_detail,
        next((hit.rank for hit in hits if hit.image_id == name), 0),
        next((h.match.verdict for h in hits if h.image_id == name and h.match), "none"),
        _false_verdicts(hits, name),
        query_ms,
        extraction_ms,
        candidates_ms,
        query_cpu_ms,
    )


def _false_verdicts(hits: Hits, name: str) -> tuple[str, ...]:
    listed = same_object_names()
    return tuple(
        hit.image_id
        for hit in hits
        if hit.match
        and hit.match.verdict == SAME_WORK
        and hit.image_id != name
        and not {hit.image_id, name} <= listed
    )


def _verify_pairs(collection: CollectionStore, n_pairs: int) -> dict[str, Any]:
    """Verify, both ways, the pairs of different works for which the index sees most in common."""
    space = collection.space(DetailsSift.card.model_id)
    view, engine = space.snapshot(), engine_of(collection, space)
    n_works = view.columns.n
    ranked: dict[tuple[int, int], float] = {}
    for work in range(n_works):
        others = np.arange(n_works) != work
        rows = view.vectors_at(np.flatnonzero(view.ordinals == work))
        votes = engine.votes(view, rows, n_images=n_works, allowed=others)
        for other in np.argsort(-votes, kind="stable")[:50].tolist():
            pair = (min(work, other), max(work, other))
            ranked[pair] = max(ranked.get(pair, 0.0), float(votes[other]))
    highest = sorted(ranked, key=lambda pair: (-ranked[pair], pair))[:n_pairs]
    names = list(view.columns.image_ids)
    features = [_features(collection, name) for name in names]
    listed = same_object_names()
    counts: Counter[str] = Counter()
    found: list[dict[str, Any]] = []
    for one, other in highest:
        for asking, answering in ((one, other), (other, one)):
            agreement = find_agreement(features[asking], features[answering])
            verdict = verdict_of(agreement) if agreement else "none"
            counts[verdict] += 1
            if agreement:
                found.append(
                    {
                        "works": [names[asking], names[answering]],
                        "verdict": verdict,
                        "listed": {names[one], names[other]} <= listed,
                        "n_inliers": agreement.n_inliers,
                        "density": round(agreement.density, 3),
                        "spread": round(agreement.spread, 3),
                    }
                )
    false = [each for each in found if each["verdict"] == SAME_WORK and not each["listed"]]
    return {
        "n_pairs": len(highest),
        "verdicts": dict(counts),
        "n_false_same_work": len(false),
        "verified": found,
    }


def same_object_names() -> frozenset[str]:
    """Return the names of files that show parts, sides or pages of one object."""
    lines = SAME_OBJECT_LIST.read_text("utf-8").splitlines()
    return frozenset(line.strip() for line in lines if line.strip() and not line.startswith("#"))


def _index(collection: CollectionStore, paintings: Mapping[str, Pixels]) -> None:
    with collection.writer() as writer:
        writer.ensure_space(DetailsSift.card)
        names = list(paintings)
        for start in range(0, len(names), 64):
            batch = names[start : start + 64]
            images = [
                NewImage(
                    Record(name),
                    content_sha256=f"{start + place:064x}",
                    size_wh=(paintings[name].shape[1], paintings[name].shape[0]),
                )
                for place, name in enumerate(batch)
            ]
            rows = [(name, _extract(paintings[name])) for name in batch]
            writer.commit_batch(images, {DetailsSift.card.model_id: rows})


def _extract(pixels: Pixels) -> ImageRows:
    size_wh = scale_to_side((pixels.shape[1], pixels.shape[0]), DetailsSift.card.side_px)
    if size_wh != (pixels.shape[1], pixels.shape[0]):
        pixels = cv2.resize(pixels, size_wh, interpolation=cv2.INTER_AREA)
    return DetailsSift().extract_batch([pixels])[0]


def _features(collection: CollectionStore, name: str) -> Features:
    view = collection.space(DetailsSift.card.model_id).snapshot()
    rows = view.rows_of(name)
    stored = ImageRows(view.vectors_at(rows), view.geometry_at(rows))
    return Features.from_rows(stored, collection.get_record(name).size_wh or (1, 1))


def _summary(asked: list[Asked]) -> dict[str, Any]:
    ranks = np.array([each.rank for each in asked])
    return {
        "n": len(asked),
        "R@1": round(float((ranks == 1).mean()), 4) if len(ranks) else None,
        "R@5": round(float(((ranks >= 1) & (ranks <= 5)).mean()), 4) if len(ranks) else None,
        "verdicts": dict(Counter(each.verdict for each in asked)),
        "false_same_work": [name for each in asked for name in each.false_verdicts],
        "missed": [each.name for each in asked if each.rank != 1],
    }


def _percentiles(values: list[float]) -> dict[str, float]:
    if not values:
        return {}
    p50, p95 = np.percentile(values, [50, 95]).tolist()
    return {"p50": round(p50, 1), "p95": round(p95, 1)}


def load_paintings(folder: Path) -> dict[str, Pixels]:
    """Read all pictures in `folder`, or in its subfolder `images`, by file name."""
    home = folder / "images" if (folder / "images").is_dir() else folder
    found = {path.name: load_painting(path) for path in sorted(home.iterdir())}
    return {name: pixels for name, pixels in found.items() if pixels is not None}


def load_painting(path: Path) -> Pixels | None:
    """Read one picture, or return None for a file that is none."""
    pixels = cv2.imread(str(path), cv2.IMREAD_COLOR)
    return None if pixels is None else cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)


def main() -> int:
    """Run the benchmark and print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--paintings", type=Path, required=True, help="folder of pictures")
    parser.add_argument("--n", type=int, default=200, help="number of photographs")
    parser.add_argument("--pairs", type=int, default=1000, help="pairs of different works")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", action="store_true", help="print everything, as JSON")
    options = parser.parse_args()
    paintings = load_paintings(options.paintings)
    if not paintings:
        print(f"There is no picture in '{options.paintings}'.", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        report = evaluate(
            paintings, Path(folder), n=options.n, n_pairs=options.pairs, seed=options.seed
        )
    if options.json:
        print(json.dumps(report, indent=1))
        return 0
    for part in ("all", "full", "detail"):
        print(f"{part:7} R@1 {report[part]['R@1']}  R@5 {report[part]['R@5']}", end="  ")
        print(report[part]["verdicts"], "false:", report[part]["false_same_work"])
    for stage, values in report["ms"].items():
        print(f"{stage:13} p50 {values['p50']} ms  p95 {values['p95']} ms")
    print("different works:", report["different_works"]["verdicts"], end=" ")
    print("false 'same work':", report["different_works"]["n_false_same_work"])
    return 0


if __name__ == "__main__":
    sys.exit(main())
