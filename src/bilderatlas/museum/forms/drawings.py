"""Drawings: chalk on toned paper, pen and wash, watercolour. They return ink with its opacity."""

from __future__ import annotations

import cv2
import numpy as np

from bilderatlas.museum.forms.lines import contours, hand_wobble, hatch, tones
from bilderatlas.museum.noise import Plane, fractal_noise, smooth_noise, soft_blur
from bilderatlas.museum.scene import Scene
from bilderatlas.museum.school import School


def _sketchy_edge(rng: np.random.Generator, shape_hw: tuple[int, int]) -> Plane:
    """Return where a drawing fades out towards the sheet's borders `(h, w)`, 0 to 1."""
    height, width = shape_hw
    xs = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    ys = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    away = np.maximum(np.abs(xs), np.abs(ys)) + np.float32(0.1) * smooth_noise(rng, shape_hw, 70.0)
    return np.asarray(np.clip((np.float32(1.0) - away) * 9, 0, 1), np.float32)


def _open_ground(light: Plane, scene: Scene, level: float) -> Plane:
    """Return tones with the wall behind things left open, as draughtsmen leave the sheet."""
    behind = cv2.GaussianBlur((scene.ids == 0).astype(np.float32), (0, 0), 2.0)
    aim = np.float32(level) + (light - np.float32(0.5)) * np.float32(0.25)
    return np.asarray(np.clip(light + (aim - light) * behind * np.float32(0.85), 0, 1), np.float32)


def paint_chalk(scene: Scene, school: School, rng: np.random.Generator) -> Plane:
    """Return the scene in black or red chalk, heightened with white."""
    light = tones(scene.rgb, 0.75)
    mean = soft_blur(light, 0.12 * max(light.shape))
    light = np.clip(0.55 + (light - mean) * 0.95 + (mean - 0.5) * 0.35, 0, 1)
    light = _open_ground(light, scene, 0.6)
    red = bool(rng.random() < 0.4)
    tooth = fractal_noise(rng, light.shape, 2.6, 2)
    wobble = hand_wobble(rng, light.shape, 0.8)
    angle = float(rng.uniform(0.6, 0.95))
    strokes = hatch(light, 5.2, angle, 0.62, 1.0, wobble) * 0.75
    mass = np.clip((0.5 - light) * 1.5, 0, 0.8)
    line = cv2.GaussianBlur(contours(scene.ids, light, 1.5), (0, 0), 0.6)
    ink = np.maximum(np.maximum(strokes, mass), line)
    ink = np.clip(ink * 1.15 - np.clip(tooth + 0.15, 0, 1) * 0.55 * (1.2 - ink), 0, 0.92)
    white = np.clip((light - 0.74) * 2.4, 0, 0.8)
    white = np.clip(white - np.clip(tooth + 0.2, 0, 1) * 0.4, 0, 0.8)
    colour = np.array([0.55, 0.2, 0.12] if red else [0.12, 0.11, 0.12], np.float32)
    fade = _sketchy_edge(rng, light.shape)
    result = np.empty((*light.shape, 4), np.float32)
    chalk = (white > ink)[..., None]
    result[..., :3] = np.where(chalk, np.array([0.97, 0.95, 0.9], np.float32), colour)
    result[..., 3] = np.maximum(ink, white) * fade
    return result


def paint_wash(scene: Scene, school: School, rng: np.random.Generator) -> Plane:
    """Return the scene with the pen in brown ink, washed in three tones."""
    light = _open_ground(tones(scene.rgb, 0.65), scene, 0.9)
    smooth = cv2.bilateralFilter(light, 7, 0.2, 5)
    drift = smooth_noise(rng, light.shape, 26.0) * np.float32(0.05)
    depth = np.zeros_like(light)
    for level, strength in ((0.68, 0.2), (0.42, 0.26), (0.2, 0.3)):
        step = np.clip((level + drift - smooth) * 14, 0, 1)
        rim = np.clip(step * (1 - cv2.GaussianBlur(step, (0, 0), 2.0)) * 3, 0, 1)
        depth += step * np.float32(strength) + rim * np.float32(0.07)
    pool = 1 + np.float32(0.2) * fractal_noise(rng, light.shape, 30.0, 3)
    wash = np.clip(depth * pool, 0, 0.85)
    line = contours(scene.ids, light, 1.15)
    shaky = hand_wobble(rng, light.shape, 1.0)
    ys, xs = np.mgrid[0 : light.shape[0], 0 : light.shape[1]].astype(np.float32)
    line = cv2.remap(line, xs + shaky * 1.4, ys - shaky * 1.2, cv2.INTER_LINEAR)
    pen = np.maximum(line, hatch(light, 4.0, 0.8, 0.36, 1.0, shaky) * 0.75)
    fade = _sketchy_edge(rng, light.shape)
    brown, ink = np.array([0.42, 0.28, 0.16], np.float32), np.array([0.22, 0.13, 0.08], np.float32)
    result = np.empty((*light.shape, 4), np.float32)
    result[..., :3] = np.where((pen > wash)[..., None], ink, brown)
    result[..., 3] = np.maximum(wash, np.clip(pen, 0, 0.92)) * fade
    return result


def paint_watercolour(scene: Scene, school: School, rng: np.random.Generator) -> Plane:
    """Return the scene in watercolour: transparent, granulated, darker where a wash ended."""
    rgb = np.clip(scene.rgb, 0, 1)
    small = cv2.resize(rgb, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    small = cv2.bilateralFilter(small, 9, 0.16, 7)
    broad = cv2.resize(small, rgb.shape[1::-1], interpolation=cv2.INTER_CUBIC)
    wet = fractal_noise(rng, rgb.shape[:2], 22.0, 2)
    ys, xs = np.mgrid[0 : rgb.shape[0], 0 : rgb.shape[1]].astype(np.float32)
    bleed = cv2.remap(
        broad, xs + wet * 3.2, ys + wet * 2.6, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    keep = np.clip(scene.fine * 0.8, 0, 0.7)[..., None]
    colour = bleed + (rgb - bleed) * keep
    colour = np.clip(colour, 0, 1)
    grey = cv2.cvtColor(np.asarray(colour, np.float32), cv2.COLOR_RGB2GRAY)
    steps = np.floor(grey * 6 + wet * 0.25) / 6
    rim = np.abs(cv2.GaussianBlur(steps.astype(np.float32), (0, 0), 1.2) - steps)
    grain = rng.normal(0, 0.03, grey.shape).astype(np.float32)
    pigment = (
        1 - rim * np.float32(0.9) + cv2.GaussianBlur(grain, (0, 0), 0.8) + wet * np.float32(0.035)
    )
    bright = np.float32(0.12) + np.float32(0.92) * colour ** np.float32(0.78)
    result = np.empty((*grey.shape, 4), np.float32)
    result[..., :3] = np.clip(bright * pigment[..., None], 0, 1)
    height, width = grey.shape
    edge = np.minimum(np.minimum(xs, width - 1 - xs), np.minimum(ys, height - 1 - ys))
    result[..., 3] = np.clip((edge + wet * 3 - 3) * 0.5, 0, 1) * np.float32(0.97)
    return result
