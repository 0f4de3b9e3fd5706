"""Lines: contours of things, and hatching whose lines swell with the tone."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from bilderatlas.museum.noise import Plane, fractal_noise, smooth_noise, soft_blur


def tones(rgb: Plane, gamma: float = 1.0) -> Plane:
    """Return the lightness of a scene `(h, w)`, stretched to the whole range 0 to 1."""
    grey = cv2.cvtColor(np.clip(rgb, 0, 1), cv2.COLOR_RGB2GRAY)
    low, high = np.percentile(grey[::3, ::3], (2.0, 98.0))
    stretched = np.clip((grey - low) / max(0.12, float(high - low)), 0, 1)
    return np.asarray(stretched ** np.float32(gamma), np.float32)


def contours(ids: npt.NDArray[np.uint8], light: Plane, width_px: float) -> Plane:
    """Return the outlines of things `(h, w)`, 0 to 1: where one thing ends or tone breaks."""
    edge = np.zeros(ids.shape, np.float32)
    edge[:, 1:] += ids[:, 1:] != ids[:, :-1]
    edge[1:] += ids[1:] != ids[:-1]
    edge = np.minimum(edge, 1)
    narrow = cv2.GaussianBlur(light, (0, 0), 0.9)
    dog = cv2.GaussianBlur(light, (0, 0), 1.8) - narrow
    breaks = np.clip((dog - 0.018) * 22, 0, 1)
    lines = cv2.GaussianBlur(edge, (0, 0), 0.5 * width_px) * np.float32(1.1 * width_px)
    # A contour between two tones that hardly differ is drawn thinly, as engravers do.
    step = cv2.dilate(light, np.ones((5, 5))) - cv2.erode(light, np.ones((5, 5)))
    lines = lines * np.clip(0.3 + step * 2.5, 0, 1)
    return np.asarray(np.clip(np.maximum(lines, breaks), 0, 1), np.float32)


def hatch(
    light: Plane,
    period_px: float,
    angle: float,
    start: float,
    bend: float,
    wobble: Plane,
    full: float = 0.15,
) -> Plane:
    """Return one set of hatching lines `(h, w)`, 0 to 1, that bend with the form.

    Args:
        light: Lightness, 0 to 1.
        period_px: Distance of the lines.
        angle: Their direction in radians.
        start: Lightness below which lines begin.
        bend: How far smooth tone displaces the lines, in periods.
        wobble: `(h, w)` displacement by the hand, in periods.
        full: Lightness at which lines are at their thickest.
    """
    height, width = light.shape
    xs = np.arange(width, dtype=np.float32)[None, :] * np.float32(np.sin(angle) / period_px)
    ys = np.arange(height, dtype=np.float32)[:, None] * np.float32(np.cos(angle) / period_px)
    form = soft_blur(light, 6.0) * np.float32(bend)
    wave = np.cos(np.float32(2 * np.pi) * (xs + ys + form + wobble)) * np.float32(0.5) + np.float32(
        0.5
    )
    share = np.clip((start - light) / (start - full), 0, 1) * np.float32(0.62)
    softness = np.float32(1.6 / period_px)
    return np.asarray(
        np.clip((wave - (1 - share)) / softness + 0.5, 0, 1) * (share > 0.02), np.float32
    )


def hand_wobble(rng: np.random.Generator, shape_hw: tuple[int, int], strength: float) -> Plane:
    """Return how a hand wanders `(h, w)`, in periods of its hatching."""
    slow = smooth_noise(rng, shape_hw, 40.0) * np.float32(strength)
    quick = fractal_noise(rng, shape_hw, 9.0, 2) * np.float32(strength * 0.22)
    return np.asarray(slow + quick, np.float32)
