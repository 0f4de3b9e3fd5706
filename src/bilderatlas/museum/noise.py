"""Smooth noise: clouds, folds, foliage, paper and the wandering of lines."""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

Plane: TypeAlias = npt.NDArray[
    np.floating[Any]
]  # float32 unless said: (h, w) or (h, w, 3), mostly 0 to 1
Points: TypeAlias = npt.NDArray[np.float64]  # (n, 2): x, y in pixels


def smooth_noise(
    rng: np.random.Generator, shape_hw: tuple[int, int], cell_px: tuple[float, float] | float
) -> Plane:
    """Return one octave of noise `(h, w)`, about -1 to 1, with cells of `cell_px` (x, y)."""
    height, width = shape_hw
    cell_x, cell_y = (cell_px, cell_px) if isinstance(cell_px, int | float) else cell_px
    grid_w = max(2, round(width / max(1.0, cell_x)) + 2)
    grid_h = max(2, round(height / max(1.0, cell_y)) + 2)
    grid = rng.random((min(grid_h, height + 2), min(grid_w, width + 2)), dtype=np.float32) * 2 - 1
    return _grown(grid, shape_hw, min(cell_x, cell_y))


def _grown(grid: Plane, shape_hw: tuple[int, int], cell_px: float) -> Plane:
    """Return a grid enlarged smoothly; wide cells to half the size first, which nobody can tell."""
    height, width = shape_hw
    if cell_px >= 10:
        half = (max(2, width // 2), max(2, height // 2))
        grid = cv2.resize(grid, half, interpolation=cv2.INTER_CUBIC)
        return np.asarray(cv2.resize(grid, (width, height)), np.float32)
    grown = cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(grown, np.float32)


def fractal_noise(
    rng: np.random.Generator,
    shape_hw: tuple[int, int],
    cell_px: tuple[float, float] | float,
    octaves: int = 4,
    gain: float = 0.5,
) -> Plane:
    """Return noise `(h, w)` summed over `octaves`, each half as large and `gain` as strong."""
    cell_x, cell_y = (cell_px, cell_px) if isinstance(cell_px, int | float) else cell_px
    # The finest cells decide how few pixels suffice; the sum is enlarged once.
    finest = 0.5 ** (octaves - 1)
    shrink_x, shrink_y = max(1.0, cell_x * finest / 2.5), max(1.0, cell_y * finest / 2.5)
    height, width = shape_hw
    small_hw = (max(4, math.ceil(height / shrink_y)), max(4, math.ceil(width / shrink_x)))
    total = np.zeros(small_hw, np.float32)
    strength, norm = 1.0, 0.0
    for octave in range(octaves):
        scale = 2**octave
        cells = (max(1.0, cell_x / shrink_x / scale), max(1.0, cell_y / shrink_y / scale))
        total += np.float32(strength) * smooth_noise(rng, small_hw, cells)
        norm += strength
        strength *= gain
    total *= np.float32(1 / (norm * 0.6))
    if small_hw == (height, width):
        return total
    return _grown(total, shape_hw, 2.5 * min(shrink_x, shrink_y))


def soft_blur(plane: Plane, sigma_px: float) -> Plane:
    """Return a Gaussian blur; wide ones are done on a smaller plane, which the eye cannot tell."""
    shrink = int(sigma_px / 1.6)
    if shrink < 2:
        return np.asarray(cv2.GaussianBlur(plane, (0, 0), max(0.3, sigma_px)), np.float32)
    height, width = plane.shape[:2]
    size = (max(4, width // shrink), max(4, height // shrink))
    small = cv2.resize(plane, size, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma_px * size[0] / width)
    grown = cv2.resize(small, (width, height))
    if plane.ndim == 2:  # perhaps a height, on which the light would show facets
        grown = cv2.blur(grown, (shrink | 1, shrink | 1))
    return np.asarray(grown, np.float32)


def wander(
    rng: np.random.Generator, n: int, knots: int, octaves: int = 3, gain: float = 0.5
) -> npt.NDArray[np.float64]:
    """Return a wandering line `(n,)`, about -1 to 1: a skyline, a river, a hem."""
    total = np.zeros(n)
    norm = 0.0
    for octave in range(octaves):
        count = max(2, knots * 2**octave) + 1
        values = rng.uniform(-1, 1, count)
        place = np.linspace(0, count - 1, n)
        low = np.minimum(place.astype(int), count - 2)
        share = place - low
        share = share * share * (3 - 2 * share)
        total += gain**octave * (values[low] * (1 - share) + values[low + 1] * share)
        norm += gain**octave
    return total / norm


def smooth_curve(points: npt.ArrayLike, closed: bool = False, steps: int = 8) -> Points:
    """Return a Catmull-Rom curve `(n, 2)` through `points`."""
    given = np.asarray(points, np.float64)
    if closed:
        padded = np.concatenate([given[-1:], given, given[:2]])
    else:
        padded = np.concatenate([2 * given[:1] - given[1:2], given, 2 * given[-1:] - given[-2:-1]])
    p0, p1, p2, p3 = padded[:-3], padded[1:-2], padded[2:-1], padded[3:]
    t = np.linspace(0, 1, steps, endpoint=False)[None, :, None]
    p0, p1, p2, p3 = p0[:, None], p1[:, None], p2[:, None], p3[:, None]
    curve = 0.5 * (
        2 * p1
        + (p2 - p0) * t
        + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2
        + (3 * p1 - p0 - 3 * p2 + p3) * t**3
    )
    flat = curve.reshape(-1, 2)
    return flat if closed else np.concatenate([flat, given[-1:]])
