"""Surfaces: canvas, panel, paper, and what time does to them."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from bilderatlas.museum.noise import Plane, fractal_noise, smooth_noise
from bilderatlas.museum.tints import tinted

TILE_PX = 1024
"""Side of the planes kept once made; a work takes a piece of each, turned over or not."""


def _piece(tile: Plane, rng: np.random.Generator, shape_hw: tuple[int, int]) -> Plane:
    """Return a piece `(h, w)` of a tile, which is repeated for pictures larger than it."""
    height, width = shape_hw
    tall, wide = -(-height // TILE_PX) * TILE_PX, -(-width // TILE_PX) * TILE_PX
    if (tall, wide) != tile.shape:
        tile = np.tile(tile, (tall // TILE_PX, wide // TILE_PX))
    top, left = int(rng.integers(tall - height + 1)), int(rng.integers(wide - width + 1))
    flip_y, flip_x = (1 if turned else -1 for turned in rng.random(2) < 0.5)
    return tile[top : top + height, left : left + width][::flip_y, ::flip_x]


@lru_cache(maxsize=1)
def _canvas_relief() -> Plane:
    """Return the relief of a canvas whose threads wander."""
    rng = np.random.default_rng(31)
    step = np.float32(2 * np.pi / 2.6)
    drift = smooth_noise(rng, (TILE_PX, TILE_PX), 60.0) * np.float32(0.7)
    way = np.arange(TILE_PX, dtype=np.float32) * step
    xs, ys = way[None, :] + drift, way[:, None] + drift
    relief = np.sin(xs) * np.sin(ys * np.float32(0.5)) + np.sin(ys) * np.cos(xs * np.float32(0.5))
    return np.asarray(relief * np.float32(0.5), np.float32)


@lru_cache(maxsize=1)
def _fibres() -> Plane:
    """Return the cloudiness of paper pulp."""
    fibre = np.random.default_rng(32).standard_normal((TILE_PX, TILE_PX), dtype=np.float32)
    return np.asarray(cv2.GaussianBlur(fibre, (0, 0), 0.7), np.float32)


CRACK_CELLS_PX = (17, 19, 21, 23, 26)


@lru_cache(maxsize=len(CRACK_CELLS_PX))
def _crack_lines(cell_px: int) -> Plane:
    """Return the borders of cells of `cell_px` that drying left, 0 to 1."""
    rng = np.random.default_rng(cell_px)
    seeds = np.full((TILE_PX, TILE_PX), 255, np.uint8)
    n = int(TILE_PX**2 / cell_px**2)
    seeds[rng.integers(0, TILE_PX, n), rng.integers(0, TILE_PX, n)] = 0
    _, labels = cv2.distanceTransformWithLabels(
        seeds, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_CCOMP
    )
    lines = np.zeros(seeds.shape, np.float32)
    lines[:, 1:] = labels[:, 1:] != labels[:, :-1]
    lines[1:] += labels[1:] != labels[:-1]
    return np.asarray(cv2.GaussianBlur(np.minimum(lines, 1), (0, 0), 0.6), np.float32)


def weave(rng: np.random.Generator, shape_hw: tuple[int, int]) -> Plane:
    """Return the relief of a canvas `(h, w)`, about -1 to 1."""
    return _piece(_canvas_relief(), rng, shape_hw)


def cracks(rng: np.random.Generator, shape_hw: tuple[int, int]) -> Plane:
    """Return the lines of a craquelure `(h, w)`, 0 to 1, here strong and there weak."""
    cell_px = CRACK_CELLS_PX[int(rng.integers(len(CRACK_CELLS_PX)))]
    patchy = np.clip(smooth_noise(rng, shape_hw, 0.25 * max(shape_hw)) + np.float32(0.45), 0, 1)
    return np.asarray(_piece(_crack_lines(cell_px), rng, shape_hw) * patchy, np.float32)


def vignette(shape_hw: tuple[int, int]) -> Plane:
    """Return how far each place is from the middle `(h, w)`, 0 to 1 in the corners."""
    ways = np.linspace(-1, 1, 64, dtype=np.float32) ** 2
    small = np.clip((ways[None, :] + ways[:, None]) / 2, 0, 1) ** np.float32(1.2)
    return np.asarray(cv2.resize(small, shape_hw[::-1]), np.float32)


def paper(
    rng: np.random.Generator, shape_hw: tuple[int, int], colour: tuple[float, float, float]
) -> Plane:
    """Return a sheet of old paper `(h, w, 3)`: fibres, laid lines, foxing, darker edges."""
    height, width = shape_hw
    tint = fractal_noise(rng, shape_hw, 0.4 * max(shape_hw), 3) * np.float32(0.018)
    fibre = _piece(_fibres(), rng, shape_hw) * np.float32(0.012)
    laid = np.sin(np.arange(height, dtype=np.float32) * np.float32(2 * np.pi / 4.2))[:, None]
    light = 1 + tint + fibre + laid * np.float32(0.006)
    edge = vignette(shape_hw) * np.float32(0.07)
    sheet = tinted(light, (0.0, 0.0, 0.0), colour)
    sheet *= tinted(edge, (1.0, 1.0, 1.0), (0.4, 0.0, -0.6))
    for _ in range(int(rng.integers(0, 7))):
        _fox(sheet, int(rng.integers(width)), int(rng.integers(height)), int(rng.integers(2, 7)))
    return np.asarray(np.clip(sheet, 0, 1), np.float32)


def _fox(sheet: Plane, x: int, y: int, radius: int) -> None:
    """Lay a brown spot of age on a sheet, in place."""
    half = 3 * radius
    spot = np.zeros((2 * half, 2 * half), np.float32)
    cv2.circle(spot, (half, half), radius, (0.22,), -1, cv2.LINE_AA)
    spot = cv2.GaussianBlur(spot, (0, 0), radius * 0.6)
    top, left = max(0, y - half), max(0, x - half)
    window = sheet[top : y + half, left : x + half]
    part = spot[top - y + half :, left - x + half :][: window.shape[0], : window.shape[1]]
    window *= 1 - part[..., None] * np.array([0.3, 0.5, 0.8], np.float32)
