"""Brush strokes: the field they follow, the marks of bristles, and layers of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import skia

from bilderatlas.museum.noise import Plane, smooth_noise

SPRITE_W, SPRITE_H = 72, 24
BENDS = (-2, -1, 0, 1, 2)
VARIANTS = 3


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of strokes.

    Attributes:
        width_px: Width of a stroke.
        length: Length as a multiple of the width.
        cover: How often the layer covers the picture, 1 once.
        jitter: How far colours stray.
        alpha: Opacity of the paint.
        where: How likely a stroke is set, 0 to 1, a plane of any resolution; None everywhere.
    """

    width_px: float
    length: float
    cover: float
    jitter: float
    alpha: float
    where: Plane | None = None


def edge_field(rgb: Plane, wind: float, rng: np.random.Generator) -> Plane:
    """Return the direction of strokes in radians: along edges, elsewhere with the wind.

    The plane has a third of the picture's resolution: nobody sees a finer one.
    """
    height, width = rgb.shape[:2]
    small = cv2.resize(rgb, (max(8, width // 3), max(8, height // 3)), interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    gx = cv2.Sobel(grey, cv2.CV_32F, 1, 0, ksize=3)
    gy = cv2.Sobel(grey, cv2.CV_32F, 0, 1, ksize=3)
    sigma = 0.012 * max(grey.shape) + 1
    xx = cv2.GaussianBlur(gx * gx, (0, 0), sigma)
    yy = cv2.GaussianBlur(gy * gy, (0, 0), sigma)
    xy = cv2.GaussianBlur(gx * gy, (0, 0), sigma)
    turn = smooth_noise(rng, grey.shape, 0.3 * max(grey.shape)) * np.float32(2.2) + np.float32(
        rng.uniform(0, np.pi)
    )
    weight = np.float32(0.0025 * (0.3 + wind))
    cos2 = (yy - xx) + weight * np.cos(2 * turn)
    sin2 = -2 * xy + weight * np.sin(2 * turn)
    return np.asarray(np.float32(0.5) * np.arctan2(sin2, cos2), np.float32)


@lru_cache(maxsize=1)
def _atlas() -> Any:
    """Return the image of all brush marks: rows are bends, columns variants."""
    rng = np.random.default_rng(20)
    sheet = np.zeros((SPRITE_H * len(BENDS), SPRITE_W * VARIANTS, 4), np.float32)
    xs = np.linspace(-1, 1, SPRITE_W, dtype=np.float32)[None, :]
    ys = np.linspace(-1, 1, SPRITE_H, dtype=np.float32)[:, None]
    for row, bend in enumerate(BENDS):
        for column in range(VARIANTS):
            across = (ys - np.float32(0.17 * bend) * (1 - 2 * xs * xs)) * 1.5
            bristle = smooth_noise(rng, (SPRITE_H * 2, SPRITE_W), (SPRITE_W * 0.7, 2.2))
            lines = cv2.remap(
                bristle,
                np.broadcast_to((xs + 1) * (SPRITE_W / 2), (SPRITE_H, SPRITE_W)).astype(np.float32),
                ((across + 2) * (SPRITE_H / 2)).astype(np.float32),
                cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_REFLECT,
            )
            ragged = 0.86 + 0.12 * lines
            body = np.clip((1 - np.abs(across) ** 2.4) * 2.4, 0, 1)
            ends = np.clip((ragged - np.abs(xs)) * 7, 0, 1)
            alpha = body * ends * np.clip(0.85 + 0.25 * lines, 0, 1)
            light = np.clip(0.96 + 0.05 * lines, 0, 1)
            top, left = row * SPRITE_H, column * SPRITE_W
            window = sheet[top : top + SPRITE_H, left : left + SPRITE_W]
            window[..., :3] = (light * alpha)[..., None]
            window[..., 3] = alpha
    return skia.Image.fromarray(
        np.ascontiguousarray((np.clip(sheet, 0, 1) * 255).astype(np.uint8)),
        colorType=skia.kRGBA_8888_ColorType,
    )


@lru_cache(maxsize=1)
def _cells() -> list[Any]:
    """Return the rectangles of the marks in the atlas, bend after bend."""
    return [
        skia.Rect.MakeXYWH(kind * SPRITE_W, bend * SPRITE_H, SPRITE_W, SPRITE_H)
        for bend in range(len(BENDS))
        for kind in range(VARIANTS)
    ]


def _seen_at(
    plane: Plane, places: npt.NDArray[Any], shape_hw: tuple[int, int]
) -> npt.NDArray[np.float32]:
    """Return what a plane of any resolution holds at places `(n, 2)` of the picture."""
    height, width = shape_hw
    rows = np.clip(places[:, 1] * (plane.shape[0] / height), 0, plane.shape[0] - 1).astype(int)
    columns = np.clip(places[:, 0] * (plane.shape[1] / width), 0, plane.shape[1] - 1).astype(int)
    return np.asarray(plane[rows, columns])


def _places(
    layer: Layer, shape_hw: tuple[int, int], rng: np.random.Generator
) -> npt.NDArray[np.float32]:
    """Return where strokes are set `(n, 2)`, in random order."""
    height, width = shape_hw
    step = float(np.sqrt(layer.width_px**2 * layer.length / layer.cover))
    nx, ny = max(1, round(width / step)) + 1, max(1, round(height / step)) + 1
    gx, gy = np.meshgrid(np.arange(nx), np.arange(ny))
    places = (
        np.stack([gx.ravel(), gy.ravel()], 1) * step + rng.uniform(-0.6, 0.6, (nx * ny, 2)) * step
    )
    places = places[(places[:, 0] < width) & (places[:, 1] < height) & (places.min(axis=1) >= 0)]
    if layer.where is not None:
        chance = _seen_at(layer.where, places, shape_hw)
        places = places[rng.random(len(places)) < chance]
    return np.asarray(places[rng.permutation(len(places))], np.float32)


def _colours(colours: npt.NDArray[np.float32], layer: Layer, rng: np.random.Generator) -> list[int]:
    """Return skia colours of strokes, strayed in lightness and in hue."""
    n = len(colours)
    light = 1 + rng.normal(0, layer.jitter, (n, 1))
    hue = rng.normal(0, layer.jitter * 0.55, (n, 3))
    value = np.clip((colours * light + hue) * 255, 0, 255).astype(np.uint32)
    alpha = np.uint32(round(layer.alpha * 255)) << np.uint32(24)
    packed = alpha | (value[:, 0] << 16) | (value[:, 1] << 8) | value[:, 2]
    return list(packed.tolist())


def lay_strokes(
    canvas: Any,
    shape_hw: tuple[int, int],
    target: Plane,
    angle: Plane,
    layer: Layer,
    rng: np.random.Generator,
) -> int:
    """Lay one layer of strokes on a skia canvas; return how many.

    Args:
        canvas: Canvas whose units are the painting's pixels.
        shape_hw: Size of the painting.
        target: Colours to reach, smoothed to the layer's width, at any resolution.
        angle: Directions, at any resolution.
        layer: The layer.
        rng: Chance.
    """
    places = _places(layer, shape_hw, rng)
    if not len(places):
        return 0
    turn = _seen_at(angle, places, shape_hw) + rng.normal(0, 0.16, len(places))
    reach = layer.width_px * layer.length * 0.4
    ahead = places + np.stack([np.cos(turn), np.sin(turn)], 1) * reach
    swing = np.mod(_seen_at(angle, ahead, shape_hw) - turn + np.pi / 2, np.pi) - np.pi / 2
    bends = np.clip(np.rint(-swing * 2.2), -2, 2).astype(int) + 2
    kinds = rng.integers(0, VARIANTS, len(places))
    size = layer.width_px * layer.length / SPRITE_W * rng.uniform(0.7, 1.25, len(places))
    cos, sin = np.cos(turn) * size, np.sin(turn) * size
    tx = places[:, 0] - cos * SPRITE_W / 2 + sin * SPRITE_H / 2
    ty = places[:, 1] - sin * SPRITE_W / 2 - cos * SPRITE_H / 2
    # One call a mark on flat lists: lists of rows would set the garbage collector going.
    transforms = list(map(skia.RSXform, cos.tolist(), sin.tolist(), tx.tolist(), ty.tolist()))
    cells = _cells()
    marks = [cells[cell] for cell in (bends * VARIANTS + kinds).tolist()]
    canvas.drawAtlas(
        _atlas(),
        transforms,
        marks,
        _colours(_seen_at(target, places, shape_hw), layer, rng),
        skia.BlendMode.kModulate,
        skia.SamplingOptions(skia.FilterMode.kLinear),
        None,
        None,
    )
    return len(places)
