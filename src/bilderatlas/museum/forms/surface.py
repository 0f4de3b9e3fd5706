"""Surfaces: canvas, panel, paper, and what time does to them."""

from __future__ import annotations

import cv2
import numpy as np

from bilderatlas.museum.noise import Plane, fractal_noise, smooth_noise


def weave(rng: np.random.Generator, shape_hw: tuple[int, int], thread_px: float = 2.6) -> Plane:
    """Return the relief of a canvas `(h, w)`, about -1 to 1."""
    height, width = shape_hw
    step = np.float32(2 * np.pi / thread_px)
    drift = smooth_noise(rng, shape_hw, 60.0) * np.float32(0.7)
    xs = np.arange(width, dtype=np.float32)[None, :] * step + drift
    ys = np.arange(height, dtype=np.float32)[:, None] * step + drift
    return np.asarray(
        0.5 * (np.sin(xs) * np.sin(ys * 0.5) + np.sin(ys) * np.cos(xs * 0.5)), np.float32
    )


def cracks(rng: np.random.Generator, shape_hw: tuple[int, int], cell_px: float) -> Plane:
    """Return the lines of a craquelure `(h, w)`, 0 to 1: borders of cells that drying left."""
    height, width = shape_hw
    seeds = np.full(shape_hw, 255, np.uint8)
    n = max(4, int(height * width / cell_px**2))
    seeds[rng.integers(0, height, n), rng.integers(0, width, n)] = 0
    _, labels = cv2.distanceTransformWithLabels(
        seeds, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_CCOMP
    )
    lines = np.zeros(shape_hw, np.float32)
    lines[:, 1:] = labels[:, 1:] != labels[:, :-1]
    lines[1:] += labels[1:] != labels[:-1]
    patchy = np.clip(smooth_noise(rng, shape_hw, 0.25 * max(shape_hw)) + 0.45, 0, 1)
    return np.asarray(cv2.GaussianBlur(np.minimum(lines, 1), (0, 0), 0.6) * patchy, np.float32)


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
    fibre = rng.standard_normal(shape_hw, dtype=np.float32) * np.float32(0.012)
    fibre = cv2.GaussianBlur(fibre, (0, 0), 0.7)
    laid = np.sin(np.arange(height, dtype=np.float32) * np.float32(2 * np.pi / 4.2))[:, None]
    sheet = (
        np.asarray(colour, np.float32) * (1 + tint + fibre + laid * np.float32(0.006))[..., None]
    )
    edge = vignette(shape_hw)[..., None] * np.float32(0.07)
    sheet *= 1 - edge * np.array([0.6, 1.0, 1.6], np.float32)
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
