"""Oil on canvas or panel, tempera, grisaille and pastel: layers of strokes over a ground."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import skia

from bilderatlas.museum.forms.strokes import Layer, edge_field, lay_strokes
from bilderatlas.museum.forms.surface import cracks, vignette, weave
from bilderatlas.museum.noise import Plane, fractal_noise, soft_blur
from bilderatlas.museum.scene import Colour, Scene
from bilderatlas.museum.school import Manner, School


def paint_oil(scene: Scene, school: School, rng: np.random.Generator) -> Plane:
    """Return the scene painted in oil by a school's hand `(h, w, 3)`."""
    ground = school.pick(rng, "ground")
    return _aged(_painted(scene.rgb, scene.fine, school.manner, ground, rng), school.manner, rng)


def paint_tempera(scene: Scene, school: School, rng: np.random.Generator) -> Plane:
    """Return the scene in egg tempera: short parallel strokes, a fine craquelure."""
    return paint_oil(scene, school, rng)


def paint_grisaille(scene: Scene, school: School, rng: np.random.Generator) -> Plane:
    """Return the scene in greys, as sketches for prints and feigned sculpture are painted."""
    grey = cv2.cvtColor(np.clip(scene.rgb, 0, 1), cv2.COLOR_RGB2GRAY)
    low, high = np.percentile(grey[::4, ::4], (2, 98))
    grey = np.clip((grey - low) / max(0.2, high - low), 0, 1)[..., None]
    warm = float(rng.uniform(0, 1))
    dark = np.array([0.13, 0.11, 0.10], np.float32)
    bright = np.array([0.90, 0.87 - 0.03 * warm, 0.80 - 0.10 * warm], np.float32)
    toned = dark + (bright - dark) * grey
    manner = replace(school.manner, jitter=0.02, varnish=0.2)
    painted = _painted(toned, scene.fine, manner, (0.5, 0.46, 0.4), rng)
    return _aged(painted, manner, rng)


def paint_pastel(scene: Scene, school: School, rng: np.random.Generator) -> Plane:
    """Return the scene in pastel: grainy strokes on tinted paper that shows through."""
    tint = np.asarray(school.pick(rng, "backdrop"), np.float32) * 0.5 + 0.35
    manner = replace(school.manner, broad=0.022, impasto=0.0, jitter=0.09, weave=0.0, finish=0.3)
    painted = _painted(scene.rgb, scene.fine, manner, (0.6, 0.56, 0.5), rng)
    tooth = fractal_noise(rng, painted.shape[:2], 2.4, 2)
    dusty = np.clip((tooth - 0.15) * 2.2, 0, 0.75)[..., None]
    return np.asarray(painted + (tint - painted) * dusty, np.float32)


def _painted(
    rgb: Plane, fine: Plane, manner: Manner, ground: Colour, rng: np.random.Generator
) -> Plane:
    """Return three layers of strokes, broad to fine, the fine ones where there is something."""
    target = np.clip(rgb, 0, 1).astype(np.float32)
    height, width = target.shape[:2]
    short = min(height, width)
    angle = edge_field(target, manner.flow, rng)
    start = target * 0.72 + np.asarray(ground, np.float32) * 0.28
    pixels = np.empty((height, width, 4), np.uint8)
    pixels[..., :3] = (soft_blur(start, short * 0.012) * 255).astype(np.uint8)
    pixels[..., 3] = 255
    canvas = skia.Surface(pixels, colorType=skia.kRGBA_8888_ColorType).getCanvas()
    broad = max(4.0, manner.broad * short)
    sizes = (
        (broad, 2.6, 1.4, 0.85),
        (broad * 0.5, 2.8, 1.35, 0.85),
        (max(2.7, broad * 0.25), 3.2, 1.25, 0.9),
    )
    for step, (size, length, cover, alpha) in enumerate(sizes):
        smooth = soft_blur(target, max(0.6, size * 0.3))
        where = None
        if step:
            reached = pixels[..., :3].astype(np.float32) * np.float32(1 / 255)
            missed = cv2.transform(cv2.absdiff(smooth, reached), np.ones((1, 3), np.float32))
            missed = soft_blur(missed, max(1.0, size * 0.4))
            need = missed * (5.0 if step == 1 else 6.0) + fine * (0.9 if step == 1 else 1.1) - 0.25
            where = np.clip(need, 0.12 if step == 1 else 0.0, 1).astype(np.float32)
        layer = Layer(size, length, cover, manner.jitter * (1 - 0.25 * step), alpha, where)
        lay_strokes(canvas, smooth, angle, layer, rng)
    painted = pixels[..., :3].astype(np.float32) * np.float32(1 / 255)
    through = np.float32(manner.finish) * (np.float32(0.8) + np.float32(0.2) * fine)
    through = np.maximum(through, fine * fine * np.float32(0.45 * (1 - manner.jitter * 4)))
    result = painted + (target - painted) * through[..., None]
    return _impasto(result, painted, manner)


def _impasto(result: Plane, painted: Plane, manner: Manner) -> Plane:
    """Return the paint with light raking over its own relief, thicker in the lights."""
    if manner.impasto <= 0:
        return result
    grey = cv2.cvtColor(painted, cv2.COLOR_RGB2GRAY)
    ridge = cv2.GaussianBlur(grey, (0, 0), 0.8) - cv2.GaussianBlur(grey, (0, 0), 3.0)
    rake = np.zeros_like(ridge)
    rake[2:, 2:] = ridge[2:, 2:] - ridge[:-2, :-2]
    thick = np.float32(0.5) + grey
    lift = np.clip(rake * thick * np.float32(0.95 * manner.impasto), -0.1, 0.11)
    return np.asarray(result + lift[..., None], np.float32)


def _aged(rgb: Plane, manner: Manner, rng: np.random.Generator) -> Plane:
    """Return the picture with canvas, cracks, varnish and dust."""
    shape = (rgb.shape[0], rgb.shape[1])
    result = rgb
    factor = np.ones(shape, np.float32)
    if manner.weave:
        factor += weave(rng, shape) * np.float32(0.045 * manner.weave)
    if manner.cracks:
        cell = float(rng.uniform(0.028, 0.05)) * min(shape) + 6
        factor -= cracks(rng, shape, cell) * np.float32(0.26 * manner.cracks)
    if manner.vignette:
        factor -= vignette(shape) * np.float32(0.8 * manner.vignette)
    result = result * factor[..., None]
    if manner.varnish:
        tint = np.array([1.0, 0.93, 0.74], np.float32)
        result = result * (1 + (tint - 1) * np.float32(manner.varnish))
        result += np.array([0.02, 0.014, 0.004], np.float32) * np.float32(manner.varnish)
    return np.asarray(np.clip(result, 0, 1), np.float32)
