"""Prints: engraving, etching, woodcut, colour woodcut, screenprint."""

from __future__ import annotations

import cv2
import numpy as np

from bilderatlas.museum.forms.lines import contours, hand_wobble, hatch, tones
from bilderatlas.museum.noise import Plane, fractal_noise, smooth_noise, soft_blur
from bilderatlas.museum.scene import Scene
from bilderatlas.museum.school import School

PRINT_INK = np.array([0.09, 0.08, 0.075], np.float32)


def _inked(ink: Plane, rng: np.random.Generator, colour: Plane = PRINT_INK) -> Plane:
    """Return an impression `(h, w, 4)`: the ink's colour and how much of it."""
    uneven = 1 - np.float32(0.12) * np.clip(smooth_noise(rng, ink.shape, 90.0) + 0.3, 0, 1)
    speckle = 1 - np.float32(0.25) * (rng.random(ink.shape, dtype=np.float32) > 0.93)
    result = np.empty((*ink.shape, 4), np.float32)
    result[..., :3] = colour
    result[..., 3] = np.clip(ink * uneven * speckle, 0, 0.97)
    return result


def paint_engraving(scene: Scene, school: School, rng: np.random.Generator) -> Plane:
    """Return the scene cut in copper: regular lines that swell and cross."""
    light = _local(tones(scene.rgb, 0.8))
    wobble = hand_wobble(rng, light.shape, 0.35)
    angle = float(rng.uniform(0.35, 0.75))
    period = float(rng.uniform(3.5, 4.1))
    ink = hatch(light, period, angle, 0.86, 7.0, wobble)
    ink = np.maximum(ink, hatch(light, period, angle + 1.05, 0.55, 6.0, wobble))
    ink = np.maximum(ink, hatch(light, period * 1.1, angle - 0.75, 0.28, 4.0, wobble, 0.05))
    ink = np.maximum(ink, contours(scene.ids, light, 1.1))
    return _inked(ink, rng)


def paint_etching(scene: Scene, school: School, rng: np.random.Generator) -> Plane:
    """Return the scene etched: a freer needle, broken lines, a film of plate tone."""
    light = _local(tones(scene.rgb, 0.75))
    wobble = hand_wobble(rng, light.shape, 0.9)
    angle = float(rng.uniform(0.5, 1.0))
    period = float(rng.uniform(3.0, 3.6))
    ink = hatch(light, period, angle, 0.8, 2.5, wobble)
    ink = np.maximum(ink, hatch(light, period, angle + 0.6, 0.52, 2.0, wobble * 1.3))
    ink = np.maximum(ink, hatch(light, period, angle - 1.1, 0.32, 1.5, wobble * 0.7, 0.05))
    broken = np.clip(0.9 + 0.4 * fractal_noise(rng, light.shape, 4.0, 2), 0, 1)
    ink = np.maximum(
        ink * np.maximum(broken, 1 - light * 1.4), contours(scene.ids, light, 0.9) * 0.9
    )
    tone_film = np.float32(0.05) + np.float32(0.04) * smooth_noise(rng, light.shape, 120.0)
    return _inked(np.clip(ink + tone_film, 0, 1), rng, np.array([0.13, 0.1, 0.08], np.float32))


def paint_woodcut(scene: Scene, school: School, rng: np.random.Generator) -> Plane:
    """Return the scene cut in wood: bold contours, few thick lines, black shadows."""
    light = _local(tones(scene.rgb, 0.7))
    modern = school.dress == "modern"
    light = cv2.GaussianBlur(light, (0, 0), 1.6 if modern else 1.0)
    wobble = hand_wobble(rng, light.shape, 0.45)
    period = float(rng.uniform(7.5, 9.0)) if modern else float(rng.uniform(5.4, 6.4))
    angle = float(rng.uniform(-0.25, 0.5))
    ink = hatch(light, period, angle, 0.62 if modern else 0.7, 4.0, wobble, 0.3)
    ink = np.maximum(ink, np.clip((0.24 - light) * 14, 0, 1))
    if not modern:
        ink = np.maximum(ink, hatch(light, period, angle + 0.9, 0.34, 3.0, wobble, 0.1))
    bold = contours(scene.ids, light, 1.8 if modern else 1.5)
    ink = np.maximum(ink, np.clip(bold * 1.5, 0, 1))
    cut = cv2.GaussianBlur(ink, (0, 0), 0.8) + np.float32(0.06) * fractal_noise(
        rng, ink.shape, 5.0, 2
    )
    return _inked(np.clip((cut - 0.42) * 5, 0, 1), rng, np.array([0.07, 0.065, 0.06], np.float32))


