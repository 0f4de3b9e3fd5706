"""Oil on canvas or panel, tempera, grisaille and pastel: layers of strokes over a ground."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import skia

from bilderatlas.arrays import Pixels
from bilderatlas.museum.forms.strokes import Layer, edge_field, lay_strokes
from bilderatlas.museum.forms.surface import cracks, vignette, weave
from bilderatlas.museum.noise import Plane, fractal_noise, soft_blur
from bilderatlas.museum.scene import Colour, Scene
from bilderatlas.museum.school import Manner, School
from bilderatlas.museum.tints import blend, evenly, times, tinted


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
    grey = np.clip((grey - low) / max(0.2, high - low), 0, 1)
    warm = float(rng.uniform(0, 1))
    dark = np.array([0.13, 0.11, 0.10], np.float32)
    bright = np.array([0.90, 0.87 - 0.03 * warm, 0.80 - 0.10 * warm], np.float32)
    toned = tinted(grey, dark, bright)
    manner = replace(school.manner, jitter=0.02, varnish=0.2)
    painted = _painted(toned, scene.fine, manner, (0.5, 0.46, 0.4), rng)
    return _aged(painted, manner, rng)


def paint_pastel(scene: Scene, school: School, rng: np.random.Generator) -> Plane:
    """Return the scene in pastel: grainy strokes on tinted paper that shows through."""
    tint = np.asarray(school.pick(rng, "backdrop"), np.float32) * np.float32(0.5) + np.float32(0.35)
    manner = replace(school.manner, broad=0.022, impasto=0.0, jitter=0.09, weave=0.0, finish=0.3)
    painted = _painted(scene.rgb, scene.fine, manner, (0.6, 0.56, 0.5), rng)
    tooth = fractal_noise(rng, painted.shape[:2], 2.4, 2)
    return blend(painted, tint, np.clip((tooth - 0.15) * 2.2, 0, 0.75))


def _painted(
    rgb: Plane, fine: Plane, manner: Manner, ground: Colour, rng: np.random.Generator
) -> Plane:
    """Return three layers of strokes, broad to fine, the fine ones where there is something.

    The broad layers are laid at half the resolution: their marks are wide and soft.
    """
    target = np.ascontiguousarray(np.clip(rgb, 0, 1), np.float32)
    height, width = (int(n) for n in target.shape[:2])
    shape, short = (height, width), min(height, width)
    small_wh = (width + 1) // 2, (height + 1) // 2
    small = cv2.resize(target, small_wh, interpolation=cv2.INTER_AREA)
    small_fine = cv2.resize(fine, small_wh, interpolation=cv2.INTER_AREA)
    angle = edge_field(target, manner.flow, rng)
    broad = max(4.0, manner.broad * short)
    jitter = manner.jitter
    start = small * np.float32(0.72)
    start += np.float32(0.28) * evenly((small_wh[1], small_wh[0]), ground)
    pixels = _under_paint(soft_blur(start, short * 0.006), None)
    canvas = _canvas_on(pixels, small_wh[0] / width, small_wh[1] / height)
    smooth = soft_blur(small, max(0.6, broad * 0.15))
    lay_strokes(canvas, shape, smooth, angle, Layer(broad, 2.6, 1.4, jitter, 0.85), rng)
    size = broad * 0.5
    smooth = soft_blur(small, max(0.5, size * 0.15))
    where = np.clip(_missed(smooth, pixels, size) * 5 + small_fine * 0.9 - 0.25, 0.12, 1)
    layer = Layer(size, 2.8, 1.35, jitter * 0.75, 0.85, where)
    if size > 5.5:
        lay_strokes(canvas, shape, smooth, angle, layer, rng)
        pixels = _under_paint(pixels, (width, height))
    else:
        pixels = _under_paint(pixels, (width, height))
        lay_strokes(_canvas_on(pixels), shape, smooth, angle, layer, rng)
    size = max(2.8, broad * 0.27)
    reached = cv2.resize(pixels, small_wh, interpolation=cv2.INTER_AREA)
    where = np.clip(_missed(small, reached, size) * 6 + small_fine * 1.1 - 0.25, 0, 1)
    layer = Layer(size, 3.4, 1.1, jitter * 0.5, 0.9, where)
    lay_strokes(_canvas_on(pixels), shape, soft_blur(target, 0.8), angle, layer, rng)
    painted = _floats(pixels)
    through = np.float32(manner.finish) * (np.float32(0.8) + np.float32(0.2) * fine)
    through = np.maximum(through, fine * fine * np.float32(0.45 * (1 - manner.jitter * 4)))
    return _impasto(blend(painted, target, through), painted, manner)


def _under_paint(rgb: Plane | Pixels, size_wh: tuple[int, int] | None) -> Pixels:
    """Return bytes `(h, w, 4)` to paint on, from colours or from a smaller painting."""
    if size_wh is not None:
        return np.asarray(cv2.resize(rgb, size_wh), np.uint8)
    return np.asarray(cv2.cvtColor((rgb * 255).astype(np.uint8), cv2.COLOR_RGB2RGBA), np.uint8)


def _canvas_on(pixels: Pixels, scale_x: float = 1.0, scale_y: float = 1.0) -> Any:
    """Return a skia canvas whose units are the picture's pixels, `scale` of them a byte."""
    canvas = skia.Surface(pixels, colorType=skia.kRGBA_8888_ColorType).getCanvas()
    canvas.scale(scale_x, scale_y)
    return canvas


def _floats(pixels: Pixels) -> Plane:
    rgb = cv2.cvtColor(pixels, cv2.COLOR_RGBA2RGB).astype(np.float32)
    return np.asarray(rgb * np.float32(1 / 255), np.float32)


def _missed(smooth: Plane, pixels: Pixels, size_px: float) -> Plane:
    """Return how far the paint is from what it should be, at half the resolution."""
    missed = cv2.transform(cv2.absdiff(smooth, _floats(pixels)), np.ones((1, 3), np.float32))
    return soft_blur(missed, max(0.6, size_px * 0.2))


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
    return np.asarray(result + cv2.merge((lift, lift, lift)), np.float32)


def _aged(rgb: Plane, manner: Manner, rng: np.random.Generator) -> Plane:
    """Return the picture with canvas, cracks, varnish and dust."""
    shape = (rgb.shape[0], rgb.shape[1])
    factor: Plane = np.ones(shape, np.float32)
    if manner.weave:
        factor += weave(rng, shape) * np.float32(0.045 * manner.weave)
    if manner.cracks:
        factor -= cracks(rng, shape) * np.float32(0.26 * manner.cracks)
    if manner.vignette:
        factor -= vignette(shape) * np.float32(0.8 * manner.vignette)
    if manner.varnish:
        yellow = [1 - fade * manner.varnish for fade in (0.0, 0.07, 0.26)]
        result: Plane = rgb * tinted(factor, (0.0, 0.0, 0.0), yellow)
        result += evenly(shape, [glow * manner.varnish for glow in (0.02, 0.014, 0.004)])
    else:
        result = times(rgb, factor)
    return np.asarray(np.clip(result, 0, 1), np.float32)
