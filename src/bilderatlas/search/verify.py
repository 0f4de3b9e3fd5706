"""Verification of a candidate: do its details lie as they lie in the query, under one homography?

Descriptors are matched one to one (each other's best, clearly better than the second best), a
homography is fitted robustly, refused where no camera could have seen it so, refined, and every
pair must agree with it in place, in scale and in orientation. What remains is counted.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from bilderatlas.arrays import Ints, Mask
from bilderatlas.extractors.base import ImageRows
from bilderatlas.extractors.details import QUANTISATION
from bilderatlas.search.hits import Match
from bilderatlas.search.transforms import Transform

MIN_INLIERS = 8  # below, agreement happens by chance among a thousand different works

SAME_WORK = "same work"
SAME_OBJECT = "same object or workshop"
SIMILAR = "similar details"

# Calibrated on photographs and on pairs of different works: docs/explanation/details.md
_SAME_WORK_DENSITY = 0.1
_SAME_WORK_SPREAD = 0.7
_SAME_WORK_INLIERS = 12
_SAME_OBJECT_INLIERS = 16

_RATIO = 0.85  # distance to the best over distance to the second best
_GUIDED_DISTANCE = 0.62 * QUANTISATION  # once the place is known a pair may differ this much
_UNITS = 1000.0  # places are measured in thousandths of the long side
_TOLERANCE = 7.0  # of them
_MAX_TRIALS = 1500
_MAX_TURN = np.deg2rad(35)  # between a pair's own orientations and the homography's
_MAX_ZOOM = np.log(1.8)  # between a pair's own scales and the homography's
_MAX_STRETCH = 4.0  # a surface seen from 70° aside is foreshortened three times
_MAX_SCALE = 25.0
_FIELDS = 6  # a side, over the overlap of two pictures
_RICH_FIELD = 4  # features of either picture, from which a field could hold a pair
_MAX_AREA_RATIO = 20.0  # between the largest and the smallest local enlargement in the match

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Features:
    """The local features of one picture, made ready to be matched several times.

    Attributes:
        vectors: `(m, 128)` float32.
        places: `(m, 2)` x and y in thousandths of the long side.
        scales: `(m,)` in the same unit.
        angles: `(m,)` radians, clockwise on the screen.
        size_wh: Width and height in the same unit: the longer one is 1000.
    """

    vectors: npt.NDArray[np.float32]
    places: Floats
    scales: Floats
    angles: Floats
    size_wh: tuple[float, float]

    @classmethod
    def from_rows(cls, rows: ImageRows, size_wh: tuple[int, int]) -> Features:
        """Prepare the rows of a picture of `size_wh` pixels (only its proportions matter).

        Rows without a usable place are left out: a package of foreign features may hold some.
        """
        vectors, geometry = rows.vectors, rows.geometry
        if geometry is None:
            vectors, geometry = vectors[:0], np.zeros((0, 4), np.float32)
        usable = np.isfinite(geometry).all(axis=1) & (geometry[:, 2] > 0)
        vectors = vectors[usable]
        placed: Floats = geometry[usable].astype(np.float64)
        long_side = max(size_wh)
        size = (size_wh[0] / long_side * _UNITS, size_wh[1] / long_side * _UNITS)
        return cls(
            np.ascontiguousarray(vectors, np.float32),
            placed[:, :2] * size,
            placed[:, 2] * _UNITS,
            placed[:, 3],
            size,
        )


@dataclass(frozen=True, slots=True)
class Agreement:
    """A homography and the pairs of features that agree with it.

    Attributes:
        pairs: `(p, 2)` rows of the query and of the hit; no row stands twice.
        matrix: `(3, 3)` places of the query → places of the hit, in thousandths of the long side.
        density: Share of the features that could be paired where the pictures overlap, and are.
        spread: Share of the fields of the overlap, of those that show enough, with a pair in them.
        query_cover: Share of the query's area that the pairs span.
        hit_cover: Share of the hit's area that they span.
    """

    pairs: Ints
    matrix: Floats
    density: float
    spread: float
    query_cover: float
    hit_cover: float

    @property
    def n_inliers(self) -> int:
        """Return the number of pairs."""
        return len(self.pairs)


def find_agreement(query: Features, hit: Features) -> Agreement | None:
    """Return how the query lies in the hit, or None where nothing but chance is found."""
    if min(len(query.vectors), len(hit.vectors)) < MIN_INLIERS:
        return None
    alike = query.vectors @ hit.vectors.T
    pairs = of_one_pose(query, hit, match_one_to_one(query, hit, alike))
    matrix = _fitted(query, hit, pairs, robustly=True)
    for _ in range(2):
        if matrix is None:
            return None
        pairs = _guided_pairs(query, hit, alike, matrix)
        matrix = _fitted(query, hit, pairs, robustly=False)
    if matrix is None:
        return None
    pairs = pairs[agrees(query, hit, pairs, matrix)]
    if len(pairs) < MIN_INLIERS or not is_plausible(matrix, query.places[pairs[:, 0]]):
        return None
    return _weigh(query, hit, pairs, matrix)


def verdict_of(agreement: Agreement) -> str:
    """Say what an agreement proves.

    *Same work*: wherever both pictures show something, they show the same. *Same object or
    workshop*: much of the drawing repeats, but there are passages where it does not: the other
    side of a panel, another page of the book, a repetition or copy. Otherwise *similar details*.
    """
    if (
        agreement.n_inliers >= _SAME_WORK_INLIERS
        and agreement.density >= _SAME_WORK_DENSITY
        and agreement.spread >= _SAME_WORK_SPREAD
    ):
        return SAME_WORK
    return SAME_OBJECT if agreement.n_inliers >= _SAME_OBJECT_INLIERS else SIMILAR


def match_of(
    agreement: Agreement, query: Features, hit: Features, *, mirrored: bool = False
) -> Match:
    """Describe an agreement for the reader, in shares of width and height.

    With `mirrored`, `query` holds the features of the mirrored picture; the match tells of the
    picture as it was given.
    """
    to_shares = np.diag([1 / hit.size_wh[0], 1 / hit.size_wh[1], 1.0])
    from_shares = np.diag([query.size_wh[0], query.size_wh[1], 1.0])
    homography = to_shares @ agreement.matrix @ from_shares
    query_box = _box(query.places[agreement.pairs[:, 0]] / query.size_wh)
    centre = query.places[agreement.pairs[:, 0]].mean(axis=0, keepdims=True)
    jacobian = local_jacobians(agreement.matrix, centre)[0]
    if mirrored:
        homography = homography @ np.array([[-1.0, 0, 1], [0, 1, 0], [0, 0, 1]])
        query_box = (1 - query_box[2], query_box[1], 1 - query_box[0], query_box[3])
    homography /= np.abs(homography).max() if homography[2, 2] == 0 else homography[2, 2]
    return Match(
        n_inliers=agreement.n_inliers,
        verdict=verdict_of(agreement),
        region_xyxyn=_box(hit.places[agreement.pairs[:, 1]] / hit.size_wh),
        query_region_xyxyn=query_box,
        transform=str(Transform.from_jacobian(jacobian, mirrored=mirrored)),
        homography=tuple(homography.ravel().tolist()),
        mirrored=mirrored,
    )


def of_one_pose(query: Features, hit: Features, pairs: Ints) -> Ints:
    """Keep the pairs that turn and scale alike, roughly: those of the commonest turn and scale.

    Pairs that arise by chance turn every which way; few are left for the fit, or too few to try.
    """
    turn = (hit.angles[pairs[:, 1]] - query.angles[pairs[:, 0]]) % (2 * np.pi)
    zoom = np.log(hit.scales[pairs[:, 1]] / query.scales[pairs[:, 0]])
    apart = np.abs(turn[:, None] - turn[None])
    near = np.minimum(apart, 2 * np.pi - apart) <= _MAX_TURN
    near &= np.abs(zoom[:, None] - zoom[None]) <= _MAX_ZOOM
    if not len(pairs):
        return pairs
    return np.asarray(pairs[near[near.sum(axis=1).argmax()]])


def match_one_to_one(
    query: Features, hit: Features, alike: npt.NDArray[np.float32] | None = None
) -> Ints:
    """Pair features that are each other's nearest, and clearly nearer than the second nearest.

    Args:
        query: `m` features.
        hit: `n` features, at least two.
        alike: `(m, n)` inner products, if they are known.

    Returns:
        `(p, 2)` rows of the query (ascending) and of the hit. No row stands twice, and no place
        does: a spot that was described under two orientations is paired once.
    """
    products = query.vectors @ hit.vectors.T if alike is None else alike
    best = products.argmax(axis=1)
    rows = np.flatnonzero(
        np.ascontiguousarray(products.T).argmax(axis=1)[best] == np.arange(len(best))
    )
    others = products[rows]
    others[np.arange(len(rows)), best[rows]] = -np.inf
    pairs = np.stack([rows, best[rows]], axis=1)
    nearest = _distances(query, hit, pairs)
    seconds = np.stack([rows, others.argmax(axis=1)], axis=1)
    kept = nearest < _RATIO * _distances(query, hit, seconds)
    # A second orientation of the very same spot is no rival.
    same_spot = (hit.places[seconds[:, 1]] == hit.places[pairs[:, 1]]).all(axis=1)
    kept |= same_spot & (nearest < _GUIDED_DISTANCE)
    return one_place_once(query, hit, pairs[kept], nearest[kept])


def one_place_once(query: Features, hit: Features, pairs: Ints, distances: Floats) -> Ints:
    """Keep the closest pair of each place in either picture; pairs return by row of the query."""
    pairs = pairs[np.argsort(distances, kind="stable")]
    for side, features in enumerate((query, hit)):
        spots = np.rint(features.places[pairs[:, side]] * 4).astype(np.int64) @ [1 << 20, 1]
        first = np.sort(np.unique(spots, return_index=True)[1])
        pairs = pairs[first]
    return np.asarray(pairs[np.argsort(pairs[:, 0], kind="stable")], np.int64)


def is_plausible(matrix: Floats, places: Floats) -> bool:
    """Tell whether a camera could have seen a plane so: nothing folds, mirrors or collapses.

    Args:
        matrix: `(3, 3)` homography.
        places: `(p, 2)` the matched places of the query; their box must come out as a convex
            quadrilateral of the same sense, nowhere enlarged or foreshortened beyond reason.
    """
    if not np.isfinite(matrix).all() or len(places) < 4:
        return False
    low, high = places.min(axis=0), places.max(axis=0)
    corners = np.array([low, (high[0], low[1]), high, (low[0], high[1])])
    depths = np.column_stack([corners, np.ones(4)]) @ matrix[2]
    if (depths * np.sign(depths[0])).min() <= 1e-9:
        return False  # the horizon runs through the match
    quadrilateral = project(matrix, corners)
    sides = np.roll(quadrilateral, -1, axis=0) - quadrilateral
    following = np.roll(sides, -1, axis=0)
    turns = sides[:, 0] * following[:, 1] - sides[:, 1] * following[:, 0]
    if turns.min() <= 0:
        return False  # folded, or turned over
    jacobians = local_jacobians(matrix, np.vstack([corners, corners.mean(axis=0)]))
    stretches = np.linalg.svd(jacobians, compute_uv=False)
    areas = stretches.prod(axis=1)
    return bool(
        (stretches[:, 0] <= _MAX_STRETCH * stretches[:, 1]).all()
        and areas.max() <= _MAX_AREA_RATIO * areas.min()
        and 1 / _MAX_SCALE <= areas[-1] ** 0.5 <= _MAX_SCALE
    )


def project(matrix: Floats, places: Floats) -> Floats:
    """Send `(n, 2)` places through a homography."""
    sent = np.column_stack([places, np.ones(len(places))]) @ matrix.T
    return np.asarray(sent[:, :2] / sent[:, 2:])


def local_jacobians(matrix: Floats, places: Floats) -> Floats:
    """Return the `(n, 2, 2)` linear maps that a homography is near each of `(n, 2)` places."""
    sent = np.column_stack([places, np.ones(len(places))]) @ matrix.T
    return np.asarray(
        (matrix[None, :2, :2] - (sent[:, :2] / sent[:, 2:])[:, :, None] * matrix[None, 2:, :2])
        / sent[:, 2:, None]
    )


def agrees(query: Features, hit: Features, pairs: Ints, matrix: Floats) -> Mask:
    """Tell which `(p, 2)` pairs agree with the homography in place, scale and orientation."""
    places = query.places[pairs[:, 0]]
    apart = np.linalg.norm(project(matrix, places) - hit.places[pairs[:, 1]], axis=1)
    jacobians = local_jacobians(matrix, places)
    zoom = 0.5 * np.log(np.maximum(np.linalg.det(jacobians), 1e-12))
    own_zoom = np.log(hit.scales[pairs[:, 1]] / query.scales[pairs[:, 0]])
    angles = query.angles[pairs[:, 0]]
    ahead = np.einsum("nij,nj->ni", jacobians, np.stack([np.cos(angles), np.sin(angles)], axis=1))
    turn = np.arctan2(ahead[:, 1], ahead[:, 0]) - hit.angles[pairs[:, 1]]
    turn = np.abs((turn + np.pi) % (2 * np.pi) - np.pi)
    allowed = _TOLERANCE * np.maximum(1, np.exp(zoom) ** 0.5)
    return np.asarray(
        (apart <= allowed) & (np.abs(zoom - own_zoom) <= _MAX_ZOOM) & (turn <= _MAX_TURN)
    )


def _distances(query: Features, hit: Features, pairs: Ints) -> Floats:
    gaps = query.vectors[pairs[:, 0]] - hit.vectors[pairs[:, 1]]
    return np.asarray(np.sqrt(np.einsum("nd,nd->n", gaps, gaps)), np.float64)


def _fitted(query: Features, hit: Features, pairs: Ints, *, robustly: bool) -> Floats | None:
    """Return a plausible homography through enough pairs, or None; same pairs, same answer.

    `robustly`: many pairs may be wrong (MAGSAC, seeded by itself); otherwise all are fitted.
    """
    if len(pairs) < MIN_INLIERS:
        return None
    places, onto = query.places[pairs[:, 0]], hit.places[pairs[:, 1]]
    if robustly:
        found, _ = cv2.findHomography(
            places, onto, cv2.USAC_MAGSAC, _TOLERANCE, maxIters=_MAX_TRIALS, confidence=0.999
        )
    else:
        found, _ = cv2.findHomography(places, onto, 0)
    if found is None:
        return None
    matrix = np.asarray(found, np.float64)
    return matrix if is_plausible(matrix, places) else None


def _guided_pairs(
    query: Features, hit: Features, alike: npt.NDArray[np.float32], matrix: Floats
) -> Ints:
    """Pair again, now that the place of every feature in the hit is known."""
    rows, columns = _neighbours(project(matrix, query.places), hit.places, 2 * _TOLERANCE)
    lengths = [np.einsum("nd,nd->n", each.vectors, each.vectors) for each in (query, hit)]
    squares = lengths[0][rows] + lengths[1][columns] - 2 * alike[rows, columns]
    close = squares <= _GUIDED_DISTANCE**2
    pairs = np.stack([rows[close], columns[close]], axis=1)
    pairs_agree = agrees(query, hit, pairs, matrix)
    pairs, distances = pairs[pairs_agree], squares[close][pairs_agree].astype(np.float64)
    order = np.argsort(distances, kind="stable")
    pairs, distances = pairs[order], distances[order]
    for side in (0, 1):  # each row's closest partner, taken in order of closeness
        first = np.sort(np.unique(pairs[:, side], return_index=True)[1])
        pairs, distances = pairs[first], distances[first]
    return one_place_once(query, hit, pairs, distances)


def _neighbours(places: Floats, others: Floats, reach: float) -> tuple[Ints, Ints]:
    """Return all pairs of `(m, 2)` places and `(n, 2)` others within a square of `reach`."""
    by_x = np.argsort(others[:, 0], kind="stable")
    ascending = others[by_x, 0]
    first = np.searchsorted(ascending, places[:, 0] - reach, "left")
    counts = np.searchsorted(ascending, places[:, 0] + reach, "right") - first
    rows = np.repeat(np.arange(len(places)), counts)
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    columns = by_x[np.repeat(first, counts) + within]
    near = np.abs(places[rows, 1] - others[columns, 1]) <= reach
    return rows[near], columns[near]


def _weigh(query: Features, hit: Features, pairs: Ints, matrix: Floats) -> Agreement:
    """Say how much of what the two pictures could have in common they do have in common."""
    sent = project(matrix, query.places)
    shared_query = sent[((sent >= 0) & (sent <= hit.size_wh)).all(axis=1)]
    back = project(np.asarray(np.linalg.inv(matrix), np.float64), hit.places)
    shared_hit = hit.places[((back >= 0) & (back <= query.size_wh)).all(axis=1)]
    paired = hit.places[pairs[:, 1]]
    return Agreement(
        pairs,
        matrix,
        density=len(pairs) / max(1, min(len(shared_query), len(shared_hit))),
        spread=_spread(shared_query, shared_hit, paired),
        query_cover=_hull_share(query.places[pairs[:, 0]], query.size_wh),
        hit_cover=_hull_share(paired, hit.size_wh),
    )


def _spread(shared_query: Floats, shared_hit: Floats, paired: Floats) -> float:
    """Return the share of fields with a pair, of those in which both pictures show something."""
    both = np.vstack([shared_query, shared_hit, paired])
    low, extent = both.min(axis=0), np.maximum(np.ptp(both, axis=0), 1e-6)

    def count(places: Floats) -> Ints:
        fields = np.minimum((places - low) / extent * _FIELDS, _FIELDS - 1).astype(np.int64)
        return np.bincount(fields @ [1, _FIELDS], minlength=_FIELDS**2)

    rich = np.minimum(count(shared_query), count(shared_hit)) >= _RICH_FIELD
    return float((count(paired)[rich] > 0).mean()) if rich.any() else 0.0


def _hull_share(places: Floats, size_wh: tuple[float, float]) -> float:
    hull = cv2.convexHull(places.astype(np.float32))
    return float(cv2.contourArea(hull) / (size_wh[0] * size_wh[1]))


def _box(places: Floats) -> tuple[float, float, float, float]:
    (x0, y0), (x1, y1) = np.clip([places.min(axis=0), places.max(axis=0)], 0, 1).tolist()
    return (x0, y0, x1, y1)