def paint_colour_woodcut(scene: Scene, school: School, rng: np.random.Generator) -> Plane:
    """Return the scene as a colour print: flat blocks, graded sky, a dark key block."""
    flat = _flat_blocks(scene)
    light = tones(scene.rgb, 0.8)
    grain = fractal_noise(rng, light.shape, (90.0, 3.0), 2) * np.float32(0.035)
    flat = flat * (1 + grain)[..., None]
    shift = np.array([[1, 0, rng.uniform(-1.2, 1.2)], [0, 1, rng.uniform(-1.0, 1.0)]], np.float32)
    flat = cv2.warpAffine(flat, shift, flat.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)
    line = contours(scene.ids, cv2.GaussianBlur(light, (0, 0), 1.0), 1.25)
    key = np.array([0.1, 0.12, 0.18], np.float32)
    colour = flat + (key - flat) * np.clip(line * 1.2, 0, 0.92)[..., None]
    result = np.empty((*light.shape, 4), np.float32)
    result[..., :3] = colour
    result[..., 3] = np.float32(0.93) - np.abs(grain)
    return result


def paint_screenprint(scene: Scene, school: School, rng: np.random.Generator) -> Plane:
    """Return the scene as a screenprint: even colours with a dry edge."""
    colour = (
        cv2.medianBlur((np.clip(scene.rgb, 0, 1) * 255).astype(np.uint8), 5).astype(np.float32)
        / 255
    )
    result = np.empty((*colour.shape[:2], 4), np.float32)
    result[..., :3] = colour
    dry = fractal_noise(rng, colour.shape[:2], 2.5, 2)
    result[..., 3] = np.clip(0.97 - 0.25 * np.clip(dry - 0.8, 0, 1), 0, 1)
    return result


def _flat_blocks(scene: Scene) -> Plane:
    """Return each thing in its mean colour, one step darker where it lies in shade."""
    rgb, ids = np.clip(scene.rgb, 0, 1), scene.ids
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    count = np.maximum(np.bincount(ids.ravel(), minlength=256), 1).astype(np.float32)
    mean = np.stack(
        [np.bincount(ids.ravel(), rgb[..., c].ravel(), minlength=256) / count for c in range(3)], 1
    ).astype(np.float32)
    level = (np.bincount(ids.ravel(), grey.ravel(), minlength=256) / count).astype(np.float32)
    smooth = cv2.GaussianBlur(grey, (0, 0), 2.5)
    share = np.clip((level[ids] * np.float32(0.86) - smooth) * 25, 0, 1)
    flat = mean[ids] * (1 - np.float32(0.22) * share)[..., None]
    graded = cv2.GaussianBlur(rgb, (0, 0), 5.0)
    ground = ((ids == 0) | (count[ids] > ids.size * 0.16))[..., None]
    soft = np.where(ground, graded * 0.7 + flat * 0.3, flat * 0.85 + rgb * 0.15)
    return np.asarray(soft, np.float32)


def _local(light: Plane) -> Plane:
    """Return lightness whose local contrast is raised, so that dark pictures print well."""
    mean = soft_blur(light, 0.09 * max(light.shape))
    lifted = np.float32(0.56) + (light - mean) * np.float32(1.05) + (mean - 0.5) * np.float32(0.55)
    return np.asarray(np.clip(lifted, 0, 1), np.float32)
